package drift

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"net/netip"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/result"
)

// The schema words of a baseline's first line.
const (
	Schema        = "mxsweep.baseline"
	SchemaVersion = "1.1"
)

// schemaVersion0 is the version of files that hold neither how surely a
// service was named nor which findings were suppressed.
const schemaVersion0 = "1.0"

// A Header says under which conditions a baseline was taken. It is the
// first line of the file.
type Header struct {
	Schema        string    `json:"schema"`
	SchemaVersion string    `json:"schema_version"`
	Created       time.Time `json:"created"`
	Vantage       string    `json:"vantage"`
	ScopeSHA256   string    `json:"scope_sha256,omitempty"`
	Ports         string    `json:"ports"` // as scope.FormatPorts writes them

	// Carried says that some findings were carried forward from an earlier
	// baseline, so that not all were seen when this one was created.
	Carried bool `json:"carried,omitempty"`
}

// An Entry is one known finding: one line of the file. A line stays the
// same, byte for byte, as long as nothing about the finding changes.
type Entry struct {
	ID       string          `json:"id"`
	Rule     string          `json:"rule"`
	Severity result.Severity `json:"severity"`
	IP       netip.Addr      `json:"ip"`
	Port     uint16          `json:"port"`
	Protocol string          `json:"protocol"` // "tcp"
	Vantage  string          `json:"vantage"`
	Host     string          `json:"host,omitempty"`
	Service  string          `json:"service,omitempty"`
	Product  string          `json:"product,omitempty"`

	// Addresses are all addresses of Host with the finding; nil where IP is the
	// only one.
	Addresses []netip.Addr `json:"addresses,omitempty"`

	// Confidence, from 0 to 10, is how surely the service was named, and Method
	// how; nil in files of version 1.0, which do not say.
	Confidence *int          `json:"confidence,omitempty"`
	Method     result.Method `json:"method,omitempty"`

	// Status is "" for a finding that stood, and says what suppressed one that
	// did not. Acceptance is the id of the acceptance that did.
	Status     result.Status `json:"status,omitempty"`
	Acceptance string        `json:"acceptance,omitempty"`

	FirstSeen time.Time `json:"first_seen"`

	// LastSeen is when a finding that was carried forward was last seen; nil
	// where that is not known better than by the header.
	LastSeen *time.Time `json:"last_seen,omitempty"`
}

// target gives address and port.
func (e *Entry) target() netip.AddrPort { return netip.AddrPortFrom(e.IP, e.Port) }

// AllAddresses gives all addresses with the finding.
func (e *Entry) AllAddresses() []netip.Addr {
	if len(e.Addresses) > 0 {
		return e.Addresses
	}
	return []netip.Addr{e.IP}
}

// On reports whether the selector names a host with the finding.
func (e *Entry) On(hosts policy.Selector) bool {
	return slices.ContainsFunc(e.AllAddresses(), func(a netip.Addr) bool { return hosts.Matches(a, e.Host) })
}

// id gives the id that the entry has where host stands for its host.
func (e *Entry) id(host string) string {
	return exposure.FindingID(e.Rule, host, e.Port, e.Vantage)
}

// byName reports whether the name stands for the host in the entry's id.
func (e *Entry) byName() bool { return e.Host != "" && e.ID == e.id(e.Host) }

// A Baseline is what was found before.
type Baseline struct {
	Header
	Entries []Entry // sorted by address, port, rule and vantage

	// SHA256 is the lower-case hex hash of the file that was read, "" for one
	// that was made.
	SHA256 string
}

// EntryOf makes the line of a finding. An unverified finding keeps the time at
// which it was last seen.
func EntryOf(f *exposure.Violation) Entry {
	certainty := f.Certainty
	e := Entry{ID: f.ID, Severity: f.Severity, IP: f.Target.Addr().Unmap(), Port: f.Target.Port(), Protocol: "tcp",
		Vantage: f.Vantage, Host: f.Host, Addresses: f.Addresses, Service: f.Service, Product: f.Product,
		Confidence: &certainty, Method: f.Method, FirstSeen: second(f.FirstSeen)}
	if f.Rule != nil {
		e.Rule = f.Rule.ID
	}
	if f.Drift == result.DriftUnverified {
		last := second(f.LastSeen)
		e.LastSeen = &last
	}
	if f.Status != result.StatusOpen {
		e.Status = f.Status
	}
	if f.Acceptance != nil {
		e.Acceptance = f.Acceptance.ID
	}
	return e
}

// second drops fractions and the zone, so that files are easy to read.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// lastSeen gives when the finding of an entry was last seen for sure.
func (b *Baseline) lastSeen(e *Entry) time.Time {
	switch {
	case e.LastSeen != nil:
		return *e.LastSeen
	case b.Carried:
		return e.FirstSeen
	}
	return b.Created
}

