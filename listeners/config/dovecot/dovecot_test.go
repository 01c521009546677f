package dovecot

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// read reads dovecot.conf of a tree.
func read(t *testing.T, text map[string]string) listeners.Config {
	t.Helper()
	files := fstest.MapFS{}
	for name, s := range text {
		files[name] = &fstest.MapFile{Data: []byte(s)}
	}
	tree := &source.Tree{FS: files}
	f, err := tree.Read("dovecot.conf")
	if err != nil {
		t.Fatal(err)
	}
	return Main(tree, f)
}

// shown writes what a file configures, one line each: where the token is, what it
// opens, and its causes and doubts.
func shownConfig(c listeners.Config) []string {
	var lines []string
	for _, l := range c.Listeners {
		address := l.Address.String()
		if !l.Address.IsValid() {
			address = "all"
		}
		line := fmt.Sprintf("%s:%d:%d-%d %s: %s %d %s %s %s", l.At.File, l.At.Line, l.At.Column, l.At.EndColumn, l.Service, address, l.Port, l.Product, l.Role, l.Tunnel)
		line = strings.TrimSpace(line)
		for _, cause := range l.Causes {
			line += "; " + cause.Why
		}
		if l.Doubt != "" {
			line += "; doubt: " + l.Doubt
		}
		lines = append(lines, line)
	}
	for _, e := range c.Edges {
		lines = append(lines, fmt.Sprintf("%s:%d:%d-%d %s%s -> %s:%d", e.At.File, e.At.Line, e.At.Column, e.At.EndColumn, e.From, e.Kind, e.Host, e.Port))
	}
	for _, d := range c.Doubts {
		lines = append(lines, fmt.Sprintf("%s:%d:%d-%d doubt: %s", d.At.File, d.At.Line, d.At.Column, d.At.EndColumn, d.Problem))
	}
	return lines
}

