package proxy

import (
	"slices"
	"strings"
	"testing"
)

var nginxTests = []readTest{
	{"mail", "mail {\n auth_http 127.0.0.1:9000/auth;\n starttls on;\n server { listen 143; protocol imap; starttls only; }\n server { listen 127.0.0.1:995 ssl; }\n server { listen [::]:25 ipv6only=off proxy_protocol; protocol smtp; smtp_auth none; set_real_ip_from 10.0.0.0/8; set_real_ip_from 192.168.0.0/16; }\n server { listen [::1]:10143; protocol imap; ssl on; }\n}\n", []string{
		`4:18-21 mail 143 = 0.0.0.0 143 nginx/imap-proxy/imap; "143" has no address; nginx then listens on all of them; auth_http=127.0.0.1:9000/auth; starttls=only`,
		"5:18-31 mail 127.0.0.1:995 = 127.0.0.1 995 nginx/pop3-proxy/pop3 ssl; auth_http=127.0.0.1:9000/auth; starttls=on",
		"6:18-25 mail [::]:25 = :: 25 nginx/proxy/smtp; listen proxy_protocol=yes; auth_http=127.0.0.1:9000/auth; starttls=on; smtp_auth=none; set_real_ip_from=10.0.0.0/8, 192.168.0.0/16",
		"7:18-29 mail [::1]:10143 = ::1 10143 nginx/imap-proxy/imap ssl; auth_http=127.0.0.1:9000/auth; starttls=on",
		"2:12-31 lookup: mail 143 -> 127.0.0.1:9000",
		"2:12-31 lookup: mail 127.0.0.1:995 -> 127.0.0.1:9000",
		"2:12-31 lookup: mail [::]:25 -> 127.0.0.1:9000",
		"2:12-31 lookup: mail [::1]:10143 -> 127.0.0.1:9000",
	}},
	{"stream", "stream {\n upstream back { server 10.0.0.1:25 max_fails=3; server 10.0.0.2:26; server unix:/run/x; }\n allow 10.0.0.0/8;\n server { listen 25; listen 53 udp; proxy_pass back; proxy_protocol on; }\n server { listen 127.0.0.1:26; proxy_pass [::1]:27; allow 192.0.2.1; deny all; }\n server { listen unix:/run/x; proxy_pass $name; }\n}\n", []string{
		`4:18-20 stream 25 = 0.0.0.0 25 nginx/proxy/; "25" has no address; nginx then listens on all of them; proxy_protocol=on; access=allow 10.0.0.0/8`,
		"5:18-30 stream 127.0.0.1:26 = 127.0.0.1 26 nginx/proxy/; access=allow 192.0.2.1, deny all",
		"2:25-36 proxy: stream 25 -> 10.0.0.1:25",
		"2:57-68 proxy: stream 25 -> 10.0.0.2:26",
		"5:43-51 proxy: stream 127.0.0.1:26 -> ::1:27",
		`6:42-47 doubt: "$name" is not in the files`,
	}},
	{"http", "http {\n upstream app { server 127.0.0.1; }\n server { listen 80 default_server; listen [::]:80; }\n server { listen 80; listen 443 ssl http2; location / { if ($x) { proxy_pass http://app; } } location /b { proxy_pass https://10.0.0.1/x; } }\n server { listen 127.0.0.1; }\n server { listen *:8080; listen 127.0.0.1:8080; listen 127.0.0.2:8080 backlog=5; listen 443 quic; }\n server { return 404; }\n}\n", []string{
		`3:18-20 http 80 = 0.0.0.0 80 nginx/proxy/http; "80" has no address; nginx then listens on all of them`,
		"3:44-51 http [::]:80 = :: 80 v6only nginx/not-mail/http",
		`4:29-32 http 443 = 0.0.0.0 443 nginx/proxy/http ssl; "443" has no address; nginx then listens on all of them`,
		`6:18-24 http *:8080 = 0.0.0.0 8080 nginx/not-mail/http; "*:8080" has no address; nginx then listens on all of them`,
		"6:56-70 http 127.0.0.2:8080 = 127.0.0.2 8080 nginx/not-mail/http",
		"2:24-33 proxy: http 80 -> 127.0.0.1:80",
		"2:24-33 proxy: http 443 -> 127.0.0.1:80",
		"4:119-137 proxy: http 80 -> 10.0.0.1:443",
		"4:119-137 proxy: http 443 -> 10.0.0.1:443",
	}},
	{"ports", "stream {\n server { listen 1-3; listen 0; listen 70000; listen x; listen :25; listen [::1; listen [::1]:9-8; listen \"\"; proxy_pass a:1; }\n server { listen ${P}; listen 127.0.0.1:{{ port }}; listen {{ ip }}:25; listen mx.example:26; listen localhost:27; proxy_pass {{ b }}:1; }\n}\n", []string{
		`2:18-21 stream 1 = 0.0.0.0 1 nginx/proxy/; "1-3" has no address; nginx then listens on all of them`,
		`2:18-21 stream 2 = 0.0.0.0 2 nginx/proxy/; "1-3" has no address; nginx then listens on all of them`,
		`2:18-21 stream 3 = 0.0.0.0 3 nginx/proxy/; "1-3" has no address; nginx then listens on all of them`,
		`3:80-93 stream mx.example:26 = invalid IP 26 nginx/proxy/; doubt: the address of "mx.example" is not in the files`,
		"3:102-114 stream localhost:27 = 127.0.0.1 27 nginx/proxy/",
		"2:122-125 proxy: stream 1 -> a:1",
		"2:122-125 proxy: stream 2 -> a:1",
		"2:122-125 proxy: stream 3 -> a:1",
		`2:30-31 doubt: "0" has no valid port; nginx does not start`,
		`2:40-45 doubt: "70000" has no valid port; nginx does not start`,
		`2:54-55 doubt: "x" has no valid port; nginx does not start`,
		"2:64-67 doubt: the address has no host; nginx does not start",
		`2:76-80 doubt: "[::1" is not an address; nginx does not start`,
		`2:89-98 doubt: "[::1]:9-8" has no valid port; nginx does not start`,
		"2:108-108 doubt: the address has no host; nginx does not start",
		`3:18-22 doubt: "${P}" is not in the files`,
		`3:31-51 doubt: "127.0.0.1:{{ port }}" is not in the files`,
		`3:60-71 doubt: "{{ ip }}:25" is not in the files`,
		`3:127-136 doubt: "{{ b }}:1" is not in the files`,
	}},
	{"words", "mail{server{listen\n\"127.0.0.1:143\" # ssl;\n;protocol 'imap';}server{listen 1\\\\43; # x\n listen 144 \"s\\\"s\\n\" ;protocol imap;}}\n", []string{
		"2:2-15 mail 127.0.0.1:143 = 127.0.0.1 143 nginx/imap-proxy/imap",
		`4:9-12 mail 144 = 0.0.0.0 144 nginx/imap-proxy/imap; "144" has no address; nginx then listens on all of them`,
		`3:33-38 doubt: "1\\43" has no valid port; nginx does not start`,
	}},
	{"mistakes", "}\nmail { server { listen 25 }\n; server { listen 26; }\n", []string{
		`3:19-21 mail 26 = 0.0.0.0 26 nginx/proxy/; "26" has no address; nginx then listens on all of them; doubt: no protocol is set for the port; nginx does not start`,
		"1:1-2 doubt: a } without a {; nginx does not start",
		"2:17-23 doubt: a ; is missing; nginx does not start",
		"3:1-2 doubt: a name is missing; nginx does not start",
		"3:24-24 doubt: a } is missing; nginx does not start",
	}},
	{"templates", "{% if x %}\nmail { server { listen 25; } }\n{% endif %}\n{{ more }}\n", []string{
		`2:24-26 mail 25 = 0.0.0.0 25 nginx/proxy/smtp; "25" has no address; nginx then listens on all of them`,
		"1:1-11 doubt: the file is a template",
		"3:1-12 doubt: the file is a template",
		"4:1-11 doubt: a ; is missing; nginx does not start",
	}},
	{"Lua", "http { server { listen 81; content_by_lua_block { local x = '}' -- }\n if a then b({}) end } listen 82; } }\n", []string{
		`1:24-26 http 81 = 0.0.0.0 81 nginx/not-mail/http; "81" has no address; nginx then listens on all of them`,
		`2:31-33 http 82 = 0.0.0.0 82 nginx/not-mail/http; "82" has no address; nginx then listens on all of them`,
	}},
	{"servers alone", "server { listen 90; proxy_pass x:1; }\n", []string{
		`1:17-19 stream 90 = 0.0.0.0 90 nginx/proxy/; "90" has no address; nginx then listens on all of them`,
		"1:32-35 proxy: stream 90 -> x:1",
	}},
	{"servers alone, of mail", "server { listen 91; protocol pop3; }\nserver { listen 92; protocol imap; }\n", []string{
		`1:17-19 mail 91 = 0.0.0.0 91 nginx/pop3-proxy/pop3; "91" has no address; nginx then listens on all of them`,
		`2:17-19 mail 92 = 0.0.0.0 92 nginx/imap-proxy/imap; "92" has no address; nginx then listens on all of them`,
	}},
	{"missing files", "include modules-enabled/*.conf;\nhttp { include mime.types; include conf.d/*.conf; include y.conf; }\n", []string{
		"2:36-49 doubt: no file of conf.d/*.conf is among the files",
		"2:59-65 doubt: no file of y.conf is among the files",
	}},
}

