package sockets

import (
	"context"
	"os"
	"slices"
	"testing"

	"github.com/shirou/gopsutil/v4/net"
)

// TestOwnListeners: without any right, the listeners of this process are listed with
// their process, and with what the kernel alone knows.
func TestOwnListeners(t *testing.T) {
	dual := kind{network: "tcp6", address: "[::]"}.listen(t, 0)
	only := kind{network: "tcp6", address: "[::]", v6only: true}.listen(t, 0)
	four := kind{network: "tcp4", address: "127.0.0.1"}.listen(t, 0)
	if dual == nil || only == nil || four == nil {
		t.Skip("this machine has no IPv6")
	}
	for _, ln := range []interface{ Close() error }{dual, only, four} {
		t.Cleanup(func() { _ = ln.Close() })
	}
	snapshot, err := List(t.Context(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	executable, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for want, row := range map[Dual]string{DualYes: dual.Addr().String(), DualNo: only.Addr().String()} {
		s := find(snapshot.Sockets, row)
		if s == nil {
			t.Errorf("%s is not listed", row)
			continue
		}
		if s.Dual != want && want == DualNo {
			t.Errorf("%s: dual is %d, want %d", row, s.Dual, want)
		}
		if s.UID != os.Getuid() || !s.All() || s.Loopback() {
			t.Errorf("%s: %+v", row, s)
		}
	}
	s := find(snapshot.Sockets, four.Addr().String())
	if s == nil || len(s.Owners) != 1 || s.Owners[0].PID != os.Getpid() || s.Owners[0].Executable != executable || !s.Loopback() {
		t.Errorf("%s: %+v", four.Addr(), s)
	} else if !slices.Equal(s.Owners[0].Command[:1], os.Args[:1]) {
		t.Errorf("its command is %q", s.Owners[0].Command)
	}
}

// find returns the socket of this namespace with that local address.
func find(list []Socket, address string) *Socket {
	for i := range list {
		s := list[i]
		s.Dual = DualNo // which String writes another way
		if s.Own() && s.String() == address {
			return &list[i]
		}
	}
	return nil
}

// TestSameAsGopsutil: what is used on other systems lists the same sockets on this one.
func TestSameAsGopsutil(t *testing.T) {
	var want []string
	for _, k := range []kind{{network: "tcp4", address: "127.0.0.1"}, {network: "tcp4", address: "0.0.0.0"}, {network: "tcp6", address: "[::1]"}} {
		if ln := k.listen(t, 0); ln != nil {
			t.Cleanup(func() { _ = ln.Close() })
			want = append(want, ln.Addr().String())
		}
	}
	connections, err := net.ConnectionsPidWithContext(t.Context(), "tcp", int32(os.Getpid()))
	if err != nil {
		t.Fatal(err)
	}
	list := listening(t.Context(), connections, func(_ context.Context, pid int32) *Process { return &Process{PID: int(pid)} })
	for _, address := range want {
		if s := find(list, address); s == nil || len(s.Owners) != 1 || s.Owners[0].PID != os.Getpid() {
			t.Errorf("%s: %+v in %+v", address, s, list)
		}
	}
}
