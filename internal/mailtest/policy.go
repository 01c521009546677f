package mailtest

import (
	"regexp"
	"strings"
	"sync/atomic"
)

// maxRequest is the maximum size of a request that Cluebringer reads, in bytes.
const maxRequest = 16 << 10

// Cluebringer simulates policyd 2, including which requests write to its
// database.
type Cluebringer struct {
	// HTTP is set for a working HTTP module, as in versions before August 2015.
	HTTP bool

	// Down simulates a database that is down: valid requests are deferred.
	Down bool

	// Refuse makes its access list refuse clients: it accepts a connection and
	// closes it without sending anything.
	Refuse bool

	rows atomic.Int64
}

// Rows returns how many rows were written to the database.
func (p *Cluebringer) Rows() int { return int(p.rows.Load()) }

const cluebringerHTTP = "HTTP/1.0 503 Unknown error\nDate: Sun, 22 Nov 2026 04:50:50 GMT\nContent-Length: 0\nContent-Type: text/plain\n" +
	"Server: Policyd/2.1.x-201205100639 (Cluebringer)\nConnection: close\n\n"

var (
	attribute   = regexp.MustCompile(`^\w+=`)
	httpRequest = regexp.MustCompile(`^(?:GET|POST|HEAD|OPTIONS) \S+ HTTP/1\.[01]$`)
)

// Serve implements [Handler].
func (p *Cluebringer) Serve(c *Conn) {
	if p.Refuse {
		return
	}
	for {
		lines, ok := request(c)
		if !ok {
			return
		}
		// Two requests received together get one reply.
		c.Discard()
		switch {
		case len(lines) > 0 && attribute.MatchString(lines[0]):
			reply, end := p.judge(attributes(lines))
			if !c.Say(reply) || end {
				return
			}
		case len(lines) > 0 && p.HTTP && httpRequest.MatchString(lines[0]):
			c.Say(cluebringerHTTP)
			return
		}
	}
}

func (p *Cluebringer) judge(a map[string]string) (reply string, end bool) {
	const deferred = "action=DEFER\n\n"
	state := strings.ToUpper(a["protocol_state"])
	switch state {
	case "CONNECT", "EHLO", "HELO", "MAIL", "RCPT", "DATA", "END-OF-MESSAGE", "VRFY", "ETRN":
	default:
		return deferred, true
	}
	if a["client_address"] == "" || a["instance"] == "" || state == "RCPT" && a["recipient"] == "" || p.Down {
		return deferred, true
	}
	if state == "RCPT" || state == "END-OF-MESSAGE" {
		p.rows.Add(1)
	}
	return "action=DUNNO\n\n", false
}

// request reads lines up to an empty one; ok is false at the end of the
// connection or if the request is too long.
func request(c *Conn) (lines []string, ok bool) {
	size := 0
	for {
		line, err := c.Line()
		if err != nil {
			return nil, false
		}
		if size += len(line) + 1; size > maxRequest {
			return nil, false
		}
		if line == "" {
			return lines, true
		}
		lines = append(lines, line)
	}
}

func attributes(lines []string) map[string]string {
	a := make(map[string]string)
	for _, l := range lines {
		if k, v, ok := strings.Cut(l, "="); ok {
			a[k] = v
		}
	}
	return a
}

// PolicydV1 simulates the first policyd, written in C, as far as known: it
// refuses invalid requests with a sentence of its own.
type PolicydV1 struct {
	rows atomic.Int64
}

// Rows returns how many rows were written to the database.
func (p *PolicydV1) Rows() int { return int(p.rows.Load()) }

// Serve implements [Handler].
func (p *PolicydV1) Serve(c *Conn) {
	for {
		lines, ok := request(c)
		if !ok {
			return
		}
		if len(lines) == 0 {
			continue
		}
		reply := "action=defer_if_permit Policy Rejection: Invalid data\n\n"
		if a := attributes(lines); a["request"] == "smtpd_access_policy" && a["recipient"] != "" {
			p.rows.Add(1)
			reply = "action=dunno\n\n"
		}
		if !c.Say(reply) {
			return
		}
	}
}

