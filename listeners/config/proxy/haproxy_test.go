package proxy

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// shown writes what files configure, one line each: where the token is, what it opens,
// and its causes, settings and doubts.
func shown(c listeners.Config) []string {
	var lines []string
	for _, l := range c.Listeners {
		line := fmt.Sprintf("%d:%d-%d %s = %s %d", l.At.Line, l.At.Column, l.At.EndColumn, l.Service, l.Address, l.Port)
		if l.V6Only {
			line += " v6only"
		}
		line += strings.TrimRight(fmt.Sprintf(" %s/%s/%s %s", l.Product, l.Role, l.Protocol, l.Tunnel), " ")
		for _, cause := range l.Causes {
			line += "; " + cause.Why
		}
		for _, s := range l.Settings {
			line += "; " + s.Name + "=" + s.Value
		}
		if l.Doubt != "" {
			line += "; doubt: " + l.Doubt
		}
		lines = append(lines, line)
	}
	for _, e := range c.Edges {
		lines = append(lines, fmt.Sprintf("%d:%d-%d %s: %s -> %s:%d", e.At.Line, e.At.Column, e.At.EndColumn, e.Kind, e.From, e.Host, e.Port))
	}
	for _, d := range c.Doubts {
		lines = append(lines, fmt.Sprintf("%d:%d-%d doubt: %s", d.At.Line, d.At.Column, d.At.EndColumn, d.Problem))
	}
	return lines
}

type reader func(*source.Tree, *source.File) listeners.Config

// read reads the file of a name among files.
func read(t *testing.T, read reader, name string, files map[string]string) listeners.Config {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	tree := &source.Tree{FS: fsys}
	f, err := tree.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return read(tree, f)
}

// A readTest is a test of a reader.
type readTest struct {
	name string
	text string
	want []string
}

func (tt readTest) run(t *testing.T, reader reader) {
	got := shown(read(t, reader, "etc/x/x.conf", map[string]string{"etc/x/x.conf": tt.text}))
	if !slices.Equal(got, tt.want) {
		t.Errorf("%s: got\n\t%s\nwant\n\t%s", tt.name, strings.Join(got, "\n\t"), strings.Join(tt.want, "\n\t"))
	}
}

