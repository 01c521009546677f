package listening

import (
	"bytes"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/listeners/sockets"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/configured"
	"github.com/mxsweep/mxsweep/signatures"
)

// audit returns an audit of what a snapshot has, with configuration files by name.
func audit(t *testing.T, s *sockets.Snapshot, files map[string]string) *Audit {
	t.Helper()
	known, err := signatures.DefaultPorts()
	if err != nil {
		t.Fatal(err)
	}
	rules, err := exposure.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	criteria, err := gate.Demands{}.Criteria(nil, rules)
	if err != nil {
		t.Fatal(err)
	}
	a := &Audit{Rules: rules, Ports: known, Gate: criteria, Now: time.Now(), Name: "mx.example.org", MinKnown: 1, snapshot: s}
	if files == nil {
		return a
	}
	dir := t.TempDir()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	a.files = &configured.Audit{Ports: known}
	if err := a.files.Read([]string{dir}); err != nil {
		t.Fatal(err)
	}
	return a
}

// listen returns a socket of a process; "" is one that cannot be seen.
func listen(at, process string) sockets.Socket {
	ap := netip.MustParseAddrPort(at)
	s := sockets.Socket{Address: ap.Addr(), Port: ap.Port(), Dual: sockets.DualNo}
	if process != "" {
		s.Owners = []*sockets.Process{{PID: 4711, Name: process}}
	}
	return s
}

// bind returns a socket that is bound to an interface.
func bind(device string, s sockets.Socket) sockets.Socket {
	s.Interface = device
	return s
}

// container returns a socket in a container.
func container(ns *sockets.Namespace, at, process string) sockets.Socket {
	s := listen(at, process)
	s.Namespace, s.Container = ns, ns.Container
	return s
}

var (
	mailbox = &sockets.Namespace{ID: 1, PID: 4711, Container: "0123456789ab", Addresses: []netip.Addr{netip.MustParseAddr("172.17.0.2")}}

	toMailbox = sockets.Forward{Port: 10025, To: netip.MustParseAddrPort("172.17.0.2:10025"), Namespace: mailbox}
)

