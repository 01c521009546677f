package listening

import (
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/listeners/sockets"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/saved"
)

// outside returns a scan of addresses, separated by commas, that probed the ports 25 and
// 10025: all of them were filtered, except for one that was closed or open.
func outside(t *testing.T, vantage, addresses, state string) *saved.Outside {
	t.Helper()
	asked := strings.Split(addresses, ",")
	ports, open, closed := "", 0, 0
	findings, high := "", 0
	if state == "open, with a finding" { // on each address
		state, high = "open", 1
		findings = fmt.Sprintf(`{"id":"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa","rule":"MXS1001","severity":"high","title":"Filter","ip":"2001:db8::ffff","addresses":["2001:db8::ffff",%q],"port":10025,"protocol":"tcp","status":"open","drift":"none","confidence":9}`, asked[0])
	}
	switch state {
	case "open":
		open = 1
		ports = fmt.Sprintf(`{"ip":%q,"port":10025,"protocol":"tcp","state":"open","timestamp":"2026-11-30T10:00:01Z","service":{"name":"smtp","role":"mta","method":"probed","confidence":9}}`, asked[0])
	case "closed":
		closed = 1
		ports = fmt.Sprintf(`{"ip":%q,"port":10025,"protocol":"tcp","state":"closed","timestamp":"2026-11-30T10:00:01Z"}`, asked[0])
	case "a closed one is not listed":
		closed = 1
	}
	list := `"` + strings.Join(asked, `","`) + `"`
	text := fmt.Sprintf(`{"schema":"mxsweep.report","schema_version":"1.0","tool":{"name":"mxsweep","version":"0.1.0"},
"run":{"run_id":"dc351ace-ba20-4fde-86e0-bea56a06aa65","start_time":"2026-11-30T10:00:00Z","end_time":"2026-11-30T10:00:09Z","vantage":%q,
"scope":{"name":"command-line","sha256":"10f8d0970561703f54325f6bbb9aaea4a71b6e93808815bd3551545ab0cab710","ports":"25,10025","addresses":%d,"asked":[%s]}},
"ports":[%s],"findings":[%s],"notices":[],
"summary":{"complete":true,"exit_code":0,"gate":"pass","coverage":{"planned":%d,"answered":%d,"ratio":1,"hosts_up":%d,"hosts_silent":0,"up":[%s],"open":%d,"closed":%d,"filtered":%d,"unknown":0,"vacant":0,"vacant_pairs":0,"accepted_pairs":0},
"by_severity":{"critical":0,"high":%d,"medium":0,"low":0,"info":0},"by_drift":{"none":%d,"new":0,"unchanged":0,"updated":0,"fixed":0,"unverified":0},"accepted":0,"acceptances_expired":0,"acceptances_unused":0}}`,
		vantage, len(asked), list, ports, findings, 2*len(asked), 2*len(asked), len(asked), list, open, closed, 2*len(asked)-open-closed, high, high)
	name := filepath.Join(t.TempDir(), "run.json")
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	rules, err := exposure.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	o, err := saved.ReadOutside(name, rules)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

func addresses(list string) []netip.Addr {
	var all []netip.Addr
	for _, text := range strings.Fields(list) {
		all = append(all, netip.MustParseAddr(text))
	}
	return all
}

// dual returns a socket that accepts connections of both families.
func dual(s sockets.Socket) sockets.Socket {
	s.Dual = sockets.DualYes
	return s
}

// A filter on the way to the addresses that a scan probed says nothing of the others: the
// finding stays as long as the machine has one on which the listener could be reached, and
// names it.
func TestFilteredOnAllAddresses(t *testing.T) {
	for name, c := range map[string]struct {
		socket   sockets.Socket
		own      string // addresses of the machine
		inside   string
		vantage  string
		scanned  string
		given    string
		state    string
		want     string // the rule
		evidence string // a part of it
	}{
		"the only address":                 {socket: listen("0.0.0.0:10025", "amavisd"), own: "192.0.2.1", scanned: "192.0.2.1", want: "MXS1907"},
		"two scanned addresses":            {socket: dual(listen("[::]:10025", "amavisd")), own: "192.0.2.1 2001:db8::1", scanned: "192.0.2.1,2001:db8::1", want: "MXS1907"},
		"no IPv6 scan":                     {socket: dual(listen("[::]:10025", "amavisd")), own: "192.0.2.1 2001:db8::1", scanned: "192.0.2.1", want: "MXS1001", evidence: "but the scan did not probe 2001:db8::1 of this machine"},
		"no IPv6 scan, an IPv4 socket":     {socket: listen("0.0.0.0:10025", "amavisd"), own: "192.0.2.1 2001:db8::1", scanned: "192.0.2.1", want: "MXS1907"},
		"a VPN":                            {socket: listen("0.0.0.0:10025", "amavisd"), own: "10.8.0.1 192.0.2.1", scanned: "192.0.2.1", want: "MXS1001", evidence: "192.0.2.1:10025 was filtered, seen from the vantage point internet, but the scan did not probe 10.8.0.1 of this machine"},
		"bound to the scanned address":     {socket: listen("192.0.2.1:10025", "amavisd"), own: "10.8.0.1 192.0.2.1", scanned: "192.0.2.1", want: "MXS1907"},
		"a bridge of containers":           {socket: listen("0.0.0.0:10025", "amavisd"), own: "172.17.0.1 192.0.2.1", inside: "172.17.0.1", scanned: "192.0.2.1", want: "MXS1907"},
		"link-local, from the Internet":    {socket: dual(listen("[::]:10025", "amavisd")), own: "192.0.2.1 fe80::1", scanned: "192.0.2.1", want: "MXS1907"},
		"link-local, from the network":     {socket: dual(listen("[::]:10025", "amavisd")), own: "192.0.2.1 fe80::1", vantage: "lan", scanned: "192.0.2.1", want: "MXS1001", evidence: "fe80::1"},
		"translated to the only address":   {socket: listen("0.0.0.0:10025", "amavisd"), own: "10.0.0.5", scanned: "198.51.100.7", given: "198.51.100.7", want: "MXS1907"},
		"translated to one of two":         {socket: listen("0.0.0.0:10025", "amavisd"), own: "10.0.0.5 10.8.0.1", scanned: "198.51.100.7", given: "198.51.100.7", want: "MXS1001", evidence: "10.0.0.5 and 10.8.0.1"},
		"the addresses are not known":      {socket: listen("0.0.0.0:10025", "amavisd"), scanned: "198.51.100.7", given: "198.51.100.7", want: "MXS1001", evidence: "the addresses of this machine are not known"},
		"on another interface":             {socket: bind("tun0", listen("0.0.0.0:10025", "amavisd")), own: "10.8.0.1 192.0.2.1", scanned: "192.0.2.1", want: "MXS1001"},
		"closed when it was scanned":       {socket: listen("0.0.0.0:10025", "amavisd"), own: "192.0.2.1", scanned: "192.0.2.1", state: "closed", want: "MXS1001"},
		"closed or filtered":               {socket: listen("0.0.0.0:10025", "amavisd"), own: "192.0.2.1", scanned: "192.0.2.1", state: "a closed one is not listed", want: "MXS1001"},
		"open on one, the other not asked": {socket: listen("0.0.0.0:10025", "amavisd"), own: "10.8.0.1 192.0.2.1", scanned: "192.0.2.1", state: "open", want: "MXS1001", evidence: "192.0.2.1:10025 was open, seen from"},
		"closed on one of two":             {socket: listen("0.0.0.0:10025", "amavisd"), own: "192.0.2.1 192.0.2.2", scanned: "192.0.2.1,192.0.2.2", state: "closed", want: "MXS1001", evidence: "192.0.2.2:10025 was filtered, seen from the vantage point internet, but it does not show the port on 192.0.2.1"},
	} {
		t.Run(name, func(t *testing.T) {
			vantage := c.vantage
			if vantage == "" {
				vantage = "internet"
			}
			a := audit(t, &sockets.Snapshot{Sockets: []sockets.Socket{c.socket}, Addresses: addresses(c.own), Inside: addresses(c.inside)}, nil)
			if err := a.With(outside(t, vantage, c.scanned, c.state), addresses(c.given)); err != nil {
				t.Fatal(err)
			}
			got := a.Conclude()
			if len(got.Findings) != 1 || got.Findings[0].Rule.ID != c.want {
				t.Fatalf("findings %v, joined %v", got.Findings, got.Joined)
			}
			code := map[bool]gate.ExitCode{true: gate.ExitPass, false: gate.ExitFail}[c.want == exposure.RuleBehindFilter]
			if got.Decision.Code != code {
				t.Errorf("code %d, want %d", got.Decision.Code, code)
			}
			if all := strings.Join(got.Findings[0].Evidence, "\n"); !strings.Contains(all, c.evidence) {
				t.Errorf("the evidence does not contain %q:\n%s", c.evidence, all)
			}
		})
	}
}

// A port of which the scan has a finding that a daemon is exposed, which this run does not
// know, does not pass: the dialogues of the scan know more.
func TestScanKnowsMore(t *testing.T) {
	for name, c := range map[string]struct {
		process, state string
		code           gate.ExitCode
	}{
		"the daemon is not known":         {"python3", "open, with a finding", gate.ExitIncomplete},
		"the scan has no finding":         {"sshd", "open", gate.ExitPass},
		"the same finding":                {"amavisd", "open, with a finding", gate.ExitFail},
		"the program is not that of mail": {"sshd", "open, with a finding", gate.ExitIncomplete},
	} {
		a := audit(t, &sockets.Snapshot{Sockets: []sockets.Socket{listen("0.0.0.0:10025", c.process)}, Addresses: addresses("192.0.2.1")}, nil)
		if err := a.With(outside(t, "internet", "192.0.2.1", c.state), nil); err != nil {
			t.Fatal(err)
		}
		got := a.Conclude()
		said := slices.ContainsFunc(got.Decision.Notices, func(n result.Notice) bool {
			return n.Code == exposure.NoticeUnseen && strings.Contains(n.Message, "high on 192.0.2.1:10025")
		})
		if got.Decision.Code != c.code || said != (c.code == gate.ExitIncomplete) {
			t.Errorf("%s: code %d, notices %+v", name, got.Decision.Code, got.Decision.Notices)
		}
	}
}

// What the scan does not show is the first to be left out of a long table.
func TestJoinedRows(t *testing.T) {
	var list []sockets.Socket
	var own []netip.Addr
	for i := range 60 {
		own = append(own, netip.AddrFrom4([4]byte{10, 8, 0, byte(i)}))
		list = append(list, listen(fmt.Sprintf("0.0.0.0:%d", 1000+i), "sshd"))
	}
	list = append(list, listen("0.0.0.0:10025", "amavisd"))
	a := audit(t, &sockets.Snapshot{Sockets: list, Addresses: append(own, netip.MustParseAddr("192.0.2.1"))}, nil)
	if err := a.With(outside(t, "internet", "192.0.2.1", ""), nil); err != nil {
		t.Fatal(err)
	}
	rows := a.Conclude().Joined
	if len(rows) != 2000 || rows[0].Port != 10025 || rows[0].State != result.JoinFiltered {
		t.Errorf("%d rows, the first is %+v", len(rows), rows[0])
	}
}

// A finding that a port is protected only by a firewall is fixed if the port is bound to
// loopback; what is only not shown any longer does not fix it, nor what it replaced.
func TestDriftBehindFilter(t *testing.T) {
	behind := func(socket sockets.Socket, own, state string, b *drift.Baseline) Outcome {
		a := audit(t, &sockets.Snapshot{Sockets: []sockets.Socket{socket}, Addresses: addresses(own)}, nil)
		a.Baseline = b
		if err := a.With(outside(t, "internet", "192.0.2.1", state), nil); err != nil {
			t.Fatal(err)
		}
		return a.Conclude()
	}
	baseline := func(o Outcome) *drift.Baseline {
		a := audit(t, &sockets.Snapshot{}, nil)
		return drift.NewBaseline(drift.Header{Created: a.Now, Vantage: vantage.String(), ScopeSHA256: a.scopeSHA256()}, nil, o.Findings)
	}
	all, loopback := listen("0.0.0.0:10025", "amavisd"), listen("127.0.0.1:10025", "amavisd")
	filtered, bound := baseline(behind(all, "192.0.2.1", "", nil)), baseline(behind(all, "10.8.0.1 192.0.2.1", "", nil))
	withoutScan := audit(t, &sockets.Snapshot{Sockets: []sockets.Socket{all}}, nil)
	withoutScan.Baseline = filtered
	if list := withoutScan.Conclude().Findings; len(list) != 2 || list[1].Drift != result.DriftUnverified {
		t.Errorf("without a scan: %+v", list)
	}
	for name, c := range map[string]struct {
		before     *drift.Baseline
		socket     sockets.Socket
		own, state string
		want       string // rules, and drift
	}{
		"the same":                     {filtered, all, "192.0.2.1", "", "MXS1907 unchanged"},
		"bound to loopback":            {filtered, loopback, "192.0.2.1", "", "MXS1907 fixed"},
		"a VPN that nobody probed":     {filtered, all, "10.8.0.1 192.0.2.1", "", "MXS1001 new, MXS1907 unverified"},
		"open now":                     {filtered, all, "192.0.2.1", "open", "MXS1001 new, MXS1907 fixed"},
		"closed now":                   {filtered, all, "192.0.2.1", "closed", "MXS1001 new, MXS1907 unverified"},
		"a filter on the only address": {bound, all, "192.0.2.1", "", "MXS1907 new, MXS1001 unverified"},
		"bound to all, then loopback":  {bound, loopback, "192.0.2.1", "", "MXS1001 fixed"},
	} {
		var got []string
		for _, f := range behind(c.socket, c.own, c.state, c.before).Findings {
			got = append(got, fmt.Sprintf("%s %s", f.Rule.ID, f.Drift))
		}
		if text := strings.Join(got, ", "); text != c.want {
			t.Errorf("%s: %s, want %s", name, text, c.want)
		}
	}
}
