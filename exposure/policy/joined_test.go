package policy

import (
	"slices"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/exposuretest"
	"github.com/mxsweep/mxsweep/result"
)

func TestJoinedStatus(t *testing.T) {
	policy := &Policy{Accept: []AcceptedRisk{{Acceptance: result.Acceptance{ID: "AR-1", Expires: result.NewDate(exposuretest.Time)}, Rule: "MXS1001",
		Hosts: mustSelect(t, "192.0.2.1"), Ports: allPorts}}}
	list := exposuretest.OnHost(t, "", "mx1.example.org", "192.0.2.1", "192.0.2.2")
	policy.Apply(&list[0], exposuretest.Time)
	if list[0].Status != result.StatusOpen {
		t.Errorf("a risk that is accepted on one of two addresses is %s", list[0].Status)
	}
	if n := policy.Notices(list, nil, exposuretest.Time); slices.ContainsFunc(n, func(n result.Notice) bool { return n.Code == exposure.NoticeAcceptanceUnused }) {
		t.Errorf("the entry counts as unused: %v", n)
	}
	one := exposuretest.OnHost(t, "", "mx1.example.org", "192.0.2.1")
	if policy.Apply(&one[0], exposuretest.Time); one[0].Status != result.StatusAccepted {
		t.Errorf("on the accepted address it is %s", one[0].Status)
	}
	two := exposuretest.OnHost(t, "", "mx1.example.org", "192.0.2.2")
	joined := exposure.JoinAddresses([]exposure.Violation{one[0], two[0]})
	if len(joined) != 1 || joined[0].Status != result.StatusOpen || joined[0].Acceptance != nil {
		t.Errorf("joined: %+v", joined)
	}
}

func mustSelect(t testing.TB, text string) Selector {
	t.Helper()
	s, err := ParseSelector(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// allPorts matches all ports.
var allPorts = PortSelector{&portList{text: "*"}}
