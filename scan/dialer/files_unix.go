//go:build unix

package dialer

import (
	"math"
	"os"

	"golang.org/x/sys/unix"
)

// FreeFiles returns how many more files this process may open, after raising the soft
// limit to the hard one where possible.
func FreeFiles() int {
	var lim unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &lim); err != nil {
		return 256
	}
	if lim.Cur < lim.Max {
		raised := lim
		raised.Cur = lim.Max
		if unix.Setrlimit(unix.RLIMIT_NOFILE, &raised) == nil {
			lim = raised
		}
	}
	used := 16 // if the system does not report it
	for _, dir := range []string{"/proc/self/fd", "/dev/fd"} {
		if list, err := os.ReadDir(dir); err == nil {
			used = len(list)
			break
		}
	}
	return max(int(min(uint64(lim.Cur), math.MaxInt32))-used, 0)
}
