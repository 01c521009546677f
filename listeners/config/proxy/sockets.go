package proxy

import (
	"fmt"
	"net/netip"
	"slices"
)

// unique returns a name for a listener that no other has.
func (n *nginx) unique(name string, l listen, port int) string {
	if l.first != l.last {
		name += fmt.Sprintf(" port %d", port)
	}
	n.names[name]++
	if k := n.names[name]; k > 1 {
		return n.unique(fmt.Sprintf("%s, number %d", name, k), listen{}, port)
	}
	return name
}

// tooMany adds the doubt that not all is read, once.
func (n *nginx) tooMany(at word) {
	if !n.full {
		n.full = true
		n.doubt("there are more listeners and servers than are read", at)
	}
}

// dropCovered drops the listeners, from the first one on, that get no socket of their own:
// nginx binds to all addresses alone, if a server listens on all of them and on the same
// port (nginx src/http/ngx_http.c, ngx_http_init_listening). It returns which listener took
// the place of each.
func (n *nginx) dropCovered(first int) (now map[int]int) {
	now = map[int]int{}
	all := n.c.Listeners[first:]
	kept := slices.Clone(n.c.Listeners[:first])
	covering := func(i int) (int, bool) {
		l := &all[i]
		if !l.Address.IsValid() || l.Address.IsUnspecified() || n.owning[first+i] {
			return 0, false
		}
		any := netip.IPv4Unspecified()
		if l.Address.Is6() {
			any = netip.IPv6Unspecified()
		}
		j, ok := n.sockets[socket{any, "", l.Port}]
		return j, ok
	}
	for i := range all {
		if _, covered := covering(i); !covered {
			now[first+i] = len(kept)
			kept = append(kept, all[i])
		}
	}
	for i := range all {
		if j, covered := covering(i); covered {
			now[first+i] = now[j]
		}
	}
	n.c.Listeners = kept
	return now
}
