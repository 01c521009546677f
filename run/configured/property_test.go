package configured_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/run/configured"
)

// A generator writes files of one kind with several listeners.
type generator struct {
	file string
	with map[string]string // files beside it
	head string
	tail string
	item func(r *rand.Rand, n int, port uint16) string
}

// pick returns one of the texts.
func pick(r *rand.Rand, texts ...string) string { return texts[r.IntN(len(texts))] }

// note returns a comment with characters of one to four bytes, or nothing.
func note(r *rand.Rand) string { return pick(r, "", " # ä", "\t# 𝄞 x", " # 10025") }

var generators = []generator{
	{file: "master.cf", with: map[string]string{"main.cf": "inet_interfaces = all\n"}, item: func(r *rand.Rand, _ int, port uint16) string {
		gap := pick(r, " ", "\t", "      ")
		return strings.Join([]string{fmt.Sprintf("%s%d", pick(r, "", "", "127.0.0.1:", "0.0.0.0:", "[::]:"), port), "inet", "n", "-", pick(r, "y", "n"), "-", "-", "smtpd"}, gap) +
			"\n" + pick(r, "", "# ä\n") + "  -o content_filter=\n  -o smtpd_authorized_xforward_hosts=127.0.0.0/8\n"
	}},
	{file: "compose.yml", head: "services:\n  postfix: # ä\n    ports:\n", item: func(r *rand.Rand, _ int, port uint16) string {
		switch host := pick(r, "", "", "127.0.0.1:", "0.0.0.0:"); r.IntN(3) {
		case 0:
			return fmt.Sprintf("      - %s%d:%d%s\n", host, port, port, note(r))
		case 1:
			return fmt.Sprintf("      -  \"%s%d:%d/tcp\"%s\n", host, port, port, note(r))
		}
		return fmt.Sprintf("      - target: %d\n        published: %d%s\n%s", port, port, note(r), pick(r, "", "        host_ip: 127.0.0.1\n", "        host_ip: 0.0.0.0\n"))
	}},
	{file: "docker-compose.yml", head: "x-host: &h 0.0.0.0 # ä\nservices:\n  postfix: { # 𝄞\n    ports: [ # ]\n", tail: "    ],\n    environment: {A: '10025:10025'}, labels: [\"1:1\", '2:2']}\n", item: func(r *rand.Rand, _ int, port uint16) string {
		host, quote := pick(r, "", "", "127.0.0.1:", "0.0.0.0:"), pick(r, "\"", "'")
		if r.IntN(4) == 0 {
			return fmt.Sprintf("      {target: %d, published: %s%d%s},%s\n", port, quote, port, quote, note(r))
		}
		return fmt.Sprintf("      %s%s%d:%d%s%s,%s\n", quote, host, port, port, pick(r, "", "/tcp"), quote, note(r))
	}},
	{file: "compose.yaml", head: "services:\n", item: func(r *rand.Rand, n int, port uint16) string {
		quote := pick(r, "\"", "'")
		if r.IntN(3) == 0 {
			return fmt.Sprintf("  postfix%d: {labels: [%s%d:%d%s], ports: [%s%d:%d%s]}%s\n", n, quote, port, port, quote, quote, port, port, quote, note(r))
		}
		return fmt.Sprintf("  postfix%d:\n    ports: &p%d [%s%d:%d%s, %s127.0.0.1:1%d:%d%s]%s\n    labels: [%s%d:%d%s]\n", n, n, quote, port, port, quote, quote, n, port, quote, note(r), quote, port, port, quote)
	}},
	{file: "haproxy.cfg", head: "defaults\n mode tcp\n", item: func(r *rand.Rand, n int, port uint16) string {
		return fmt.Sprintf("listen l%d\n%sbind %s%d%s\n server a 127.0.0.1:25 check\n", n, pick(r, " ", "\t"), pick(r, ":", "*:", "0.0.0.0:", "127.0.0.1:", "127.0.0.1:1,:"), port, pick(r, "", " accept-proxy")+note(r))
	}},
	{file: "nginx.conf", head: "events {}\nmail {\n  auth_http 127.0.0.1:1;\n", tail: "}\n", item: func(r *rand.Rand, _ int, port uint16) string {
		return fmt.Sprintf("  server {\n    protocol smtp;%s\n%slisten %s%d;%s\n  }\n", note(r), pick(r, " ", "\t"), pick(r, "", "*:", "127.0.0.1:", "[::]:", fmt.Sprintf("192.0.2.1:%d;\n\tlisten 192.0.2.2:", port)), port, note(r))
	}},
	{file: "dovecot.conf", head: "protocols = lmtp\nservice lmtp {\n", tail: "}\n", item: func(r *rand.Rand, n int, port uint16) string {
		return fmt.Sprintf("  inet_listener l%d {\n%s%sport = %d\n%s  }\n", n, pick(r, "", "    address = 127.0.0.1\n", "    address = *\n"), pick(r, "    ", "\t"), port, pick(r, "", "    # ä\n"))
	}},
	{file: "dkimproxy_out.conf", tail: "relay 127.0.0.1:10028\n", item: func(r *rand.Rand, _ int, port uint16) string {
		return fmt.Sprintf("%slisten%s%s%d\n", pick(r, "", "# ä\n"), pick(r, " ", "\t", ": "), pick(r, "", "0.0.0.0:", "127.0.0.1:"), port)
	}},
}

// names returns what an outcome opens.
func names(c configured.Outcome) []string {
	var list []string
	for i := range c.Open {
		p := &c.Open[i]
		list = append(list, fmt.Sprintf("%s %s", p.Target, p.Listener.Name))
	}
	slices.Sort(list)
	return list
}

// Each edit closes its own finding and changes nothing else.
func TestEditsChangeNothingElse(t *testing.T) {
	t.Parallel()
	const files = 60
	for _, g := range generators {
		t.Run(g.file, func(t *testing.T) {
			t.Parallel()
			edits := 0
			for seed := range uint64(files) {
				r := rand.New(rand.NewPCG(seed, 1))
				text := g.head
				ports := r.Perm(20)
				for n := range 1 + r.IntN(5) {
					text += g.item(r, n, uint16(10022+ports[n]))
				}
				text += g.tail
				if r.IntN(4) == 0 {
					text = strings.ReplaceAll(text, "\n", "\r\n")
				}
				edits += checkEdits(t, g, text)
			}
			if edits < files {
				t.Errorf("only %d edits in %d files", edits, files)
			}
		})
	}
}

// checkEdits makes each edit of a file by itself, and returns how many there are.
func checkEdits(t *testing.T, g generator, text string) int {
	t.Helper()
	read := func(text string) configured.Outcome {
		files := map[string]string{g.file: text}
		for name, beside := range g.with {
			files[name] = beside
		}
		_, c := audit(t, files)
		return c
	}
	before := read(text)
	for i := range before.Findings {
		f := &before.Findings[i]
		e := f.Listener.Edit
		if e == nil {
			t.Fatalf("no edit for %s in\n%s", f.Listener.Name, text)
		}
		after := read(apply(t, text, e))
		left := slices.DeleteFunc(names(before), func(s string) bool { return s == fmt.Sprintf("%s %s", f.Target, f.Listener.Name) })
		if got := names(after); !slices.Equal(got, left) || len(after.Findings) != len(before.Findings)-1 {
			t.Fatalf("%q becomes %q in\n%s\nopen then %q, want %q, notices %v", e.Old, e.Text, text, got, left, after.Decision.Notices)
		}
	}
	return len(before.Findings)
}
