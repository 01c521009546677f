//go:build unix

package main

import (
	"os"
	"path/filepath"
	"syscall"
)

// foreign reports whether the directory of a file belongs to somebody else, so
// that only the capabilities of root let us rename files in it.
func foreign(name string) bool {
	info, err := os.Stat(filepath.Dir(name))
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) != os.Geteuid()
}

// lockFile waits until nobody else holds the file, and holds it until it is
// closed.
func lockFile(f *os.File) error { return syscall.Flock(int(f.Fd()), syscall.LOCK_EX) }
