package sockets

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"
)

// Limits of what is read of /proc.
const (
	maxProcesses   = 1 << 17
	maxDescriptors = 1 << 20 // of one process
)

// A seenProcess is what the search for owners finds out about a process.
type seenProcess struct {
	pid       int
	namespace uint64   // the inode of its network namespace; 0 if not known
	inodes    []uint64 // of the sockets that it holds, of those that were searched for
	denied    bool     // its descriptors, or its namespace, could not be read
}

// listPIDs returns the PIDs below a proc directory in ascending order, at most
// maxProcesses, and reports whether there are more.
func listPIDs(proc string) (pids []int, more bool, err error) {
	dir, err := os.Open(proc)
	if err != nil {
		return nil, false, err
	}
	defer func() { _ = dir.Close() }()
	names, err := dir.Readdirnames(-1)
	for _, name := range names {
		if pid, err := strconv.Atoi(name); err == nil && pid > 0 {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	if more = len(pids) > maxProcesses; more {
		pids = pids[:maxProcesses]
	}
	return pids, more, err
}

// seeProcesses looks at each process with a function, on several threads. The result has
// the order of pids, and is not complete if ctx ends.
func seeProcesses(ctx context.Context, pids []int, see func(*seenProcess)) ([]seenProcess, error) {
	seen := make([]seenProcess, len(pids))
	var next atomic.Int64
	var wait sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), 8) {
		wait.Go(func() {
			for ctx.Err() == nil {
				i := int(next.Add(1)) - 1
				if i >= len(pids) {
					return
				}
				seen[i].pid = pids[i]
				see(&seen[i])
			}
		})
	}
	wait.Wait()
	return seen, ctx.Err()
}

// readNamespace returns the inode of the network namespace of a process, "self" or a
// PID.
func readNamespace(proc, pid string) (uint64, error) {
	link, err := os.Readlink(filepath.Join(proc, pid, "ns", "net"))
	if err != nil {
		return 0, err
	}
	id, ok := bracketed(link, "net:[")
	if !ok {
		return 0, errors.New("unexpected link " + strconv.Quote(link))
	}
	return id, nil
}

// readInodes sets the inodes of the sockets that a process holds, of those in wanted.
// A process that has ended holds none.
func (p *seenProcess) readInodes(proc string, wanted map[uint64]bool) {
	fds, err := unix.Open(proc+"/"+strconv.Itoa(p.pid)+"/fd", unix.O_RDONLY|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		p.denied = p.denied || errors.Is(err, os.ErrPermission)
		return
	}
	dir := os.NewFile(uintptr(fds), "fd")
	defer func() { _ = dir.Close() }()
	link := make([]byte, 64) // a longer one is of a file, not of a socket
	for count := 0; count < maxDescriptors; {
		names, err := dir.Readdirnames(1024)
		for _, name := range names {
			n, err := unix.Readlinkat(fds, name, link)
			if err != nil {
				p.denied = p.denied || errors.Is(err, os.ErrPermission)
				continue
			}
			inode, ok := bracketed(string(link[:n]), "socket:[")
			if ok && wanted[inode] && !slices.Contains(p.inodes, inode) {
				p.inodes = append(p.inodes, inode)
			}
		}
		count += len(names)
		if err != nil || len(names) == 0 {
			return
		}
	}
}

// bracketed returns the number in a link like "socket:[4711]".
func bracketed(link, prefix string) (uint64, bool) {
	rest, ok := strings.CutPrefix(link, prefix)
	number, end := strings.CutSuffix(rest, "]")
	n, err := strconv.ParseUint(number, 10, 64)
	return n, ok && end && err == nil
}
