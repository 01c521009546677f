package mailpath_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/exposure/mailpath"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/signatures"
)

// drawn returns the edges and the steps of a path in words.
func drawn(p *result.Path) (edges, steps []string) {
	if p == nil {
		return nil, nil
	}
	for _, e := range p.Edges {
		edges = append(edges, fmt.Sprintf("%s > %s %s", mailpath.Name(&p.Steps[e.From]), mailpath.Name(&p.Steps[e.To]), e.Basis))
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		text := mailpath.Name(s)
		for word, is := range map[string]bool{" open": s.Open, " unreached": s.Unreached} {
			if is {
				text += word
			}
		}
		if s.Anchor != nil {
			text += fmt.Sprintf(" %s:%d", s.Anchor.File, s.Anchor.Line)
		}
		steps = append(steps, text)
	}
	return edges, steps
}

// Ports that were found and files of the same host are one path: a port has one step with the
// line that opens it, filters that only listen on loopback are drawn between those that are
// open, and what the files open and nobody reached is said to be so.
func TestOfHost(t *testing.T) {
	t.Parallel()
	known, err := signatures.DefaultPorts()
	if err != nil {
		t.Fatal(err)
	}
	c := read(t, fstest.MapFS{
		"etc/postfix/master.cf": {Data: []byte("smtp inet n - y - - smtpd\n  -o content_filter=smtp:[127.0.0.1]:10024\n10025 inet n - y - - smtpd\n  -o content_filter=\n" +
			"  -o receive_override_options=no_unknown_recipient_checks\n127.0.0.1:10028 inet n - y - - smtpd\n  -o content_filter=\n  -o receive_override_options=no_header_body_checks\n" +
			"10029 inet n - y - - smtpd\n  -o content_filter=smtp:[127.0.0.1]:10024\nsmtp unix - - y - - smtp\n")},
		"etc/postfix/main.cf":    {Data: []byte("inet_protocols = all\n")},
		"etc/dkimproxy_out.conf": {Data: []byte("listen 127.0.0.1:10024\nrelay 127.0.0.1:10028\n")},
	})
	port := func(n uint16, product string, role result.Role, socket *result.Listening) result.Port {
		return result.Port{IP: netip.MustParseAddr("192.0.2.10"), Port: n, State: result.StateOpen, Socket: socket,
			Service: &result.Service{Name: "smtp", Product: product, Role: role, Method: result.MethodProbed, Confidence: 9}}
	}
	mta, back := result.RoleMTA, result.RoleReinjection
	for name, ports := range map[string][]result.Port{
		"seen from outside": {port(25, "Postfix smtpd", mta, nil), port(10025, "", "", nil)},
		"seen from inside": {
			port(25, "Postfix", mta, &result.Listening{Bound: "*:25"}), port(10025, "Postfix", back, &result.Listening{Bound: "*:10025"}),
		},
	} {
		p := mailpath.OfHost(ports, &c, known)
		edges, steps := drawn(p)
		for _, want := range []string{"25 Postfix smtpd > 10024 DKIMproxy file", "10024 DKIMproxy > 10028 Postfix smtpd file", "10028 Postfix smtpd > queue role", "10025 Postfix smtpd > queue role"} {
			if !slices.Contains(edges, want) {
				t.Errorf("%s: no edge %q in\n%s", name, want, strings.Join(edges, "\n"))
			}
		}
		want := []string{"25 Postfix smtpd open etc/postfix/master.cf:1", "10025 Postfix smtpd open etc/postfix/master.cf:3", "10028 Postfix smtpd etc/postfix/master.cf:6",
			"10029 Postfix smtpd unreached etc/postfix/master.cf:9", "10024 DKIMproxy etc/dkimproxy_out.conf:1", "queue"}
		if name == "seen from inside" { // then nothing listens there
			want[2], want[4] = "10028 Postfix smtpd unreached etc/postfix/master.cf:6", "10024 DKIMproxy unreached etc/dkimproxy_out.conf:1"
		}
		slices.Sort(want)
		slices.Sort(steps)
		if !slices.Equal(steps, want) {
			t.Errorf("%s: steps\n%s\nwant\n%s", name, strings.Join(steps, "\n"), strings.Join(want, "\n"))
		}
		if got := mailpath.Entry(p, 10025); got != "whoever connects here enters the mail path directly before the queue" {
			t.Errorf("%s: %q", name, got)
		}
	}
	if p := mailpath.OfHost([]result.Port{port(25, "Postfix smtpd", mta, nil)}, nil, known); p != nil {
		t.Errorf("a path of one public port: %+v", p)
	}
	if p := mailpath.OfHost(nil, &c, known); p != nil {
		t.Errorf("a path without a port: %+v", p)
	}
}

// A port whose mail another queue manager gets, as that of a watchdog, has a queue of its own.
func TestOtherQueue(t *testing.T) {
	t.Parallel()
	c := read(t, fstest.MapFS{
		"main.cf": {Data: []byte("relayhost = [relay.example.org]\n")},
		"master.cf": {Data: []byte("smtp inet n - n - - smtpd\n589 inet n - n - - smtpd\n  -o smtpd_client_restrictions=permit_mynetworks,reject\n  -o cleanup_service_name=watch_cleanup\n  -o smtpd_milters=\n" +
			"cleanup unix n - n - 0 cleanup\nqmgr fifo n - n 300 1 qmgr\nwatch_cleanup unix n - n - 0 cleanup\n  -o queue_service_name=watch_qmgr\nwatch_qmgr fifo n - n 300 1 qmgr\nsmtp unix - - n - - smtp\n")},
	})
	paths := mailpath.OfFiles(&c, nil)
	if len(paths) != 1 {
		t.Fatalf("%d paths", len(paths))
	}
	edges, _ := drawn(&paths[0])
	want := []string{"25 Postfix smtpd > queue role", "589 Postfix smtpd > queue of watch_qmgr role", "queue > relay.example.org:25 file"}
	slices.Sort(edges)
	if !slices.Equal(edges, want) {
		t.Errorf("edges are %q, want %q", edges, want)
	}
}
