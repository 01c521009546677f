package exposure

import (
	"fmt"
	"net/netip"
	"strings"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// A FamilyWatch knows of hosts with addresses of both families which ports are
// not open over IPv4. A nil FamilyWatch knows of none.
type FamilyWatch struct {
	counterparts map[netip.Addr][]netip.Addr // of IPv6 addresses
	notOpen      map[netip.Addr]*portBits    // of those IPv4 addresses
}

// portBits has a bit for each port.
type portBits [65536 / 64]uint64

// maxFamilies is how many IPv4 addresses are watched; each takes 8 KiB.
const maxFamilies = 1024

// NewFamilyWatch watches the IPv4 addresses that counterparts has for IPv6 ones.
// Of more than 1,024, ports of the others are never told to be open over IPv6
// only.
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

// Add looks at one result; of several for a port the last one counts.
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

// NotOpen gives the IPv4 addresses of the host of an IPv6 address, if it is
// proven that the port is open on none of them: each is up and closed there, or
// up and silent. It is nil where that is not proven.
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

// familyEvidence says in a sentence over which family the port is not open.
func familyEvidence(port uint16, host string, v4 []netip.Addr) string {
	var words []string
	for _, addr := range v4[:min(len(v4), maxShownNames)] {
		words = append(words, addr.String())
	}
	return fmt.Sprintf("port %d/tcp of %s is not open over IPv4 (%s)", port, host, strings.Join(words, ", "))
}
