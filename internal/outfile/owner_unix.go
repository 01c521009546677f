//go:build unix

package outfile

import (
	"errors"
	"os"
	"path/filepath"
	"syscall"
)

// Foreign reports whether the directory of a file belongs to somebody else, so
// that only the capabilities of root let us rename files in it.
func Foreign(name string) bool {
	info, err := os.Stat(filepath.Dir(name))
	if err != nil {
		return false
	}
	st, ok := info.Sys().(*syscall.Stat_t)
	return ok && int(st.Uid) != os.Geteuid()
}

// TryLock holds the file until it is closed, or gives ErrLocked if somebody else
// does, and errors.ErrUnsupported where there are no locks.
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

// closeLocked closes a file, so that errors of writing show, and keeps its lock
// until release is called.
func closeLocked(f *os.File) (release func(), err error) {
	// Both descriptors share the lock (flock(2)).
	fd, failed := syscall.Dup(int(f.Fd()))
	release = func() {}
	if failed == nil {
		release = func() { _ = syscall.Close(fd) } // nothing was written by it
	}
	return release, f.Close()
}
