//go:build !linux

package sockets

import (
	"context"
	"errors"
	"fmt"

	"github.com/shirou/gopsutil/v4/net"
	"github.com/shirou/gopsutil/v4/process"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/redact"
)

// Options say where List looks. The zero value is this machine.
type Options struct {
	// Root is where the system to examine is mounted; only Linux has one.
	Root string
}

// List returns the TCP sockets that listen. What else it could not see is in the
// snapshot.
func List(ctx context.Context, o Options) (*Snapshot, error) {
	if o.Root != "" {
		return nil, fault.Usagef("leave out the root: only Linux has one", "examining the system at %q: %w", o.Root, errors.ErrUnsupported)
	}
	list, err := net.ConnectionsWithContext(ctx, "tcp")
	if err != nil {
		return nil, fmt.Errorf("listing the sockets: %w", err)
	}
	s := &Snapshot{Sockets: listening(ctx, list, readProcess), Addresses: ownAddresses()}
	hidden := 0
	for i := range s.Sockets {
		if len(s.Sockets[i].Owners) == 0 {
			hidden++
		}
	}
	if hidden > 0 {
		s.Gaps = append(s.Gaps, unknownOwners(hidden))
	}
	s.Gaps = append(s.Gaps,
		Gap{Kind: GapNamespaces, Problem: "the sockets of containers and virtual machines", Err: errors.ErrUnsupported},
		Gap{Kind: GapForwards, Problem: "the rules of address translation", Err: errors.ErrUnsupported})
	return s, nil
}

// readProcess returns what the system says of a process. What it does not say is "".
func readProcess(ctx context.Context, pid int32) *Process {
	p := &Process{PID: int(pid)}
	found, err := process.NewProcessWithContext(ctx, pid)
	if err != nil {
		return p
	}
	p.Name, _ = found.NameWithContext(ctx)
	p.Executable, _ = found.ExeWithContext(ctx)
	if words, err := found.CmdlineSliceWithContext(ctx); err == nil {
		p.Command = redact.Args(words)
	}
	return p
}
