package signatures

import (
	"bytes"
	"encoding/json"
	"fmt"
	"time"
	"unicode/utf8"

	"github.com/mxsweep/mxsweep/internal/jsonfault"
)

// How the wait for bytes ended.
const (
	EndReply   = "reply"   // the reply that the probe waits for is complete
	EndSilence = "silence" // the wait ended, the connection is still open
	EndClosed  = "closed"  // the other side closed the connection
	EndReset   = "reset"   // the other side reset the connection
	EndLimit   = "limit"   // more bytes came than are read
	EndError   = "error"   // the connection failed in another way
)

// How the TLS handshake of an [Exchange] went.
const (
	HandshakeComplete = "complete"
	HandshakeFailed   = "failed"
)

// What became of bytes that were sent after the other side had said goodbye and hung up.
const (
	TailReset   = "reset"   // it had closed its socket
	TailBriefly = "briefly" // it took the first ones, and had closed its socket soon after
	TailTaken   = "taken"   // it keeps the socket open and took them
	TailRead    = "read"    // ... and passes over an urgent byte, as recv(2) does
	TailSpliced = "spliced" // ... and never gets past an urgent byte, as with splice(2) of Linux
)

// TailUnknown stands in a condition for an exchange of which nothing of that is known.
const TailUnknown = "unknown"

var tails = []string{TailReset, TailBriefly, TailTaken, TailRead, TailSpliced}

// A Transcript is the exchanges with one port: one Exchange for each probe.
type Transcript struct {
	Exchanges []Exchange `json:"exchanges"`
}

// Find returns the exchange of a probe, or nil if there is none.
func (t *Transcript) Find(probe string) *Exchange {
	for i := range t.Exchanges {
		if t.Exchanges[i].Probe == probe {
			return &t.Exchanges[i]
		}
	}
	return nil
}

// An Exchange is the course of one probe: what was sent on one connection, what was
// received, how it ended and after how long.
type Exchange struct {
	Probe     string
	Greeting  []byte        // what was received on this connection before anything was sent
	Sent      []byte        // empty for the greeting
	Reply     []byte        // what was received after that; the greeting itself for the probe "greeting"
	End       string        // one of the End constants
	First     time.Duration // until the first byte of the reply; zero if there was none
	Took      time.Duration // until the end
	Handshake string        // of a probe that does one; "" where none was tried
	TLS       bool          // the exchange ran inside of TLS
	Proxied   bool          // the exchange ran behind a PROXY header of ours
	Remote    bool          // the client was on another host, so that no address of it is a loopback address
	Fin       bool          // nothing more was to be sent on the connection behind Sent: see [Probe.Fin]
	Tail      string        // of the probe Goodbye: one of the Tail constants; "" where it is not known

	// Incomplete says that parts of the exchange may be lost: the question was not
	// acknowledged, or a reply was cut off or may have been lost. Received parts count;
	// missing parts, and how it ended, show nothing.
	Incomplete bool

	known *verdicts
}

// verdicts remember which patterns of one Set were looked for in a reply, and
// which were found, a bit each.
type verdicts struct {
	asked, found []uint64
	lines        [][]byte // codedLines of the reply
}

// Remember makes the exchange remember what patterns found in its reply, which
// must not change any more, or forget it again. Until then it must be matched
// against one [Set] only, and by one goroutine at a time, whatever sees to that.
func (e *Exchange) Remember(on bool) {
	if e.known = nil; on {
		e.known = &verdicts{lines: codedLines(e.Reply)}
	}
}

// matches reports whether a pattern is found in the reply.
func (e *Exchange) matches(p *Pattern) bool {
	if e.known == nil {
		return p.found(e.Reply, codedLines(e.Reply))
	}
	k, at, bit := e.known, p.number/64, uint64(1)<<(p.number%64)
	for at >= len(k.asked) {
		k.asked, k.found = append(k.asked, 0), append(k.found, 0)
	}
	if k.asked[at]&bit == 0 {
		k.asked[at] |= bit
		if p.found(e.Reply, k.lines) {
			k.found[at] |= bit
		}
	}
	return k.found[at]&bit != 0
}