func TestConclude(t *testing.T) {
	for name, c := range map[string]struct {
		sockets  []sockets.Socket
		forwards []sockets.Forward
		gaps     []sockets.Gap
		files    map[string]string
		code     gate.ExitCode
		open     []string // bound, product, role, through
		findings []string // rule, severity, address and port
	}{
		"nothing listens": {},
		"on loopback": {
			sockets: []sockets.Socket{listen("127.0.0.1:10024", "amavisd"), listen("[::1]:10025", "exim4")},
			open:    []string{"127.0.0.1:10024 amavisd content-filter ", "[::1]:10025 Exim unknown "},
		},
		"a content filter for all": {
			sockets:  []sockets.Socket{listen("0.0.0.0:10024", "amavisd")},
			code:     gate.ExitFail,
			open:     []string{"0.0.0.0:10024 amavisd content-filter "},
			findings: []string{"MXS1001 high 0.0.0.0:10024"},
		},
		"the same on an address": {
			sockets:  []sockets.Socket{listen("192.0.2.1:20024", "amavisd")},
			code:     gate.ExitFail,
			open:     []string{"192.0.2.1:20024 amavisd content-filter "},
			findings: []string{"MXS1001 high 192.0.2.1:20024"},
		},
		"public ports and others": {
			sockets: []sockets.Socket{listen("0.0.0.0:25", "exim4"), listen("0.0.0.0:22", "sshd"), listen("0.0.0.0:111", ""), listen("[::]:993", "dovecot")},
			open:    []string{"0.0.0.0:22 OpenSSH not-mail ", "0.0.0.0:25 Exim mta ", "0.0.0.0:111  unknown ", "[::]:993 Dovecot imap "},
		},
		"an internal port of a hidden process": {
			sockets:  []sockets.Socket{listen("0.0.0.0:10025", "")},
			code:     gate.ExitIncomplete,
			open:     []string{"0.0.0.0:10025  unknown "},
			findings: []string{"MXS1902 low 0.0.0.0:10025"},
		},
		"on the interface of loopback": {
			sockets: []sockets.Socket{bind("lo", listen("0.0.0.0:10024", "amavisd")), bind("lo", listen("[::]:10025", "")), bind("lo0", listen("[fe80::1]:10026", ""))},
			open:    []string{"0.0.0.0%lo:10024 amavisd content-filter ", "[::]%lo:10025  unknown ", "[fe80::1]%lo0:10026  unknown "},
		},
		"on two interfaces": {
			sockets:  []sockets.Socket{bind("lo", listen("0.0.0.0:10024", "sshd")), bind("tun0", listen("0.0.0.0:10024", "amavisd"))},
			code:     gate.ExitFail,
			open:     []string{"0.0.0.0%lo:10024 OpenSSH not-mail ", "0.0.0.0%tun0:10024 amavisd content-filter "},
			findings: []string{"MXS1001 high 0.0.0.0:10024"},
		},
		"configured for an interface": {
			sockets: []sockets.Socket{bind("lo", listen("0.0.0.0:2143", "haproxy")), bind("tun0", listen("0.0.0.0:2144", "haproxy"))},
			files:   map[string]string{"haproxy.cfg": "frontend a\n mode tcp\n bind :2143 interface lo\n bind :2144 interface eth0\n"},
			open:    []string{"0.0.0.0%lo:2143 HAProxy unknown  haproxy.cfg:3", "0.0.0.0%tun0:2144 HAProxy unknown "},
		},
		"in a container": {
			sockets: []sockets.Socket{container(mailbox, "0.0.0.0:10024", "amavisd")},
			open:    []string{"0.0.0.0:10024 amavisd content-filter container"},
		},
		"in a network namespace that is no container": {
			sockets: []sockets.Socket{container(&sockets.Namespace{ID: 2, PID: 4711, Name: "filter", Addresses: []netip.Addr{netip.MustParseAddr("10.0.0.2")}}, "0.0.0.0:10024", "amavisd")},
			open:    []string{"0.0.0.0:10024 amavisd content-filter namespace"},
		},
		"published by docker-proxy": {
			sockets:  []sockets.Socket{listen("0.0.0.0:10025", "docker-proxy"), container(mailbox, "0.0.0.0:10025", "amavisd")},
			forwards: []sockets.Forward{toMailbox},
			code:     gate.ExitFail,
			open:     []string{"0.0.0.0:10025 amavisd content-filter published", "0.0.0.0:10025 amavisd content-filter container"},
			findings: []string{"MXS1001 high 0.0.0.0:10025"},
		},
		"published by address translation, without a socket": {
			sockets:  []sockets.Socket{container(mailbox, "0.0.0.0:10025", "amavisd")},
			forwards: []sockets.Forward{toMailbox},
			code:     gate.ExitFail,
			open:     []string{"0.0.0.0:10025 amavisd content-filter published", "0.0.0.0:10025 amavisd content-filter container"},
			findings: []string{"MXS1001 high 0.0.0.0:10025"},
		},
		"published, of a process that is not seen, on a port that is internal inside": {
			forwards: []sockets.Forward{{Port: 20025, To: toMailbox.To, Namespace: mailbox}},
			code:     gate.ExitIncomplete,
			open:     []string{"0.0.0.0:20025  unknown published"},
		},
		"published on loopback": {
			sockets:  []sockets.Socket{listen("127.0.0.1:10025", "docker-proxy"), container(mailbox, "0.0.0.0:10025", "amavisd")},
			forwards: []sockets.Forward{{Address: netip.MustParseAddr("127.0.0.1"), Port: 10025, To: toMailbox.To, Namespace: mailbox}},
			open:     []string{"127.0.0.1:10025 amavisd content-filter published", "0.0.0.0:10025 amavisd content-filter container"},
		},
		"containers, and rules of address translation that cannot be read": {
			sockets: []sockets.Socket{container(mailbox, "0.0.0.0:10025", "amavisd")},
			gaps:    []sockets.Gap{{Kind: sockets.GapForwards, Problem: "the rules"}},
			code:    gate.ExitIncomplete,
			open:    []string{"0.0.0.0:10025 amavisd content-filter container"},
		},
		"rules that cannot be read, but no container": {
			sockets: []sockets.Socket{listen("0.0.0.0:25", "exim4")},
			gaps:    []sockets.Gap{{Kind: sockets.GapForwards, Problem: "the rules"}, {Kind: sockets.GapNamespaces, Problem: "the namespaces", Err: os.ErrPermission}},
			open:    []string{"0.0.0.0:25 Exim mta "},
		},
		"a limit": {
			gaps: []sockets.Gap{{Kind: sockets.GapLimit, Problem: "only some"}},
			code: gate.ExitIncomplete,
		},
		"configured": {
			sockets:  []sockets.Socket{listen("0.0.0.0:20025", "master"), listen("127.0.0.1:20026", "master")},
			files:    map[string]string{"main.cf": "inet_protocols = ipv4\n", "master.cf": "20025 inet n - y - - smtpd\n  -o content_filter=\n  -o smtpd_authorized_xforward_hosts=127.0.0.0/8\n127.0.0.1:20026 inet n - y - - smtpd\n"},
			code:     gate.ExitFail,
			open:     []string{"0.0.0.0:20025 Postfix smtpd reinjection  master.cf:1", "127.0.0.1:20026 Postfix smtpd mta  master.cf:4"},
			findings: []string{"MXS1002 high 0.0.0.0:20025"},
		},
		"configured, of a hidden process": {
			sockets:  []sockets.Socket{listen("0.0.0.0:10025", "")},
			files:    map[string]string{"main.cf": "inet_protocols = ipv4\n", "master.cf": "10025 inet n - y - - smtpd\n  -o content_filter=\n  -o smtpd_authorized_xforward_hosts=127.0.0.0/8\n"},
			code:     gate.ExitFail,
			open:     []string{"0.0.0.0:10025 Postfix smtpd reinjection  master.cf:1"},
			findings: []string{"MXS1002 high 0.0.0.0:10025"},
		},
		"configured for another daemon and address": {
			sockets: []sockets.Socket{listen("127.0.0.1:20025", "master"), listen("0.0.0.0:20026", "sshd")},
			files:   map[string]string{"main.cf": "", "master.cf": "20025 inet n - y - - smtpd\n20026 inet n - y - - smtpd\n"},
			open:    []string{"127.0.0.1:20025  unknown ", "0.0.0.0:20026 OpenSSH not-mail "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := audit(t, &sockets.Snapshot{Sockets: c.sockets, Forwards: c.forwards, Gaps: c.gaps}, c.files)
			got := a.Conclude()
			var open, findings []string
			for i := range got.Open {
				p := &got.Open[i]
				text := fmt.Sprintf("%s %s %s %s", p.Socket.Bound, p.Service.Product, p.Service.Role, p.Socket.Through)
				if p.Anchor != nil {
					text += fmt.Sprintf(" %s:%d", filepath.Base(p.Anchor.File), p.Anchor.Line)
				}
				open = append(open, text)
			}
			for i := range got.Findings {
				f := &got.Findings[i]
				findings = append(findings, fmt.Sprintf("%s %s %s", f.Rule.ID, f.Severity, f.Target))
			}
			if got.Decision.Code == gate.ExitPass && got.Decision.Reason != "" {
				t.Errorf("it passes, but %s", got.Decision.Reason)
			}
			if got.Decision.Code != c.code || !slices.Equal(open, c.open) || !slices.Equal(findings, c.findings) {
				t.Errorf("code %d\nopen %q\nfindings %q\n%+v", got.Decision.Code, open, findings, got.Decision.Notices)
			}
		})
	}
}

