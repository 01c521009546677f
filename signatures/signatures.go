// Package signatures contains the knowledge about mail daemons as data: probes,
// signatures, observations, stacks and ports, and the loader that checks them.
//
// FORMAT.md describes the files. [Default] loads the built-in ones, [Load] adds a
// user's own. The package also decides whether a signature matches the exchanges with
// a port ([Signature.Match]); package fingerprint holds the dialogues.
package signatures

import (
	"bytes"
	"embed"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/result"
)

//go:embed *.yaml testdata/*.json
var builtin embed.FS

// The safety classes of a probe, safest first.
const (
	Passive   = "passive"   // sends nothing
	Safe      = "safe"      // changes nothing on any daemon that is known
	Intrusive = "intrusive" // may leave traces; only if asked for
)

// The connections that a probe may speak on, apart from the ids of others.
const (
	OwnConnection   = "own"
	FirstConnection = "first"
	LastConnection  = "last" // of the probe Goodbye: any, at its end
)

// Greeting is the id of the probe that listens and sends nothing.
const Greeting = "greeting"

// Goodbye is the id of the probe whose bytes follow when a daemon has answered the
// goodbye at the end of a connection, and hung up: what becomes of them shows whether
// it closed its socket, as most daemons do, or only stopped to speak, as some proxies do.
const Goodbye = "goodbye"

// The layers that a probe may enter, and in which it may be asked.
const (
	LayerClear = "clear"
	LayerTLS   = "tls"
	LayerProxy = "proxy"
	LayerAny   = "any"
)

// A Set is the loaded data. It does not change after loading and may be used by
// several goroutines at once.
type Set struct {
	// ProbesVersion is the version of the first probes.yaml, for reports.
	ProbesVersion string

	Probes       []*Probe
	Signatures   []*Signature
	Imported     []*Signature // of other tools, by confidence; used if no signature names a product
	Observations []*Observation
	Stacks       []*Stack
	Proxies      []*Proxy

	probes  map[string]*Probe
	sources map[string]*userfile.Source // the files, for the lines of problems
}

// Probe returns the probe with that id, or nil.
func (s *Set) Probe(id string) *Probe { return s.probes[id] }

// A Probe is one question.
type Probe struct {
	Pos Pos

	ID  string // unique
	Why string // one line for the reader of a list

	// After must hold for the probe to be asked; empty means that it may
	// always be asked.
	After []Condition

	// Quiet is how long the port must have been silent before the probe is sent; it is
	// then sent only as long as the port stays silent. Zero means that silence does not
	// matter.
	Quiet Duration

	// Send is what is sent; "{ehlo}" stands for the name given in EHLO.
	Send []byte

	Read Read

	Safety     string // Passive, Safe or Intrusive
	Connection string // OwnConnection, FirstConnection, LastConnection or the id of a probe
	StartTLS   bool   // a positive reply is followed by a TLS handshake
	Enters     *Enters
	Layer      string // LayerClear, LayerTLS, LayerAny, or LayerProxy for another PROXY header where one was believed
	Fin        bool   // nothing more is sent on the connection behind what the probe sends

	// Close is sent before the connection is closed from our side.
	Close []byte

	// Ports are the ports on which the probe is sent before others; of the greeting,
	// those on which it is likely. Except are those on which it is never sent.
	Ports, Except []uint16
	// OnlyThere says that it is sent on no other port: what it could show elsewhere
	// is not worth a connection to every silent port.
	OnlyThere bool
	// OnlyElsewhere says that it is sent only on ports that no other probe names.
	OnlyElsewhere bool
	// FirstOn are those of the Ports on which it is asked alone and before all others,
	// without After: a daemon that is expected there answers it, and logs others as errors.
	FirstOn []uint16
}

// Binary reports whether the probe sends something that is no text: a TLS handshake, or
// bytes other than printable ones, blanks and line ends. A NUL may end text.
func (p *Probe) Binary() bool {
	if p.Enters != nil && p.Enters.Layer == LayerTLS {
		return true
	}
	return !Printable(bytes.TrimSuffix(p.Send, []byte{0}))
}

// Printable reports whether what is sent or received is text in ASCII.
func Printable(b []byte) bool {
	for _, c := range b {
		if (c < ' ' || c > '~') && c != '\t' && c != '\r' && c != '\n' {
			return false
		}
	}
	return true
}

// Read says when a reply is complete, and how long to wait for it.
type Read struct {
	// Until is "greeting", "line", "reply", "tagged", "dot", "blank", "bytes" or "close".
	Until string
	// Wait is the maximum wait, from 1 ms to 60 s. The caller adds the round-trip time.
	Wait Duration
}

// Enters says that a probe opens a layer inside of which the whole dialogue starts
// again.
type Enters struct {
	Layer string   // LayerTLS or LayerProxy
	Reply *Pattern // what shows that it worked; nil for TLS
}

// A Signature names a daemon by its exchanges.
type Signature struct {
	Pos Pos

	ID         string
	Product    string // "" if only the protocol is known
	Protocol   string
	Role       result.Role
	Confidence int // 1 to 10

	// ProductConfidence, from 1 to Confidence, is the confidence in the product if a
	// program that somebody wrote may behave alike, which speaks the same protocol;
	// 0 if it is Confidence.
	ProductConfidence int

	When    []Condition // all must hold
	Extract []Condition // the matching ones yield further values
	Through []Condition // how the product is recognized behind a proxy

	// Behind lists the exchanges that describe the next hop of a transparent
	// proxy; empty for everything else.
	Behind []string

	Alternatives []string
	CPE          string
	Constants    map[string]string // values that no pattern captures, by the name of a group
	Source       string
	Examples     []Example

	// Imported names the tool from whose files it was made, "recog" or "nmap";
	// "" for all others.
	Imported string
}

// An Observation is a behavior worth reporting, whichever daemon shows it.
type Observation struct {
	Pos Pos

	ID        string
	Shows     string
	Protocols []string // nil: any
	Products  []string // nil: any
	Versioned bool     // only if the version was read from the wire
	Idle      bool     // send nothing for it
	When      []Condition
}

// About reports whether the observation is one about daemons of this protocol and
// product.
func (o *Observation) About(protocol, product string) bool {
	return o.Speaks(protocol) &&
		(o.Products == nil || slices.ContainsFunc(o.Products, func(p string) bool { return strings.HasPrefix(product, p) }))
}

// Speaks reports whether the observation is one about daemons of this protocol.
func (o *Observation) Speaks(protocol string) bool {
	return o.Protocols == nil || slices.Contains(o.Protocols, protocol)
}

// A Stack is a set of software that is installed together.
type Stack struct {
	Pos Pos

	Name     string
	Ports    []uint16
	Products []string
	// Least is how many of the ports and products must be there.
	Least int
}

// An Example is a recorded dialogue and the expected result of a signature.
type Example struct {
	Pos Pos

	File string // the transcript file, "" if it is inline
	Seen Transcript
	Want map[string]string
}
