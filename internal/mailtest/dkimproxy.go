package mailtest

import (
	"bufio"
	"io"
	"net"
	"strings"
	"time"
)

// DKIMproxy plays dkimproxy.in or dkimproxy.out: it repeats what the next hop
// says, byte for byte, and has only its habits for a face. A bare LF does not
// end a line; a line that is false in Perl, "" or "0", ends the session
// without a word; one that begins with QUIT ends it after the reply; one that
// begins with DATA makes it swallow everything up to a lone dot; a TLS
// handshake stops at its line reader.
type DKIMproxy struct {
	// Next is the address of the daemon behind it. If it cannot be reached,
	// clients are told "Next hop is down", with a bare LF.
	Next string

	// Refuse makes its own access list turn clients away: accepted, then
	// closed without a byte.
	Refuse bool
}

// Serve plays the proxy.
func (d DKIMproxy) Serve(c *Conn) {
	if d.Refuse {
		return
	}
	r := relay{client: c, down: "421 Internal error (Next hop is down)\n"}
	r.serve(d.Next)
}

// Spampd plays spampd, which shares DKIMproxy's line reader, but stays after
// QUIT and says nothing where its next hop is down.
type Spampd struct {
	Next string // the address of the daemon behind it
}

// Serve plays the proxy.
func (s Spampd) Serve(c *Conn) {
	r := relay{client: c, stays: true}
	r.serve(s.Next)
}

// relay is the line-by-line proxy under both.
type relay struct {
	client *Conn
	down   string // what is said where the next hop is down
	stays  bool   // stays after QUIT

	next  net.Conn
	reply *bufio.Reader
}

func (r *relay) serve(next string) {
	conn, err := r.client.server.dial(next, 5*time.Second)
	if err != nil {
		r.client.Say(r.down)
		return
	}
	defer conn.Close()
	defer r.client.onClose(func() { conn.Close() })()
	r.next, r.reply = conn, bufio.NewReader(conn)
	if !r.client.Say(r.hear()) {
		return
	}
	for {
		line, err := r.client.CRLFLine()
		if err != nil || line == "" || line == "0" {
			return
		}
		body := strings.HasPrefix(strings.ToLower(line), "data")
		if !r.forward(line + "\r\n") {
			return
		}
		if body && !r.body() {
			return
		}
		if strings.HasPrefix(strings.ToLower(line), "quit") && !r.stays {
			return
		}
	}
}

// forward passes a line on and its one reply back. A command in two lines
// with a bare LF between gets two replies of which one is heard: the next
// command then gets the second.
func (r *relay) forward(line string) bool {
	// A write to a next hop that is gone shows as an empty reply.
	_, _ = io.WriteString(r.next, line)
	return r.client.Say(r.hear())
}

// body swallows lines up to a lone dot and hands them on at once. It begins
// with the client's word, whatever the next hop said to it.
func (r *relay) body() bool {
	var text strings.Builder
	for {
		line, err := r.client.CRLFLine()
		if err != nil {
			return false
		}
		text.WriteString(line + "\r\n")
		if line == "." {
			return r.forward(text.String())
		}
	}
}

// hear reads one reply of any number of lines (RFC 5321, Section 4.2.1). An
// end instead of a reply is heard as an empty line.
func (r *relay) hear() string {
	var reply strings.Builder
	for {
		if err := r.next.SetReadDeadline(time.Now().Add(idle)); err != nil {
			return "\r\n"
		}
		line, err := r.reply.ReadString('\n')
		if err != nil {
			return "\r\n"
		}
		reply.WriteString(line)
		if len(line) < 4 || line[3] != '-' {
			return reply.String()
		}
	}
}
