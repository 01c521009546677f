package sockets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/wording"
)

// Options say where List looks. The zero value is this machine.
type Options struct {
	// Root is where the system to examine is mounted, with its /proc, such as the root
	// of the host in a container; "" is this system. With a Root, the kernel is not
	// asked, and the network namespace of process 1 stands for that of this process.
	Root string
}

// root returns the folder of the system.
func (o Options) root() string { return cmp.Or(o.Root, "/") }

// proc returns the directory of processes.
func (o Options) proc() string { return filepath.Join(o.root(), "proc") }

// self is the process whose network namespace is that of the machine.
func (o Options) self() string {
	if o.Root != "" {
		return "1"
	}
	return "self"
}

// List returns the TCP sockets that listen and the ports that are passed on. It fails
// only if it cannot list the sockets of the machine itself, with a usage error if a Root has
// no /proc; what else it could not see is in the snapshot.
func List(ctx context.Context, o Options) (*Snapshot, error) {
	l := &lister{Options: o, owners: map[uint64][]int{}}
	l.listAddresses()
	if err := l.listOwn(); err != nil {
		return nil, l.unlisted(err)
	}
	if err := l.searchProcesses(ctx); err != nil {
		return nil, err
	}
	l.describe()
	l.listForwards()
	slices.SortStableFunc(l.Sockets, compareSockets)
	return &l.Snapshot, nil
}

// unlisted is the error of sockets of the machine that could not be listed: a Root without the
// tables of a /proc is a mistake of the user.
func (o Options) unlisted(err error) error {
	if o.Root != "" && (errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR)) {
		return fault.Usagef("name the folder at which the root of the system is mounted, with its /proc", "examining the system at %q: %w", o.Root, err)
	}
	return fmt.Errorf("listing the sockets: %w", err)
}

// A lister makes a snapshot.
type lister struct {
	Options
	Snapshot
	groups map[int]uint64   // control groups, by the index of the socket
	owners map[uint64][]int // the PIDs that hold a socket, by its inode

	namespaces []*Namespace // other ones
	named      map[uint64]string
}

func (l *lister) gap(kind GapKind, count int, err error, problem string, args ...any) {
	l.Gaps = append(l.Gaps, Gap{Kind: kind, Count: count, Err: err, Problem: fmt.Sprintf(problem, args...)})
}

// listOwn lists the sockets of the namespace of this process.
func (l *lister) listOwn() error {
	l.groups = map[int]uint64{}
	if l.Root == "" {
		found, err := dumpSockets(nil)
		for i := range found {
			l.Sockets = append(l.Sockets, found[i].Socket)
			l.groups[i] = found[i].cgroup
		}
		if errors.Is(err, errTooMany) {
			l.gap(GapLimit, maxSockets, err, "only the first %d listening sockets were read", maxSockets)
			return nil
		}
		if err == nil {
			return nil
		}
	}
	found, err := readTables(filepath.Join(l.proc(), l.self(), "net"))
	l.Sockets = found
	if errors.Is(err, errTooMany) {
		l.gap(GapLimit, maxSockets, err, "only the first %d listening sockets were read", maxSockets)
		return nil
	}
	return err
}

// searchProcesses finds the other network namespaces, their sockets, and the owners of
// all sockets.
func (l *lister) searchProcesses(ctx context.Context) error {
	pids, more, err := listPIDs(l.proc())
	if err != nil {
		return fmt.Errorf("listing the processes: %w", err)
	}
	if more {
		l.gap(GapLimit, maxProcesses, nil, "only the first %d processes were examined", maxProcesses)
	}
	own, err := readNamespace(l.proc(), l.self())
	if err != nil {
		l.gap(GapNamespaces, 0, err, "the network namespace of this process is not known, and so no other one")
	} else if err := l.listNamespaces(ctx, pids, own); err != nil {
		return err
	}
	wanted := map[uint64]bool{}
	for i := range l.Sockets {
		wanted[l.Sockets[i].Inode] = true
	}
	delete(wanted, 0)
	seen, err := seeProcesses(ctx, pids, func(p *seenProcess) { p.readInodes(l.proc(), wanted) })
	if err != nil {
		return err
	}
	for _, p := range seen {
		for _, inode := range p.inodes {
			l.owners[inode] = append(l.owners[inode], p.pid)
		}
	}
	return nil
}

// listNamespaces lists the sockets of the network namespaces of processes other than
// own.
func (l *lister) listNamespaces(ctx context.Context, pids []int, own uint64) error {
	seen, err := seeProcesses(ctx, pids, func(p *seenProcess) {
		var err error
		p.namespace, err = readNamespace(l.proc(), strconv.Itoa(p.pid))
		p.denied = errors.Is(err, os.ErrPermission)
	})
	if err != nil {
		return err
	}
	known := map[uint64]bool{own: true}
	var denied []int
	for _, p := range seen {
		switch {
		case p.denied:
			denied = append(denied, p.pid)
		case p.namespace != 0 && !known[p.namespace]:
			known[p.namespace] = true
			l.listNamespace(p)
		}
	}
	l.listContainers(denied)
	return nil
}

