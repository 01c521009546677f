//go:build linux

package e2e

import (
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// mailLog is where Postfix logs.
const mailLog = "/var/log/mail.log"

// queue is where Postfix keeps mail: every folder of its queue, but none of
// the folders of sockets and process ids, which any connection touches.
var queue = []string{
	"/var/spool/postfix/active", "/var/spool/postfix/bounce", "/var/spool/postfix/corrupt",
	"/var/spool/postfix/defer", "/var/spool/postfix/deferred", "/var/spool/postfix/flush",
	"/var/spool/postfix/hold", "/var/spool/postfix/incoming", "/var/spool/postfix/maildrop",
	"/var/spool/postfix/saved", "/var/spool/postfix/trace",
}

// TestNoTrace shows that a default sweep, identification included, leaves
// what the daemons keep as it was. A trace of it comes again in a second sweep; daemons
// also do work of their own, when its time has come.
func TestNoTrace(t *testing.T) {
	n := hosts(t)
	sweepTraces(t, n).hold(t, func() traces { return sweepTraces(t, n) })
}

// traces are what daemons have left, by what it was found in.
type traces map[string]string

// hold fails if a trace comes again.
func (l traces) hold(t *testing.T, again func() traces) {
	t.Helper()
	if len(l) == 0 {
		return
	}
	t.Logf("swept again because of %v", l)
	for what, trace := range again() {
		if l[what] != "" {
			t.Errorf("in both sweeps: %s: %s, then %s", what, l[what], trace)
		}
	}
}

// sweepTraces sweeps the hosts, and returns what that left.
func sweepTraces(t *testing.T, n *network) traces {
	t.Helper()
	left := traces{}
	watched := []func(*testing.T, traces){watchBooks(t, n), watchCache(t, n), watchLogs(n), watchLookups(n)}
	sweep(t, mailPorts(address4(11)+"-15", address4(17)+"-18"))
	for _, look := range watched {
		look(t, left)
	}
	return left
}

// watchBooks returns what adds how queues and databases have changed since: every byte,
// every time stamp.
func watchBooks(t *testing.T, n *network) func(*testing.T, traces) {
	t.Helper()
	books := map[string][]string{
		"exposed": append([]string{"/var/lib/postgrey", "/var/mail"}, queue...),
		"closed":  append([]string{"/var/lib/postgrey", "/var/mail"}, queue...),
		"store":   {"/var/mail", "/var/lib/dovecot"},
		"policy":  {"/var/lib/postgrey", "/var/lib/sqlgrey", "/var/lib/policyd-rate-limit"},
		"signer":  append([]string{"/var/lib/cluebringer", "/var/mail"}, queue...),
		"swapped": append([]string{"/var/lib/postgrey", "/var/mail"}, queue...),
	}
	before := map[string]snapshot{}
	for name, folders := range books {
		before[name] = snap(t, n.hosts[name], folders...)
	}
	return func(t *testing.T, left traces) {
		for name, folders := range books {
			for _, line := range before[name].changes(snap(t, n.hosts[name], folders...)) {
				file, change, _ := strings.Cut(line, ": ")
				left[name+": "+file] = change
			}
		}
	}
}

// watchCache returns what adds what postfwd, which keeps its books in memory, has cached
// since.
func watchCache(t *testing.T, n *network) func(*testing.T, traces) {
	t.Helper()
	before := postfwdCache(t, n)
	return func(t *testing.T, left traces) {
		if after := postfwdCache(t, n); after != before {
			left["the cache of postfwd"] = fmt.Sprintf("was %q, is %q", before, after)
		}
	}
}

// postfwdCache asks postfwd for what it keeps in memory.
func postfwdCache(t *testing.T, n *network) string {
	t.Helper()
	return ask(t, n.hosts["policy"].namespace, "127.0.0.1:10040", "request=dumpcache\n\n")
}

// TestTraceIsSeen shows that TestNoTrace can fail: after what a client of the
// daemon sends, the same comparison finds a change.
func TestTraceIsSeen(t *testing.T) {
	n := hosts(t)
	policy, exposed := n.hosts["policy"], n.hosts["exposed"]
	for _, tt := range []struct {
		name   string
		host   *host
		port   int
		folder string
	}{
		{"postgrey", policy, 10023, "/var/lib/postgrey"},
		{"sqlgrey", policy, 2501, "/var/lib/sqlgrey"},
		{"policyd-rate-limit", policy, 8552, "/var/lib/policyd-rate-limit"},
		{"cluebringer", n.hosts["signer"], 10031, "/var/lib/cluebringer"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			before := snap(t, tt.host, tt.folder)
			answer := ask(t, tt.host.namespace, "127.0.0.1:"+strconv.Itoa(tt.port), policyRequest(tt.name))
			if !strings.HasPrefix(answer, "action=") {
				t.Errorf("answer %q to a complete request", answer)
			}
			eventually(t, "a change in "+tt.folder, func() bool {
				return len(before.changes(snap(t, tt.host, tt.folder))) > 0
			})
		})
	}
	t.Run("lookup", func(t *testing.T) {
		since := size(policy, queries)
		ask(t, policy.namespace, "127.0.0.1:12525", policyRequest("weight"))
		eventually(t, "policyd-weight looking up the client", func() bool {
			return tail(t, policy, queries, since) != ""
		})
	})
	t.Run("postfwd", func(t *testing.T) {
		before := postfwdCache(t, n)
		ask(t, policy.namespace, "127.0.0.1:10040", policyRequest("postfwd"))
		if after := postfwdCache(t, n); after == before {
			t.Errorf("the cache is %q before and after a complete request", after)
		}
	})
	t.Run("postfix", func(t *testing.T) {
		before := snap(t, exposed, queue...)
		c := dial(t, exposed.namespace, "127.0.0.1:10025")
		c.smtp(t, [2]string{"EHLO localhost", "250"}, [2]string{"MAIL FROM:<>", "250"},
			[2]string{"RCPT TO:<probe@exposed.e2e.invalid>", "250"}, [2]string{"RSET", "250"}, [2]string{"QUIT", "221"})
		if len(before.changes(snap(t, exposed, queue...))) == 0 {
			t.Error("an accepted recipient left no trace in the queue's folders")
		}
	})
}

