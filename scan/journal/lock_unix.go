//go:build unix

package journal

import (
	"os"

	"golang.org/x/sys/unix"
)

// lockFile keeps other processes from locking f until it is closed. It
// reports false if another has locked it.
func lockFile(f *os.File) bool {
	return unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB) != unix.EWOULDBLOCK
}