var haproxyTests = []readTest{
	{"mode, TLS, PROXY headers both ways", "defaults\n mode tcp\nlisten imap\n bind *:143 accept-proxy\n bind :993 ssl crt accept-proxy\n server a 127.0.0.1:10143 check send-proxy-v2\n", []string{
		`4:7-12 listen imap *:143 = 0.0.0.0 143 HAProxy/proxy/; "*:143" has no address; HAProxy then listens on all of them; send-proxy=send-proxy-v2; accept-proxy=yes`,
		`5:7-11 listen imap :993 = 0.0.0.0 993 HAProxy/proxy/ ssl; ":993" has no address; HAProxy then listens on all of them; send-proxy=send-proxy-v2`,
		"6:11-26 proxy: listen imap *:143 -> 127.0.0.1:10143",
		"6:11-26 proxy: listen imap :993 -> 127.0.0.1:10143",
	}},
	{"a frontend and its backends", "frontend web\n mode http\n bind 10.0.0.5:80\n use_backend b if { src 10.0.0.0/8 }\n default_backend c\nbackend b\n server x 10.1.1.1:8080\nbackend c\n server y [::1]:8081\n server z /run/z\nbackend unused\n server q 10.1.1.9:9\n", []string{
		"3:7-18 frontend web 10.0.0.5:80 = 10.0.0.5 80 HAProxy/proxy/http",
		"7:11-24 proxy: frontend web 10.0.0.5:80 -> 10.1.1.1:8080",
		"9:11-21 proxy: frontend web 10.0.0.5:80 -> ::1:8081",
	}},
	{"families", "frontend a\n bind ipv6@:25\n bind :::26 v6only\n bind ::1:27,[::1]:28,ipv4@*:29\n bind unix@/run/x,/run/y,abns@z,fd@3,quic4@:443\n", []string{
		`2:7-15 frontend a ipv6@:25 = :: 25 HAProxy/proxy/; "ipv6@:25" has no address; HAProxy then listens on all of them`,
		"3:7-12 frontend a :::26 = :: 26 v6only HAProxy/proxy/",
		"4:7-13 frontend a ::1:27 = ::1 27 HAProxy/proxy/",
		"4:14-22 frontend a [::1]:28 = ::1 28 HAProxy/proxy/",
		`4:23-32 frontend a ipv4@*:29 = 0.0.0.0 29 HAProxy/proxy/; "ipv4@*:29" has no address; HAProxy then listens on all of them`,
		"5:33-37 doubt: on what a file descriptor listens depends on what starts HAProxy",
	}},
	{"ports", "frontend a\n bind 127.0.0.1:10-12\n bind 127.0.0.1:0\n bind 127.0.0.1\n bind 127.0.0.1:25x\n bind 127.0.0.1:9-8\n", []string{
		"2:7-22 frontend a 127.0.0.1:10 = 127.0.0.1 10 HAProxy/proxy/",
		"2:7-22 frontend a 127.0.0.1:11 = 127.0.0.1 11 HAProxy/proxy/",
		"2:7-22 frontend a 127.0.0.1:12 = 127.0.0.1 12 HAProxy/proxy/",
		"5:7-20 frontend a 127.0.0.1:25x = 127.0.0.1 25 HAProxy/proxy/",
		`3:7-18 doubt: "0" is not a port; HAProxy does not start`,
		"4:7-16 doubt: the address has no port; HAProxy does not start",
		`6:7-20 doubt: "9-8" is not a port; HAProxy does not start`,
	}},
	{"names", "frontend a\n bind localhost:25\n bind mx.example:26\n", []string{
		"2:7-19 frontend a localhost:25 = 127.0.0.1 25 HAProxy/proxy/",
		`3:7-20 frontend a mx.example:26 = invalid IP 26 HAProxy/proxy/; doubt: the address of "mx.example" is not in the files`,
	}},
	{"words", "frontend 'a b' # bind :1\n bind \"127.0.0.1:25\" name ssl # ssl\n  bind 127\\x2e0.0.1:26\n bind '127.0.0.1:27\n bind 127.0.0.1:2\"8\" ssl\n", []string{
		"2:8-20 frontend a b 127.0.0.1:25 = 127.0.0.1 25 HAProxy/proxy/",
		"3:8-23 frontend a b 127.0.0.1:26 = 127.0.0.1 26 HAProxy/proxy/",
		"5:7-21 frontend a b 127.0.0.1:28 = 127.0.0.1 28 HAProxy/proxy/ ssl",
		"4:1-20 doubt: a quotation mark is not closed; HAProxy does not start",
	}},
	{"variables", "global\n setenv P 25\n setenv A \"$B\"\nfrontend a\n bind *:$P\n bind \"*:${P}\"\n bind *:${Q}\n bind \"${H}:26\"\n bind *:\"${Q-27}\"\n bind *:$A\n server x y:1\nlisten l\n server s ${BACK}:25\n server t \"${X}\"\n", []string{
		`5:7-11 frontend a *:25 = 0.0.0.0 25 HAProxy/proxy/; "*:25" has no address; HAProxy then listens on all of them`,
		`6:8-14 frontend a *:25, number 2 = 0.0.0.0 25 HAProxy/proxy/; "*:25" has no address; HAProxy then listens on all of them`,
		`8:8-15 frontend a ${H}:26 = invalid IP 26 HAProxy/proxy/; doubt: the environment variable H is not in the files`,
		`9:7-18 frontend a *:27 = 0.0.0.0 27 HAProxy/proxy/; "*:27" has no address; HAProxy then listens on all of them; doubt: the environment variable Q is not in the files`,
		"7:7-13 doubt: the environment variable Q is not in the files",
		"10:7-11 doubt: the environment variable A is not in the files",
		"14:12-16 doubt: the environment variable X is not in the files",
	}},
	{"preset variables", "global\n setenv A 127.0.0.1\n presetenv A 10.0.0.1\n presetenv B 10.0.0.2\n presetenv B 10.0.0.3\n presetenv C 10.0.0.4\n setenv C 127.0.0.2\n presetenv D 10.0.0.5\n unsetenv D\n presetenv E \"$X\"\nfrontend a\n bind $A:1\n bind \"${B}:2\"\n bind $C:3\n bind $D:4\n bind $E:5\n", []string{
		"12:7-11 frontend a 127.0.0.1:1 = 127.0.0.1 1 HAProxy/proxy/",
		"13:8-14 frontend a 10.0.0.2:2 = 10.0.0.2 2 HAProxy/proxy/; doubt: presetenv sets the environment variable B only if it is not set where HAProxy starts",
		"14:7-11 frontend a 127.0.0.2:3 = 127.0.0.2 3 HAProxy/proxy/",
		"15:7-11 frontend a $D:4 = invalid IP 4 HAProxy/proxy/; doubt: the environment variable D is not in the files",
		"16:7-11 frontend a $E:5 = invalid IP 5 HAProxy/proxy/; doubt: the environment variable E is not in the files",
	}},
	{"conditions", ".if 0\nlisten a\n bind :1\n.else\nlisten b\n bind :2\n.endif\n.if defined(X)\n.if 1\nlisten c\n bind :3\n.endif\n.elif 1\nlisten d\n bind :4\n.else\nlisten e\n bind :5\n.endif\nlisten f\n bind :6\n", []string{
		`6:7-9 listen b :2 = 0.0.0.0 2 HAProxy/proxy/; ":2" has no address; HAProxy then listens on all of them`,
		`11:7-9 listen c :3 = 0.0.0.0 3 HAProxy/proxy/; ":3" has no address; HAProxy then listens on all of them; doubt: whether it is there depends on defined(X)`,
		`15:7-9 listen d :4 = 0.0.0.0 4 HAProxy/proxy/; ":4" has no address; HAProxy then listens on all of them; doubt: whether it is there depends on defined(X)`,
		`21:7-9 listen f :6 = 0.0.0.0 6 HAProxy/proxy/; ":6" has no address; HAProxy then listens on all of them`,
	}},
	{"disabled", "defaults a\n disabled\nlisten x\n bind :1\nlisten y from a\n bind :2\n enabled\ndefaults b from a\nlisten z\n bind :3\ndefaults\nlisten q\n bind :4\n disabled\nlisten r\n bind :5\nbackend s\n bind :6\n", []string{
		`6:7-9 listen y :2 = 0.0.0.0 2 HAProxy/proxy/; ":2" has no address; HAProxy then listens on all of them`,
		`16:7-9 listen r :5 = 0.0.0.0 5 HAProxy/proxy/; ":5" has no address; HAProxy then listens on all of them`,
		`18:7-9 backend s :6 = 0.0.0.0 6 HAProxy/proxy/; ":6" has no address; HAProxy then listens on all of them`,
	}},
	{"who may", "frontend a\n bind :25\n acl near src 10.0.0.0/8\n acl other src 1.1.1.1\n tcp-request connection expect-proxy layer4 if near\n tcp-request connection reject if !{ src 192.0.2.0/24 }\n", []string{
		`2:7-10 frontend a :25 = 0.0.0.0 25 HAProxy/proxy/; ":25" has no address; HAProxy then listens on all of them; expect-proxy=expect-proxy layer4 if near; tcp-request connection=reject if !{ src 192.0.2.0/24 }; acl near=src 10.0.0.0/8`,
	}},
	{"health checks", "defaults\n option tcplog\nlisten a\n bind :25\n option smtpchk HELO x\nlisten b\n bind :143\n option tcp-check\n tcp-check expect rstring ^\\*\\ OK\nlisten c\n bind :110\n tcp-check expect string +OK\n", []string{
		`4:7-10 listen a :25 = 0.0.0.0 25 HAProxy/proxy/smtp; ":25" has no address; HAProxy then listens on all of them`,
		`7:7-11 listen b :143 = 0.0.0.0 143 HAProxy/proxy/imap; ":143" has no address; HAProxy then listens on all of them`,
		`11:7-11 listen c :110 = 0.0.0.0 110 HAProxy/proxy/pop3; ":110" has no address; HAProxy then listens on all of them`,
	}},
	{"the runtime API, peers, mailers, logs", "global\n stats socket /run/x mode 660 level admin\n stats socket ipv4@*:9999 level admin\npeers p\n peer one 10.0.0.1:1024\n peer two 10.0.0.2:1024\npeers q\n bind :1025 ssl\n server one\nmailers m\n mailer x 10.0.0.9:25\nlog-forward l\n bind :514\n dgram-bind :514\n", []string{
		`3:15-26 stats socket ipv4@*:9999 = 0.0.0.0 9999 HAProxy/admin/; "ipv4@*:9999" has no address; HAProxy then listens on all of them`,
		`8:7-12 peers q :1025 = 0.0.0.0 1025 HAProxy/unknown/ ssl; ":1025" has no address; HAProxy then listens on all of them`,
		`13:7-11 log-forward l :514 = 0.0.0.0 514 HAProxy/unknown/; ":514" has no address; HAProxy then listens on all of them`,
		"11:11-22 relay:  -> 10.0.0.9:25",
		"5:11-24 doubt: HAProxy listens there if one is the name of its host",
		"6:11-24 doubt: HAProxy listens there if two is the name of its host",
	}},
	{"mapped ports", "listen a\n bind :143\n bind :65500\n server x 10.0.0.1\n server y 10.0.0.2:+1000\n server z 10.0.0.3:-100\n server-template t 1-3 mx.example:25\n", []string{
		`2:7-11 listen a :143 = 0.0.0.0 143 HAProxy/proxy/; ":143" has no address; HAProxy then listens on all of them`,
		`3:7-13 listen a :65500 = 0.0.0.0 65500 HAProxy/proxy/; ":65500" has no address; HAProxy then listens on all of them`,
		"4:11-19 proxy: listen a :143 -> 10.0.0.1:143",
		"5:11-25 proxy: listen a :143 -> 10.0.0.2:1143",
		"6:11-24 proxy: listen a :143 -> 10.0.0.3:43",
		"7:24-37 proxy: listen a :143 -> mx.example:25",
		"4:11-19 proxy: listen a :65500 -> 10.0.0.1:65500",
		"6:11-24 proxy: listen a :65500 -> 10.0.0.3:65400",
		"7:24-37 proxy: listen a :65500 -> mx.example:25",
	}},
	{"unknown backends", "frontend a\n bind :25\n use_backend %[src]\n default_backend none\n", []string{
		`2:7-10 frontend a :25 = 0.0.0.0 25 HAProxy/proxy/; ":25" has no address; HAProxy then listens on all of them`,
		"3:14-20 doubt: which backend is used depends on the connection",
		"4:18-22 doubt: the backend none is in no file of the configuration",
	}},
	{"twice", "frontend a\n bind :25\n bind :25\nfrontend a\n bind :25\n", []string{
		`2:7-10 frontend a :25 = 0.0.0.0 25 HAProxy/proxy/; ":25" has no address; HAProxy then listens on all of them`,
		`3:7-10 frontend a :25, number 2 = 0.0.0.0 25 HAProxy/proxy/; ":25" has no address; HAProxy then listens on all of them`,
		`5:7-10 frontend a :25, number 3 = 0.0.0.0 25 HAProxy/proxy/; ":25" has no address; HAProxy then listens on all of them`,
	}},
	{"an old address and a template", "listen a 10.0.0.1:25\n{% if x %}\nlisten b\n bind {{ ip }}:25\n bind :26 interface eth0 namespace blue\n", []string{
		`5:7-10 listen b :26 = 0.0.0.0 26 HAProxy/proxy/; ":26" has no address; HAProxy then listens on all of them; interface=eth0; namespace=blue; doubt: it is in the network namespace blue`,
		"2:1-3 doubt: the file is a template",
		"1:10-21 doubt: an address after the name of a section; HAProxy wants it in a bind line",
		"4:7-9 doubt: the address has no port; HAProxy does not start",
	}},
	{"not closed", ".if 1\nlisten a\r\n bind 10.0.0.1:25\r\n", []string{
		"3:7-18 listen a 10.0.0.1:25 = 10.0.0.1 25 HAProxy/proxy/",
		"3:18-18 doubt: .endif is missing; HAProxy does not start",
	}},
}

