package mailtest

import (
	"bytes"
	"io"
	"net"
	"strings"
	"time"
)

// A TCPProxy plays a proxy that hands on every byte between its client and a daemon:
// how it ends a connection is all that shows it.
type TCPProxy struct {
	Inner Handler // the daemon behind it

	// Keeps is for how long it takes what the client sends once the daemon has ended
	// the connection: HAProxy until its timeout client-fin, socat for half a second.
	// Zero: it closes the connection at once, as nginx does.
	Keeps time.Duration

	Splices bool // it is stopped by an urgent byte, as docker-proxy is
	Clears  bool // a firewall before it makes urgent bytes ordinary ones
}

// A Relay plays a proxy that ends both sides as soon as one has ended, as the stream
// module of nginx does: who sends a command and an end gets no answer.
type Relay struct {
	Next string // the address of the daemon behind it
}

// Serve plays the proxy.
func (r Relay) Serve(c *Conn) {
	next, err := c.server.dial(r.Next, 5*time.Second)
	if err != nil {
		return
	}
	ended := make(chan struct{}, 2)
	pass := func(to io.Writer, from io.Reader) {
		// Whatever ends one side ends both.
		_, _ = io.Copy(to, from)
		ended <- struct{}{}
	}
	go pass(sayer{c}, away{next})
	go pass(next, c.reader)
	<-ended
	next.Close()
	c.raw.Close()
	<-ended
}

// away reads from the daemon, a moment late: it is on another host than the proxy.
type away struct{ net.Conn }

// Read reads into p.
func (a away) Read(p []byte) (int, error) {
	n, err := a.Conn.Read(p)
	time.Sleep(time.Millisecond)
	return n, err
}

// sayer writes to the client.
type sayer struct{ c *Conn }

// Write says p.
func (s sayer) Write(p []byte) (int, error) {
	if !s.c.Say(string(p)) {
		return 0, io.ErrClosedPipe
	}
	return len(p), nil
}

// Serve plays the proxy.
func (p TCPProxy) Serve(c *Conn) {
	p.Inner.Serve(c)
	w, ok := c.raw.(interface{ CloseWrite() error })
	if p.Keeps == 0 || !ok || w.CloseWrite() != nil {
		return
	}
	if u, ok := c.raw.(interface{ Urgent(stops, ordinary bool) }); ok {
		u.Urgent(p.Splices, p.Clears)
	}
	if c.raw.SetReadDeadline(time.Now().Add(p.Keeps)) != nil {
		return
	}
	// The host of the daemon resets what is sent on first, so that more cannot be.
	b := make([]byte, 512)
	for range 2 {
		if _, err := c.raw.Read(b); err != nil {
			return
		}
	}
}

// A Parser plays the part of a program that reads PROXY headers.
type Parser struct {
	Inner Handler // who speaks after a header that is believed

	// Of is the program: "haproxy", "nginx", "dovecot", "postfix", "postscreen", "exim",
	// "opensmtpd" or "chasquid".
	Of string
}

// A header is the kinds of PROXY headers that a parser may meet.
type header int

const (
	noHeader      header = iota // something else
	bareUnknown                 // PROXY UNKNOWN
	textUnknown                 // PROXY UNKNOWN with text
	withAddresses               // PROXY TCP4 or TCP6
	localV2                     // version 2, LOCAL
	unspecifiedV2               // version 2, PROXY, AF_UNSPEC without addresses
)

// v2Signature begins each header of the second version.
const v2Signature = "\r\n\r\n\x00\r\nQUIT\n"

// believed are the headers that each program takes.
var believed = map[string][]header{
	"haproxy":    {bareUnknown, withAddresses, localV2},
	"nginx":      {bareUnknown, textUnknown, withAddresses, localV2, unspecifiedV2},
	"dovecot":    {bareUnknown, textUnknown, withAddresses, localV2},
	"postfix":    {withAddresses, localV2},
	"postscreen": {withAddresses, localV2},
	"exim":       {bareUnknown, textUnknown, withAddresses, localV2, unspecifiedV2},
	"opensmtpd":  {localV2},
	"chasquid":   {withAddresses},
}

// Serve plays the parser.
func (p Parser) Serve(c *Conn) {
	h, ok := p.read(c)
	if !ok {
		return
	}
	for _, b := range believed[p.Of] {
		if h == b {
			p.Inner.Serve(c)
			return
		}
	}
	p.refuse(c, h)
}

// read reads a header, or a line that is none.
func (p Parser) read(c *Conn) (h header, ok bool) {
	first, err := c.reader.Peek(1)
	if err != nil {
		return noHeader, false
	}
	if first[0] == '\r' || p.Of == "opensmtpd" {
		b := make([]byte, 16)
		if _, err := io.ReadFull(c.reader, b); err != nil || !bytes.HasPrefix(b, []byte(v2Signature)) {
			return noHeader, err == nil
		}
		switch b[12] {
		case 0x20:
			return localV2, true
		case 0x21:
			return unspecifiedV2, true
		}
		return noHeader, true
	}
	if first[0] != 'P' && p.Of != "exim" && p.Of != "chasquid" {
		return noHeader, true // which they see at the first byte
	}
	line, err := c.Line()
	switch {
	case err != nil:
		return noHeader, false
	case line == "PROXY UNKNOWN":
		return bareUnknown, true
	case strings.HasPrefix(line, "PROXY UNKNOWN "):
		return textUnknown, true
	case strings.HasPrefix(line, "PROXY TCP"):
		return withAddresses, true
	}
	return noHeader, true
}

// refuse ends the connection as the program does for a header that it does not take.
func (p Parser) refuse(c *Conn, h header) {
	switch p.Of {
	case "dovecot":
		if h == unspecifiedV2 {
			return
		}
	case "postfix":
		c.Say("421 4.3.0 mail.example.net Server local error\r\n")
	case "postscreen":
		c.Say("421 4.3.2 No system resources\r\n")
	case "exim":
		c.Say("220 mail.example.net ESMTP Exim 4.96 Sun, 29 Nov 2026 12:00:00 +0000\r\n503 Command refused, required Proxy negotiation failed\r\n")
		c.Swallow()
		return
	case "opensmtpd", "chasquid":
		return
	}
	c.Reset()
}
