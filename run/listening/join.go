package listening

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/join"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/sockets"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/saved"
)

// With compares what listens with a scan from outside. given are addresses of the scan that
// lead to this machine although it does not have them, as behind address translation. It
// must be called after Look; the error is a usage error if the scan did not probe them, or no
// address of this machine.
func (a *Audit) With(o *saved.Outside, given []netip.Addr) error {
	var list []netip.Addr
	for _, ip := range given {
		if !o.Has(ip) {
			return fault.Usagef(a.addressHint(o), "looking for %s in run %q: the scan did not probe it", ip, o.File)
		}
		list = append(list, ip.Unmap().WithZone(""))
	}
	for _, ip := range a.snapshot.Addresses {
		if ip = ip.Unmap().WithZone(""); o.Has(ip) && !slices.Contains(list, ip) {
			list = append(list, ip)
		}
	}
	if len(list) == 0 {
		return fault.Usagef(a.addressHint(o), "looking for this machine in run %q: the scan probed none of its addresses", o.File)
	}
	a.outside, a.addresses = o, list
	return nil
}

// maxHinted is how many addresses of a run a hint names.
const maxHinted = 4

// addressHint says how to name the address by which a scan reached this machine.
func (a *Audit) addressHint(o *saved.Outside) string {
	var up []string
	for _, ip := range o.Up(maxHinted) {
		up = append(up, ip.String())
	}
	hint := "give --address ADDR, the address by which the scan reached this machine"
	if len(up) > 0 {
		hint += "; hosts that were up: " + strings.Join(up, ", ")
	}
	return hint
}

// A joiner puts together what listens and what a scan saw.
type joiner struct {
	audit     *Audit
	open      []exposure.Subject
	listeners []join.Listener
	subjects  []int                 // of the listeners; -1 for one that does not run
	absent    []*listeners.Listener // of the listeners that do not run
	pairs     []join.Pair
	view      join.View
}

// join compares the ports of this machine with those of the scan.
func (a *Audit) join(open []exposure.Subject) *joiner {
	j := &joiner{audit: a, open: open}
	for i := range open {
		p := &open[i]
		if p.Socket.Apart() {
			continue
		}
		s := a.bound[placeOf(p)]
		j.add(join.Listener{
			Address: p.Target.Addr(), V6Only: s.Dual == sockets.DualNo, Port: p.Target.Port(), Local: s.Loopback(), Presence: join.Listening,
		}, i, nil)
	}
	if a.files != nil {
		list := a.files.Listeners()
		for i := range list {
			l := &list[i]
			if (l.Through == listeners.ThroughHost || l.Through == listeners.ThroughPublished) && !runs(l, open) {
				j.add(join.Listener{
					Address: l.Address, V6Only: l.V6Only, Port: l.Port, Local: l.Loopback(), Presence: join.NotRunning, Doubtful: l.Doubt != "",
				}, -1, l)
			}
		}
	}
	var outside []join.Address
	for _, ip := range a.addresses {
		outside = append(outside, join.Address{IP: ip, States: a.outside.States(ip), NotOpen: func(port uint16) bool { return a.outside.NotOpen(ip, port) }})
	}
	j.pairs = join.Join(j.listeners, outside)
	j.view = join.View{
		From: a.outside.Record.Vantage, Bound: j.bound,
		Own:     func(ip netip.Addr) bool { return slices.Contains(a.snapshot.Addresses, ip) },
		Unknown: j.unknown,
	}
	return j
}

func (j *joiner) add(l join.Listener, subject int, absent *listeners.Listener) {
	j.listeners, j.subjects, j.absent = append(j.listeners, l), append(j.subjects, subject), append(j.absent, absent)
}

