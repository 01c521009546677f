package proxy

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/listeners/source"
)

// brief reads a file of this machine and writes its listeners and edges, without places and
// causes.
func brief(t *testing.T, dir, name string, read reader) []string {
	tree := &source.Tree{FS: os.DirFS(dir)}
	f, err := tree.Read(name)
	if err != nil {
		t.Skip(err)
	}
	c := read(tree, f)
	check(t, c)
	for i := range c.Listeners {
		c.Listeners[i].Causes = nil
	}
	var got []string
	for _, line := range shown(c) {
		_, line, _ = strings.Cut(line, " ")
		got = append(got, line)
	}
	return got
}

// TestDebian reads what Debian's packages ship.
func TestDebian(t *testing.T) {
	for _, tt := range []struct {
		name string
		read reader
		want []string
	}{
		{"etc/haproxy/haproxy.cfg", HAProxy, nil},
		{"etc/nginx/nginx.conf", Nginx, []string{"http 80 = 0.0.0.0 80 nginx/not-mail/http", "http [::]:80 = :: 80 v6only nginx/not-mail/http"}},
		{"usr/share/doc/haproxy/examples/basic-config-edge.cfg", HAProxy, []string{
			"frontend stats :8181 = 0.0.0.0 8181 HAProxy/proxy/http",
			"frontend pub1 :80 = 0.0.0.0 80 HAProxy/proxy/http",
			"frontend pub1 :443 = 0.0.0.0 443 HAProxy/proxy/http ssl",
			"proxy: frontend pub1 :80 -> 192.0.2.1:80",
			"proxy: frontend pub1 :80 -> 192.0.2.2:80",
			"proxy: frontend pub1 :80 -> 192.0.2.3:80",
			"proxy: frontend pub1 :80 -> 192.0.2.4:80",
			"proxy: frontend pub1 :443 -> 192.0.2.1:80",
			"proxy: frontend pub1 :443 -> 192.0.2.2:80",
			"proxy: frontend pub1 :443 -> 192.0.2.3:80",
			"proxy: frontend pub1 :443 -> 192.0.2.4:80",
		}},
		{"usr/share/doc/haproxy/examples/content-sw-sample.cfg", HAProxy, []string{
			"frontend public 192.168.1.10:80 = 192.168.1.10 80 HAProxy/proxy/http",
			"proxy: frontend public 192.168.1.10:80 -> 192.168.1.8:80",
			"proxy: frontend public 192.168.1.10:80 -> 192.168.1.9:80",
			"proxy: frontend public 192.168.1.10:80 -> 192.168.1.1:80",
			"proxy: frontend public 192.168.1.10:80 -> 192.168.1.2:80",
			"proxy: frontend public 192.168.1.10:80 -> 192.168.1.3:80",
			"proxy: frontend public 192.168.1.10:80 -> 192.168.1.4:80",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := brief(t, "/", tt.name, tt.read); !slices.Equal(got, tt.want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(tt.want, "\n\t"))
			}
		})
	}
}

