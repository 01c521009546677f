package domains

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

const goodPolicy = "version: STSv1\r\nmode: enforce\r\nmx: mx1.example.org\r\nmx: *.example.net\r\nmax_age: 86400\r\n"

// TestParsePolicy: RFC 8461, Sections 3.2 and 4.1.
func TestParsePolicy(t *testing.T) {
	p, err := ParsePolicy(goodPolicy)
	if err != nil {
		t.Fatal(err)
	}
	for host, want := range map[string]bool{"mx1.example.org": true, "MX1.example.org.": true, "a.example.net": true, "a.b.example.net": false, "example.net": false, "mx2.example.org": false} {
		if p.Covers(host) != want {
			t.Errorf("%s: %t", host, !want)
		}
	}
	for _, invalid := range []string{"", "version: STSv1", "version: STSv1\nmode: none", strings.Replace(goodPolicy, "enforce", "on", 1), strings.Replace(goodPolicy, "86400", "31557601", 1),
		strings.Replace(goodPolicy, "STSv1", "STSv2", 1), "<html>", "version: STSv1\nmode: testing\nmax_age: 1\n"} {
		if _, err := ParsePolicy(invalid); err == nil {
			t.Errorf("%q is valid", invalid)
		}
	}
	for _, long := range []string{"", "version:", "version: STSv1\nmode:", "max_age:"} {
		if _, err := ParsePolicy(long + strings.Repeat("x", 60_000)); err == nil || len(err.Error()) > 200 {
			t.Errorf("%q and 60,000 bytes: %.300v", long, err)
		}
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add(goodPolicy, "mx.example.org")
	f.Fuzz(func(t *testing.T, text, host string) {
		p, err := ParsePolicy(text)
		if err == nil && (p.MaxAge < 0 || p.MaxAge > maxAge) {
			t.Errorf("%+v", p)
		}
		if p != nil {
			p.Covers(host)
		}
	})
}

func FuzzParseAutoconfig(f *testing.F) {
	f.Add([]byte(settings))
	f.Fuzz(func(t *testing.T, body []byte) {
		servers, err := parseAutoconfig(body)
		for _, s := range servers {
			if err != nil || s.Port < 1 || s.Port > 65535 || s.Host == "" {
				t.Errorf("%+v, %v", s, err)
			}
		}
	})
}

const settings = `<?xml version="1.0"?><clientConfig version="1.1"><emailProvider id="x">
<incomingServer type="imap"><hostname>imap.%EMAILDOMAIN%</hostname><port>993</port></incomingServer>
<outgoingServer type="smtp"><hostname>smtp.example.net</hostname><port>465</port></outgoingServer></emailProvider></clientConfig>`

// documents is a Fetcher with documents by URL; "" is one that may not be fetched.
type documents map[string]string

func (d documents) Fetch(_ context.Context, host, path string, _ []netip.Addr) (*Document, error) {
	body, ok := d[host+path]
	switch {
	case !ok:
		return nil, errors.New("no route")
	case body == "":
		return nil, ErrNotAllowed
	}
	return &Document{Type: "text/plain", Body: []byte(body)}, nil
}

// TestDocuments: what documents add, and what is said where they cannot be used.
func TestDocuments(t *testing.T) {
	const zone = "@ MX 10 mx2\nmx2 A 192.0.2.1\n_mta-sts TXT \"v=STSv1; id=1\"\nmta-sts A 192.0.2.2\nautoconfig A 192.0.2.3\nsmtp.example.net. A 192.0.2.4\nimap A 192.0.2.5\n"
	sts, auto := "mta-sts.example.org"+policyPath, "autoconfig.example.org"+autoconfigPath
	for name, c := range map[string]struct {
		documents documents
		want      []string
		not       string
	}{
		"both":        {documents{sts: goodPolicy, auto: settings}, []string{"mta-sts-mx: MTA-STS of example.org (mode enforce) does not cover the MX mx2.example.org", "host imap.example.org [192.0.2.5] [993] own", "host smtp.example.net [192.0.2.4] [465] provider"}, "gap"},
		"not allowed": {documents{sts: "", auto: ""}, []string{"host mta-sts.example.org"}, "notice"},
		"broken":      {documents{sts: "nothing", auto: "nothing"}, []string{"notice mta-sts-policy: ", "notice autoconfig: "}, "imap"},
		"unreachable": {documents{}, []string{"notice mta-sts-policy: ", "notice autoconfig: "}, "imap"},
	} {
		got := summary(walkZone(t, &Walker{Fetch: c.documents}, zone))
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: %q is missing in\n%s", name, want, got)
			}
		}
		if strings.Contains(got, c.not) {
			t.Errorf("%s: %q is in\n%s", name, c.not, got)
		}
	}
}

// TestHTTPS: only allowed addresses are contacted, only valid certificates count, and redirects are
// not followed.
func TestHTTPS(t *testing.T) {
	s := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/redirect":
			http.Redirect(w, r, "/ok", http.StatusFound)
		case "/long":
			_, _ = w.Write(make([]byte, maxDocument+1))
		case "/ok":
			w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			_, _ = w.Write([]byte(goodPolicy))
		default:
			http.NotFound(w, r)
		}
	}))
	defer s.Close()
	addr := netip.MustParseAddrPort(s.Listener.Addr().String())
	addrs := []netip.Addr{addr.Addr()}
	roots := s.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs
	h := &HTTPS{Roots: roots, Port: int(addr.Port())}
	doc, err := h.Fetch(t.Context(), "example.com", "/ok", addrs)
	if err != nil || doc.Type != "text/plain" || string(doc.Body) != goodPolicy {
		t.Errorf("%+v, %v", doc, err)
	}
	for _, path := range []string{"/redirect", "/long", "/none"} {
		if _, err := h.Fetch(t.Context(), "example.com", path, addrs); err == nil {
			t.Errorf("%s was fetched", path)
		}
	}
	if _, err := h.Fetch(t.Context(), "example.org", "/ok", addrs); err == nil {
		t.Error("the certificate is of another name")
	}
	h.Allowed = func(netip.Addr) bool { return false }
	if _, err := h.Fetch(t.Context(), "example.com", "/ok", addrs); !errors.Is(err, ErrNotAllowed) {
		t.Errorf("error %v", err)
	}
}