func TestMain23(t *testing.T) {
	for _, tt := range []struct {
		name string
		text map[string]string
		want []string
	}{
		{"defaults of one protocol", map[string]string{"dovecot.conf": "protocols = imap\n"}, []string{
			"dovecot.conf:1:13-17 service imap-login imap: all 143 Dovecot imap; listen is not set; its default is all addresses; port of inet_listener imap is not set; its default is 143",
			"dovecot.conf:1:13-17 service imap-login imaps: all 993 Dovecot imap ssl; listen is not set; its default is all addresses; port of inet_listener imaps is not set; its default is 993",
		}},
		{"sections merged by name over files, unnamed ones apart", map[string]string{
			"dovecot.conf": "listen = 127.0.0.1\nprotocols = imap lmtp\n!include conf.d/*.conf\nservice auth {\n  inet_listener {\n    port = 12345\n  }\n" +
				"  inet_listener {\n    port = 12346\n    address = 10.0.0.1 *\n  }\n}\n",
			"conf.d/10-master.conf": "service imap-login {\n  inet_listener imap {\n    port = 0\n  }\n  inet_listener imaps {\n  }\n}\n",
			"conf.d/20-x.conf":      "service imap-login {\n  inet_listener imaps {\n    address = ::\n    haproxy = yes\n  }\n  inet_listener imap {\n    port = 10143 # x\n  }\n}\n",
		}, []string{
			"conf.d/20-x.conf:7:12-17 service imap-login imap: 127.0.0.1 10143 Dovecot imap",
			"conf.d/10-master.conf:5:17-22 service imap-login imaps: :: 993 Dovecot imap-backend ssl; address is \"::\"; port of inet_listener imaps is not set; its default is 993",
			"dovecot.conf:6:12-17 service auth 12345: 127.0.0.1 12345 Dovecot auth auth",
			"dovecot.conf:9:12-17 service auth 12346 10.0.0.1: 10.0.0.1 12346 Dovecot auth auth",
			"dovecot.conf:9:12-17 service auth 12346 *: 0.0.0.0 12346 Dovecot auth auth; address is \"10.0.0.1 *\"",
		}},
		{"no TLS, and programs of other names", map[string]string{"dovecot.conf": "ssl = no\nprotocols = none\nservice quota {\n  executable = quota-status -p postfix\n  inet_listener {\n    port = 12340\n    address = localhost\n  }\n}\n" +
			"service doveadm {\n  inet_listener http {\n    port = 8080\n    ssl = yes\n  }\n  inet_listener {\n    port = 24245\n  }\n}\nservice stats {\n  inet_listener http {\n    port = 9900\n  }\n}\nservice none {\n  inet_listener {\n    port = 1\n  }\n}\n"}, []string{
			"dovecot.conf:16:12-17 service doveadm 24245: all 24245 Dovecot doveadm admin; listen is not set; its default is all addresses",
			"dovecot.conf:21:12-16 service stats http: all 9900 Dovecot stats admin; listen is not set; its default is all addresses",
			"dovecot.conf:6:12-17 service quota 12340: 127.0.0.1 12340 Dovecot quota-status policy",
		}},
		{"protocols is not set", map[string]string{"dovecot.conf": "service lmtp {\n  inet_listener lmtp {\n    port = 24\n  }\n}\nservice imap-login {\n  inet_listener imap {\n    port = 0\n  }\n  inet_listener imaps {\n    port = 0\n  }\n}\nservice pop3-login {\n  inet_listener pop3 {\n    port = 0\n  }\n  inet_listener pop3s {\n    port = 0\n  }\n}\n"}, []string{
			"dovecot.conf:3:12-14 service lmtp lmtp: all 24 Dovecot lmtp; listen is not set; its default is all addresses; doubt: protocols is not set: its default is imap pop3 lmtp, but nothing on Debian",
		}},
		{"variables", map[string]string{"dovecot.conf": "protocols = lmtp\nlisten = 127.0.0.1\nlisten = $listen $ENV:ADDRESS\nservice lmtp {\n  inet_listener lmtp {\n    port = $ENV:PORT\n  }\n  inet_listener b {\n    port = 25\n  }\n}\n"}, []string{
			"dovecot.conf:9:12-14 service lmtp b 127.0.0.1: 127.0.0.1 25 Dovecot lmtp; doubt: the value of $ENV:ADDRESS is not in the files",
			"dovecot.conf:9:12-14 service lmtp b $ENV:ADDRESS: all 25 Dovecot lmtp; doubt: the value of $ENV:ADDRESS is not in the files",
			"dovecot.conf:6:12-21 doubt: the value of $ENV:PORT is not in the files",
		}},
		{"Dovecot does not start", map[string]string{"dovecot.conf": "protocols = lmtp\nservice lmtp { inet_listener x { port = 24 } }\n"}, []string{
			"dovecot.conf:2:9-13 doubt: there is text after {; Dovecot does not start",
		}},
		{"a value in a file, and files that are not there", map[string]string{
			"dovecot.conf": "protocols = lmtp\n!include_try /etc/dovecot/extra.conf\n!include_try /usr/share/dovecot/x/*.conf\nlisten = <address\nservice lmtp {\n  inet_listener lmtp {\n    port = 24\n  }\n}\n",
			"address":      "127.0.0.1",
			"extra.conf":   "ssl = no\n",
		}, []string{
			"dovecot.conf:7:12-14 service lmtp lmtp: 127.0.0.1 24 Dovecot lmtp",
			"dovecot.conf:3:14-41 doubt: what /usr/share/dovecot/x/*.conf sets is not known; it is not among the files",
		}},
		{"servers behind it", map[string]string{"dovecot.conf": "protocols = imap submission\nservice imap-login {\n  inet_listener imaps {\n    port = 0\n  }\n}\nservice submission-login {\n  inet_listener submission {\n    port = 0\n  }\n}\n" +
			"passdb {\n  driver = static\n  args = proxy=y host=10.0.0.9 port=10143 master=x pass=geheim\n}\nsubmission_relay_host = mx.example\nauth_policy_server_url = http://localhost:4001/\n" +
			"plugin {\n  mail_replica = tcp:10.0.0.2:12345\n}\n"}, []string{
			"dovecot.conf:1:13-17 service imap-login imap: all 143 Dovecot imap-proxy; listen is not set; its default is all addresses; port of inet_listener imap is not set; its default is 143",
			"dovecot.conf:14:37-42 proxy -> 10.0.0.9:10143",
			"dovecot.conf:16:25-35 service submission-login submissionrelay -> mx.example:25",
			"dovecot.conf:17:26-48 policy -> localhost:4001",
			"dovecot.conf:19:18-36 deliver -> 10.0.0.2:12345",
		}},
		{"a template", map[string]string{"dovecot.conf": "protocols = lmtp\n{% if x %}\nservice lmtp {\n  inet_listener a {\n    port = {{ PORT }}\n  }\n  inet_listener b {\n    port = 24\n    address = {{ A }}\n  }\n}\n{%- endif %}\n"}, []string{
			"dovecot.conf:8:12-14 service lmtp b: all 24 Dovecot lmtp; doubt: the value of {{ A }} is not in the files",
			"dovecot.conf:2:1-11 doubt: the file is a template, and what it becomes is not known",
			"dovecot.conf:5:12-22 doubt: the value of {{ PORT }} is not in the files",
		}},
		{"Dovecot 1", map[string]string{"dovecot.conf": "protocols = imaps\nlisten = *:10143\nssl_listen = 127.0.0.1:10993\nssl_disable = no\n"}, []string{
			"dovecot.conf:2:10-17 service imap-login imap: 0.0.0.0 10143 Dovecot imap; listen is \"*\"",
			"dovecot.conf:3:14-29 service imap-login imaps: 127.0.0.1 10993 Dovecot imap ssl",
		}},
		{"Dovecot 1 without a port", map[string]string{"dovecot.conf": "protocols = imap\nlisten = 127.0.0.1\nssl_listen = *:\n"}, []string{
			"dovecot.conf:1:13-17 service imap-login imap: 127.0.0.1 143 Dovecot imap",
			"dovecot.conf:1:13-17 service imap-login imaps: 0.0.0.0 993 Dovecot imap ssl; ssl_listen is \"*\"; port of inet_listener imaps is not set; its default is 993",
			"dovecot.conf:3:14-16 doubt: \"\" is no port; Dovecot does not start",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) { compare(t, shownConfig(read(t, tt.text)), tt.want) })
	}
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// TestMain24 rests on the documentation and the source of 2.4 alone.
func TestMain24(t *testing.T) {
	const version = "dovecot_config_version = 2.4.0\n"
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"the example of the documentation", version + "dovecot_storage_version = 2.4.0\nprotocols {\n  imap = yes\n  lmtp = yes\n}\nmail_home = /srv/mail/%{user}\n", []string{
			"dovecot.conf:4:3-7 service imap-login imap: all 143 Dovecot imap; listen is not set; its default is all addresses; port of inet_listener imap is not set; its default is 143",
			"dovecot.conf:4:3-7 service imap-login imaps: all 993 Dovecot imap ssl; listen is not set; its default is all addresses; port of inet_listener imaps is not set; its default is 993",
		}},
		{"no protocol by default", version, nil},
		{"submissions", version + "protocols = submission\nlisten = 127.0.0.1\n", []string{
			"dovecot.conf:2:13-23 service submission-login submission: 127.0.0.1 587 Dovecot submission",
			"dovecot.conf:2:13-23 service submission-login submissions: 127.0.0.1 465 Dovecot submission ssl",
		}},
		{"listen in sections", version + "protocols = imap\nlisten = 127.0.0.1\nservice imap-login {\n  listen = 10.0.0.1 ::1\n  inet_listener imap {\n    inet_listener_port = 10143\n    listen {\n      10.0.0.2 = yes\n      ::1 = no\n    }\n  }\n" +
			"  inet_listener imaps {\n    port = 0\n  }\n  inet_listener haproxy {\n    port = 10144\n    haproxy = yes\n    listen = * ::\n  }\n}\n", []string{
			"dovecot.conf:7:26-31 service imap-login imap 10.0.0.1: 10.0.0.1 10143 Dovecot imap",
			"dovecot.conf:7:26-31 service imap-login imap 10.0.0.2: 10.0.0.2 10143 Dovecot imap",
			"dovecot.conf:17:12-17 service imap-login haproxy: all 10144 Dovecot imap-backend; listen is \"* ::\"",
		}},
		{"types, not names, and variables", version + "protocols = lmtp\nlisten = $SET:listen\nservice doveadm {\n  inet_listener x {\n    type = http\n    port = 8080\n    listen = %{env:A}\n  }\n}\nservice lmtp {\n  inet_listener lmtp {\n    port = %{env:PORT}\n  }\n}\n", []string{
			"dovecot.conf:7:12-16 service doveadm x: all 8080 Dovecot doveadm admin; doubt: the value of %{env:A} is not in the files",
			"dovecot.conf:13:12-23 doubt: the value of %{env:PORT} is not in the files",
		}},
		{"settings of 2.3", version + "service lmtp {\n  inet_listener lmtp {\n    address = 127.0.0.1\n    port = 24\n  }\n}\n", []string{
			"dovecot.conf:4:5-12 doubt: address is of Dovecot 2.3; it is listen now; Dovecot does not start",
		}},
		{"a section without a name", version + "service auth {\n  inet_listener {\n    port = 12345\n  }\n}\n", []string{
			"dovecot.conf:3:3-16 doubt: inet_listener has no name; Dovecot does not start",
		}},
		{"a proxy", version + "protocols = pop3\nservice pop3-login {\n  inet_listener pop3s {\n    port = 0\n  }\n}\npassdb static {\n  fields {\n    proxy = yes\n    host = 10.0.0.5\n  }\n}\n", []string{
			"dovecot.conf:2:13-17 service pop3-login pop3: all 110 Dovecot pop3-proxy; listen is not set; its default is all addresses; port of inet_listener pop3 is not set; its default is 110",
			"dovecot.conf:11:12-20 service pop3-login pop3proxy -> 10.0.0.5:110",
		}},
		{"the Pro edition", "dovecot_config_version = 3.1.0\nprotocols = lmtp\nlisten = ::1\n", []string{
			"dovecot.conf:2:13-17 service lmtp lmtp: ::1 24 Dovecot lmtp",
		}},
		{"a group", version + "group @x y {\n  service lmtp {\n    inet_listener lmtp {\n      port = 24\n    }\n  }\n}\n@x = y\n", []string{
			"dovecot.conf:9:6-7 doubt: the group @x y sets what listens, which is not read",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			compare(t, shownConfig(read(t, map[string]string{"dovecot.conf": tt.text})), tt.want)
		})
	}
}

