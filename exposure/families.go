package exposure

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// A FamilyWatch records, for hosts with IPv4 and IPv6 addresses, which ports are
// not open over IPv4. A nil FamilyWatch has no hosts.
type FamilyWatch struct {
	counterparts map[netip.Addr][]netip.Addr // by IPv6 address
	notOpen      map[netip.Addr]*portBits    // by IPv4 address
}

// portBits has a bit for each port.
type portBits [65536 / 64]uint64

// maxFamilies is the maximum number of watched IPv4 addresses; each takes 8 KiB.
const maxFamilies = 1024

// NewFamilyWatch watches the IPv4 addresses in counterparts, which maps IPv6
// addresses to them. If there are more than 1,024, NotOpen returns nil for the
// others.
func NewFamilyWatch(counterparts map[netip.Addr][]netip.Addr) *FamilyWatch {
	w := &FamilyWatch{counterparts: counterparts, notOpen: map[netip.Addr]*portBits{}}
	for _, list := range counterparts {
		for _, addr := range list {
			if len(w.notOpen) < maxFamilies && w.notOpen[addr] == nil {
				w.notOpen[addr] = &portBits{}
			}
		}
	}
	return w
}

// Add records one result; of several for the same port, the last one counts.
func (w *FamilyWatch) Add(r scan.Result) {
	if w == nil || w.notOpen[r.Target.Addr()] == nil {
		return
	}
	bits := w.notOpen[r.Target.Addr()]
	port := r.Target.Port()
	if bit := uint64(1) << (port % 64); r.State == result.StateClosed || r.State == result.StateFiltered {
		bits[port/64] |= bit
	} else {
		bits[port/64] &^= bit
	}
}

// NotOpen returns the IPv4 addresses of the host of an IPv6 address if the port
// is proven not to be open on any of them: each is up, and closed or silent on
// that port. Otherwise it returns nil.
func (w *FamilyWatch) NotOpen(target netip.AddrPort, up func(netip.Addr) bool) []netip.Addr {
	if w == nil {
		return nil
	}
	list := w.counterparts[target.Addr()]
	for _, addr := range list {
		bits := w.notOpen[addr]
		if bits == nil || bits[target.Port()/64]&(1<<(target.Port()%64)) == 0 || !up(addr) {
			return nil
		}
	}
	return list
}

// familyEvidence returns a sentence about the IPv4 addresses on which the port is
// not open.
func familyEvidence(port uint16, host string, v4 []netip.Addr) string {
	var words []string
	for _, addr := range v4[:min(len(v4), maxShownNames)] {
		words = append(words, addr.String())
	}
	return fmt.Sprintf("port %d/tcp of %s is not open over IPv4 (%s)", port, host, strings.Join(words, ", "))
}
