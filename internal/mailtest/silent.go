package mailtest

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"time"
)

// Proxied simulates a listener that requires a PROXY header.
type Proxied struct {
	Inner Handler // the daemon after the header

	// Postfix makes it fail like Postfix, with a 421; otherwise it fails like
	// Dovecot, with a RST for a wrong first byte.
	Postfix bool

	// Untrusted makes it close every connection at once, without sending
	// anything.
	Untrusted bool

	// Patience is how long it waits for the header. Zero means 3 s.
	Patience time.Duration
}

// Serve implements [Handler]. It supports only the text form of the header (PROXY
// protocol, Section 2.1).
func (p Proxied) Serve(c *Conn) {
	if p.Untrusted {
		return
	}
	patience := p.Patience
	if patience == 0 {
		patience = 3 * time.Second
	}
	// A timer is used because Line resets the read deadline.
	heard := make(chan struct{})
	expired := make(chan struct{})
	go func() {
		defer close(expired)
		t := time.NewTimer(patience)
		defer t.Stop()
		select {
		case <-heard:
		case <-t.C:
			if p.Postfix {
				c.Say("421 4.3.0 mail.example.net Server local error\r\n")
			}
			c.raw.Close()
		}
	}()
	first, err := c.reader.Peek(1)
	close(heard)
	<-expired
	switch {
	case err != nil:
		return
	case first[0] != 'P':
		p.fail(c)
		return
	}
	line, err := c.CRLFLine()
	if err != nil || !strings.HasPrefix(line, "PROXY ") {
		p.fail(c)
		return
	}
	p.Inner.Serve(c)
}

func (p Proxied) fail(c *Conn) {
	if p.Postfix {
		c.Say("421 4.3.0 mail.example.net Server local error\r\n")
	}
	c.Reset()
}

// Milter simulates a filter with libmilter that offers these actions and protocol
// steps: it waits for the client, and sends a RST for an invalid packet.
type Milter struct {
	Actions, Steps uint32
	HangsUp        bool // it ends the connection instead, like Rspamd
}

// Serve implements [Handler].
func (m Milter) Serve(c *Conn) {
	for {
		var size [4]byte
		if _, err := io.ReadFull(c.reader, size[:]); err != nil {
			return
		}
		n := binary.BigEndian.Uint32(size[:])
		if n == 0 || n > 64<<10 {
			if !m.HangsUp {
				c.Reset()
			}
			return
		}
		packet := make([]byte, n)
		if _, err := io.ReadFull(c.reader, packet); err != nil {
			return
		}
		switch {
		case packet[0] == 'Q':
			return
		case packet[0] == 'O' && len(packet) == 13 && !bytes.Equal(packet[5:9], make([]byte, 4)):
			reply := binary.BigEndian.AppendUint32([]byte{0, 0, 0, 13, 'O'}, 6)
			reply = binary.BigEndian.AppendUint32(reply, m.Actions)
			reply = binary.BigEndian.AppendUint32(reply, m.Steps)
			if !c.Say(string(reply)) {
				return
			}
		default:
			return
		}
	}
}

// Silent accepts connections and sends nothing.
type Silent struct{}

// Serve implements [Handler].
func (Silent) Serve(c *Conn) { c.Swallow() }

// Refusing accepts connections and closes them without sending anything, like a
// daemon whose access list refuses the client.
type Refusing struct{}

// Serve implements [Handler].
func (Refusing) Serve(*Conn) {}

// Resetting accepts connections and resets them at once, after Text if there is
// one.
type Resetting struct{ Text string }

// Serve implements [Handler].
func (r Resetting) Serve(c *Conn) {
	if r.Text != "" {
		c.Say(r.Text)
	}
	c.Reset()
}

// Echo sends back what it receives.
type Echo struct{}

// Serve implements [Handler].
func (Echo) Serve(c *Conn) {
	// Any error of the client ends the echo.
	_, _ = io.Copy(c.stream, c.reader)
}

// Flood sends Text repeatedly: an endless banner, or an endless line.
type Flood struct {
	Text  string
	Bytes int64 // maximum to send; zero means until the client disconnects
}

// Serve implements [Handler].
func (f Flood) Serve(c *Conn) {
	chunk := strings.Repeat(f.Text, 1+(64<<10)/max(1, len(f.Text)))
	for sent := int64(0); f.Bytes == 0 || sent < f.Bytes; sent += int64(len(chunk)) {
		if !c.Say(chunk) {
			return
		}
	}
}

// Drip sends Text byte by byte, with Every in between (zero means a second),
// repeatedly.
type Drip struct {
	Text  string
	Every time.Duration
}

// Serve implements [Handler].
func (d Drip) Serve(c *Conn) {
	every := d.Every
	if every == 0 {
		every = time.Second
	}
	for {
		for i := range len(d.Text) {
			if !c.Wait(every) || !c.Say(d.Text[i:i+1]) {
				return
			}
		}
		if d.Text == "" {
			return
		}
	}
}

// Banner sends Text, unchanged, and nothing more.
type Banner struct{ Text string }

// Serve implements [Handler].
func (b Banner) Serve(c *Conn) {
	if c.Say(b.Text) {
		c.Swallow()
	}
}

// Bytes simulates a daemon whose protocol has no lines.
type Bytes struct {
	// Greeting is what it sends first.
	Greeting string

	// Answer is called whenever more was received, with everything received on
	// the connection so far. It returns the reply, and whether to close the
	// connection after it.
	Answer func(received string) (reply string, hangUp bool)
}

// Serve implements [Handler].
func (b Bytes) Serve(c *Conn) {
	if !c.Say(b.Greeting) {
		return
	}
	var received []byte
	buf := make([]byte, 4096)
	for {
		n, err := c.Read(buf)
		if err != nil {
			return
		}
		received = append(received, buf[:n]...)
		reply, hangUp := b.Answer(string(received))
		if reply != "" && !c.Say(reply) || hangUp {
			return
		}
	}
}
