package mailpath

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/signatures"
)

var host = netip.MustParseAddr("192.0.2.10")

// port returns an open port whose daemon a dialogue identified.
func port(number uint16, name, product string, role result.Role) result.Port {
	return result.Port{IP: host, Port: number, Protocol: "tcp", State: result.StateOpen, Service: &result.Service{
		Name: name, Product: product, Role: role, Method: result.MethodProbed, Confidence: 9,
	}}
}

// before returns the port as one through which another product shows, with the greeting of
// other ports.
func before(p result.Port, product string, same ...uint16) result.Port {
	if product != "" {
		p.Service.Behind = &result.Behind{Product: product}
	}
	p.Service.SameAs = same
	return p
}

func table(t testing.TB) *signatures.Ports {
	t.Helper()
	known, err := signatures.DefaultPorts()
	if err != nil {
		t.Fatal(err)
	}
	return known
}

// edges returns the edges of a path in words.
func edges(p *result.Path) string {
	if p == nil {
		return "no path"
	}
	var list []string
	for _, e := range p.Edges {
		list = append(list, fmt.Sprintf("%s > %s (%s)", Name(&p.Steps[e.From]), Name(&p.Steps[e.To]), e.Basis))
	}
	return strings.Join(list, "; ")
}

func TestOfPorts(t *testing.T) {
	t.Parallel()
	const smtp, imap = "smtp", "imap"
	postfix := func(n uint16, role result.Role) result.Port { return port(n, smtp, "Postfix smtpd", role) }
	amavis := func(n uint16) result.Port { return port(n, smtp, "amavisd-new", result.RoleContentFilter) }
	signs := func(n uint16) result.Port { return port(n, smtp, "DKIMproxy", result.RoleSigningProxy) }
	guess := postfix(10025, result.RoleReinjection)
	guess.Service.Method = result.MethodTable
	boasts := postfix(10025, result.RoleReinjection)
	boasts.Service.SelfNamed = true
	for _, tt := range []struct {
		name  string
		ports []result.Port
		want  string
		entry map[uint16]string // without "whoever connects here enters the mail path"
	}{
		{
			name:  "the classic chain",
			ports: []result.Port{postfix(25, result.RoleMTA), amavis(10024), postfix(10025, result.RoleReinjection)},
			want:  "25 Postfix smtpd > 10024 amavisd-new (table); 10024 amavisd-new > 10025 Postfix smtpd (table); 10025 Postfix smtpd > queue (role)",
			entry: map[uint16]string{
				25:    "",
				10024: "after the checks at the edge (25 Postfix smtpd), at the spam and virus filter",
				10025: "after the checks at the edge (25 Postfix smtpd) and the spam and virus filter (10024 amavisd-new), directly before the queue",
			},
		},
		{
			name: "submission that signs, with the greeting of the daemon behind",
			ports: []result.Port{postfix(587, result.RoleSubmission), before(signs(10027), "Postfix smtpd", 587, 10028),
				before(postfix(10028, result.RoleReinjection), "", 587, 10027)},
			want: "10027 DKIMproxy > 10028 Postfix smtpd (dialogue); 587 Postfix smtpd > 10027 DKIMproxy (table); 10028 Postfix smtpd > queue (role)",
			entry: map[uint16]string{
				10027: "after the login of submission (587 Postfix smtpd), at signing",
				10028: "after the login of submission (587 Postfix smtpd) and signing (10027 DKIMproxy), directly before the queue",
			},
		},
		{
			name:  "two filters before one port that takes mail back",
			ports: []result.Port{amavis(10024), postfix(10025, result.RoleReinjection), amavis(10026)},
			want:  "10024 amavisd-new > 10025 Postfix smtpd (table); 10026 amavisd-new > 10025 Postfix smtpd (table); 10025 Postfix smtpd > queue (role)",
			entry: map[uint16]string{10024: "at the spam and virus filter"},
		},
		{
			name:  "a filter whose flow does not name the other",
			ports: []result.Port{amavis(10024), signs(10025)},
			want:  "", entry: map[uint16]string{10024: "", 10025: ""},
		},
		{
			name:  "only the number of the other end is known",
			ports: []result.Port{amavis(10024), guess},
			want:  "10025 Postfix smtpd > queue (role)", entry: map[uint16]string{10024: ""},
		},
		{
			name:  "the other end only says of itself what it is",
			ports: []result.Port{amavis(10024), boasts},
			want:  "10025 > queue (role)", entry: map[uint16]string{10024: ""},
		},
		{
			name: "a proxy before a back end on another port",
			ports: []result.Port{before(port(143, imap, "nginx", result.RoleIMAPProxy), "Dovecot"),
				port(993, imap, "Dovecot", result.RoleIMAP), port(10143, imap, "Dovecot", result.RoleIMAPBackend)},
			want:  "143 nginx > 10143 Dovecot (dialogue); 993 Dovecot > mailboxes (role); 10143 Dovecot > mailboxes (role)",
			entry: map[uint16]string{10143: "after the proxy with its TLS and login limits (143 nginx), directly before the mailboxes"},
		},
		{
			name:  "two servers with one greeting and no proxy",
			ports: []result.Port{before(port(143, imap, "Dovecot", result.RoleIMAP), "", 10143), before(port(10143, imap, "Dovecot", result.RoleIMAPBackend), "", 143)},
			want:  "143 Dovecot > mailboxes (role); 10143 Dovecot > mailboxes (role)",
			entry: map[uint16]string{10143: "directly before the mailboxes"},
		},
		{
			name: "a proxy of which the daemon behind may be either",
			ports: []result.Port{before(port(10009, smtp, "HAProxy", result.RoleProxy), "Postfix"),
				postfix(10465, result.RoleSubmission), postfix(10587, result.RoleSubmission)},
			want: "10009 HAProxy > Postfix, its port is not known (dialogue)", entry: map[uint16]string{10465: ""},
		},
		{
			name:  "public ports alone",
			ports: []result.Port{postfix(25, result.RoleMTA), postfix(587, result.RoleSubmission)},
			want:  "no path",
		},
		{
			name:  "no mail at all",
			ports: []result.Port{port(10030, "ssh", "OpenSSH", result.RoleNotMail), port(22, "ssh", "OpenSSH", result.RoleNotMail)},
			want:  "no path",
		},
		{name: "LMTP alone", ports: []result.Port{port(10083, "lmtp", "Dovecot", result.RoleLMTP)}, want: "10083 Dovecot > mailboxes (role)",
			entry: map[uint16]string{10083: "directly before the mailboxes"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			paths := OfPorts(tt.ports, table(t))
			p := Find(paths, host)
			if got := edges(p); got != tt.want {
				t.Errorf("edges are\n%s\nwant\n%s", got, tt.want)
			}
			for number, want := range tt.entry {
				got := Entry(p, number)
				text, _, _ := strings.Cut(strings.TrimPrefix(got, "whoever connects here enters the mail path "), " (as ")
				text, _, _ = strings.Cut(text, " (likely")
				if text != want {
					t.Errorf("%d enters\n%s\nwant\n%s", number, got, want)
				}
			}
		})
	}
}