// listContainers lists the sockets of containers among processes whose namespace may not
// be read: their tables may be. A socket that is listed already is in a namespace that
// is known.
func (l *lister) listContainers(pids []int) {
	listed := map[uint64]bool{}
	for i := range l.Sockets {
		listed[l.Sockets[i].Inode] = true
	}
	done := map[string]bool{}
	unknown := 0
	for _, pid := range pids {
		dir := filepath.Join(l.proc(), strconv.Itoa(pid))
		_, container := unitOf(readHead(dir+"/cgroup", maxCgroup))
		if container == "" {
			unknown++
		}
		if container == "" || done[container] {
			continue
		}
		done[container] = true
		found, err := readTables(dir + "/net")
		if err != nil {
			unknown++
			continue
		}
		ns := &Namespace{PID: pid, Container: container, Addresses: readAddresses(dir + "/net")}
		for _, s := range found {
			if !listed[s.Inode] {
				listed[s.Inode] = true
				s.Namespace = ns
				l.Sockets = append(l.Sockets, s)
			}
		}
		l.namespaces = append(l.namespaces, ns)
	}
	if unknown > 0 {
		l.gap(GapNamespaces, unknown, os.ErrPermission, "the network namespaces of %s, which may be other ones than that of this machine", wording.Plural(unknown, "process"))
	}
}

// nameOf returns the name that ip-netns(8) gives a namespace: that of a file in its folder
// on which the namespace is mounted.
func (l *lister) nameOf(id uint64) string {
	if l.named == nil {
		l.named = map[uint64]string{}
		dir := filepath.Join(l.root(), "run/netns")
		files, _ := os.ReadDir(dir) // most machines have none
		for _, f := range files {
			if info, err := os.Stat(filepath.Join(dir, f.Name())); err == nil {
				if stat, ok := info.Sys().(*syscall.Stat_t); ok {
					l.named[stat.Ino] = f.Name()
				}
			}
		}
	}
	return l.named[id]
}

// listNamespace lists the sockets of the namespace of a process.
func (l *lister) listNamespace(p seenProcess) {
	dir := filepath.Join(l.proc(), strconv.Itoa(p.pid))
	_, container := unitOf(readHead(dir+"/cgroup", maxCgroup))
	ns := &Namespace{ID: p.namespace, PID: p.pid, Container: container, Name: l.nameOf(p.namespace)}
	found, err := l.dumpOf(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) { // the process has not ended
		l.gap(GapNamespaces, 1, err, "the sockets of the network namespace of process %d", p.pid)
	}
	ns.Addresses = readAddresses(dir + "/net")
	l.namespaces = append(l.namespaces, ns)
	for _, s := range found {
		s.Namespace = ns
		l.Sockets = append(l.Sockets, s)
	}
}

// dumpOf returns the sockets of the namespace of a process, by its directory in /proc. The
// kernel is asked, as its tables say less and take longer: behind the listening sockets
// they go through all that could be connected.
func (l *lister) dumpOf(dir string) ([]Socket, error) {
	if f, err := os.Open(filepath.Join(dir, "ns", "net")); err == nil && l.Root == "" {
		defer func() { _ = f.Close() }()
		if found, err := dumpSockets(f); err == nil {
			list := make([]Socket, len(found))
			for i := range found {
				list[i] = found[i].Socket
			}
			return list, nil
		}
	}
	return readTables(filepath.Join(dir, "net"))
}

// describe sets the owners of the sockets and what is known of them.
func (l *lister) describe() {
	processes := map[int]*Process{}
	hidden := 0
	for i := range l.Sockets {
		s := &l.Sockets[i]
		for _, pid := range l.owners[s.Inode] {
			if processes[pid] == nil {
				processes[pid] = readProcess(l.proc(), pid)
			}
			p := processes[pid]
			s.Owners = append(s.Owners, p)
			s.Unit, s.Container = cmp.Or(s.Unit, p.Unit), cmp.Or(s.Container, p.Container)
		}
		if len(s.Owners) == 0 {
			hidden++
		}
	}
	l.findPackages(processes)
	l.findGroups()
	if hidden > 0 {
		l.Gaps = append(l.Gaps, unknownOwners(hidden))
	}
}

// findPackages sets the packages of processes outside of containers, whose programs
// are files of this system.
func (l *lister) findPackages(processes map[int]*Process) {
	var files []string
	for _, p := range processes {
		if p.Container == "" {
			files = append(files, p.programFile())
		}
	}
	slices.Sort(files)
	db := openPackages(l.root())
	db.find(slices.Compact(files))
	for _, p := range processes {
		if p.Container == "" {
			p.Package = db.known[p.programFile()]
		}
	}
}

// findGroups sets the unit and the container of sockets without a visible owner.
func (l *lister) findGroups() {
	ids := map[uint64]bool{}
	for i, id := range l.groups {
		if len(l.Sockets[i].Owners) == 0 && id != 0 {
			ids[id] = true
		}
	}
	if len(ids) == 0 {
		return
	}
	paths := findGroups("/sys/fs/cgroup", ids)
	for i, id := range l.groups {
		if path, ok := paths[id]; ok && len(l.Sockets[i].Owners) == 0 {
			l.Sockets[i].Unit, l.Sockets[i].Container = unitOfPath(path)
		}
	}
}

// compareSockets orders the sockets of a snapshot.
func compareSockets(a, b Socket) int {
	return cmp.Or(cmp.Compare(a.Namespace.order(), b.Namespace.order()), cmp.Compare(a.Port, b.Port),
		a.Address.Compare(b.Address), cmp.Compare(a.Interface, b.Interface), cmp.Compare(a.Inode, b.Inode))
}

// order returns a number by which namespaces are ordered, that of this process first.
func (n *Namespace) order() int {
	if n == nil {
		return 0
	}
	return n.PID
}
