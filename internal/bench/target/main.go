// Command target simulates the mail servers of the benchmark: it listens on each
// "IP PORT KIND" line of a file, and prints "listening" when all are ready. Kinds
// are postfix, exim, amavis, imap, imap-debian and silent.
package main

import (
	"bufio"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// idleLimit is the maximum duration of a connection.
const idleLimit = 30 * time.Second

func main() {
	truth := flag.String("truth", "", "`file` of what to listen on")
	delay := flag.Duration("delay", 0, "wait this long before each greeting")
	flag.Parse()
	if err := run(*truth, *delay, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "target:", err)
		os.Exit(1)
	}
}

// run serves until it receives a signal.
func run(truth string, delay time.Duration, out io.Writer) error {
	list, err := readTruth(truth)
	if err != nil {
		return err
	}
	for _, s := range list {
		s.delay = delay
		l, err := net.Listen("tcp", s.address)
		if err != nil {
			return fmt.Errorf("listening: %w", err)
		}
		go s.serve(l)
	}
	fmt.Fprintln(out, "listening", len(list))
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	<-stop
	return nil
}

// A server is one listener.
type server struct {
	address string
	name    string // the name in its replies
	kind    string
	delay   time.Duration
}

// greetings has the greeting of each kind.
var greetings = map[string]string{
	"postfix": "220 %s ESMTP Postfix (Debian/GNU)\r\n",
	"exim":    "220 %s ESMTP Exim 4.96 Sun, 22 Nov 2026 04:00:00 +0000\r\n",
	"amavis":  "220 [127.0.0.1] ESMTP amavisd-new service ready\r\n",
	"imap":    "* OK [CAPABILITY " + capabilities + "] Dovecot ready.\r\n",
	// nmap 7.93 has a match for the greeting above, but only a soft match for
	// Debian's, which costs it 16 s.
	"imap-debian": "* OK [CAPABILITY " + capabilities + "] Dovecot (Debian) ready.\r\n",
	"silent":      "",
}

const capabilities = "IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ AUTH=PLAIN"

// readTruth reads the listeners from a file.
func readTruth(name string) ([]server, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the truth: %w", err)
	}
	var list []server
	for line := range strings.Lines(string(text)) {
		fields := strings.Fields(line)
		if len(fields) != 3 {
			return nil, fmt.Errorf("reading %q: %q is not \"IP PORT KIND\"", name, line)
		}
		if _, ok := greetings[fields[2]]; !ok {
			return nil, fmt.Errorf("reading %q: no kind %q", name, fields[2])
		}
		list = append(list, server{
			address: net.JoinHostPort(fields[0], fields[1]),
			name:    "mx" + strings.ReplaceAll(fields[0], ".", "-") + ".lab.test",
			kind:    fields[2],
		})
	}
	return list, nil
}

// serve handles each client in a goroutine.
func (s server) serve(l net.Listener) {
	for {
		c, err := l.Accept()
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			time.Sleep(10 * time.Millisecond) // out of file descriptors: some will be closed
			continue
		}
		go s.talk(c)
	}
}

// talk sends the greeting, and replies until the client quits.
func (s server) talk(c net.Conn) {
	defer c.Close()
	c.SetDeadline(time.Now().Add(idleLimit))
	if s.kind != "silent" {
		time.Sleep(s.delay)
		if _, err := io.WriteString(c, strings.Replace(greetings[s.kind], "%s", s.name, 1)); err != nil {
			return
		}
	}
	answer := s.smtp
	switch s.kind {
	case "imap", "imap-debian":
		answer = imap
	case "silent":
		answer = policy()
	}
	lines := bufio.NewScanner(c)
	for lines.Scan() {
		reply, last := answer(strings.TrimSpace(lines.Text()))
		if _, err := io.WriteString(c, reply); err != nil || last {
			return
		}
	}
}

// smtp replies to one line as an SMTP server; last is set if the connection is to
// be closed after the reply.
func (s server) smtp(line string) (reply string, last bool) {
	verb, _, _ := strings.Cut(strings.ToUpper(line), " ")
	switch verb {
	case "EHLO":
		return "250-" + s.name + "\r\n250-PIPELINING\r\n250-SIZE 10240000\r\n250-STARTTLS\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n", false
	case "HELO":
		return "250 " + s.name + "\r\n", false
	case "HELP":
		return "502 5.5.1 Error: command not recognized\r\n", false
	case "QUIT":
		return "221 2.0.0 Bye\r\n", true
	case "STARTTLS":
		return "454 4.7.0 TLS not available due to local problem\r\n", false
	}
	return "502 5.5.2 Error: command not recognized\r\n", false
}

// imap replies to one line as an IMAP server.
func imap(line string) (reply string, last bool) {
	tag, rest, _ := strings.Cut(line, " ")
	switch verb, _, _ := strings.Cut(strings.ToUpper(rest), " "); verb {
	case "CAPABILITY":
		return "* CAPABILITY " + capabilities + "\r\n" + tag + " OK Pre-login capabilities listed, post-login capabilities have more.\r\n", false
	case "LOGOUT":
		return "* BYE Logging out\r\n" + tag + " OK Logout completed.\r\n", true
	}
	return tag + " BAD Error in IMAP command received by server.\r\n", false
}

// policy replies as a policy service: only after the empty line that ends a
// request.
func policy() func(string) (string, bool) {
	asked := false
	return func(line string) (string, bool) {
		if line != "" {
			asked = true
			return "", false
		}
		if !asked {
			return "", false
		}
		asked = false
		return "action=DUNNO\n\n", false
	}
}
