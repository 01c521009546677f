package dovecot

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

// many returns numbered copies of a text, with # for the number.
func many(n int, text string) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(strings.ReplaceAll(text, "#", fmt.Sprint(i+1)))
	}
	return b.String()
}

// TestLeftOut holds that what is beyond a bound is a doubt, and that one less is not.
func TestLeftOut(t *testing.T) {
	const proxy = "passdb {\n  driver = static\n  args = proxy=y host=10.0.0.# port=143\n}\n"
	const v24 = "dovecot_config_version = 2.4.0\n"
	for name, tt := range map[string]struct {
		text  func(n int) string
		bound int
		doubt string
	}{
		"sections in each other": {func(n int) string { return many(n, "a# {\n") + many(n, "}\n") }, maxDepth, "there are more sections in each other than are read"},
		"passdbs":                {func(n int) string { return many(n, proxy) }, maxPassdbs, "there are more sections passdb than are read"},
		"alternatives":           {func(n int) string { return "!include_try x{0" + many(n-1, ",#") + "}.conf\n" }, maxBraces, "there are more alternatives in { and } than are read"},
		"groups":                 {func(n int) string { return v24 + many(n, "@a = b#\n") }, maxGroups, "there are too many groups"},
	} {
		t.Run(name, func(t *testing.T) {
			for more, want := range [][]string{nil, {tt.doubt}} {
				var got []string
				for _, d := range read(t, map[string]string{"dovecot.conf": "protocols = none\n" + tt.text(tt.bound+more)}).Doubts {
					got = append(got, d.Problem)
				}
				if !slices.Equal(got, want) {
					t.Errorf("%d: got %q, want %q", tt.bound+more, got, want)
				}
			}
		})
	}
}

// TestLongProtocols holds that words of protocols beyond the 200th count.
func TestLongProtocols(t *testing.T) {
	c := read(t, map[string]string{"dovecot.conf": "protocols = " + strings.Repeat("imap ", 300) + "lmtp\nservice imap-login {\n  inet_listener imap {\n    port = 0\n  }\n  inet_listener imaps {\n    port = 0\n  }\n}\n" +
		"service lmtp {\n  inet_listener lmtp {\n    port = 24\n  }\n}\n"})
	if len(c.Listeners) != 1 || c.Listeners[0].Port != 24 || len(c.Doubts) > 0 {
		t.Errorf("%+v", c)
	}
}

// TestReplica holds that of several replicas it is always the same one that is read.
func TestReplica(t *testing.T) {
	for range 30 {
		c := read(t, map[string]string{"dovecot.conf": "protocols = none\nplugin {\n" + many(9, "  #/mail_replica = tcp:10.0.0.#:12345\n") + "}\n"})
		if len(c.Edges) != 1 || c.Edges[0].Host != "10.0.0.1" {
			t.Fatalf("%+v", c.Edges)
		}
	}
}