// What files do not decide is a note: what listens is known without them. So is the reason
// why a line is missing.
func TestUndecidedFiles(t *testing.T) {
	a := audit(t, &sockets.Snapshot{Sockets: []sockets.Socket{listen("0.0.0.0:25", "master")}},
		map[string]string{"main.cf": "inet_interfaces = $none\n", "master.cf": "smtp inet n - y - - smtpd\n10024x inet n - y - - smtpd\n"})
	got := a.Conclude()
	if got.Decision.Code != gate.ExitPass || len(got.Findings) > 0 {
		t.Errorf("code %d, findings %v", got.Decision.Code, got.Findings)
	}
	i := slices.IndexFunc(got.Decision.Notices, func(n result.Notice) bool {
		return n.Code == exposure.NoticeUndecided && n.Level == result.LevelNote && n.Anchor != nil && filepath.Base(n.Anchor.File) == "master.cf" && n.Anchor.Line == 2
	})
	if i < 0 {
		t.Fatalf("notices %+v", got.Decision.Notices)
	}
	if text := got.Decision.Notices[i].Message; strings.Contains(text, "look at the machine") || !strings.HasSuffix(text, ". "+helpOfFile) {
		t.Errorf("the help is that of other commands: %s", text)
	}
}

// The coverage of a machine counts what is judged, and no port of a container.
func TestCoverageOfContainers(t *testing.T) {
	a := audit(t, &sockets.Snapshot{Sockets: []sockets.Socket{listen("0.0.0.0:25", "exim4"), container(mailbox, "0.0.0.0:10024", "amavisd"), container(mailbox, "0.0.0.0:10025", "")}}, nil)
	if got := a.Conclude(); got.Summary.Coverage.Planned != 1 || got.Summary.Coverage.Answered != 1 || len(got.Open) != 3 {
		t.Errorf("%+v", got.Summary.Coverage)
	}
}

