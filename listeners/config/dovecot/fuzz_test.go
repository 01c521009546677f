package dovecot

import (
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// TestLarge reads files that are made to take long.
func TestLarge(t *testing.T) {
	const n = 10_000
	many := func(format string) string {
		var b strings.Builder
		for i := range n {
			b.WriteString(strings.ReplaceAll(format, "#", strconv.Itoa(i)))
		}
		return b.String()
	}
	for name, text := range map[string]string{
		"a line of many":   "listen = " + many("1\\\n") + "1\n",
		"deep sections":    many("a {\n"),
		"doubling":         "listen = 1.2.3.4\n" + many("listen = $listen $listen\nx# = $listen\n"),
		"services":         "protocols = imap\n" + many("service s# {\nexecutable = x\ninet_listener {\nport = #\n}\n}\n"),
		"listeners":        "service auth {\n" + many("inet_listener x# {\nport = 1#\n}\n") + "}\nlisten = " + many("10.0.0.1 "),
		"passdbs":          "protocols = imap\n" + many("passdb {\ndriver = static\nargs = proxy=y host=h\n}\n"),
		"lists and groups": "dovecot_config_version = 2.4.0\nlisten {\n" + many("# = yes\n") + "}\n" + many("@x = #\n"),
		"inclusions":       many("!include y.conf\n"),
	} {
		tree := &source.Tree{FS: fstest.MapFS{"y.conf": {Data: []byte(many("a = #\n"))}}}
		c := Main(tree, source.NewFile("dovecot.conf", "dovecot.conf", text))
		doubtful := len(c.Doubts) > 0 || slices.ContainsFunc(c.Listeners, func(l listeners.Listener) bool { return l.Doubt != "" })
		if name != "passdbs" && !doubtful {
			t.Errorf("%s: no doubt", name)
		}
	}
}

func FuzzMain(f *testing.F) {
	for _, s := range []string{
		"protocols = imap lmtp\nlisten = *, ::\nservice imap-login {\n  inet_listener imap {\n    port = 10143\n  }\n}\n",
		"dovecot_config_version = 2.4.0\nprotocols {\n  imap = yes\n}\nlisten {\n  ::1 = yes\n}\nservice \"auth\" {\n  inet_listener \"a/b\" {\n    port = 1\n    listen = \"::\"\n  }\n}\n",
		"listen = $listen $ENV:X \\\n # x\nprotocols = imaps\nssl_listen = *:1\nauth x {\n}\n!include *.conf\nx = <x.conf\n",
		"protocol !imap {\n  listen = 1:2\n}\nservice/auth/inet_listener = x y\nservice/auth/inet_listener/x/port = 3\n",
		"passdb {\n  driver = static\n  args = proxy=y host=a\n}\nplugin {\n  mail_replica = tcp:x\n}\nauth_policy_server_url = http://[::1]:4/\n",
	} {
		f.Add(s, "a = b")
	}
	f.Fuzz(func(t *testing.T, text, included string) {
		tree := &source.Tree{FS: fstest.MapFS{"x.conf": {Data: []byte(included)}}}
		file := source.NewFile("dovecot.conf", "dovecot.conf", text)
		for _, c := range []listeners.Config{Main(tree, file), Part(tree, file)} {
			names := map[string]bool{}
			for _, l := range c.Listeners {
				if l.Port == 0 || l.Service == "" || names[l.Service] || l.At.Line < 1 || l.At.EndColumn < l.At.Column {
					t.Errorf("listener without a port, a name of its own or a place: %+v", l)
				}
				names[l.Service] = true
			}
			for _, e := range c.Edges {
				if e.Port == 0 || e.At.Line < 1 {
					t.Errorf("edge without a port or a place: %+v", e)
				}
			}
			for _, d := range c.Doubts {
				if d.Problem == "" || d.At.Line < 1 {
					t.Errorf("doubt without a reason or a place: %+v", d)
				}
			}
		}
	})
}