// NewBaseline makes a baseline of the findings of a run. Old is the baseline
// that the run was compared with, nil if there is none: its findings that the
// run could not verify are carried forward, byte for byte. The fixed ones are
// left out, and so is what the run saw less surely than before. The schema
// fields of the header are filled in.
func NewBaseline(h Header, old *Baseline, findings []exposure.Violation) *Baseline {
	known := map[string]*Entry{}
	if old != nil {
		h.Carried = old.Carried
		for i := range old.Entries {
			known[old.Entries[i].ID] = &old.Entries[i]
		}
	}
	var entries []Entry
	for i := range findings {
		f := &findings[i]
		before := known[f.ID]
		switch {
		case f.Drift == result.DriftFixed:
		case f.Drift == result.DriftUnverified && before != nil:
			h.Carried = true
			entries = append(entries, *before)
		case f.Drift == result.DriftUnverified && !f.Carried:
		case f.Drift == result.DriftUnchanged && before != nil:
			entries = append(entries, before.renew(f))
		default:
			entries = append(entries, EntryOf(f))
		}
	}
	return BaselineOf(h, entries)
}

// renew makes the line of a finding that is unchanged. What the baseline knew
// more surely of the service stays.
func (e *Entry) renew(f *exposure.Violation) Entry {
	now := EntryOf(f)
	if e.surer(f.Certainty, f.Product) {
		now.Service, now.Product, now.Confidence, now.Method = e.Service, e.Product, e.Confidence, e.Method
	}
	return now
}

// BaselineOf makes a baseline of entries; of two with the same id the first
// counts.
func BaselineOf(h Header, entries []Entry) *Baseline {
	h.Schema, h.SchemaVersion, h.Created = Schema, SchemaVersion, second(h.Created)
	b := &Baseline{Header: h}
	seen := map[string]bool{}
	for _, e := range entries {
		if !seen[e.ID] {
			seen[e.ID] = true
			b.Entries = append(b.Entries, e)
		}
	}
	slices.SortStableFunc(b.Entries, compareEntries)
	return b
}

// compareEntries orders the lines of a baseline.
func compareEntries(a, b Entry) int {
	return cmp.Or(a.IP.Compare(b.IP), cmp.Compare(a.Port, b.Port), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Vantage, b.Vantage))
}

// Encode gives the file: the header and one line for each entry.
func (b *Baseline) Encode() ([]byte, error) {
	var out bytes.Buffer
	enc := json.NewEncoder(&out)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(b.Header); err != nil {
		return nil, fmt.Errorf("encoding the baseline's header: %w", err)
	}
	for i := range b.Entries {
		if err := enc.Encode(&b.Entries[i]); err != nil {
			return nil, fmt.Errorf("encoding finding %q: %w", b.Entries[i].ID, err)
		}
	}
	return out.Bytes(), nil
}

// MaxSize is the largest baseline that is read, in bytes: enough for 100,000
// findings.
const MaxSize = 64 << 20

// Prune drops the entries that keep refuses and gives them back.
func (b *Baseline) Prune(keep func(*Entry) bool) (dropped []Entry) {
	b.Entries = slices.DeleteFunc(b.Entries, func(e Entry) bool {
		if keep(&e) {
			return false
		}
		dropped = append(dropped, e)
		return true
	})
	return dropped
}

// A Change is one line that differs between two baselines. Before is
// nil for a finding that came, After for one that went.
type Change struct {
	Before, After *Entry
}

// Diff compares two baselines, in the order of their lines. When a
// finding was first or last seen makes no difference.
func Diff(before, after *Baseline) []Change {
	var list []Change
	old := map[string]*Entry{}
	for i := range before.Entries {
		old[before.Entries[i].ID] = &before.Entries[i]
	}
	for i := range after.Entries {
		e := &after.Entries[i]
		b := old[e.ID]
		delete(old, e.ID)
		if b == nil || !b.same(e) {
			list = append(list, Change{Before: b, After: e})
		}
	}
	for _, b := range old {
		list = append(list, Change{Before: b})
	}
	slices.SortFunc(list, func(a, b Change) int { return compareEntries(*a.either(), *b.either()) })
	return list
}

// either gives the side that is there.
func (c Change) either() *Entry {
	if c.After != nil {
		return c.After
	}
	return c.Before
}

// same reports whether what was seen is the same.
func (e *Entry) same(o *Entry) bool {
	return e.Severity == o.Severity && e.Service == o.Service && e.Product == o.Product &&
		e.Status == o.Status && e.Acceptance == o.Acceptance
}