// TestStrayLineIsSeen shows that TestNextClient can fail: what amavisd's
// children hold of an unfinished line spoils the commands of the clients that
// come next.
func TestStrayLineIsSeen(t *testing.T) {
	h := hosts(t).hosts["exposed"]
	// Both children at once; reports whether an answer was not the wanted one.
	talk := func(line, code string) (spoilt bool) {
		clients := []*client{dial(t, h.namespace, "127.0.0.1:10024"), dial(t, h.namespace, "127.0.0.1:10024")}
		for _, c := range clients {
			if _, err := c.reply(); err != nil {
				t.Fatal(err)
			}
		}
		for _, c := range clients {
			io.WriteString(c, line)
			if code != "" {
				got, err := c.reply()
				spoilt = spoilt || err != nil || !strings.HasPrefix(got, code)
			}
			c.Close()
		}
		return spoilt
	}
	talk("nVERSION", "")
	if !talk("EHLO localhost\r\n", "250") {
		t.Error("an unfinished line of one client did not reach the next")
	}
	if talk("EHLO localhost\r\n", "250") {
		t.Error("a finished line reached the client after the next")
	}
}

// watchLogs returns what adds the lines that logs have gained since, but for what any
// client leaves that comes and goes: no warning, no error, no login, no mail.
func watchLogs(n *network) func(*testing.T, traces) {
	logs := []struct {
		host, name string
		fine       *regexp.Regexp // every line of the log must match
	}{
		{"exposed", mailLog, postfixFine},
		{"closed", mailLog, postfixFine},
		{"signer", mailLog, postfixFine},
		{"store", "/var/log/dovecot.log", dovecotFine},
	}
	since := make([]int64, len(logs))
	for i, l := range logs {
		since[i] = size(n.hosts[l.host], l.name)
	}
	return func(t *testing.T, left traces) {
		for i, l := range logs {
			for line := range strings.Lines(tail(t, n.hosts[l.host], l.name, since[i])) {
				if kind := kindOf(line); !l.fine.MatchString(line) && !isTiming(l.name, kind) {
					left[l.host+": "+l.name+": "+kind] = line
				}
			}
		}
	}
}

