//go:build unix

package journal

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFile locks f against other processes until it is closed. It reports false if
// another process has locked it.
func lockFile(f *os.File) bool {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != unix.EWOULDBLOCK
}
