//go:build !unix

package outfile

import (
	"errors"
	"os"
)

// Foreign reports whether the directory of a file belongs to another user; that
// matters only on Unix.
func Foreign(string) bool { return false }

// TryLock returns errors.ErrUnsupported.
func TryLock(*os.File) error { return errors.ErrUnsupported }

// closeLocked closes the file; there is no lock to keep.
func closeLocked(f *os.File) (release func(), err error) { return func() {}, f.Close() }
