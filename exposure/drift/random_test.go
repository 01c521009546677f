package drift

import (
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/exposuretest"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// A look is what a random run saw of one address.
type look struct {
	port  *exposure.Subject // nil: the port was not probed
	up    bool              // it answered on another port
	loss  float64
	known int // confidence in the baseline
}

// shows reports whether the result proves that the finding is gone, according to
// the policy's manual.
func (l look) shows() bool {
	if l.port == nil {
		return false
	}
	s := l.port.Service
	switch l.port.State {
	case result.StateClosed:
		return true
	case result.StateFiltered:
		return l.up && math.Pow(l.loss, float64(l.port.Attempts)) <= maxChance
	case result.StateOpen:
		return s != nil && s.Inconclusive == "" && l.loss <= maxDialogueLoss &&
			(s.Has(exposure.ObservedRefused) || s.Role != "signing-proxy" && s.Confidence >= max(minEvidenceConfidence, l.known))
	}
	return false
}

// randomLook returns a random result for port 10027 of an address.
func randomLook(r *rand.Rand, addr netip.Addr, loss float64, known int) look {
	l := look{up: r.IntN(2) == 0, loss: loss, known: known}
	if r.IntN(8) == 0 {
		return l
	}
	p := statePort(10027, []result.State{result.StateOpen, result.StateClosed, result.StateFiltered, result.StateUnknown}[r.IntN(4)])
	p.Target, p.Host, p.Attempts = netip.AddrPortFrom(addr, 10027), "mx1.example.org", 1+r.IntN(3)
	if p.State == result.StateOpen && r.IntN(5) > 0 {
		p.Service = named([]string{"signing-proxy", "reinjection", "mta"}[r.IntN(3)], []string{"", "DKIMproxy", "Postfix smtpd"}[r.IntN(3)], r.IntN(11))
		switch r.IntN(6) {
		case 0:
			p.Service.Inconclusive = []result.Inconclusive{result.InconclusiveRefused, result.InconclusiveCutOff, result.InconclusiveUnfinished,
				result.InconclusiveSkipped, result.InconclusiveNoReply}[r.IntN(5)]
		case 1:
			p.Service.Observations = append(p.Service.Observations, exposure.ObservedRefused)
		}
	}
	l.port = &p
	return l
}

// TestFixedNeedsEvidence checks random runs over a name against the meaning of
// "fixed" and "new": evidence on each of its addresses, then and now.
func TestFixedNeedsEvidence(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 8))
	rules := exposuretest.Rules(t)
	all := []netip.Addr{netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2"), netip.MustParseAddr("2001:db8::1")}
	some := func() []netip.Addr {
		return slices.DeleteFunc(slices.Clone(all), func(netip.Addr) bool { return r.IntN(3) == 0 })
	}
	seen := map[result.Drift]int{}
	for range 1500 {
		then := some()
		if len(then) == 0 {
			continue
		}
		known, loss := 5+r.IntN(6), []float64{0, 0, 0.05, 0.3, 0.9}[r.IntN(5)]
		before := named("signing-proxy", "DKIMproxy", known)
		judge := &exposure.Judge{Rules: rules, Knowledge: exposuretest.Ports()}
		var old []exposure.Violation
		for _, addr := range then {
			p := exposuretest.OpenPort(10027, before)
			p.Target, p.Host = netip.AddrPortFrom(addr, 10027), "mx1.example.org"
			old = append(old, judge.Findings(p)...)
		}
		b := NewBaseline(testHeader, nil, exposure.JoinAddresses(old))
		places := some()
		now := testConditions
		now.AddressesOf = func(string) []netip.Addr { return places }
		elsewhere := r.IntN(8) == 0
		if elsewhere {
			now.Vantage.Class = exposure.ClassLAN
		}
		c, counter := Compare(b, now, rules), hostsUp{}
		judge.Vantage = now.Vantage
		looks := map[netip.Addr]look{}
		var found []exposure.Violation
		for _, addr := range slices.Concat(then, places) {
			if _, ok := looks[addr]; ok {
				continue
			}
			l := randomLook(r, addr, loss, known)
			looks[addr] = l
			if l.up {
				counter.Add(scan.Result{Target: netip.AddrPortFrom(addr, 25), State: result.StateClosed})
			}
			if l.port != nil {
				l.up = l.up || l.port.State == result.StateOpen || l.port.State == result.StateClosed
				counter.Add(l.port.Result)
				c.Add(*l.port)
				found = append(found, judge.Findings(*l.port)...)
			}
		}
		c.Loss(loss)
		list, _ := c.Finish(exposure.JoinAddresses(found), counter.Up, nil, exposuretest.Time)
		for _, f := range list {
			seen[f.Drift]++
			if f.Rule.ID != "MXS1004" || f.Drift != result.DriftFixed && f.Drift != result.DriftUnverified || !f.Carried {
				continue
			}
			shown := !elsewhere
			told := fmt.Sprintf("then %v with %d, now %v, loss %v, elsewhere %t: %q", then, known, places, loss, elsewhere, f.Evidence)
			for addr, l := range looks {
				shown = shown && l.shows()
				told += fmt.Sprintf("\n%s: %+v", addr, l)
				if l.port != nil {
					told += fmt.Sprintf(" %s %+v", l.port.State, l.port.Service)
				}
			}
			if fixed := f.Drift == result.DriftFixed; fixed != shown {
				t.Fatalf("fixed %t, want %t: %s", fixed, shown, told)
			}
		}
	}
	for _, d := range []result.Drift{result.DriftNew, result.DriftFixed, result.DriftUnverified, result.DriftUnchanged} {
		if seen[d] == 0 {
			t.Errorf("no finding was %s", d)
		}
	}
}
