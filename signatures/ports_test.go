package signatures

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func loadPorts(t *testing.T) *Ports {
	t.Helper()
	p, err := LoadPorts(os.DirFS("."))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// knownPorts are all ports known to be used by mail systems, with ranges
// expanded.
var knownPorts = []uint16{
	// content filters, signing proxies, re-injection
	10024, 10025, 10026, 10027, 10028, 10029, 10030, 10031, 10032, 10080, 10081, 10082, 10083,
	10465, 10587, 588, 589, 590, 591, 12525, 628,
	// IMAP, POP3, LMTP and Sieve back ends and their control channels
	10143, 10993, 10110, 10995, 14190, 1143, 8143, 7143, 8993, 7993, 7110, 7995, 7025, 7026,
	7071, 9071, 7072, 7073, 7306, 7307, 7047, 7780, 7084, 7085, 10663, 8465, 24, 2525, 2003, 2004,
	3905, 4190, 2000, 12345, 2425, 19991, 8080, 9090, 10001, 2001, 12340, 65265, 24242, 9900, 3904,
	9933, 9955, 1110, 475, 717, 9999, 8000, 4000,
	// policy services, milters, scanners, lookups
	10023, 60000, 2501, 10040, 10045, 10043, 7777, 7778, 7779, 8552, 9998, 8891, 12301, 8893, 7357,
	3310, 783, 11332, 11333, 11334, 11335, 11445, 10002, 8024, 8001, 8642, 20000, 9081, 65510,
	7790, 7791, 1025, 1080, 8025, 11211, 6379, 7654, 389, 636, 3306, 13306, 5432, 9200,
	// public ports
	25, 110, 143, 465, 587, 993, 995,
}

func TestPortsAreComplete(t *testing.T) {
	p := loadPorts(t)
	for _, n := range knownPorts {
		e, ok := p.Lookup(n)
		if !ok {
			t.Errorf("port %d is missing", n)
			continue
		}
		if e.Number != n || !e.Severity().Valid() {
			t.Errorf("port %d: number %d, severity %q", n, e.Number, e.Severity())
		}
		if all, _ := p.Profile("all"); !slices.Contains(all.Ports, n) {
			t.Errorf("port %d is not in the profile all", n)
		}
		for _, system := range []string{LookLinux, LookMacOS, LookWindows} {
			for _, l := range p.Look(system, n) {
				if l.Command == "" || l.Shows == "" || strings.Contains(l.Command, "{port}") {
					t.Errorf("port %d: command %q on %s", n, l.Command, system)
				}
			}
		}
	}
}

// TestProfiles checks that every known port is in a profile, and internal ones in
// internal or backing, so that none is never scanned.
func TestProfiles(t *testing.T) {
	p := loadPorts(t)
	if got := p.Profiles()[0].Name; got != "internal" {
		t.Errorf("the default profile is %q", got)
	}
	for _, e := range p.All() {
		if len(e.Profiles) == 0 {
			t.Errorf("port %d is in no profile", e.Number)
		}
		inside := slices.Contains(e.Profiles, "internal") || slices.Contains(e.Profiles, "backing")
		if e.Internal && !inside {
			t.Errorf("port %d is internal, but only in %v", e.Number, e.Profiles)
		}
		if !e.Internal && !slices.Contains(e.Profiles, "public") {
			t.Errorf("port %d is public, but not in the profile", e.Number)
		}
	}
	sets := p.ProfilePorts()
	for _, n := range []uint16{24, 10025, 10027, 10031, 10143} {
		if !slices.Contains(sets["internal"], n) {
			t.Errorf("internal does not sweep %d", n)
		}
	}
	if !slices.IsSorted(sets["all"]) || len(sets["all"]) != len(p.All()) {
		t.Errorf("all has %d ports, the table %d", len(sets["all"]), len(p.All()))
	}
	if _, ok := p.Profile("nothing"); ok {
		t.Error("found a profile that does not exist")
	}
}

func TestLookupIsWhatTheMailFlowSays(t *testing.T) {
	p := loadPorts(t)
	e, _ := p.Lookup(10028)
	if e.Uses[0].Role != "reinjection" || !strings.Contains(e.Uses[0].Flow, "10027 -> 10028") || !slices.Contains(e.Related, 10027) {
		t.Errorf("port 10028: %+v", e)
	}
	if e, _ := p.Lookup(10035); e.Number != 10035 {
		t.Errorf("a port inside of a range has number %d", e.Number)
	}
	if _, ok := p.Lookup(1); ok {
		t.Error("port 1 is known")
	}
	if got := p.Look(LookLinux, 10025)[0].Command; got != "ss -Hltnp 'sport = :10025'" {
		t.Errorf("ss command %q", got)
	}
}

func TestLoadPortsErrors(t *testing.T) {
	const head = "look:\n  linux: [{tool: ss, command: ss, shows: a}]\n  macos: [{tool: a, command: a, shows: a}]\n  windows: [{tool: a, command: a, shows: a}]\n"
	const use = "uses: [{product: P, role: mta, protocol: smtp, flow: f, bind: b, gain: g, severity: low, fix: [x]}]"
	entry := func(port, rest string) string {
		return "  - {port: " + port + ", title: t, iana: {status: unassigned}, internal: true, " + rest + "}\n"
	}
	two := entry("5000", "related: [5001], "+use) + entry("5001", "related: [5000], "+use)
	tests := []struct{ name, in, want string }{
		{"port 0", "ports:\n" + entry("0", "related: [5001], "+use), `ports.yaml:6:12: "0" is not a port`},
		{"port 70000", "ports:\n" + entry("70000", "related: [5001], "+use), `ports.yaml:6:12: "70000" is not a port`},
		{"backwards", "ports:\n" + entry("9-8", "related: [5001], "+use), `range "9-8" ends before it begins`},
		{"unknown key", "ports:\n" + entry("5000", "color: red"), `unknown key "color"`},
		{"twice", "ports:\n" + two + entry("5001", "related: [5000], "+use), "ports.yaml:8:12: duplicate port 5001"},
		{"related to nothing", "ports:\n" + entry("5000", "related: [1], "+use), "related port 1 is not in the table"},
		{"no use", "ports:\n" + entry("5000", "related: [1]"), "port 5000 without a use"},
		{"unknown role", "ports:\n" + strings.Replace(two, "role: mta", "role: boss", 1), `unknown role "boss"`},
		{"unknown severity", "ports:\n" + strings.Replace(two, "severity: low", "severity: huge", 1), `unknown severity "huge"`},
		{"no gain", "ports:\n" + strings.Replace(two, "gain: g", `gain: ""`, 1), `use by "P" without gain`},
		{"iana", "ports:\n" + strings.Replace(two, "unassigned", "free", 1), `unknown status "free"`},
		{"not dynamic", "ports:\n" + strings.Replace(two, "unassigned", "dynamic", 1), "dynamic ports begin at 49152"},
		{"profile of unknown port", "profiles: [{name: n, title: t, why: w, ports: [7]}]\nports:\n" + two, `profile "n": port 7 is not in the table`},
		{"profile twice a port", "profiles: [{name: n, title: t, why: w, ports: [5000, 5000-5001]}]\nports:\n" + two, "duplicate port 5000"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := LoadPorts(fstest.MapFS{"ports.yaml": {Data: []byte(head + tt.in)}})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %v, want %q", err, tt.want)
			}
		})
	}
	if _, err := LoadPorts(fstest.MapFS{}); err == nil {
		t.Error("no error without a file")
	}
}
