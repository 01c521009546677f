//go:build linux

package e2e

import (
	"fmt"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// proxyHost has listeners of four programs that read the PROXY header, proxies that want
// none, and the daemons behind them.
var proxyHost = spec{
	name: "proxies", n: 20,
	about: "HAProxy, nginx and socat before Dovecot and Postfix, with and without the PROXY protocol",
	dirs:  []dir{{"/var/log/nginx", "www-data"}, {"/var/lib/nginx", "www-data"}},
	daemons: []daemon{postfixDaemon, dovecotDaemon, haproxyDaemon, nginxDaemon,
		{"socat", []string{"/usr/bin/socat", "TCP-LISTEN:13143,fork,reuseaddr", "TCP:127.0.0.1:20143"}}},
	listen: []int{10025, 10026, 10027, 10125, 10126, 10127, 10128, 10143, 10144, 10145, 10146, 10147,
		11025, 11143, 11144, 12025, 12143, 12144, 13143, 20143, 20144},
}

// A proxied is what must be said of a listener: what stands there, before which daemon,
// and whose parser reads the PROXY header; fix is a file that an edit is for.
type proxied struct {
	port                    int
	product, behind, parser string
	fix                     string
}

var proxieds = []proxied{
	{10025, "Postfix smtpd", "", "", ""},
	{10026, "Postfix smtpd", "", "Postfix smtpd", ""},
	{10027, "Postfix postscreen", "", "Postfix postscreen", ""},
	{10125, "HAProxy", "Postfix smtpd", "", ""},
	{10126, "HAProxy", "Postfix smtpd", "HAProxy", "haproxy.cfg"},
	{10127, "HAProxy", "Postfix smtpd", "HAProxy", "haproxy.cfg"},
	{10128, "HAProxy", "Postfix smtpd", "HAProxy", "haproxy.cfg"},
	{10143, "HAProxy", "Dovecot", "", "haproxy.cfg"},
	{10144, "HAProxy", "Dovecot", "HAProxy", "haproxy.cfg"},
	{10145, "HAProxy", "Dovecot", "HAProxy", "haproxy.cfg"},
	{10146, "HAProxy", "Dovecot", "HAProxy", "haproxy.cfg"},
	{10147, "HAProxy", "Dovecot", "", ""},
	{11025, "nginx", "", "nginx", "nginx.conf"},
	{11143, "nginx", "", "", ""},
	{11144, "nginx", "", "nginx", "nginx.conf"},
	{12025, "nginx", "Postfix smtpd", "nginx", "nginx.conf"},
	{12143, "nginx", "Dovecot", "", ""},
	{12144, "nginx", "Dovecot", "nginx", "nginx.conf"},
	{13143, "socat", "Dovecot", "", ""},
	{20143, "Dovecot", "", "", ""},
	{20144, "Dovecot", "", "Dovecot", "dovecot.conf"},
}

// rate compares what was said of a listener with what must be: "right", "unknown" where
// something was left out, or "wrong".
func (w *proxied) rate(p *portRecord) string {
	s := p.Service
	said := []string{s.Product, s.Behind.Product, s.ProxyParser}
	own := w.behind
	if own == "" {
		own = w.product
	}
	switch {
	case slices.Equal(said, []string{w.product, w.behind, w.parser}),
		w.parser == "Postfix postscreen" && s.ProxyParser == w.parser && strings.HasPrefix(s.Product, "Postfix"):
		return "right"
	case s.Behind.Product == "" && s.ProxyParser == "" && (s.Product == "" || s.Product == own || s.Product == w.product):
		return "unknown"
	}
	return "wrong"
}

// dropSome loses 2% of the packets of a host, each way.
func dropSome(t *testing.T, namespace string) {
	t.Helper()
	cmd := exec.Command("ip", "netns", "exec", namespace, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(`table inet loss {
	chain in {
		type filter hook input priority 0
		meta l4proto tcp iifname != lo numgen random mod 100 < 2 drop
	}
	chain out {
		type filter hook output priority 0
		meta l4proto tcp oifname != lo numgen random mod 100 < 2 drop
	}
}
`)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("losing packets: %v: %s", err, out)
	}
}

// TestProxies names real proxies and parsers, on a clean path and on one that loses 2%
// of the packets each way: there, not to know is right, and to guess is not.
func TestProxies(t *testing.T) {
	var programs []string
	for _, d := range proxyHost.daemons {
		programs = append(programs, d.argv[0])
	}
	needPrograms(t, append(programs, "/usr/sbin/nft", "/usr/lib/nginx/modules/ngx_mail_module.so", "/usr/lib/nginx/modules/ngx_stream_module.so"))
	n := base(t)
	if err := n.add([]spec{proxyHost}); err != nil {
		t.Fatal(err)
	}
	var ports []string
	for _, w := range proxieds {
		ports = append(ports, fmt.Sprint(w.port))
	}
	for _, lossy := range []bool{false, true} {
		if lossy {
			dropSome(t, prefix+proxyHost.name)
		}
		doc, _ := sweepByCommand(t, address4(proxyHost.n), "-p", strings.Join(ports, ","))
		counts := map[string]int{}
		for _, w := range proxieds {
			p := doc.port(address4(proxyHost.n), w.port)
			if p == nil {
				t.Errorf("port %d was not found", w.port)
				continue
			}
			rating := w.rate(p)
			counts[rating]++
			if rating == "wrong" || rating == "unknown" && !lossy && w.port != 12143 { // nginx answers one of 24
				t.Errorf("port %d (losing packets: %v): %s: %q before %q, header read by %q; want %q before %q, %q",
					w.port, lossy, rating, p.Service.Product, p.Service.Behind.Product, p.Service.ProxyParser, w.product, w.behind, w.parser)
			}
			if found := doc.findings(address4(proxyHost.n), w.port); rating == "right" && w.fix != "" &&
				!slices.ContainsFunc(found, func(f findingRecord) bool { return strings.Contains(f.Remediation, w.fix) }) {
				t.Errorf("port %d: no finding says to edit %s: %+v", w.port, w.fix, found)
			}
		}
		t.Logf("losing packets: %v: of %d listeners %v", lossy, len(proxieds), counts)
	}
}
