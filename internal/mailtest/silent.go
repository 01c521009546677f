package mailtest

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"time"
)

// Proxied plays a listener that wants a PROXY header before it speaks.
type Proxied struct {
	Inner Handler // who speaks after the header

	// Postfix makes it fail in Postfix's way, with a 421; otherwise it fails
	// in Dovecot's, with a RST for a wrong first byte.
	Postfix bool

	// Untrusted turns every client away at once, without a byte.
	Untrusted bool

	// Patience is how long it waits for the header. Zero means 3 s.
	Patience time.Duration
}

// Serve plays the listener. Only the text form of the header is read (PROXY
// protocol, Section 2.1).
func (p Proxied) Serve(c *Conn) {
	if p.Untrusted {
		return
	}
	patience := p.Patience
	if patience == 0 {
		patience = 3 * time.Second
	}
	// The watchdog takes the place of a read deadline, which Line sets anew.
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

// Milter plays a filter under libmilter that offers these actions and
// protocol steps: silent first, a RST for a packet that is no packet.
type Milter struct {
	Actions, Steps uint32
}

// Serve plays the filter.
func (m Milter) Serve(c *Conn) {
	for {
		var size [4]byte
		if _, err := io.ReadFull(c.reader, size[:]); err != nil {
			return
		}
		n := binary.BigEndian.Uint32(size[:])
		if n == 0 || n > 64<<10 {
			c.Reset()
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

// Silent accepts and says nothing.
type Silent struct{}

// Serve plays the port.
func (Silent) Serve(c *Conn) { c.Swallow() }

// Refusing accepts and hangs up without a byte, as daemons do whose own
// access list turns the client away.
type Refusing struct{}

// Serve plays the port.
func (Refusing) Serve(*Conn) {}

// Resetting accepts and resets at once, after Text if there is one.
type Resetting struct{ Text string }

// Serve plays the port.
func (r Resetting) Serve(c *Conn) {
	if r.Text != "" {
		c.Say(r.Text)
	}
	c.Reset()
}

// Echo repeats what it is sent.
type Echo struct{}

// Serve plays the port.
func (Echo) Serve(c *Conn) {
	// The end of the client is the end of the echo, whichever way it comes.
	_, _ = io.Copy(c.stream, c.reader)
}

// Flood sends Text over and over: an endless banner, or a line without an end.
type Flood struct {
	Text  string
	Bytes int64 // how much at most; zero means until the client hangs up
}

// Serve plays the port.
func (f Flood) Serve(c *Conn) {
	chunk := strings.Repeat(f.Text, 1+(64<<10)/max(1, len(f.Text)))
	for sent := int64(0); f.Bytes == 0 || sent < f.Bytes; sent += int64(len(chunk)) {
		if !c.Say(chunk) {
			return
		}
	}
}

// Drip sends Text byte by byte, Every apart (zero means a second), over and
// over.
type Drip struct {
	Text  string
	Every time.Duration
}

// Serve plays the port.
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

// Banner says Text, as it is, and nothing more.
type Banner struct{ Text string }

// Serve plays the port.
func (b Banner) Serve(c *Conn) {
	if c.Say(b.Text) {
		c.Swallow()
	}
}

// Bytes plays a daemon whose protocol has no lines.
type Bytes struct {
	// Greeting is what it says first.
	Greeting string

	// Answer gets all that came on a connection so far, whenever more came, and
	// gives what the daemon says to it, and whether it hangs up then.
	Answer func(received string) (reply string, hangUp bool)
}

// Serve plays the daemon.
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