// A finding of the baseline that is not there any longer is fixed only if what was seen
// shows that.
func TestDrift(t *testing.T) {
	before := audit(t, &sockets.Snapshot{Sockets: []sockets.Socket{listen("0.0.0.0:10024", "amavisd")}}, nil)
	known := drift.NewBaseline(drift.Header{Created: before.Now, Vantage: vantage.String(), ScopeSHA256: before.scopeSHA256()}, nil, before.Conclude().Findings)
	for name, c := range map[string]struct {
		sockets []sockets.Socket
		gap     sockets.GapKind
		host    string
		want    result.Drift
	}{
		"the same":                 {sockets: []sockets.Socket{listen("[::]:10024", "amavisd")}, want: result.DriftUnchanged},
		"on loopback":              {sockets: []sockets.Socket{listen("127.0.0.1:10024", "amavisd")}, gap: sockets.GapForwards, want: result.DriftFixed},
		"nothing":                  {want: result.DriftFixed},
		"no rule":                  {sockets: []sockets.Socket{listen("0.0.0.0:10024", "sshd")}, want: result.DriftFixed},
		"the process is not seen":  {sockets: []sockets.Socket{listen("0.0.0.0:10024", "")}, want: result.DriftUnverified},
		"forwards are not seen":    {gap: sockets.GapForwards, want: result.DriftUnverified},
		"a limit":                  {gap: sockets.GapLimit, want: result.DriftUnverified},
		"in a container":           {sockets: []sockets.Socket{container(mailbox, "0.0.0.0:10024", "amavisd")}, want: result.DriftFixed},
		"on another machine":       {host: "mx2.example.org", want: result.DriftUnverified},
		"the name is spelled anew": {host: "MX.example.org", want: result.DriftFixed},
	} {
		s := &sockets.Snapshot{Sockets: c.sockets}
		if c.gap != "" {
			s.Gaps = []sockets.Gap{{Kind: c.gap}}
		}
		a := audit(t, s, nil)
		a.Baseline = known
		if c.host != "" {
			a.Name = c.host
		}
		var got []result.Drift
		for _, f := range a.Conclude().Findings {
			if f.Rule.ID == "MXS1001" {
				got = append(got, f.Drift)
			}
		}
		if !slices.Equal(got, []result.Drift{c.want}) {
			t.Errorf("%s: %q, want %s", name, got, c.want)
		}
	}
}

// Expectations are of what others may reach and no rule objects to, and nothing of a
// process can break the file.
func TestWriteExpect(t *testing.T) {
	hostile := listen("0.0.0.0:10030", "x\n  - target: '*'")
	a := audit(t, &sockets.Snapshot{Sockets: []sockets.Socket{
		listen("0.0.0.0:25", "exim4"), listen("[::]:25", "exim4"), listen("0.0.0.0:465", "exim4"), listen("0.0.0.0:22", "sshd"), listen("0.0.0.0:111", ""),
		listen("127.0.0.1:10143", "dovecot"), listen("0.0.0.0:10024", "amavisd"), hostile,
	}}, nil)
	c := a.Conclude()
	var b bytes.Buffer
	if err := a.WriteExpect(&b, &c); err != nil {
		t.Fatal(err)
	}
	text := b.String()
	for _, want := range []string{"ports: \"22\"", "ports: 25,465\n", "product: Exim", "# Not expected: port 111, of a process that was not seen.", "# Not expected: port 10024, amavisd (MXS1001)."} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in\n%s", want, text)
		}
	}
	if strings.Contains(text, "10143") || strings.Contains(text, "\n  - target: '*'") {
		t.Errorf("got\n%s", text)
	}
	passed := audit(t, &sockets.Snapshot{Sockets: []sockets.Socket{container(mailbox, "0.0.0.0:10025", "python3")}, Forwards: []sockets.Forward{{Port: 20025, To: toMailbox.To, Namespace: mailbox}}}, nil)
	c = passed.Conclude()
	b.Reset()
	if err := passed.WriteExpect(&b, &c); err != nil || b.String() != "expect: []\n  # Not expected: port 20025, python3, passed on to port 10025, which mail systems use inside a host.\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
	empty := audit(t, &sockets.Snapshot{}, nil)
	c = empty.Conclude()
	b.Reset()
	if err := empty.WriteExpect(&b, &c); err != nil || b.String() != "expect: []\n" {
		t.Errorf("%q, %v", b.String(), err)
	}
}
