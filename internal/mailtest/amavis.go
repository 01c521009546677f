package mailtest

import (
	"fmt"
	"strings"
	"sync"
)

// Amavis simulates amavisd 2.13, with SMTP and LMTP on the same port. Like the
// real one it has few children, and each keeps an unterminated line of one client
// for its next one: a client that disconnects in the middle of a line makes the
// first command of the next client fail.
type Amavis struct {
	// LMTP selects the LMTP greeting.
	LMTP bool

	// Old selects the greeting of 2.12 and earlier.
	Old bool

	// Refuse makes its access list refuse clients: it accepts a connection and
	// closes it without sending anything.
	Refuse bool

	// Children is how many clients are served at once; the connections of others
	// are accepted by the kernel and wait. Zero means 2.
	Children int

	once     sync.Once
	children chan string // what each child keeps of its last client

	mu     sync.Mutex
	harmed int
}

// Harmed returns how many sessions began with the rest of a line from another
// client.
func (a *Amavis) Harmed() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.harmed
}

// Serve implements [Handler].
func (a *Amavis) Serve(c *Conn) {
	if a.Refuse {
		return
	}
	a.once.Do(func() {
		n := a.Children
		if n == 0 {
			n = 2
		}
		a.children = make(chan string, n)
		for range n {
			a.children <- ""
		}
	})
	select {
	case kept := <-a.children:
		if kept != "" {
			a.mu.Lock()
			a.harmed++
			a.mu.Unlock()
		}
		defer func() { a.children <- kept }()
		kept = a.talk(c, kept)
	case <-c.server.done:
	}
}

// talk serves one client and returns the incomplete line that it left.
func (a *Amavis) talk(c *Conn, kept string) string {
	name, word := "ESMTP", "amavis"
	if a.LMTP {
		name = "LMTP"
	}
	if a.Old {
		word = "amavisd-new"
	}
	if !c.Say(fmt.Sprintf("220 [%s] %s %s service ready\r\n", c.Local().Addr(), name, word)) {
		return kept
	}
	for {
		line, err := c.CRLFLine()
		line, kept = kept+line, ""
		if err != nil {
			return line
		}
		reply, end := a.answer(c, line)
		if !c.Say(reply) || end {
			return ""
		}
	}
}

func (a *Amavis) answer(c *Conn, line string) (reply string, end bool) {
	command, rest, _ := strings.Cut(line, " ")
	switch verb := strings.ToUpper(command); verb {
	case "EHLO", "LHLO":
		return fmt.Sprintf("250-[%s]\r\n250-VRFY\r\n250-PIPELINING\r\n250-SIZE\r\n250-ENHANCEDSTATUSCODES\r\n250-8BITMIME\r\n250-SMTPUTF8\r\n"+
			"250-DSN\r\n250 XFORWARD NAME ADDR PORT PROTO HELO IDENT SOURCE\r\n", c.Local().Addr()), false
	case "HELO":
		return fmt.Sprintf("250 [%s]\r\n", c.Local().Addr()), false
	case "HELP":
		return "214-2.0.0 See amavis home page at:\r\n214 2.0.0 http://www.ijs.si/software/amavisd/\r\n", false
	case "NOOP", "RSET":
		return "250 2.0.0 Ok " + verb + "\r\n", false
	case "VRFY":
		return "252 2.0.0 Argument not checked\r\n", false
	case "QUIT":
		if rest != "" {
			return "501 5.5.4 Error: QUIT does not accept arguments\r\n", false
		}
		return fmt.Sprintf("221 2.0.0 [%s] amavis closing transmission channel\r\n", c.Local().Addr()), true
	}
	if command == "" || strings.ContainsAny(command, "\n\x00") {
		return "500 5.5.2 Error: bad syntax\r\n", false
	}
	return "500 5.5.2 Error: command " + command + " not recognized\r\n", false
}

// AMPDP simulates the AM.PDP port of amavisd.
type AMPDP struct{}

// Serve implements [Handler]. A request is attributes up to an empty line, with
// CRLF or LF.
func (AMPDP) Serve(c *Conn) {
	request, lines := "", 0
	for {
		line, err := c.Line()
		if err != nil {
			return
		}
		lines++
		if value, ok := strings.CutPrefix(line, "request="); ok {
			request = value
		}
		if line != "" {
			continue
		}
		if !c.Say(ampdpReply(request, lines)) {
			return
		}
		request = ""
	}
}

func ampdpReply(request string, lines int) string {
	failure := fmt.Sprintf("Missing%%20'request'%%20field%%20at%%20/usr/share/perl5/Amavis/In/AMPDP.pm%%20line%%20200,%%20<GEN40>%%20line%%20%d.", lines)
	switch request {
	case "smtpd_access_policy":
		return "action=DUNNO\r\n\r\n"
	case "":
	default:
		failure = fmt.Sprintf("unrecognized%%20request:%%20%s%%20at%%20/usr/share/perl5/Amavis/In/AMPDP.pm%%20line%%20525,%%20<GEN40>%%20line%%20%d.", request, lines)
	}
	return "setreply=450 4.5.0 Failure:%20" + failure + "\r\nreturn_value=tempfail\r\nexit_code=75\r\n\r\n"
}