// TestHosts reads the files of hosts that the end-to-end tests scan.
func TestHosts(t *testing.T) {
	const dir = "../../../internal/e2e/testdata/hosts"
	for name, want := range map[string][]string{
		"store/etc/haproxy/haproxy.cfg": {
			"listen imap *:143 = 0.0.0.0 143 HAProxy/proxy/; send-proxy=send-proxy-v2",
			"proxy: listen imap *:143 -> 127.0.0.1:10144",
		},
		"proxies/etc/haproxy/haproxy.cfg": {
			"listen imap *:10143 = 0.0.0.0 10143 HAProxy/proxy/",
			"listen imap-accept *:10144 = 0.0.0.0 10144 HAProxy/proxy/; accept-proxy=yes",
			"listen imap-both *:10145 = 0.0.0.0 10145 HAProxy/proxy/; send-proxy=send-proxy-v2; accept-proxy=yes",
			"listen imap-layer4 *:10146 = 0.0.0.0 10146 HAProxy/proxy/; expect-proxy=expect-proxy layer4",
			"listen imap-send *:10147 = 0.0.0.0 10147 HAProxy/proxy/; send-proxy=send-proxy",
			"listen smtp *:10125 = 0.0.0.0 10125 HAProxy/proxy/",
			"listen smtp-accept *:10126 = 0.0.0.0 10126 HAProxy/proxy/; accept-proxy=yes",
			"listen smtp-both *:10127 = 0.0.0.0 10127 HAProxy/proxy/; send-proxy=send-proxy; accept-proxy=yes",
			"listen screen-both *:10128 = 0.0.0.0 10128 HAProxy/proxy/; send-proxy=send-proxy-v2; accept-proxy=yes",
			"proxy: listen imap *:10143 -> 127.0.0.1:20143",
			"proxy: listen imap-accept *:10144 -> 127.0.0.1:20143",
			"proxy: listen imap-both *:10145 -> 127.0.0.1:20144",
			"proxy: listen imap-layer4 *:10146 -> 127.0.0.1:20143",
			"proxy: listen imap-send *:10147 -> 127.0.0.1:20144",
			"proxy: listen smtp *:10125 -> 127.0.0.1:10025",
			"proxy: listen smtp-accept *:10126 -> 127.0.0.1:10025",
			"proxy: listen smtp-both *:10127 -> 127.0.0.1:10026",
			"proxy: listen screen-both *:10128 -> 127.0.0.1:10027",
		},
		"proxies/etc/nginx/nginx.conf": {
			"mail 11143 = 0.0.0.0 11143 nginx/imap-proxy/imap; auth_http=127.0.0.1:9/auth",
			"mail 11144 = 0.0.0.0 11144 nginx/imap-proxy/imap; listen proxy_protocol=yes; auth_http=127.0.0.1:9/auth",
			"mail 11025 = 0.0.0.0 11025 nginx/proxy/smtp; listen proxy_protocol=yes; auth_http=127.0.0.1:9/auth; smtp_auth=none",
			"stream 12143 = 0.0.0.0 12143 nginx/proxy/",
			"stream 12144 = 0.0.0.0 12144 nginx/proxy/; listen proxy_protocol=yes",
			"stream 12025 = 0.0.0.0 12025 nginx/proxy/; listen proxy_protocol=yes",
			"lookup: mail 11143 -> 127.0.0.1:9",
			"lookup: mail 11144 -> 127.0.0.1:9",
			"lookup: mail 11025 -> 127.0.0.1:9",
			"proxy: stream 12143 -> 127.0.0.1:20143",
			"proxy: stream 12144 -> 127.0.0.1:20143",
			"proxy: stream 12025 -> 127.0.0.1:10025",
		},
		"front/etc/nginx/nginx.conf": {
			"mail 143 = 0.0.0.0 143 nginx/imap-proxy/imap; auth_http=127.0.0.1:9/auth; starttls=only",
			"mail 993 = 0.0.0.0 993 nginx/imap-proxy/imap ssl; auth_http=127.0.0.1:9/auth",
			"mail 10143 = 0.0.0.0 10143 nginx/imap-proxy/imap; auth_http=127.0.0.1:9/auth",
			"mail 10110 = 0.0.0.0 10110 nginx/pop3-proxy/pop3; auth_http=127.0.0.1:9/auth",
			"mail 10025 = 0.0.0.0 10025 nginx/proxy/smtp; auth_http=127.0.0.1:9/auth; smtp_auth=none",
			"lookup: mail 143 -> 127.0.0.1:9",
			"lookup: mail 993 -> 127.0.0.1:9",
			"lookup: mail 10143 -> 127.0.0.1:9",
			"lookup: mail 10110 -> 127.0.0.1:9",
			"lookup: mail 10025 -> 127.0.0.1:9",
		},
	} {
		read := HAProxy
		if strings.HasSuffix(name, "nginx.conf") {
			read = Nginx
		}
		got := brief(t, dir, name, read)
		for _, line := range want {
			if !slices.Contains(got, line) {
				t.Errorf("%s: got\n\t%s\nwithout\n\t%s", name, strings.Join(got, "\n\t"), line)
			}
		}
	}
}
