//go:build linux

package e2e

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/exposure/fix"
	"github.com/mxsweep/mxsweep/internal/gate"
	"github.com/mxsweep/mxsweep/run"
)

// A proof is one fix on one real daemon: the rule finds the daemon on the
// port, and does not after the fix.
type proof struct {
	fix, rule string
	host      string
	port      int
	product   string   // as reports of proofs call it
	pkg       string   // the package whose version counts
	files     []string // where the edit may be; nil is the file of the fix

	// also are further ports of the daemon that the same edit binds.
	also []int

	// behind is a daemon behind this one that answers through it, and which the
	// finding names: its files must not have the port.
	behind []string

	// overIPv6 says that the finding is on the IPv6 address, and that its fix
	// closes the port there by commands.
	overIPv6 bool
}

// address is the address of the host on which the finding is.
func (p *proof) address(h *host) string {
	if p.overIPv6 {
		return address6(h.n)
	}
	return address4(h.n)
}

// proofs are proven one after the other on each host.
var proofs = []proof{
	{fix: "postfix-bind", rule: "MXS1002", host: "fix-mail", port: 10025, product: "Postfix", pkg: "postfix"},
	{fix: "postfix-no-xclient", rule: "MXS1401", host: "fix-mail", port: 25, product: "Postfix", pkg: "postfix"},
	{fix: "postfix-local-xforward", rule: "MXS1402", host: "fix-mail", port: 25, product: "Postfix", pkg: "postfix"},
	{fix: "amavis-bind", rule: "MXS1001", host: "fix-mail", port: 10024, product: "amavisd", pkg: "amavisd-new"},
	{fix: "opendkim-bind", rule: "MXS1204", host: "fix-mail", port: 8891, product: "OpenDKIM", pkg: "opendkim"},
	{fix: "opendmarc-bind", rule: "MXS1203", host: "fix-mail", port: 8893, product: "OpenDMARC", pkg: "opendmarc"},

	{fix: "spampd-bind", rule: "MXS1005", host: "fix-spam", port: 10025, product: "spampd", pkg: "spampd"},
	{fix: "spamd-bind", rule: "MXS1206", host: "fix-spam", port: 783, product: "spamd", pkg: "spamassassin"},
	{fix: "spamass-milter-bind", rule: "MXS1203", host: "fix-spam", port: 8890, product: "spamass-milter", pkg: "spamass-milter"},
	{fix: "clamd-bind", rule: "MXS1205", host: "fix-spam", port: 3310, product: "clamd", pkg: "clamav-daemon"},
	{fix: "clamav-milter-bind", rule: "MXS1203", host: "fix-spam", port: 7357, product: "clamav-milter", pkg: "clamav-milter"},

	{fix: "haproxy-bind", rule: "MXS1101", host: "fix-store", port: 10144, product: "HAProxy", pkg: "haproxy", behind: dovecotFiles},
	{fix: "dovecot23-bind", rule: "MXS1101", host: "fix-store", port: 10143, product: "Dovecot", pkg: "dovecot-core", files: dovecotFiles},
	{fix: "dovecot23-bind", rule: "MXS1105", host: "fix-store", port: 24, product: "Dovecot", pkg: "dovecot-core", files: dovecotFiles},
	{fix: "dovecot23-bind", rule: "MXS1106", host: "fix-store", port: 12345, product: "Dovecot", pkg: "dovecot-core", files: dovecotFiles},
	{fix: "dovecot23-bind", rule: "MXS1107", host: "fix-store", port: 24245, product: "Dovecot", pkg: "dovecot-core", files: dovecotFiles},
	{fix: "dovecot23-cleartext", rule: "MXS1403", host: "fix-store", port: 143, product: "Dovecot", pkg: "dovecot-core"},
	{fix: "nginx-bind", rule: "MXS1102", host: "fix-store", port: 10110, product: "nginx", pkg: "nginx"},

	{fix: "postgrey-bind", rule: "MXS1201", host: "fix-policy", port: 10023, product: "postgrey", pkg: "postgrey"},
	{fix: "policyd-rate-limit-bind", rule: "MXS1201", host: "fix-policy", port: 8552, product: "policyd-rate-limit", pkg: "policyd-rate-limit"},
	{fix: "policyd-weight-bind", rule: "MXS1201", host: "fix-policy", port: 12525, product: "policyd-weight", pkg: "policyd-weight"},
	{fix: "sqlgrey-bind", rule: "MXS1201", host: "fix-greylist", port: 2501, product: "SQLgrey", pkg: "sqlgrey"},
	{fix: "postfwd-bind", rule: "MXS1202", host: "fix-policy", port: 10040, product: "postfwd", pkg: "postfwd"},
	{fix: "postsrsd-bind", rule: "MXS1211", host: "fix-policy", port: 10001, product: "PostSRSd", pkg: "postsrsd", also: []int{10002}},

	{fix: "rspamd-normal-bind", rule: "MXS1208", host: "fix-scan", port: 11333, product: "Rspamd", pkg: "rspamd"},
	{fix: "rspamd-proxy-bind", rule: "MXS1203", host: "fix-scan", port: 11332, product: "Rspamd", pkg: "rspamd"},
	{fix: "rspamd-controller-bind", rule: "MXS1209", host: "fix-scan", port: 11334, product: "Rspamd", pkg: "rspamd"},
	{fix: "memcached-bind", rule: "MXS1310", host: "fix-scan", port: 11211, product: "memcached", pkg: "memcached"},
}

