package exposure

import (
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/result"
)

func TestFindingID(t *testing.T) {
	got := FindingID("MXS1001", "192.0.2.10", 10024, "internet")
	const want = "46666913568f81a872c8d589d8b414aaf6625fce6bd27bd7358e1e52c185bd04"
	if got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, same := range []string{"::ffff:192.0.2.10", "::ffff:c000:20a"} {
		if FindingID("MXS1001", same, 10024, "internet") != got {
			t.Errorf("%s gives another id", same)
		}
	}
	if FindingID("MXS1001", "MX1.Example.org.", 25, "lan") != FindingID("MXS1001", "mx1.example.org", 25, "lan") {
		t.Error("the spelling of a name makes a difference")
	}
	if GroupID("MXS1001", "192.0.2.10", 10024) == got {
		t.Error("the id of the group is that of a finding")
	}
}

// onHost returns the joined findings of one run on a name with these addresses.
func onHost(t testing.TB, identity Identity, name string, addresses ...string) []Violation {
	t.Helper()
	j := &Judge{Rules: testRules(t), Knowledge: testPorts(), Identity: identity}
	var list []Violation
	for _, a := range addresses {
		p := openPort(10024, svc("smtp", "content-filter", "amavisd-new"))
		p.Target, p.Host = netip.AddrPortFrom(netip.MustParseAddr(a), 10024), name
		list = append(list, j.Findings(p)...)
	}
	return JoinAddresses(list)
}

func TestNameIsTheIdentity(t *testing.T) {
	first, moved := onHost(t, "", "mx1.example.org", "192.0.2.1"), onHost(t, "", "MX1.example.org.", "192.0.2.77")
	if len(first) != 1 || len(moved) != 1 || first[0].ID != moved[0].ID || first[0].GroupID != moved[0].GroupID {
		t.Fatalf("the ids differ: %+v %+v", first, moved)
	}
	if by := onHost(t, IdentityAddress, "mx1.example.org", "192.0.2.1"); by[0].ID != FindingID("MXS1001", "192.0.2.1", 10024, "internet") {
		t.Errorf("identity address gives %s", by[0].ID)
	}
	if got := onHost(t, IdentityAddress, "mx1.example.org", "192.0.2.1", "192.0.2.2"); len(got) != 2 {
		t.Errorf("identity address joins: %+v", got)
	}
}

func TestOneFindingOfAName(t *testing.T) {
	list := onHost(t, "", "mx1.example.org", "192.0.2.9", "192.0.2.1", "2001:db8::1")
	if len(list) != 1 {
		t.Fatalf("%d findings", len(list))
	}
	f := list[0]
	var texts []string
	for _, a := range f.Addresses {
		texts = append(texts, a.String())
	}
	if got := strings.Join(texts, " "); got != "192.0.2.1 192.0.2.9 2001:db8::1" || f.Target.Addr().String() != "192.0.2.1" {
		t.Errorf("addresses %s, target %s", got, f.Target)
	}
}

// TestJoinedSeverity checks that a harmless finding on one address of a name does
// not hide a severe one on another, whatever their order.
func TestJoinedSeverity(t *testing.T) {
	one, two := onHost(t, "", "mx1.example.org", "192.0.2.1")[0], onHost(t, "", "mx1.example.org", "192.0.2.2")[0]
	severity, score := one.Severity, one.Score
	if one.Severity, one.Score = result.SeverityInfo, 0; severity == result.SeverityInfo || score == 0 {
		t.Fatal("the finding is harmless to begin with")
	}
	for _, list := range [][]Violation{{one, two}, {two, one}} {
		if joined := JoinAddresses(list); len(joined) != 1 || joined[0].Severity != severity || joined[0].Score != score {
			t.Errorf("joined: %+v", joined)
		}
	}
}

// TestIDsAreStable checks that the ids of a host's findings depend neither on the
// order of its addresses nor on which of them answer.
func TestIDsAreStable(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	all := []string{"192.0.2.1", "192.0.2.2", "192.0.2.3", "2001:db8::1"}
	want := onHost(t, "", "mx1.example.org", all...)[0].ID
	for range 100 {
		r.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
		some := all[:1+r.IntN(len(all))]
		list := onHost(t, "", "mx1.example.org", some...)
		if len(list) != 1 || list[0].ID != want || len(list[0].AllAddresses()) != len(some) {
			t.Fatalf("%v: %+v", some, list)
		}
	}
}