func TestHAProxy(t *testing.T) {
	for _, tt := range haproxyTests {
		t.Run(tt.name, func(t *testing.T) { tt.run(t, HAProxy) })
	}
}

// TestHAProxyTogether reads files that are one configuration.
func TestHAProxyTogether(t *testing.T) {
	const (
		front = "frontend f\n bind 10.0.0.5:10143\n default_backend b\n"
		back  = "backend b\n server s 127.0.0.1:143\n"
		bound = "2:7-21 frontend f 10.0.0.5:10143 = 10.0.0.5 10143 HAProxy/proxy/"
		edge  = "2:11-24 proxy: frontend f 10.0.0.5:10143 -> 127.0.0.1:143"
		lost  = "3:18-19 doubt: the backend b is in no file of the configuration"
	)
	for _, tt := range []struct {
		name, file string
		others     map[string]string
		want       []string
	}{
		{"alone", "conf.d/a.cfg", nil, []string{bound, lost}},
		{"a file of conf.d", "conf.d/a.cfg", map[string]string{"conf.d/b.cfg": back}, []string{bound, edge}},
		{"the file beside conf.d", "conf.d/a.cfg", map[string]string{"haproxy.cfg": back}, []string{bound, edge}},
		{"conf.d beside the file", "haproxy.cfg", map[string]string{"conf.d/z.cfg": back}, []string{bound, edge}},
		{"the folder haproxy", "haproxy/mail.cfg", map[string]string{"haproxy/z.cfg": back}, []string{bound, edge}},
		{"another folder", "etc/mail.cfg", map[string]string{"etc/z.cfg": back}, []string{bound, lost}},
		{"a hidden file", "conf.d/a.cfg", map[string]string{"conf.d/.b.cfg": back}, []string{bound, lost}},
		{"the own backend first", "haproxy/mail.cfg", map[string]string{"haproxy/a.cfg": "backend b\n server x 10.0.0.9:25\n", "haproxy/z.cfg": back}, []string{
			bound, "2:11-22 proxy: frontend f 10.0.0.5:10143 -> 10.0.0.9:25",
		}},
		{"defaults and variables before it", "conf.d/b.cfg", map[string]string{"haproxy.cfg": "global\n setenv X y\ndefaults\n mode http\n" + back, "conf.d/c.cfg": "defaults\n mode tcp\n"}, []string{
			bound + "http", strings.Replace(edge, "2:", "6:", 1),
		}},
		{"faults of the others", "conf.d/a.cfg", map[string]string{"conf.d/b.cfg": "{% x %}\n.if a\n" + back}, []string{bound, strings.Replace(edge, "2:", "4:", 1)}},
		{"listeners of the others", "conf.d/a.cfg", map[string]string{"conf.d/b.cfg": back + "listen l\n bind :1\n"}, []string{bound, edge}},
	} {
		files := map[string]string{tt.file: front}
		for name, text := range tt.others {
			files[name] = text
		}
		if got := shown(read(t, HAProxy, tt.file, files)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got\n\t%s\nwant\n\t%s", tt.name, strings.Join(got, "\n\t"), strings.Join(tt.want, "\n\t"))
		}
	}
}

// However many files there are, each is read with a bounded number of others.
func TestHAProxyTogetherBound(t *testing.T) {
	files := map[string]string{}
	for i := range 200 {
		files[fmt.Sprintf("conf.d/%d.cfg", i)] = "backend b\n"
	}
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	tree := &source.Tree{FS: fsys}
	f, err := tree.Read("conf.d/99.cfg")
	if err != nil {
		t.Fatal(err)
	}
	if list := together(tree, f); len(list) != maxBeside+1 || list[len(list)-1] != f {
		t.Errorf("%d files", len(list))
	}
	fsys["conf.d/0.cfg"] = &fstest.MapFile{Data: []byte(strings.Repeat("#\n", maxBesideText/2))}
	tree = &source.Tree{FS: fsys}
	if list := together(tree, f); len(list) != 2 {
		t.Errorf("%d files beside a large one", len(list))
	}
	for range 100 {
		together(tree, f)
	}
	if list := together(tree, f); len(list) != 1 || len(tree.Unread()) != 1 {
		t.Errorf("%d files in the end, unread are %v", len(list), tree.Unread())
	}
}