func TestNginx(t *testing.T) {
	for _, tt := range nginxTests {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, Nginx) })
	}
}

// TestNginxIncludes reads files that include each other.
func TestNginxIncludes(t *testing.T) {
	files := map[string]string{
		"etc/nginx/nginx.conf":            "include modules-enabled/*.conf;\nhttp { include /etc/nginx/sites-enabled/*; }\nmail { include mail.d/*.conf; }\n",
		"etc/nginx/modules-enabled/a":     "",
		"etc/nginx/sites-enabled/default": "server { listen 80; include snippets/x.conf; }\n",
		"etc/nginx/snippets/x.conf":       "listen 81;\ninclude snippets/x.conf;\n",
		"etc/nginx/mail.d/imap.conf":      "server { listen 143; protocol imap; }\n",
	}
	want := []string{
		`etc/nginx/sites-enabled/default:1:17-19 http 80 = 0.0.0.0 80 nginx/not-mail/http; "80" has no address; nginx then listens on all of them`,
		`etc/nginx/snippets/x.conf:1:8-10 http 81 = 0.0.0.0 81 nginx/not-mail/http; "81" has no address; nginx then listens on all of them`,
		`etc/nginx/mail.d/imap.conf:1:17-20 mail 143 = 0.0.0.0 143 nginx/imap-proxy/imap; "143" has no address; nginx then listens on all of them`,
		`1:1-7 doubt: there are more directives than are read`,
	}
	c := read(t, Nginx, "etc/nginx/nginx.conf", files)
	var got []string
	for i, line := range shown(c) {
		if i < len(c.Listeners) {
			line = c.Listeners[i].At.File + ":" + line
		}
		got = append(got, line)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	c = read(t, Nginx, "etc/nginx/sites-enabled/default", files)
	if len(c.Listeners) != 2 {
		t.Errorf("a site alone: got\n\t%s", strings.Join(shown(c), "\n\t"))
	}
}

// TestHarmless reads a file with the name of one of nginx's own if it is there, and does not
// miss it if it is not.
func TestHarmless(t *testing.T) {
	files := map[string]string{"nginx.conf": "http {\n include mime.types;\n include proxy_params;\n}\n"}
	if c := read(t, Nginx, "nginx.conf", files); len(c.Listeners) > 0 || len(c.Doubts) > 0 {
		t.Errorf("%+v", c)
	}
	files["mime.types"] = "server { listen 8080; }\n"
	if c := read(t, Nginx, "nginx.conf", files); len(c.Listeners) != 1 || len(c.Doubts) > 0 {
		t.Errorf("%+v", c)
	}
}
