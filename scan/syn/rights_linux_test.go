package syn

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/result"
	"golang.org/x/sys/unix"
)

// TestDropRights runs in a process of its own, which it leaves without
// rights.
func TestDropRights(t *testing.T) {
	if os.Getenv("MXSYN_DROP") != "" {
		dropped(t)
		return
	}
	t.Parallel()
	l := newLab(t)
	l.flat()
	// As root, and in a container that has been given NET_RAW and nothing
	// else.
	for _, how := range []string{"root", "container"} {
		cmd := exec.Command("ip", "netns", "exec", l.prefix+"s", os.Args[0], "-test.run=^TestDropRights$", "-test.v")
		cmd.Env = append(os.Environ(), "MXSYN_DROP="+how)
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", how, err, out)
		}
		if strings.Contains(string(out), "SKIP") {
			t.Skip(string(out))
		}
	}
}

// keepRaw gives up all capabilities but CAP_NET_RAW.
func keepRaw(t *testing.T) {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	raw := [2]unix.CapUserData{{Effective: 1 << unix.CAP_NET_RAW, Permitted: 1 << unix.CAP_NET_RAW}}
	_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&header)), uintptr(unsafe.Pointer(&raw)), 0)
	switch errno {
	case 0:
	case unix.ENOTSUP:
		t.Skip("built with cgo")
	default:
		t.Fatal(errno)
	}
}

func dropped(t *testing.T) {
	scope, space := spaceOf(t, ninePorts, "10.91.2.1-10.91.2.20")
	if os.Getenv("MXSYN_DROP") == "container" {
		keepRaw(t)
	}
	s, err := Open(t.Context(), space, Config{Scope: scope})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := DropRights(); err != nil {
		if errors.Is(err, unix.ENOTSUP) {
			t.Skip("built with cgo")
		}
		t.Fatal(err)
	}
	var have [2]unix.CapUserData
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	if err := unix.Capget(&header, &have[0]); err != nil {
		t.Fatal(err)
	}
	if have != [2]unix.CapUserData{} {
		t.Errorf("capabilities left: %+v", have)
	}
	if n, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); n != 1 || err != nil {
		t.Errorf("no-new-privileges: %d, %v", n, err)
	}
	closed := 0
	for r := range s.Scan(t.Context(), space) {
		if r.State == result.StateClosed {
			closed++
		}
	}
	if closed != int(space.Len()) || s.Err() != nil {
		t.Errorf("without rights: %d of %d closed, %v", closed, space.Len(), s.Err())
	}
	var refused *fault.Error
	if _, err := Open(t.Context(), space, Config{Scope: scope}); !errors.Is(err, unix.EPERM) || !errors.As(err, &refused) {
		t.Errorf("opened again without rights: %v", err)
	} else if !strings.Contains(refused.Hint, "setcap") {
		t.Errorf("hint: %q", refused.Hint)
	}
}
