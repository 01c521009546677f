package syn

import (
	"context"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

// A resolver finds the hardware addresses of neighbors on one Ethernet link.
type resolver struct {
	socket *rawnet.NeighborSocket
	expiry expiry
}

func openResolver(l rawnet.Link, e expiry) (*resolver, error) {
	socket, err := rawnet.OpenNeighborSocket(l)
	if err != nil {
		return nil, err
	}
	return &resolver{socket, e}, nil
}

func (r *resolver) close() { r.socket.Close() }

const (
	// The time that a round of questions waits for answers. A neighbor that is up
	// answers in a millisecond; one that sleeps in a tenth of a second.
	roundTime = 100 * time.Millisecond
	// minRounds is how often a neighbor without an answer is asked, unless the measured
	// loss requires more, and maxRounds the maximum.
	minRounds = 5
	maxRounds = 20
	// roundRate is how many neighbors are asked per second.
	roundRate = 20000
)

// resolve finds the hardware addresses of the given addresses that have one. If must
// is set it tries longer, for a router that all targets depend on.
func (r *resolver) resolve(ctx context.Context, source netip.Addr, targets []netip.Addr, must bool) (map[netip.Addr][6]byte, error) {
	open := make(map[netip.Addr]bool, len(targets))
	for _, a := range targets {
		open[a] = true
	}
	found := map[netip.Addr][6]byte{}
	var past record
	for round := 0; len(open) > 0 && round < maxRounds && ctx.Err() == nil; round++ {
		past.grow(round)
		for i, a := range slices.SortedFunc(maps.Keys(open), netip.Addr.Compare) {
			if err := r.ask(source, a); err != nil {
				return nil, err
			}
			if i%200 == 199 {
				r.listen(200*time.Second/roundRate, open, found, &past)
			}
		}
		r.listen(roundTime, open, found, &past)
		if n := uint64(len(found)); !must && round+1 >= minRounds && past.enough(n, n) {
			break
		}
	}
	return found, nil
}

// ask sends one question, if the authorization has not ended.
func (r *resolver) ask(source, target netip.Addr) error {
	if err := r.expiry.check(time.Now()); err != nil {
		return err
	}
	return r.socket.Ask(source, target)
}

// listen moves the addresses that answer from open to found, for at most d.
func (r *resolver) listen(d time.Duration, open map[netip.Addr]bool, found map[netip.Addr][6]byte, past *record) {
	for end := time.Now().Add(d); len(open) > 0; {
		a, mac, ok := r.socket.Receive(end)
		switch {
		case !ok:
			return
		case !open[a]:
			continue
		}
		delete(open, a)
		found[a] = mac
		for i := range past.passes {
			past.passes[i].asked++
			if i < len(past.passes)-1 {
				past.passes[i].lost++
			}
		}
	}
}

// gateway finds the hardware address of a router: from the kernel's table, or by
// asking, or else from an old entry of that table.
func (r *resolver) gateway(ctx context.Context, n *rawnet.Netlink, source, router netip.Addr) (mac [6]byte, err error) {
	link := r.socket.Link()
	known, err := n.Neighbors(link.Index)
	if err != nil {
		return mac, err
	}
	old, ok := known[router]
	if ok && old.Confirmed {
		return old.MAC, nil
	}
	found, err := r.resolve(ctx, source, []netip.Addr{router}, true)
	if err != nil {
		return mac, err
	}
	if mac, ok := found[router]; ok {
		return mac, nil
	}
	if ok {
		return old.MAC, nil
	}
	return mac, fault.Hintf(fmt.Sprintf("see `ip neigh show dev %s`; nothing behind this router can be reached", link.Name), "looking for the router %v on %q: %w", router, link.Name, fmt.Errorf("no answer in %v", maxRounds*roundTime))
}

// resolve finds the hardware addresses of the pairs that are on one of our links.
func (r *run) resolve() error {
	v := r.s.view
	for h, targets := range v.neighbours() {
		known, err := r.s.netlink.Neighbors(r.s.outs[h.out].Index)
		if err != nil {
			return err
		}
		h.macs = make(map[netip.Addr][6]byte, len(targets))
		targets = slices.DeleteFunc(targets, func(a netip.Addr) bool {
			k := known[a]
			if k.Confirmed {
				h.macs[a] = k.MAC
			}
			return k.Confirmed
		})
		found, err := r.s.resolvers[h.out].resolve(r.ctx, h.source, targets, false)
		if err != nil {
			return err
		}
		maps.Copy(h.macs, found)
	}
	return nil
}