var dovecotFiles = []string{"/etc/dovecot/dovecot.conf", "/etc/dovecot/conf.d/10-master.conf", "/etc/dovecot/local.conf"}

// proofPorts is what a proof sweeps: a change of any of them is seen.
const proofPorts = "internal,25,110,143,389,587,993,995,3306,5432,6379,11211,20000"

// allProofs, if it is 1, makes TestFixes prove the fixes of all hosts, not only
// those of alwaysProven.
const allProofs = "MXSWEEP_ALL_FIXES"

// alwaysProven are the hosts that every run proves.
var alwaysProven = []string{"fix-mail", "fix-store"}

// writeProofs, if it names a folder, makes TestFixes write the proofs there.
const writeProofs = "MXSWEEP_WRITE_PROOFS"

// TestFixes obeys each fix to the letter on the real daemon: the finding is
// there and names the fix, the edit passes its check, and after the command
// that makes it take effect the finding is gone, no other port has changed,
// and mail still arrives.
func TestFixes(t *testing.T) {
	set := fix.Builtin()
	var proven []fix.Proof
	ran := map[string]bool{}
	for _, s := range proofHosts() {
		if os.Getenv(allProofs) != "1" && !slices.Contains(alwaysProven, s.name) {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			ran[s.name] = true
			proven = append(proven, proveHost(t, s, set)...)
		})
	}
	dir := os.Getenv(writeProofs)
	if dir == "" || t.Failed() {
		return // a fix without its proof would not load
	}
	for _, p := range proofList() {
		if !ran[p.host] { // -run left it out
			proven = append(proven, p.written(set)...)
		}
	}
	data, err := fix.WriteProofs(proven)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "proofs.yaml"), data, 0o644); err != nil {
		t.Fatal(err)
	}
}

// written returns what is written down already of a proof.
func (p *proof) written(set *fix.Set) []fix.Proof {
	f := set.Lookup(p.fix)
	if f == nil {
		return nil
	}
	return slices.DeleteFunc(slices.Clone(f.Proofs), func(w fix.Proof) bool {
		return w.Rule != p.rule || int(w.Port) != p.port
	})
}

// proveHost starts a host and proves the fixes of its daemons.
func proveHost(t *testing.T, s spec, set *fix.Set) []fix.Proof {
	programs := []string{"/usr/bin/nsenter"}
	for _, d := range s.daemons {
		if !s.ownPackages {
			programs = append(programs, d.argv[0])
		}
	}
	needPrograms(t, programs)
	if err := s.prerequisites(); err != nil {
		gate.Lack(t, err.Error())
	}
	versions := map[string]string{}
	for _, p := range proofList() {
		if p.host == s.name {
			v, err := s.packageVersion(p.pkg)
			if err != nil {
				gate.Lack(t, err.Error())
			}
			if f := set.Lookup(p.fix); f != nil && !f.HoldsFor(v) {
				t.Skipf("%s %s is not one that fix %s is for", p.pkg, v, p.fix)
			}
			versions[p.pkg] = v
		}
	}
	n := base(t)
	if err := n.add([]spec{s}); err != nil {
		t.Fatal(err)
	}
	h := n.hosts[s.name]
	before := s.proofSweep(t)
	var proven []fix.Proof
	for _, p := range proofList() {
		if p.host != s.name {
			continue
		}
		t.Run(fmt.Sprint(p.fix, "-", p.port), func(t *testing.T) {
			after := p.prove(t, h, set, before)
			mail := slices.Contains(s.listen, 25)
			if mail {
				mailTest(t, h, p)
			}
			before = after
			if t.Failed() {
				return
			}
			proven = append(proven, fix.Proof{Fix: p.fix, Rule: p.rule, Product: p.product, Version: versions[p.pkg],
				Platform: platform(t), Port: uint16(p.port), Mail: mail})
		})
	}
	return proven
}

