package run

import (
	"net/netip"
	"slices"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/mailpath"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/signatures"
)

// openPort returns an open port of which a dialogue identified the daemon.
func openPort(at, product string, role result.Role) exposure.Subject {
	return exposure.Subject{
		Result:  scan.Result{Target: netip.MustParseAddrPort(at), State: result.StateOpen},
		Service: &fingerprint.Identification{Service: result.Service{Name: "smtp", Product: product, Role: role, Method: result.MethodProbed}},
	}
}

// A finding says where its port is in the path of its own host, after what shows the fault.
func TestFindingsSayWhereTheyEnter(t *testing.T) {
	t.Parallel()
	known, err := signatures.DefaultPorts()
	if err != nil {
		t.Fatal(err)
	}
	paths := mailPaths([]exposure.Subject{
		openPort("[fe80::1%eth0]:10024", "amavisd-new", result.RoleContentFilter),
		openPort("[fe80::1%eth0]:10025", "Postfix smtpd", result.RoleReinjection),
		openPort("192.0.2.10:10025", "Postfix smtpd", result.RoleReinjection),
	}, known, nil)
	if len(paths) != 2 {
		t.Fatalf("%d paths, want that of each host", len(paths))
	}
	findings := []exposure.Violation{
		{Target: netip.MustParseAddrPort("[fe80::1%eth0]:10025"), Evidence: []string{"fault", "open"}},
		{Target: netip.MustParseAddrPort("192.0.2.10:10025"), Evidence: []string{"fault", "open"}},
		{Target: netip.MustParseAddrPort("192.0.2.10:10143"), Evidence: []string{"fault", "open"}},
		{Target: netip.MustParseAddrPort("192.0.2.99:10025"), Evidence: []string{"fault", "open"}},
	}
	mailpath.Explain(paths, findings)
	for i, want := range [][]string{
		{"fault", "whoever connects here enters the mail path after the spam and virus filter (10024 amavisd-new), directly before the queue (as these daemons usually are set up; the edges were not observed)", "open"},
		{"fault", "whoever connects here enters the mail path directly before the queue", "open"},
		{"fault", "open"},
		{"fault", "open"},
	} {
		if got := findings[i].Evidence; !slices.Equal(got, want) {
			t.Errorf("%s: evidence is %q, want %q", findings[i].Target, got, want)
		}
	}
}

// The number of paths is bounded, and memory is not taken for the ports of all hosts.
func TestManyHostsHaveBoundedPaths(t *testing.T) {
	t.Parallel()
	var open []exposure.Subject
	for i := range 2 * mailpath.MaxPaths {
		p := openPort("192.0.2.1:10025", "Postfix smtpd", result.RoleReinjection)
		p.Target = netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)}), 10025)
		open = append(open, p)
	}
	if paths := mailPaths(open, nil, nil); len(paths) != mailpath.MaxPaths {
		t.Errorf("%d paths", len(paths))
	}
}