// The sentence is as sure as the weakest edge of which it speaks.
func TestEntrySaysHowSure(t *testing.T) {
	t.Parallel()
	for basis, want := range map[result.EdgeBasis]string{
		result.BasisFile: "(as the configuration files say)", result.BasisDialogue: "(likely, by what the ports answer)",
		result.BasisTable: "(as these daemons usually are set up; the edges were not observed)",
	} {
		p := &result.Path{
			Steps: []result.PathStep{
				{Kind: result.StepPort, Port: 25, Role: result.RoleMTA, Open: true},
				{Kind: result.StepPort, Port: 10024, Role: result.RoleContentFilter, Internal: true, Open: true},
				{Kind: result.StepPort, Port: 10025, Role: result.RoleReinjection, Internal: true, Open: true},
				{Kind: result.StepQueue},
			},
			Edges: []result.PathEdge{{From: 0, To: 1, Basis: basis}, {From: 1, To: 2, Basis: result.BasisFile}, {From: 2, To: 3, Basis: result.BasisRole}},
		}
		if got := Entry(p, 10025); !strings.HasSuffix(got, want) {
			t.Errorf("%s: %q", basis, got)
		}
	}
}

// A step that a cycle has on both sides of the port was not skipped, and need not follow.
func TestEntryInCycle(t *testing.T) {
	t.Parallel()
	p := &result.Path{
		Steps: []result.PathStep{
			{Kind: result.StepPort, Port: 10024, Role: result.RoleContentFilter, Internal: true, Open: true},
			{Kind: result.StepPort, Port: 10025, Role: result.RoleReinjection, Internal: true, Open: true},
		},
		Edges: []result.PathEdge{{From: 0, To: 1, Basis: result.BasisFile}, {From: 1, To: 0, Basis: result.BasisFile}},
	}
	if got := Entry(p, 10025); got != "" {
		t.Errorf("in a cycle: %q", got)
	}
}

