package exposure

import (
	"net/netip"
	"testing"

	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// TestOnlyIPv6 judges a port of a host with addresses of both families, by the
// states of its IPv4 addresses.
func TestOnlyIPv6(t *testing.T) {
	var (
		v6     = netip.MustParseAddr("2001:db8::10")
		a, b   = netip.MustParseAddr("192.0.2.10"), netip.MustParseAddr("192.0.2.11")
		others = netip.MustParseAddr("192.0.2.99")
	)
	reinjection := svc("smtp", "reinjection", "Postfix smtpd")
	for _, tt := range []struct {
		name    string
		port    uint16
		service *fingerprint.Identification
		v4      map[netip.Addr][]result.State // in the order of their results
		silent  bool                          // no IPv4 address is up
		want    string
	}{
		{"closed", 10025, reinjection, map[netip.Addr][]result.State{a: {result.StateClosed}, b: {result.StateClosed}}, false, "MXS1002 MXS1906"},
		{"filtered", 10025, reinjection, map[netip.Addr][]result.State{a: {result.StateFiltered}, b: {result.StateClosed}}, false, "MXS1002 MXS1906"},
		{"filtered, host not up", 10025, reinjection, map[netip.Addr][]result.State{a: {result.StateFiltered}, b: {result.StateFiltered}}, true, "MXS1002"},
		{"open on one", 10025, reinjection, map[netip.Addr][]result.State{a: {result.StateOpen}, b: {result.StateClosed}}, false, "MXS1002"},
		{"unknown on one", 10025, reinjection, map[netip.Addr][]result.State{a: {result.StateUnknown}, b: {result.StateClosed}}, false, "MXS1002"},
		{"one was not asked", 10025, reinjection, map[netip.Addr][]result.State{a: {result.StateClosed}}, false, "MXS1002"},
		{"turned out open", 10025, reinjection, map[netip.Addr][]result.State{a: {result.StateFiltered, result.StateOpen}, b: {result.StateClosed}}, false, "MXS1002"},
		{"turned out closed", 10025, reinjection, map[netip.Addr][]result.State{a: {result.StateUnknown, result.StateClosed}, b: {result.StateClosed}}, false, "MXS1002 MXS1906"},
		{"refuses us", 10024, svc("smtp", "content-filter", "amavisd-new", "acl-refused"), map[netip.Addr][]result.State{a: {result.StateClosed}, b: {result.StateClosed}}, false, "MXS1901 MXS1906"},
		{"not known", 10031, nil, map[netip.Addr][]result.State{a: {result.StateClosed}, b: {result.StateClosed}}, false, "MXS1906 MXS1902"},
		{"public port", 25, svc("smtp", "mta", "Postfix smtpd", "starttls-offered"), map[netip.Addr][]result.State{a: {result.StateClosed}, b: {result.StateClosed}}, false, ""},
		{"another host was asked", 10025, reinjection, map[netip.Addr][]result.State{others: {result.StateClosed}}, false, "MXS1002"},
	} {
		watch := NewFamilyWatch(map[netip.Addr][]netip.Addr{v6: {a, b}})
		for addr, states := range tt.v4 {
			for _, state := range states {
				watch.Add(scan.Result{Target: netip.AddrPortFrom(addr, tt.port), State: state})
			}
		}
		j := &Judge{Rules: testRules(t), Knowledge: testPorts(), NotOpenIPv4: func(target netip.AddrPort) []netip.Addr {
			return watch.NotOpen(target, func(netip.Addr) bool { return !tt.silent })
		}}
		p := openPort(tt.port, tt.service)
		p.Host, p.Target = "mx.example.org", netip.AddrPortFrom(v6, tt.port)
		got := j.Findings(p)
		if ids(got) != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, ids(got), tt.want)
		}
		for _, f := range got {
			const want = "/tcp of mx.example.org is not open over IPv4 (192.0.2.10, 192.0.2.11)"
			if f.Rule.ID == RuleOnlyIPv6 && f.Evidence[0][len("port 10025"):] != want {
				t.Errorf("%s: it rests on %q", tt.name, f.Evidence)
			}
		}
		p.Target = netip.AddrPortFrom(a, tt.port)
		for _, f := range j.Findings(p) {
			if f.Rule.ID == RuleOnlyIPv6 {
				t.Errorf("%s: %s for an IPv4 address", tt.name, f.Rule.ID)
			}
		}
	}
}

// TestFamilyWatchIsBounded checks that a limited number of addresses is kept, and
// nothing is said about the others.
func TestFamilyWatchIsBounded(t *testing.T) {
	counterparts := map[netip.Addr][]netip.Addr{}
	v6, v4 := netip.MustParseAddr("2001:db8::"), netip.MustParseAddr("10.0.0.0")
	for range maxFamilies + 10 {
		v6, v4 = v6.Next(), v4.Next()
		counterparts[v6] = []netip.Addr{v4}
	}
	w := NewFamilyWatch(counterparts)
	told := 0
	for v6, list := range counterparts {
		w.Add(scan.Result{Target: netip.AddrPortFrom(list[0], 65535), State: result.StateClosed})
		if len(w.NotOpen(netip.AddrPortFrom(v6, 65535), func(netip.Addr) bool { return true })) > 0 {
			told++
		}
	}
	if len(w.notOpen) != maxFamilies || told != maxFamilies {
		t.Errorf("%d addresses are watched and %d told", len(w.notOpen), told)
	}
	w = nil
	if w.Add(scan.Result{}); w.NotOpen(netip.AddrPortFrom(v6, 1), nil) != nil {
		t.Error("no watch tells something")
	}
}