// TestSecrets checks that no password gets into what is read.
func TestSecrets(t *testing.T) {
	c := read(t, map[string]string{"dovecot.conf": "doveadm_password = geheim\ndoveadm_api_key = $ENV:geheim\nprotocols = imap\nservice doveadm {\n  inet_listener {\n    port = 1\n  }\n}\n" +
		"passdb {\n  driver = static\n  args = pass=geheim proxy host=h port=1\n}\npassword geheim\n"})
	if all := fmt.Sprintf("%+v", c); strings.Contains(all, "geheim") || strings.Count(all, "{Name:doveadm_password Value:set") != 1 {
		t.Error(all)
	}
	for _, l := range c.Listeners {
		for _, s := range l.Settings {
			if s.At != nil && strings.Contains(s.At.Text, "geheim") {
				t.Errorf("%+v", s.At)
			}
		}
	}
}

func TestPart(t *testing.T) {
	text := "service imap-login {\n  inet_listener imaps {\n  }\n  inet_listener imap {\n    port = 10143\n    address = *\n  }\n}\nservice auth {\n  inet_listener {\n    port = 12345\n  }\n}\n"
	c := Part(&source.Tree{FS: fstest.MapFS{}}, source.NewFile("10-master.conf", "10-master.conf", text))
	compare(t, shownConfig(c), []string{
		"10-master.conf:5:12-17 service imap-login imap: 0.0.0.0 10143 Dovecot imap; doubt: protocols is set in the file that includes this one",
		"10-master.conf:2:17-22 service imap-login imaps: all 993 Dovecot imap ssl; listen is not set; its default is all addresses; port of inet_listener imaps is not set; its default is 993; doubt: protocols is set in the file that includes this one",
		"10-master.conf:11:12-17 service auth 12345: all 12345 Dovecot auth auth; listen is not set; its default is all addresses; doubt: listen is set in the file that includes this one",
	})
	text = "service quota-status {\n  executable = quota-status -p postfix\n  inet_listener quota-status {\n    listen = 127.0.0.1\n    port = 65265\n  }\n}\n"
	c = Part(&source.Tree{FS: fstest.MapFS{}}, source.NewFile("90-quota.conf", "90-quota.conf", text))
	compare(t, shownConfig(c), []string{"90-quota.conf:5:12-17 service quota-status quota-status: 127.0.0.1 65265 Dovecot quota-status policy"})
}
