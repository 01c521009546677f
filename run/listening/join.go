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
	"github.com/mxsweep/mxsweep/internal/wording"
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
	hosts := o.Up(maxHinted)
	for _, ip := range hosts {
		if !ip.IsLoopback() {
			up = append(up, ip.String())
		}
	}
	if len(hosts) > 0 && len(up) == 0 {
		return `the scan reached only the loopback addresses of the machine on which it ran; give a run of "mxsweep scan" from another machine`
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
	unprobed  []netip.Addr          // addresses of the machine of which the scan shows nothing
	absent    []*listeners.Listener // of the listeners that do not run
	pairs     []join.Pair
	view      join.View

	unjudged []result.Notice // about ports that the scan judges more severely
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
			Doubtful: s.Interface != "" && !s.Address.IsLinkLocalUnicast(), // the addresses of that interface are not known
		}, i, nil)
	}
	if a.files != nil {
		list := a.files.Listeners()
		for i := range list {
			l := &list[i]
			if (l.Through == listeners.ThroughHost || l.Through == listeners.ThroughPublished) && !runs(l, open) {
				j.add(join.Listener{
					Address: l.Address, V6Only: l.V6Only, Port: l.Port, Local: l.Loopback(), Presence: join.NotRunning, Doubtful: l.Doubt != "" || l.Interface != "",
				}, -1, l)
			}
		}
	}
	var outside []join.Address
	for _, ip := range a.addresses {
		outside = append(outside, join.Address{IP: ip, States: a.outside.States(ip), Unlisted: func(port uint16) result.State { return a.outside.Unlisted(ip, port) }})
	}
	j.unprobed = a.unprobed()
	for _, ip := range j.unprobed {
		outside = append(outside, join.Address{IP: ip, Unprobed: true})
	}
	j.pairs = join.Join(j.listeners, outside)
	j.view = join.View{
		From: a.outside.Record.Vantage, Bound: j.bound,
		Own:     a.has,
		Unknown: j.unknown,
	}
	return j
}

// unprobed returns the addresses of this machine that others could reach and the scan did
// not probe. Not among them are those through which only namespaces of the machine connect;
// the link-local ones for a scan from the Internet, as no router forwards a packet to them
// (RFC 4291, section 2.5.6); and the only address of a family to which address translation in
// front of the machine can lead.
func (a *Audit) unprobed() []netip.Addr {
	internet := a.outside.Record.Vantage == string(exposure.ClassInternet)
	var list []netip.Addr
	for _, ip := range a.snapshot.Addresses {
		ip = ip.Unmap().WithZone("")
		if !slices.Contains(a.addresses, ip) && !slices.Contains(a.snapshot.Inside, ip) && !(internet && ip.IsLinkLocalUnicast()) {
			list = append(list, ip)
		}
	}
	for _, given := range a.addresses {
		if a.has(given) {
			continue
		}
		family := func(ip netip.Addr) bool {
			return ip.Is4() == given.Is4() && !ip.IsLinkLocalUnicast() && !slices.Contains(a.snapshot.Inside, ip)
		}
		if only := slices.DeleteFunc(slices.Clone(a.snapshot.Addresses), func(ip netip.Addr) bool { return !family(ip.Unmap()) }); len(only) == 1 {
			list = slices.DeleteFunc(list, func(ip netip.Addr) bool { return ip == only[0].Unmap().WithZone("") })
		}
	}
	return list
}

// has reports whether this machine has an address.
func (a *Audit) has(ip netip.Addr) bool { return slices.Contains(a.snapshot.Addresses, ip) }

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
	case p.Listener >= 0 && j.absent[p.Listener] == nil && j.device(p.Listener) != "" && p.Outside != "":
		return "it accepts connections over " + j.device(p.Listener) + " only, and it is not known whether the scan came that way"
	case p.Outside == "" && o.Unlisted(p.Target.Addr(), p.Target.Port()) == join.NotOpen:
		return "the scan does not say whether it was closed or filtered, as a scan with --all-ports does"
	}
	return ""
}

// device returns the network interface to which a listener that runs is bound; "" if to none.
func (j *joiner) device(i int) string { return j.open[j.subjects[i]].Socket.Interface() }

