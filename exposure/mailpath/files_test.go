package mailpath_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/exposure/mailpath"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/signatures"
)

const (
	masterCF = `smtp      inet  n       -       y       -       -       smtpd
  -o content_filter=smtp:[127.0.0.1]:10024
submission inet n      -       y       -       -       smtpd
  -o smtpd_sasl_auth_enable=yes
  -o content_filter=dksign:[127.0.0.1]:10027
10025     inet  n       -       y       -       -       smtpd
  -o content_filter=
  -o receive_override_options=no_unknown_recipient_checks
127.0.0.1:10028 inet n  -       y       -       -       smtpd
  -o content_filter=
  -o receive_override_options=no_unknown_recipient_checks
smtp      unix  -       -       y       -       -       smtp
dksign    unix  -       -       y       -       -       smtp
lmtp      unix  -       -       y       -       -       lmtp
`
	mainCF = `smtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:10031, permit
smtpd_milters = inet:localhost:8891
virtual_transport = lmtp:inet:127.0.0.1:24
relayhost = [relay.example.org]:587
`
	dkimproxyOut = "listen 127.0.0.1:10027\nrelay 127.0.0.1:10028\n"
)

// read reads configuration files.
func read(t testing.TB, files fstest.MapFS) listeners.Config {
	t.Helper()
	c, _, err := config.Read(&source.Tree{FS: files}, ".")
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// The path of files is that of Postfix's documentation of filters, with the line of each edge.
func TestOfFiles(t *testing.T) {
	t.Parallel()
	known, err := signatures.DefaultPorts()
	if err != nil {
		t.Fatal(err)
	}
	c := read(t, fstest.MapFS{
		"etc/postfix/master.cf":      {Data: []byte(masterCF)},
		"etc/postfix/main.cf":        {Data: []byte(mainCF)},
		"etc/dkimproxy_out.conf":     {Data: []byte(dkimproxyOut)},
		"etc/nginx/unrelated.config": {Data: []byte("x")},
	})
	paths := mailpath.OfFiles(&c, known)
	p := mailpath.FindFile(paths, "etc/dkimproxy_out.conf")
	if len(paths) != 1 || p == nil {
		t.Fatalf("no path of %d listeners and %d edges", len(c.Listeners), len(c.Edges))
	}
	var list []string
	for _, e := range p.Edges {
		word, at := ">", ""
		if e.Asks {
			word = "asks"
		}
		if e.Anchor != nil {
			at = fmt.Sprintf(" %s:%d", e.Anchor.File, e.Anchor.Line)
		}
		list = append(list, mailpath.Name(&p.Steps[e.From])+" "+word+" "+mailpath.Name(&p.Steps[e.To])+at)
	}
	got := strings.Join(list, "\n")
	for _, want := range []string{
		"25 Postfix smtpd > 10024 etc/postfix/master.cf:2",
		"587 Postfix smtpd > 10027 DKIMproxy etc/postfix/master.cf:5",
		"10027 DKIMproxy > 10028 Postfix smtpd etc/dkimproxy_out.conf:2",
		"10025 Postfix smtpd > queue",
		"10028 Postfix smtpd > queue",
		"25 Postfix smtpd asks 10031 etc/postfix/main.cf:1",
		"25 Postfix smtpd asks 8891 etc/postfix/main.cf:2",
		"queue > 24 etc/postfix/main.cf:3",
		"queue > relay.example.org:587 etc/postfix/main.cf:4",
	} {
		if !strings.Contains("\n"+got+"\n", "\n"+want+"\n") {
			t.Errorf("no edge %q in\n%s", want, got)
		}
	}
	const entry = "whoever connects here enters the mail path directly before the queue"
	if got := mailpath.Entry(p, 10025); got != entry {
		t.Errorf("10025: %q, want %q", got, entry)
	}
	if got := mailpath.Entry(p, 10028); got != "" {
		t.Errorf("a port on loopback: %q", got)
	}
}

// Files of one name are those of several hosts: no edge leads from one to the other, even if
// only the other has a listener on the port.
func TestOfFilesOfHosts(t *testing.T) {
	t.Parallel()
	const edge = "smtp inet n - y - - smtpd\n  -o content_filter=smtp:[127.0.0.1]:10027\n"
	c := read(t, fstest.MapFS{
		"hosts/a/postfix/master.cf":  {Data: []byte(edge)},
		"hosts/b/postfix/master.cf":  {Data: []byte(edge)},
		"hosts/b/dkimproxy_out.conf": {Data: []byte("listen 0.0.0.0:10027\nrelay 127.0.0.1:10028\n")},
	})
	paths := mailpath.OfFiles(&c, nil)
	if len(paths) != 2 || paths[0].Host != "hosts/a" || paths[1].Host != "hosts/b" {
		t.Fatalf("paths are %+v", paths)
	}
	if got := mailpath.Entry(mailpath.FindFile(paths, "hosts/b/dkimproxy_out.conf"), 10027); !strings.Contains(got, "after the checks at the edge (25 Postfix") {
		t.Errorf("on the one host: %q", got)
	}
	if got := mailpath.FindFile(paths, "hosts/a/postfix/master.cf"); got == nil || slices.ContainsFunc(got.Steps, func(s result.PathStep) bool { return s.Product == "DKIMproxy" }) {
		t.Errorf("the path of the other host is %+v", got)
	}
}

// A name of Docker Compose is the container with that name, by the files that it has or the
// port that it publishes; localhost is the own container.
func TestOfFilesOfContainers(t *testing.T) {
	t.Parallel()
	c := read(t, fstest.MapFS{
		"compose.yml": {Data: []byte("services:\n  postfix:\n    image: example/postfix\n    volumes: ['./postfix:/etc/postfix', './dkim:/etc/dkimproxy']\n    ports: ['25:25', '10025:10025']\n" +
			"  amavis:\n    image: example/amavis\n    ports: ['127.0.0.1:20024:10024']\n" +
			"  dovecot:\n    image: example/dovecot\n    volumes: ['./dovecot:/etc/dovecot']\n")},
		"postfix/main.cf":         {Data: []byte("virtual_transport = lmtp:inet:dovecot:24\nrelayhost = [relay]:25\n")},
		"postfix/master.cf":       {Data: []byte("smtp inet n - y - - smtpd\n  -o content_filter=smtp:[amavis]:10024\n587 inet n - y - - smtpd\n  -o content_filter=smtp:[127.0.0.1]:10027\n10025 inet n - y - - smtpd\n  -o content_filter=\nlmtp unix - - y - - lmtp\n")},
		"dkim/dkimproxy_out.conf": {Data: []byte("listen 127.0.0.1:10027\nrelay 127.0.0.1:10025\n")},
		"dovecot/dovecot.conf":    {Data: []byte("protocols = lmtp\nservice lmtp {\n  inet_listener lmtp {\n    port = 24\n  }\n}\n!include_try /etc/dovecot/none.conf\n")},
	})
	var got []string
	for _, p := range mailpath.OfFiles(&c, nil) {
		for _, e := range p.Edges {
			if to := &p.Steps[e.To]; e.Basis == result.BasisFile && to.Anchor != nil {
				got = append(got, fmt.Sprintf("%s > %s %s", mailpath.Name(&p.Steps[e.From]), mailpath.Name(to), to.Anchor.File))
			} else if to.Kind == result.StepElsewhere {
				got = append(got, "elsewhere "+to.Name)
			}
		}
	}
	slices.Sort(got)
	want := []string{
		"10025 > 10025 Postfix smtpd postfix/master.cf", // from the published port to the daemon
		"10027 DKIMproxy > 10025 Postfix smtpd postfix/master.cf", "25 > 25 Postfix smtpd postfix/master.cf", "25 Postfix smtpd > 20024 compose.yml",
		"587 Postfix smtpd > 10027 DKIMproxy dkim/dkimproxy_out.conf", "elsewhere relay:25", "queue > 24 Dovecot dovecot/dovecot.conf",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
}

// Who connects where a filter hands mail back skips also the milters and policy services
// that only the first port asks, and not those that this one asks as well.
func TestSkippedQuestions(t *testing.T) {
	t.Parallel()
	c := read(t, fstest.MapFS{
		"master.cf":             {Data: []byte("smtp inet n - y - - smtpd\n  -o content_filter=smtp:[127.0.0.1]:10024\n10025 inet n - y - - smtpd\n  -o content_filter=\n  -o smtpd_milters=inet:127.0.0.1:8891\n  -o smtpd_recipient_restrictions=permit\nsmtp unix - - y - - smtp\n")},
		"main.cf":               {Data: []byte("smtpd_milters = inet:127.0.0.1:8891, inet:127.0.0.1:11332\nsmtpd_recipient_restrictions = check_policy_service inet:127.0.0.1:10031, permit\n")},
		"dkimproxy.conf":        {Data: []byte("")},
		"etc/dkimproxy_in.conf": {Data: []byte("listen 127.0.0.1:10024\nrelay 127.0.0.1:10025\n")},
	})
	got := mailpath.Entry(mailpath.FindFile(mailpath.OfFiles(&c, nil), "master.cf"), 10025)
	const want = "the policy daemon (10031)"
	if !strings.Contains(got, want) || !strings.Contains(got, "the milter (11332)") || strings.Contains(got, "8891") {
		t.Errorf("got %q", got)
	}
}

// Without an edge there is no path, and hostile numbers of listeners and edges give one of
// bounded size.
func TestOfFilesBounds(t *testing.T) {
	t.Parallel()
	c := read(t, fstest.MapFS{"master.cf": {Data: []byte("10025 inet n - y - - smtpd\n")}})
	if p := mailpath.OfFiles(&c, nil); p != nil {
		t.Errorf("a path without an edge: %+v", p)
	}
	c = listeners.Config{}
	for i := range 3000 {
		at := result.Anchor{File: "master.cf", Line: i + 1}
		c.Listeners = append(c.Listeners, listeners.Listener{Port: uint16(i + 1), Role: result.RoleReinjection, Service: fmt.Sprint(i), At: at})
		c.Edges = append(c.Edges, listeners.Edge{File: "master.cf", From: fmt.Sprint(i), Host: fmt.Sprintf("h%d", i), Port: 25, Kind: listeners.EdgeRelay, At: at})
	}
	paths := mailpath.OfFiles(&c, nil)
	if len(paths) != 1 {
		t.Fatalf("%d paths", len(paths))
	}
	if p := &paths[0]; len(p.Steps) > mailpath.MaxSteps || len(p.Edges) > mailpath.MaxEdges || p.Left == 0 {
		t.Errorf("the path is not bounded")
	}
}