// What asks is named, and no step is said to be skipped.
func TestEntryOfAsked(t *testing.T) {
	t.Parallel()
	p := &result.Path{
		Steps: []result.PathStep{
			{Kind: result.StepPort, Port: 25, Product: "Postfix", Role: result.RoleMTA, Open: true},
			{Kind: result.StepPort, Port: 10031, Role: result.RolePolicy, Internal: true, Open: true},
		},
		Edges: []result.PathEdge{{From: 0, To: 1, Asks: true, Basis: result.BasisFile}},
	}
	const want = "whoever connects here asks what only 25 Postfix should ask, as the configuration files say"
	if got := Entry(p, 10031); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// randomPorts returns the open ports of some hosts, of any product, role and number.
func randomPorts(r *rand.Rand, known *signatures.Ports) []result.Port {
	all := known.All()
	var ports []result.Port
	for h := range 1 + r.IntN(3) {
		for range r.IntN(20) {
			entry := all[r.IntN(len(all))]
			if r.IntN(2) == 0 {
				entry, _ = known.Lookup([]uint16{25, 587, 10024, 10025, 10026, 10027, 10028}[r.IntN(7)])
			}
			use := entry.Uses[r.IntN(len(entry.Uses))]
			p := port(entry.Number, use.Protocol, use.Product, use.Role)
			p.IP = netip.AddrFrom4([4]byte{192, 0, 2, byte(h)})
			switch r.IntN(6) {
			case 0:
				p.Service = nil
			case 1:
				p.Service.Method = result.MethodTable
			case 2:
				p.Service.Behind = &result.Behind{Product: "Postfix"}
			case 3:
				p.State = result.StateFiltered
			}
			if i := len(ports) - 1; i >= 0 && p.Service != nil && r.IntN(3) == 0 {
				p.Service.SameAs = []uint16{ports[i].Port}
			}
			ports = append(ports, p)
		}
	}
	return ports
}

// Each exposed internal port is in the path of its host, an edge leads between steps of its
// path, and none rests on a number: the two ends of one from the table are identified.
func TestEachInternalPortIsThere(t *testing.T) {
	t.Parallel()
	known := table(t)
	r := rand.New(rand.NewPCG(1, 2))
	drawn, tabled := 0, 0
	for range 3000 {
		ports := randomPorts(r, known)
		paths := OfPorts(ports, known)
		for i := range ports {
			p := &ports[i]
			entry, _ := known.Lookup(p.Port)
			if p.State != result.StateOpen || !entry.Internal || p.Service != nil && p.Service.Role == result.RoleNotMail {
				continue
			}
			drawn++
			path := Find(paths, p.IP)
			if path == nil || !has(path, p.Port) {
				t.Fatalf("%s:%d is not in the path of its host", p.IP, p.Port)
			}
		}
		for i := range paths {
			tabled += checkEdges(t, &paths[i], ports)
		}
	}
	if drawn < 1000 || tabled < 100 {
		t.Errorf("%d ports and %d edges of the table were tried", drawn, tabled)
	}
}

func has(p *result.Path, port uint16) bool {
	for _, s := range p.Steps {
		if s.Port == port && s.Internal && s.Open {
			return true
		}
	}
	return false
}

// checkEdges checks the edges of a path, and returns how many are from the table.
func checkEdges(t *testing.T, path *result.Path, ports []result.Port) (tabled int) {
	t.Helper()
	for _, e := range path.Edges {
		if e.From < 0 || e.From >= len(path.Steps) || e.To < 0 || e.To >= len(path.Steps) {
			t.Fatalf("an edge leads from %d to %d of %d steps", e.From, e.To, len(path.Steps))
		}
		if e.Basis != result.BasisTable {
			continue
		}
		tabled++
		for _, at := range []int{e.From, e.To} {
			s := path.Steps[at]
			known := false
			for i := range ports {
				known = known || ports[i].IP == path.IP && ports[i].Port == s.Port && identified(&ports[i])
			}
			if !known {
				t.Fatalf("an edge of the table has an end, %s, that no dialogue identified", Name(&s))
			}
		}
	}
	return tabled
}

// A host that answers on every port has a path of bounded size, which says how much is left
// out, and the internal ports come first.
func TestManyPorts(t *testing.T) {
	t.Parallel()
	var ports []result.Port
	for n := uint16(1); n < 3000; n++ {
		ports = append(ports, port(n, "smtp", "Postfix smtpd", result.RoleMTA))
	}
	ports = append(ports, port(10025, "smtp", "Postfix smtpd", result.RoleReinjection))
	p := Find(OfPorts(ports, table(t)), host)
	if p == nil || len(p.Steps) > MaxSteps || len(p.Edges) > MaxEdges || !has(p, 10025) || p.Left != len(ports)-(MaxSteps-2) {
		t.Fatalf("the path has %d steps, %d edges, %d left out", len(p.Steps), len(p.Edges), p.Left)
	}
	ports = nil
	for i := range 3 * MaxPaths {
		q := port(10025, "smtp", "Postfix smtpd", result.RoleReinjection)
		q.IP = netip.AddrFrom4([4]byte{198, 18, byte(i >> 8), byte(i)})
		ports = append(ports, q)
	}
	if paths := OfPorts(ports, table(t)); len(paths) != MaxPaths {
		t.Errorf("%d paths", len(paths))
	}
}

// The products in the table of what filters do are those that signatures name.
func TestWorksNameProducts(t *testing.T) {
	t.Parallel()
	set, err := signatures.Default()
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range works {
		found := false
		for _, s := range set.Signatures {
			found = found || work(&result.PathStep{Product: s.Product}) == w.work
		}
		if !found {
			t.Errorf("no signature names %s", w.product)
		}
	}
	for role := range roleWorks {
		if _, ok := result.ParseRole(string(role)); !ok {
			t.Errorf("there is no role %q", role)
		}
	}
}
