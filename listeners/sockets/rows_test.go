package sockets

import (
	"context"
	"fmt"
	"slices"
	"syscall"
	"testing"

	"github.com/shirou/gopsutil/v4/net"
)

// TestRows: rows as gopsutil makes them of lsof on macOS and FreeBSD, and of
// GetExtendedTcpTable on Windows. They are written from its source.
func TestRows(t *testing.T) {
	const v4, v6 = syscall.AF_INET, syscall.AF_INET6
	row := func(family uint32, ip string, port uint32, state string, pid int32) net.ConnectionStat {
		return net.ConnectionStat{Family: family, Type: syscall.SOCK_STREAM, Laddr: net.Addr{IP: ip, Port: port}, Status: state, Pid: pid}
	}
	list := listening(t.Context(), []net.ConnectionStat{
		row(v4, "*", 25, "LISTEN", 300),
		row(v6, "*", 25, "LISTEN", 300),
		row(v4, "127.0.0.1", 10025, "LISTEN", 301),
		row(v4, "127.0.0.1", 10025, "LISTEN", 300), // inherited
		row(v6, "::1", 10026, "LISTEN", 0),
		row(v6, "fe80::1%lo0", 4190, "LISTEN", 302),
		row(v4, "127.0.0.1", 10025, "ESTABLISHED", 301),
		row(v4, "garbage", 1, "LISTEN", 1),
		row(v4, "127.0.0.1", 70000, "LISTEN", 1),
		row(v4, "127.0.0.1", 0, "LISTEN", 1),
	}, func(_ context.Context, pid int32) *Process {
		if pid == 302 {
			return nil // it has ended
		}
		return &Process{PID: int(pid)}
	})
	var got []string
	for i := range list {
		var pids []int
		for _, p := range list[i].Owners {
			pids = append(pids, p.PID)
		}
		got = append(got, fmt.Sprintf("%s %v %d", &list[i], pids, list[i].UID))
	}
	want := []string{"0.0.0.0:25 [300] -1", "[::]:25 [300] -1", "[fe80::1]%lo0:4190 [] -1", "127.0.0.1:10025 [300 301] -1", "[::1]:10026 [] -1"}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}
