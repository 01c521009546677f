//go:build linux

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// A disturbance is something in a network that keeps a scanner from seeing
// what is there, and how a run over it may end.
type disturbance struct {
	name  string
	setUp func(n *routedNetwork)
	args  []string
	mode  string // the only one in which it is met; "" means connect and syn
	codes []int  // one of which the run ends with
	check func(t *testing.T, n *routedNetwork, d *document)
}

// synSize is what a SYN of a connect weighs in the eyes of a quota, in bytes.
const synSize = 60

// dropAfter is a rule that lets so many SYNs through and drops the further ones.
func dropAfter(syns int) string {
	return fmt.Sprintf("tcp flags & (syn | ack) == syn quota over %d bytes drop", syns*synSize)
}

// exposed puts a re-injection listener, which is a high finding, at 10025 of
// the first so many hosts.
func exposed(hosts int) func(n *routedNetwork) {
	return func(n *routedNetwork) {
		for i := range hosts {
			n.serve(n.target, routedHost(i+1), 10025, played(n.t, "postfix-reinjection"))
		}
	}
}

// both sets a network up in two steps.
func both(steps ...func(n *routedNetwork)) func(n *routedNetwork) {
	return func(n *routedNetwork) {
		for _, s := range steps {
			s(n)
		}
	}
}

// forwarded sets rules at the router.
func forwarded(rules ...string) func(n *routedNetwork) {
	return func(n *routedNetwork) { n.filter(n.router, "forward", rules...) }
}

// routedBy gives the router a table of its own.
func routedBy(table string) func(n *routedNetwork) {
	return func(n *routedNetwork) { n.nft(n.router, table) }
}

var (
	failOrIncomplete = []int{1, 4}
	mustFail         = []int{1}
	mustPass         = []int{0}
	incomplete       = []int{4}
)

// downAfter is the filter of a router that drops all packets of a scanner once
// so many of its SYNs have passed: for a time, or for good if that is zero. The
// SYN that begins the outage is its first victim.
func downAfter(syns int, length time.Duration) string {
	timeout := ""
	if length > 0 {
		timeout = fmt.Sprintf("flags timeout; timeout %dms;", length.Milliseconds())
	}
	return fmt.Sprintf(`table ip e2e {
	set begun { type ipv4_addr; size 16; flags dynamic; }
	set down { type ipv4_addr; size 16; flags dynamic; %s }
	chain c { type filter hook forward priority 0; policy accept;
		ip saddr != %s accept
		tcp flags & (syn | ack) == syn ip saddr != @begun quota over %d bytes add @down { ip saddr } add @begun { ip saddr }
		ip saddr @down drop
	}
}
`, timeout, routedOwn, syns*synSize)
}

// downUntilReference drops the SYNs of a scanner until it asks a reference port.
const downUntilReference = `table ip e2e {
	set back { type ipv4_addr; flags dynamic,timeout; timeout 10m; }
	chain c { type filter hook forward priority 0; policy accept;
		tcp flags & (syn | ack) == syn tcp dport { 22, 25, 443, 587, 993 } update @back { ip saddr }
		ip saddr @back accept
		tcp flags & (syn | ack) == syn drop
	}
}
`

// tenOpen checks that the exposed port of each of ten hosts was found.
func tenOpen(t *testing.T, _ *routedNetwork, d *document) {
	for i := range 10 {
		if p := d.port(routedHost(i+1), 10025); p == nil || p.State != "open" {
			t.Errorf("%s port 10025: %+v, want it open", routedHost(i+1), p)
		}
	}
}

