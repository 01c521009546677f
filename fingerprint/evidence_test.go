package fingerprint

import (
	"slices"
	"testing"

	"github.com/mxsweep/mxsweep/signatures"
)

// TestProxyEvidence checks that the evidence of a proxy are the exchanges that fulfill
// its conditions: not those of negated conditions, and none within a negated group.
func TestProxyEvidence(t *testing.T) {
	s := &session{exchanges: map[string]*Exchange{}}
	for _, id := range []string{"greeting", "goodbye", "smtp-ehlo", "smtp-help"} {
		s.exchanges[id] = &Exchange{Probe: id, Reply: []byte("220 x\r\n"), End: signatures.EndReply}
	}
	reply, reset := []string{signatures.EndReply}, []string{signatures.EndReset}
	p := &signatures.Proxy{Shows: "x", When: []signatures.Condition{
		{Probe: "greeting", Ended: reply},
		{Probe: "smtp-ehlo", Ended: reset, Not: true},
		{Any: []signatures.Condition{{Probe: "goodbye", Ended: reset}, {Probe: "goodbye", Ended: reply}}},
		{Not: true, All: []signatures.Condition{{Probe: "smtp-help", Ended: reply}, {Probe: "smtp-help", Ended: reset}}},
	}}
	if signatures.All(p.When, around{s}) != signatures.True {
		t.Fatal("the conditions do not hold")
	}
	var got []string
	for _, e := range s.proxyEvidence(p) {
		got = append(got, e.Probe)
	}
	if want := []string{"greeting", "goodbye"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