// runs reports whether something listens where a file opens a port.
func runs(l *listeners.Listener, open []exposure.Subject) bool {
	return slices.ContainsFunc(open, func(p exposure.Subject) bool {
		at := p.Target.Addr()
		switch {
		case p.Target.Port() != l.Port || p.Socket.Apart():
			return false
		case l.All():
			return at.IsUnspecified() || l.Doubt != ""
		}
		return at.IsUnspecified() || at == l.Address.Unmap().WithZone("")
	})
}

// bound says where a listener is bound.
func (j *joiner) bound(i int) string {
	if l := j.absent[i]; l != nil {
		at := l.Address
		if !at.IsValid() {
			at = netip.IPv4Unspecified()
		}
		return exposure.BoundTo(at, string(l.Through))
	}
	p := &j.open[j.subjects[i]]
	return exposure.BoundTo(p.Target.Addr(), p.Socket.Through)
}

// unknown says why the scan does not show a port.
func (j *joiner) unknown(p *join.Pair) string {
	o := j.audit.outside
	switch {
	case !slices.Contains(j.audit.addresses, p.Target.Addr()):
		return "the scan did not probe this address"
	case !o.Probed(p.Target.Port()):
		return "the scan did not probe the port"
	}
	return ""
}

// rows returns what a report shows of the pairs.
func (j *joiner) rows() []result.Joined {
	var rows []result.Joined
	for i := range j.pairs[:min(len(j.pairs), join.MaxRows)] {
		p := &j.pairs[i]
		row := result.Joined{
			IP: p.Target.Addr(), Port: p.Target.Port(), State: p.State, Outside: p.Outside, Why: j.view.Why(j.listeners, p),
		}
		seen := j.audit.outside.Port(p.Target)
		if seen != nil {
			row.Host = seen.Host
		}
		switch l := p.Listener; {
		case l >= 0 && j.absent[l] != nil:
			at := j.absent[l].At
			row.Anchor, row.Product = &at, j.absent[l].Product
		case l >= 0:
			s := &j.open[j.subjects[l]]
			row.Bound, row.Anchor, row.Product = s.Socket.Bound, s.Anchor, cmp.Or(s.Service.Label(), s.Socket.Process)
		case seen != nil:
			row.Product = seen.Service.Label()
		}
		rows = append(rows, row)
	}
	return rows
}

// findings judges one of the ports of this machine by what the scan shows of it too: with a
// filter on the way that is the only finding.
func (j *joiner) findings(judge *exposure.Judge, subject int) []exposure.Violation {
	p := j.open[subject]
	why, filtered := "", 0
	for i := range j.pairs {
		pair := &j.pairs[i]
		if pair.Listener < 0 || j.subjects[pair.Listener] != subject {
			continue
		}
		switch pair.State {
		case result.JoinReachable:
			found := judge.Findings(p)
			for k := range found {
				found[k].Evidence = slices.Insert(slices.Clone(found[k].Evidence), min(1, len(found[k].Evidence)),
					fmt.Sprintf("%s was open, seen from the vantage point %s", pair.Target, j.view.From))
			}
			return found
		case result.JoinFiltered:
			filtered++
			why = cmp.Or(why, j.view.Why(j.listeners, pair))
		default:
			return judge.Findings(p) // the scan does not show that it is filtered
		}
	}
	if filtered == 0 {
		return judge.Findings(p)
	}
	return judge.BehindFilter(p, why)
}

// notices returns a notice for each port that is reachable although nothing listens here:
// first those of which the scan has a finding, which this run cannot judge.
func (j *joiner) notices() (missing, told []result.Notice) {
	for i := range j.pairs {
		p := &j.pairs[i]
		if p.State != result.JoinElsewhere {
			continue
		}
		n := exposure.NewNotice(exposure.NoticeElsewhere, p.Target.String(), nil, "%s is %s.", p.Target, j.view.Why(j.listeners, p))
		if j.audit.outside.Reported(p.Target) {
			missing = append(missing, n)
			continue
		}
		n.Level = result.LevelNote
		told = append(told, n)
	}
	return missing, told
}