func disturbances() []disturbance {
	tenHosts := routedHost(1) + "-" + strconv.Itoa(16+10)
	list := []disturbance{
		{name: "nothing in the way", setUp: exposed(1), args: []string{routedHost(1)}, codes: mustFail},
		{name: "ten hosts, banned after 300 SYNs", setUp: both(exposed(10), forwarded(dropAfter(300))), args: []string{tenHosts}, codes: failOrIncomplete},
		{name: "host gone in the middle", args: []string{routedHost(1)}, codes: failOrIncomplete, setUp: both(exposed(1), routedBy(downAfter(50, 0)))},
		{name: "path down for 3 s", args: []string{routedHost(1)}, codes: mustFail, setUp: both(exposed(1), routedBy(downAfter(50, 3*time.Second)))},
		{name: "path to ten hosts down for 1 s", args: []string{tenHosts}, codes: mustFail, check: tenOpen,
			setUp: both(exposed(10), routedBy(downAfter(100, time.Second)))},
		{name: "path to a range down for 2 s", args: []string{"10.81.1.16/28", "-p", "10025"}, codes: mustFail, check: tenOpen,
			setUp: both(exposed(10), routedBy(downAfter(5, 2*time.Second)))},
		{name: "down until a reference port is asked", args: []string{routedHost(1), "-p", "10024-10026", "--all-ports"}, codes: mustFail,
			setUp: both(exposed(1), routedBy(downUntilReference))},
		{name: "30% of SYNs rejected by a router", args: []string{routedHost(1)}, codes: failOrIncomplete,
			setUp: both(exposed(1), forwarded("tcp flags & (syn | ack) == syn numgen random mod 10 < 3 reject with icmp type host-unreachable"))},
		{name: "target rejects by ICMP", args: []string{routedHost(1)}, codes: mustPass,
			setUp: func(n *routedNetwork) { n.filter(n.target, "input", "tcp dport 0-65535 reject") }},
		{name: "target rejects by RST", args: []string{routedHost(1)}, codes: mustPass,
			setUp: func(n *routedNetwork) {
				n.filter(n.target, "input", "tcp dport 0-65535 reject with tcp reset")
			}},
		{name: "everything accepts and nothing replies", args: []string{tenHosts, "-p", "internal"}, codes: incomplete,
			setUp: beTarpit, check: fewAsked},
		{name: "every port open, one Postfix behind all", args: []string{routedHost(1)}, codes: incomplete,
			setUp: func(n *routedNetwork) {
				n.serve(n.target, routedHost(1), 25, played(n.t, "postfix"))
				n.filter(n.target, "prerouting", "tcp dport 1-65535 redirect to :25")
			},
			check: func(t *testing.T, _ *routedNetwork, d *document) {
				for _, f := range d.Findings {
					if f.Severity == "high" || f.Severity == "critical" {
						t.Errorf("%s %s on port %d, from a port number alone", f.Severity, f.Rule, f.Port)
					}
				}
			}},
		{name: "own firewall drops the dialogues", mode: "syn", args: []string{routedHost(1)}, codes: incomplete,
			setUp: both(exposed(1), func(n *routedNetwork) {
				// Single SYNs pass by the filter of this machine; connections do not.
				n.filter(n.scan, "output", "tcp dport 10000-11000 drop")
			})},
		{name: "own address seen from outside", args: []string{routedOwn}, codes: mustFail,
			setUp: func(n *routedNetwork) {
				n.serve(n.scan, routedOwn, 10025, played(n.t, "postfix-reinjection"))
			}},
		{name: "default deny, nothing open among the ports", args: []string{routedHost(1)}, codes: mustPass,
			setUp: func(n *routedNetwork) {
				n.serve(n.target, routedHost(1), 25, played(n.t, "postfix"))
				n.filter(n.target, "input", "tcp dport 25 accept", "tcp dport 1-65535 drop")
			}},
		{name: "a sparse /28", args: []string{"10.81.1.16/28"}, codes: mustPass, setUp: func(n *routedNetwork) {
			// Half of the addresses are vacant, and closed ports answer at the others.
			for i := 6; i < routedHosts; i++ {
				if err := runTool("ip", "-n", n.target, "addr", "del", routedHost(i+1)+"/24", "dev", "eth0"); err != nil {
					n.t.Fatal(err)
				}
			}
			n.filter(n.router, "forward", "icmp type destination-unreachable drop")
		}},
	}
	for _, syns := range []int{10, 40, 80} {
		list = append(list, disturbance{name: fmt.Sprintf("firewall drops after %d SYNs", syns),
			setUp: both(exposed(1), forwarded(dropAfter(syns))), args: []string{routedHost(1)}, codes: failOrIncomplete})
	}
	return list
}

// verdictRuns is how often each disturbance is met: once, unless
// MXSWEEP_E2E_RUNS says otherwise.
func verdictRuns(t *testing.T) int {
	n, err := strconv.Atoi(os.Getenv("MXSWEEP_E2E_RUNS"))
	if err != nil {
		return 1
	}
	return max(n, 1)
}

// TestNoFalsePass disturbs the network while mxsweep looks at it. A run that
// was kept from seeing an exposed port never passes; one that saw all does.
func TestNoFalsePass(t *testing.T) {
	for _, d := range disturbances() {
		modes := []string{"connect", "syn"}
		if d.mode != "" {
			modes = []string{d.mode}
		}
		for _, mode := range modes {
			for i := range verdictRuns(t) {
				t.Run(fmt.Sprintf("%s/%s/%d", d.name, mode, i), func(t *testing.T) {
					t.Parallel()
					d.run(t, mode)
				})
			}
		}
	}
}

func (d disturbance) run(t *testing.T, mode string) {
	n := newRoutedNetwork(t)
	d.setUp(n)
	begun := time.Now()
	lines := filepath.Join(t.TempDir(), "run.jsonl")
	args := append([]string{"scan", "--mode", mode, "--progress", "never", "-o", "json", "-o", "jsonl=" + lines}, d.args...)
	out, code := mxsweep(t, n.scan, args...)
	took := time.Since(begun)
	doc := new(document)
	if err := json.Unmarshal(out, doc); err != nil {
		t.Fatalf("exit %d, reading the report: %v", code, err)
	}
	t.Logf("exit %d, gate %s, %.1f s", code, doc.Summary.Gate, took.Seconds())
	if !slices.Contains(d.codes, code) {
		t.Errorf("exit %d, want one of %v", code, d.codes)
		for _, notice := range doc.Notices {
			t.Logf("%s %s", notice.Code, strings.TrimSpace(notice.Message))
		}
	}
	eachOnce(t, doc, lines)
	if d.check != nil {
		d.check(t, n, doc)
	}
}

// eachOnce checks that no pair is in a document twice, although hosts that turn up
// late are asked a second time, and that the last line of each pair in the other
// form says the same.
func eachOnce(t *testing.T, d *document, lines string) {
	text, err := os.ReadFile(lines)
	if err != nil {
		t.Fatal(err)
	}
	last := map[string]string{}
	for line := range strings.Lines(string(text)) {
		var p struct {
			Type string
			portRecord
		}
		if err := json.Unmarshal([]byte(line), &p); err != nil {
			t.Fatal(err)
		}
		if p.Type == "port" {
			last[fmt.Sprintf("%s port %d", p.IP, p.Port)] = p.State
		}
	}
	for _, p := range d.Ports {
		at := fmt.Sprintf("%s port %d", p.IP, p.Port)
		if state, ok := last[at]; !ok || state != p.State {
			t.Errorf("%s is %q; in lines it is there: %t, last as %q", at, p.State, ok, state)
		}
		delete(last, at) // a second record of it is not there then
	}
	if len(last) > 0 {
		t.Errorf("only in lines: %v", last)
	}
}