// prove obeys one fix and returns what the sweep after it saw.
func (p *proof) prove(t *testing.T, h *host, set *fix.Set, before *document) *document {
	ip := p.address(h)
	f := set.Lookup(p.fix)
	if f == nil {
		t.Fatalf("there is no fix %q", p.fix)
	}
	found := slices.IndexFunc(before.findings(ip, p.port), func(r findingRecord) bool { return r.Rule == p.rule })
	if found < 0 {
		t.Fatalf("%s is not found on port %d before the fix: %v %+v", p.rule, p.port, before.findings(ip, p.port), before.port(ip, p.port))
	}
	p.named(t, h, set, before.findings(ip, p.port)[found])
	if f.Manual() {
		p.obey(t, h, f)
	} else {
		p.edit(t, h, f)
	}
	for _, command := range []string{f.Check, f.Apply} {
		if command == "" {
			continue
		}
		if out, err := h.shell(command); err != nil {
			t.Fatalf("%s: %v: %s", command, err, out)
		}
	}
	want := before.open(ip)
	h.awaitListening(t, slices.Concat(want, h.listen))
	closes := f.Binds() || p.overIPv6
	if f.Binds() {
		h.awaitLoopback(t, p.port)
	}
	if closes {
		for _, port := range append(p.also, p.port) {
			want = without(want, port)
		}
	}
	after := p.sweepUntilGone(t, h)
	if list := after.findings(ip, p.port); closes && len(list) > 0 {
		t.Errorf("after the fix: %+v", list)
	}
	if !slices.Equal(after.open(ip), want) {
		t.Errorf("open ports after the fix: %v, want %v", after.open(ip), want)
	}
	return after
}

// proofSweep sweeps the ports that a change must not change, and no exposure
// ends the test.
func (s *spec) proofSweep(t *testing.T) *document {
	t.Helper()
	opts := run.Options{Targets: []string{address4(s.n)}, Ports: []string{proofPorts}, FailOn: "none", Intrusive: s.intrusive}
	if s.byName {
		opts.Targets, opts.Resolver = []string{s.name + ".e2e.invalid"}, serveName(t, s)
	}
	doc, _ := sweep(t, opts)
	return doc
}

// sweepUntilGone sweeps until the rule no longer holds on the port: a daemon
// that reads its configuration anew does so when it gets to it.
func (p *proof) sweepUntilGone(t *testing.T, h *host) *document {
	t.Helper()
	ip := p.address(h)
	for end := time.Now().Add(startLimit); ; {
		after := h.proofSweep(t)
		list := after.findings(ip, p.port)
		if !slices.ContainsFunc(list, func(r findingRecord) bool { return r.Rule == p.rule }) {
			return after
		}
		if time.Now().After(end) {
			t.Fatalf("after the fix: %+v", list)
		}
	}
}

// named holds the advice against the daemon that has the port: the finding
// names this fix, or, of a daemon that answers through a proxy, a fix that
// finds nothing to edit, so that a reader who obeys it does no harm.
func (p *proof) named(t *testing.T, h *host, set *fix.Set, r findingRecord) {
	if p.behind == nil {
		if !slices.Contains(r.Fixes, p.fix) {
			t.Errorf("the finding names %v, want %q: %v", r.Fixes, p.fix, r.Evidence)
		}
		return
	}
	for _, id := range r.Fixes {
		for _, name := range p.behind {
			text, err := os.ReadFile(h.path(name))
			if err != nil {
				t.Fatal(err)
			}
			var missing *fix.NotFoundError
			if got, err := set.Lookup(id).Edit(string(text), fix.Values{Port: uint16(p.port)}); !errors.As(err, &missing) {
				t.Errorf("%s would edit %s: %v\n%s", id, name, err, got)
			}
		}
	}
}

