package rawnet

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// DropRights drops, for the whole process and permanently, every capability, and the
// possibility to get any by running another program. Open sockets keep working. In a
// program built with cgo it fails, with an error that wraps unix.ENOTSUP.
func DropRights() error {
	if err := everywhere("no-new-privileges", unix.SYS_PRCTL, unix.PR_SET_NO_NEW_PRIVS, 1, 0); err != nil {
		return err
	}
	// The bounding set can be reduced only with CAP_SETPCAP, and without that it need
	// not be: no capability can be gained any more.
	for c := uintptr(0); c <= unix.CAP_LAST_CAP; c++ {
		if err := everywhere("the bounding set", unix.SYS_PRCTL, unix.PR_CAPBSET_DROP, c, 0); err != nil {
			if errors.Is(err, unix.EPERM) || errors.Is(err, unix.EINVAL) {
				break
			}
			return err
		}
	}
	if err := everywhere("the ambient set", unix.SYS_PRCTL, unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL, 0); err != nil &&
		!errors.Is(err, unix.EINVAL) {
		return err
	}
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	return everywhere("the capabilities", unix.SYS_CAPSET,
		uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&none)), 0)
}

// everywhere makes a system call on every thread of the process, because capabilities
// belong to threads.
func everywhere(what string, call, a, b, c uintptr) error {
	if _, _, errno := syscall.AllThreadsSyscall6(call, a, b, c, 0, 0, 0); errno != 0 {
		return fmt.Errorf("dropping %s: %w", what, errno)
	}
	return nil
}
