package mailtest

import (
	"bufio"
	"io"
	"net"
	"strings"
	"time"
)

// DKIMproxy simulates dkimproxy.in or dkimproxy.out: it relays the replies of the
// next hop, byte for byte, and can be recognized only by its behavior. A bare LF
// does not end a line; a line that is false in Perl, "" or "0", ends the session
// without a reply; one that begins with QUIT ends it after the reply; one that
// begins with DATA makes it read everything up to a lone dot; a TLS handshake
// blocks its line reader.
type DKIMproxy struct {
	// Next is the address of the daemon behind it. If it cannot be reached,
	// clients receive "Next hop is down", with a bare LF.
	Next string

	// Refuse makes its access list refuse clients: it accepts a connection and
	// closes it without sending anything.
	Refuse bool
}

// Serve implements [Handler].
func (d DKIMproxy) Serve(c *Conn) {
	if d.Refuse {
		return
	}
	r := relay{client: c, down: "421 Internal error (Next hop is down)\n"}
	r.serve(d.Next)
}

// Spampd simulates spampd, which has the line reader of DKIMproxy, but does not
// end after QUIT and sends nothing if its next hop is down.
type Spampd struct {
	Next string // the address of the daemon behind it
}

// Serve implements [Handler].
func (s Spampd) Serve(c *Conn) {
	r := relay{client: c, stays: true}
	r.serve(s.Next)
}

// relay is the line-by-line proxy that both use.
type relay struct {
	client *Conn
	down   string // what is sent if the next hop is down
	stays  bool   // does not end after QUIT

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
	if !r.client.Say(r.readReply()) {
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

// forward passes on a line and its reply. A command of two lines separated by a
// bare LF gets two replies, of which one is read: the next command then gets the
// second.
func (r *relay) forward(line string) bool {
	// If the next hop is gone, the failed write shows as an empty reply.
	_, _ = io.WriteString(r.next, line)
	return r.client.Say(r.readReply())
}

// body passes on lines up to a lone dot. It begins when the client sends DATA,
// whatever the next hop replied.
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

// readReply reads one reply of any number of lines (RFC 5321, Section 4.2.1). The end
// of the connection counts as an empty line.
func (r *relay) readReply() string {
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