// edit makes the edit in the one file that has the listener.
func (p *proof) edit(t *testing.T, h *host, f *fix.Fix) {
	files := p.files
	if files == nil {
		files = []string{f.File}
	}
	for _, name := range files {
		name = h.expand(name)
		text, err := os.ReadFile(h.path(name))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		edited, err := f.Edit(string(text), fix.Values{Address: netip.MustParseAddr(p.address(h)), Port: uint16(p.port)})
		if err != nil {
			t.Logf("%s: %v", name, err)
			continue
		}
		if edited == string(text) {
			t.Errorf("the edit of %s changes nothing", name)
		}
		if err := os.WriteFile(h.path(name), []byte(edited), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	t.Fatalf("none of %v has a listener for port %d", files, p.port)
}

// expand gives the one file of the host that a name with stars fits; the name
// itself if there is none.
func (h *host) expand(name string) string {
	root := h.path("/")
	if list, _ := filepath.Glob(filepath.Join(root, name)); len(list) == 1 {
		return strings.TrimPrefix(list[0], strings.TrimSuffix(root, "/"))
	}
	return name
}

// without is a list without one number.
func without(list []int, n int) []int {
	return slices.DeleteFunc(slices.Clone(list), func(x int) bool { return x == n })
}

// open lists the open ports of an address.
func (d *document) open(ip string) []int {
	var list []int
	for _, p := range d.Ports {
		if p.IP == ip && p.State == "open" {
			list = append(list, p.Port)
		}
	}
	slices.SortFunc(list, cmp.Compare)
	return list
}

// awaitListening waits until all of some ports listen, on whatever address: a
// daemon that is not up again has no finding either.
func (h *host) awaitListening(t *testing.T, ports []int) {
	t.Helper()
	var missing []int
	for end := time.Now().Add(startLimit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		missing = slices.DeleteFunc(slices.Clone(ports), func(port int) bool { return listensIn(h.cmd.Process.Pid, port) })
		if len(missing) == 0 {
			return
		}
	}
	t.Fatalf("ports %v do not listen again within %v\n%s", missing, startLimit, h.logs())
}

// awaitLoopback waits until the port listens, and on loopback alone.
func (h *host) awaitLoopback(t *testing.T, port int) {
	t.Helper()
	local := []string{fmt.Sprintf("0100007F:%04X", port), fmt.Sprintf("%024d01000000:%04X", 0, port)}
	var seen []string
	for end := time.Now().Add(startLimit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		seen = seen[:0]
		for _, name := range []string{"tcp", "tcp6"} {
			text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", h.cmd.Process.Pid, name))
			for line := range strings.Lines(string(text)) {
				if f := strings.Fields(line); len(f) > 3 && f[3] == "0A" && strings.HasSuffix(f[1], fmt.Sprintf(":%04X", port)) {
					seen = append(seen, f[1])
				}
			}
		}
		if len(seen) > 0 && !slices.ContainsFunc(seen, func(s string) bool { return !slices.Contains(local, s) }) {
			return
		}
	}
	t.Fatalf("port %d does not listen on loopback alone within %v, but on %v\n%s", port, startLimit, seen, h.logs())
}

// logs is the end of each log of the host.
func (h *host) logs() string {
	log, _ := h.shell("tail -n 30 " + logDir + "/* /var/log/mail.log /var/log/syslog /var/log/exim4/mainlog 2>/dev/null || :")
	return log
}

// platform is the distribution of this machine, as "Debian 12".
func platform(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("/etc/os-release")
	if err != nil {
		t.Fatal(err)
	}
	value := func(key string) string {
		for line := range strings.Lines(string(text)) {
			if v, ok := strings.CutPrefix(line, key+"="); ok {
				return strings.Trim(strings.TrimSpace(v), `"`)
			}
		}
		return ""
	}
	name, _, _ := strings.Cut(value("NAME"), " ")
	return name + " " + value("VERSION_ID")
}