// Echo reports whether the reply only repeats what was sent, which proves nothing
// about the daemon.
func (e *Exchange) Echo() bool {
	sent, reply := bytes.TrimSpace(e.Sent), bytes.TrimSpace(e.Reply)
	return len(sent) > 0 && len(reply) > 0 && bytes.HasPrefix(reply, sent)
}

// HungUp reports whether the other side ended the connection before we did. Whoever ends
// it afterwards says nothing by that: every program does so.
func (e *Exchange) HungUp() bool {
	return (e.End == EndClosed || e.End == EndReset) && !e.Fin
}

// exchangeJSON is the JSON form of an Exchange: bytes as text if they are text, so
// that a recorded example can be read and reviewed.
type exchangeJSON struct {
	Probe       string `json:"probe"`
	Greeting    string `json:"greeting,omitempty"`
	GreetingRaw []byte `json:"greeting_base64,omitempty"`
	Sent        string `json:"sent,omitempty"`
	SentRaw     []byte `json:"sent_base64,omitempty"`
	Reply       string `json:"reply,omitempty"`
	ReplyRaw    []byte `json:"reply_base64,omitempty"`
	End         string `json:"ended"`
	FirstMS     int64  `json:"first_ms,omitempty"`
	TookMS      int64  `json:"took_ms,omitempty"`
	Handshake   string `json:"handshake,omitempty"`
	TLS         bool   `json:"tls,omitempty"`
	Proxied     bool   `json:"proxied,omitempty"`
	Remote      bool   `json:"remote,omitempty"`
	Fin         bool   `json:"fin,omitempty"`
	Tail        string `json:"tail,omitempty"`
	Incomplete  bool   `json:"incomplete,omitempty"`
}

// MarshalJSON writes bytes as text where they are valid UTF-8, and as base64
// under another key where they are not. Times are rounded to milliseconds.
func (e Exchange) MarshalJSON() ([]byte, error) {
	j := exchangeJSON{
		Probe: e.Probe, End: e.End, Handshake: e.Handshake, TLS: e.TLS, Proxied: e.Proxied, Remote: e.Remote, Fin: e.Fin, Tail: e.Tail, Incomplete: e.Incomplete,
		FirstMS: e.First.Milliseconds(), TookMS: e.Took.Milliseconds(),
	}
	j.Greeting, j.GreetingRaw = split(e.Greeting)
	j.Sent, j.SentRaw = split(e.Sent)
	j.Reply, j.ReplyRaw = split(e.Reply)
	return json.Marshal(j)
}

// UnmarshalJSON reads what MarshalJSON writes and refuses unknown keys.
func (e *Exchange) UnmarshalJSON(b []byte) error {
	var j exchangeJSON
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if err := d.Decode(&j); err != nil {
		return fmt.Errorf("reading an exchange: %w", jsonfault.Plain(err))
	}
	*e = Exchange{
		Probe: j.Probe, End: j.End, Handshake: j.Handshake, TLS: j.TLS, Proxied: j.Proxied, Remote: j.Remote, Fin: j.Fin, Tail: j.Tail, Incomplete: j.Incomplete,
		First:    time.Duration(j.FirstMS) * time.Millisecond,
		Took:     time.Duration(j.TookMS) * time.Millisecond,
		Greeting: join(j.Greeting, j.GreetingRaw),
		Sent:     join(j.Sent, j.SentRaw),
		Reply:    join(j.Reply, j.ReplyRaw),
	}
	return nil
}

func split(b []byte) (text string, raw []byte) {
	if utf8.Valid(b) {
		return string(b), nil
	}
	return "", b
}

func join(text string, raw []byte) []byte {
	if text == "" {
		return raw
	}
	return []byte(text)
}
