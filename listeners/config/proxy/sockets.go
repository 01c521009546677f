package proxy

import (
	"net/netip"
	"slices"
)

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