// IRedAPD simulates iRedMail's policy daemon: it handles each line when it
// arrives, and only a bare LF ends one.
type IRedAPD struct{}

// Serve implements [Handler].
func (IRedAPD) Serve(c *Conn) {
	a := make(map[string]string)
	for {
		line, err := c.until("\n")
		if err != nil {
			return
		}
		if line != "" {
			k, v, ok := strings.Cut(line, "=")
			if ok && k == "sender" && v != "" && !strings.Contains(v, "@") {
				if !c.Say("action=DUNNO Error: Invalid sender address: " + v + "\n\n") {
					return
				}
				clear(a)
				continue
			}
			if ok {
				a[k] = v
			}
			continue
		}
		switch {
		case len(a) == 0:
			if !c.Say("action=DUNNO\n\n") {
				return
			}
		case a["protocol_state"] == "":
			return
		default:
			if !c.Say("action=DUNNO No enabled plugins\n\n") {
				return
			}
		}
		clear(a)
	}
}

// Policy simulates one of the policy daemons that differ in which requests they
// do not reply to: "postgrey", "sqlgrey", "policyd-weight", "postfwd1",
// "postfwd2", "policyd-rate-limit", "mtpolicyd" or "quota-status".
type Policy struct {
	Name string

	rows atomic.Int64
}

// Rows returns how many rows were written to the database.
func (p *Policy) Rows() int { return int(p.rows.Load()) }

// Serve implements [Handler].
func (p *Policy) Serve(c *Conn) {
	var lines []string
	for {
		line, err := c.until("\n")
		if err != nil {
			return
		}
		if p.Name == "postfwd2" && line == "PING" {
			if !c.Say("PONG\n") {
				return
			}
			continue
		}
		if p.Name == "mtpolicyd" && line != "" && !strings.Contains(line, "=") {
			return
		}
		// SQLgrey and policyd-rate-limit do not take CRLF CRLF for the end of a
		// request.
		if strict := p.Name == "sqlgrey" || p.Name == "policyd-rate-limit"; line != "" && (strict || line != "\r") {
			lines = append(lines, strings.TrimSuffix(line, "\r"))
			continue
		}
		reply, end := p.judge(lines)
		lines = nil
		if !c.Say(reply) || end {
			return
		}
	}
}

func (p *Policy) judge(lines []string) (reply string, end bool) {
	a := attributes(lines)
	full := a["client_address"] != "" && a["client_name"] != ""
	access := a["request"] == "smtpd_access_policy"
	switch p.Name {
	case "postfwd1":
		if a["request"] == "dumpstats" {
			p.rows.Add(1) // the peak of requests per minute is recomputed
			return "[STATS]  postfwd 1.35: up since 0 days, 00:02:11 hours\r\n", true
		}
		if item, ok := strings.CutPrefix(a["request"], "delcache "); ok {
			return "request cache removal of '" + item + "' failed: item not found\r\n", true
		}
	case "quota-status":
		return "action=DUNNO\n\n", false
	case "mtpolicyd":
		return "action=dunno\n\n", false
	case "policyd-rate-limit":
		if len(a) == 0 {
			return "", false
		}
		if a["protocol_state"] == "RCPT" {
			p.rows.Add(1)
		}
		return "action=dunno\n\n", false
	case "policyd-weight":
		if access {
			return "action=DUNNO NULL (<>) Sender\n\n", false
		}
		return "", true
	}
	switch {
	case !access:
		return "", false
	case p.Name == "sqlgrey":
		p.rows.Add(1)
		return "action=defer_if_permit Greylisted for 5 minutes\n\n", false
	case p.Name == "postgrey" && full:
		p.rows.Add(1)
		return "action=DEFER_IF_PERMIT 4.2.0 Greylisted, see http://postgrey.schweikert.ch/help/.html\n\n", false
	}
	return "action=DUNNO\n\n", false
}
