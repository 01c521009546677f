//go:build unix

package outfile

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// Foreign reports whether the directory of a file belongs to another user, so
// that renaming files in it requires the capabilities of root.
func Foreign(name string) bool {
	info, err := os.Stat(filepath.Dir(name))
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) != os.Geteuid()
}

// TryLock locks the file until it is closed. It returns ErrLocked if another
// process has the lock, and errors.ErrUnsupported if there are no locks.
func TryLock(f *os.File) error {
	err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
	switch {
	case errors.Is(err, syscall.EWOULDBLOCK):
		return ErrLocked
	case errors.Is(err, syscall.ENOLCK), errors.Is(err, syscall.EOPNOTSUPP):
		return errors.ErrUnsupported
	}
	return err
}

// closeLocked closes a file, so that write errors are reported, and keeps its
// lock until release is called.
func closeLocked(f *os.File) (release func(), err error) {
	// Both descriptors share the lock (flock(2)).
	fd, failed := syscall.Dup(int(f.Fd()))
	release = func() {}
	if failed == nil {
		release = func() { _ = syscall.Close(fd) } // this descriptor wrote nothing
	}
	return release, f.Close()
}