// rows returns what a report shows of the pairs.
func (j *joiner) rows() []result.Joined {
	pairs := j.pairs
	if len(pairs) > join.MaxRows { // what the scan does not show is left out first
		pairs = slices.Clone(pairs)
		slices.SortStableFunc(pairs, func(x, y join.Pair) int {
			unknown := map[bool]int{true: 1}
			return cmp.Compare(unknown[x.State == result.JoinUnknown], unknown[y.State == result.JoinUnknown])
		})
		pairs = pairs[:join.MaxRows]
	}
	var rows []result.Joined
	for i := range pairs {
		p := &pairs[i]
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
// filter on the way to each address that is the only finding.
func (j *joiner) findings(judge *exposure.Judge, subject int) []exposure.Violation {
	p := j.open[subject]
	var reachable, filtered *join.Pair
	var undecided []*join.Pair
	for i := range j.pairs {
		pair := &j.pairs[i]
		if pair.Listener < 0 || j.subjects[pair.Listener] != subject {
			continue
		}
		switch pair.State {
		case result.JoinReachable:
			reachable = cmp.Or(reachable, pair)
		case result.JoinFiltered:
			filtered = cmp.Or(filtered, pair)
		default:
			undecided = append(undecided, pair)
		}
	}
	unknown := j.audit.snapshot.Addresses == nil && p.Target.Addr().IsUnspecified()
	switch {
	case reachable != nil:
		found := judge.Findings(p)
		j.compare(reachable, p, found)
		return withEvidence(found, fmt.Sprintf("%s was open, seen from the vantage point %s", reachable.Target, j.view.From))
	case filtered != nil && undecided == nil && !unknown:
		return judge.BehindFilter(p, j.view.Why(j.listeners, filtered))
	case filtered == nil:
		return judge.Findings(p) // the scan does not show that it is filtered
	}
	return withEvidence(judge.Findings(p), j.notShown(filtered, undecided))
}

// compare notes if the scan has a finding that a port should not be open which is more severe
// than those of this run: then the dialogues of the scan show a daemon that is not known here.
func (j *joiner) compare(reachable *join.Pair, p exposure.Subject, found []exposure.Violation) {
	worst := j.audit.outside.Exposed(reachable.Target)
	for i := range found {
		if found[i].Severity >= worst {
			return
		}
	}
	if worst > 0 {
		j.unjudged = append(j.unjudged, exposure.NewNotice(exposure.NoticeUnseen, j.audit.Name, nil,
			"The scan has a finding of severity %s on %s, and this run does not know the daemon there (%s on %s).", worst, reachable.Target, cmp.Or(label(&p), "not seen"), p.Socket.Bound))
	}
}

// withEvidence returns findings with a sentence after the first one of their evidence.
func withEvidence(found []exposure.Violation, sentence string) []exposure.Violation {
	for i := range found {
		found[i].Evidence = slices.Insert(slices.Clone(found[i].Evidence), min(1, len(found[i].Evidence)), sentence)
	}
	return found
}

// maxUndecided is how many addresses the evidence names of which the scan does not show that a
// filter protects them.
const maxUndecided = 6

// notShown says that a port is filtered, but that the scan does not show this for all of its
// addresses.
func (j *joiner) notShown(filtered *join.Pair, undecided []*join.Pair) string {
	text := fmt.Sprintf("%s was filtered, seen from the vantage point %s, but ", filtered.Target, j.view.From)
	var probed, unprobed []string
	for _, p := range undecided {
		if ip := p.Target.Addr(); slices.Contains(j.audit.addresses, ip) {
			probed = append(probed, ip.String())
		} else {
			unprobed = append(unprobed, ip.String())
		}
	}
	var reasons []string
	if unprobed != nil {
		reasons = append(reasons, "the scan did not probe "+wording.First(unprobed, maxUndecided)+" of this machine")
	}
	if probed != nil {
		reasons = append(reasons, "it does not show the port on "+wording.First(probed, maxUndecided))
	}
	if reasons == nil {
		reasons = append(reasons, "the addresses of this machine are not known")
	}
	return text + strings.Join(reasons, ", and ")
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