var (
	// A greeting that refuses is logged as a refusal (NOQUEUE), whatever the
	// client sends; a PROXY listener complains of a client that does not
	// begin with the PROXY header.
	postfixFine = regexp.MustCompile(`(dis)?connect from|lost connection after|CONNECT from|DISCONNECT|PREGREET|HANGUP|PASS NEW` +
		`|COMMAND |statistics: |NOQUEUE: reject: CONNECT from|proxy_protocol|haproxy|Anonymous TLS connection|setting up TLS|issuing session`)
	dovecotFine = regexp.MustCompile(`(imap|pop3|lmtp|auth)(-login)?(\(\d+\))?: (Info|Debug): |haproxy|master: Warning: .*reload`)
)

// TestNextClient shows that the daemons serve their own clients after a
// sweep, on the very next connections: amavisd hands bytes that one client
// left unfinished to the next client of the same child.
func TestNextClient(t *testing.T) {
	n := hosts(t)
	sweep(t, mailPorts(address4(11)))
	h := n.hosts["exposed"]

	t.Run("amavisd", func(t *testing.T) {
		// Both children (max_servers) at once, twice over.
		for range 2 {
			a, b := dial(t, h.namespace, "127.0.0.1:10024"), dial(t, h.namespace, "127.0.0.1:10024")
			a.smtp(t, [2]string{"EHLO localhost", "250"})
			b.smtp(t, [2]string{"EHLO localhost", "250"}, [2]string{"QUIT", "221"})
			a.Close()
			b.Close()
		}
		c := dial(t, h.namespace, "127.0.0.1:10026")
		c.smtp(t, [2]string{"EHLO localhost", "250"}, [2]string{"QUIT", "221"})
	})
	t.Run("postfix", func(t *testing.T) {
		for _, port := range []string{"10025", "10028"} {
			c := dial(t, h.namespace, net.JoinHostPort("127.0.0.1", port))
			c.smtp(t, [2]string{"EHLO localhost", "250"}, [2]string{"MAIL FROM:<>", "250"},
				[2]string{"RCPT TO:<probe@exposed.e2e.invalid>", "250"}, [2]string{"RSET", "250"}, [2]string{"QUIT", "221"})
		}
	})
	t.Run("postgrey", func(t *testing.T) {
		answer := ask(t, h.namespace, "127.0.0.1:10023", policyRequest("next"))
		if !strings.HasPrefix(answer, "action=DEFER_IF_PERMIT Greylisted") {
			t.Errorf("answer %q", answer)
		}
	})
	t.Run("mail", func(t *testing.T) {
		// Through Postfix, OpenDKIM, amavisd and Postfix again.
		since := size(h, mailLog)
		c := dial(t, h.namespace, "127.0.0.1:25")
		c.smtp(t, [2]string{"EHLO localhost", "250"}, [2]string{"MAIL FROM:<a@exposed.e2e.invalid>", "250"},
			[2]string{"RCPT TO:<b@exposed.e2e.invalid>", "250"}, [2]string{"DATA", "354"},
			[2]string{"From: a@exposed.e2e.invalid\r\nSubject: test\r\n\r\nHello.\r\n.", "250"}, [2]string{"QUIT", "221"})
		sent := regexp.MustCompile(`relay=127\.0\.0\.1\[127\.0\.0\.1\]:10024,.* status=sent \(250 .*from MTA\(smtp:\[127\.0\.0\.1\]:10025\)`)
		eventually(t, "the mail passed on by amavisd", func() bool {
			return sent.MatchString(tail(t, h, mailLog, since))
		})
	})
}
