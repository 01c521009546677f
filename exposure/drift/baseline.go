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

// The values of the schema fields in the first line of a baseline.
const (
	Schema        = "mxsweep.baseline"
	SchemaVersion = "1.1"
)

// schemaVersion0 is the version of files without confidences and suppressed
// findings.
const schemaVersion0 = "1.0"

// A Header records the conditions under which a baseline was created. It is the
// first line of the file.
type Header struct {
	Schema        string    `json:"schema"`
	SchemaVersion string    `json:"schema_version"`
	Created       time.Time `json:"created"`
	Vantage       string    `json:"vantage"`
	ScopeSHA256   string    `json:"scope_sha256,omitempty"`
	Ports         string    `json:"ports"` // as scope.FormatPorts writes them

	// Carried is set if some findings were carried forward from an earlier
	// baseline, so that not all were seen when this one was created.
	Carried bool `json:"carried,omitempty"`
}

// An Entry is one known finding: one line of the file. The line stays the same,
// byte for byte, as long as nothing about the finding changes.
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

	// Listener is the name of the listener in the file Host, "" for a port that was
	// scanned.
	Listener string `json:"listener,omitempty"`

	// DependsOn are the other files that the finding depends on, such as the one that
	// publishes the port: without them a run cannot tell that it is fixed. Only findings
	// about settings have some, and at most maxDependsOn.
	DependsOn []string `json:"depends_on,omitempty"`

	// Addresses are all addresses of Host with the finding; nil if IP is the only
	// one.
	Addresses []netip.Addr `json:"addresses,omitempty"`

	// Confidence, from 0 to 10, is the confidence with which the service was
	// identified, and Method the method; nil if not known, as in files of version
	// 1.0.
	Confidence *int          `json:"confidence,omitempty"`
	Method     result.Method `json:"method,omitempty"`

	// Status is "" for an open finding, and says how another one was suppressed.
	// Acceptance is the id of the acceptance that did it.
	Status     result.Status `json:"status,omitempty"`
	Acceptance string        `json:"acceptance,omitempty"`

	FirstSeen time.Time `json:"first_seen"`

	// LastSeen is when a finding that was carried forward was last seen; nil if
	// only the time of the header is known.
	LastSeen *time.Time `json:"last_seen,omitempty"`
}

// target returns address and port.
func (e *Entry) target() netip.AddrPort { return netip.AddrPortFrom(e.IP, e.Port) }

// AllAddresses returns all addresses with the finding.
func (e *Entry) AllAddresses() []netip.Addr {
	if len(e.Addresses) > 0 {
		return e.Addresses
	}
	return []netip.Addr{e.IP}
}

// On reports whether the selector matches a host, or the file, with the finding.
func (e *Entry) On(hosts policy.Selector) bool {
	if hosts.OfFiles() {
		return e.Listener != "" && hosts.MatchesFile(e.Host)
	}
	return slices.ContainsFunc(e.AllAddresses(), func(a netip.Addr) bool { return hosts.Matches(a, e.Host) })
}

// id returns the id that the entry has if host identifies its host.
func (e *Entry) id(host string) string {
	return exposure.FindingID(e.Rule, host, e.Port, e.Vantage)
}

// ownID returns the id of an entry of a file; "" for others.
func (e *Entry) ownID() string {
	if e.Listener == "" {
		return ""
	}
	return exposure.ListenerFindingID(e.Rule, e.Host, e.Listener, e.Vantage)
}

// byName reports whether the name identifies the host in the entry's id.
func (e *Entry) byName() bool { return e.Host != "" && e.ID == e.id(e.Host) }

// A Baseline is the findings of an earlier run.
type Baseline struct {
	Header
	Entries []Entry // sorted by address, port, rule and vantage

	// SHA256 is the lower-case hex hash of the file that was read, "" if the
	// baseline was not read from a file.
	SHA256 string
}

// EntryOf returns the entry for a finding. An unverified finding keeps the time
// at which it was last seen.
func EntryOf(f *exposure.Violation) Entry {
	certainty := f.Certainty
	e := Entry{ID: f.ID, Severity: f.Severity, IP: f.Target.Addr().Unmap(), Port: f.Target.Port(), Protocol: "tcp",
		Vantage: f.Vantage, Host: f.Host, Addresses: f.Addresses, Service: f.Service, Product: f.Product,
		Confidence: &certainty, Method: f.Method, FirstSeen: second(f.FirstSeen)}
	if f.Rule != nil {
		e.Rule = f.Rule.ID
	}
	if f.Listener != nil {
		e.Listener = f.Listener.Name
		e.DependsOn = dependsOn(f)
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

// maxDependsOn bounds the length of the line of an entry.
const maxDependsOn = 8

// dependsOn returns the files beside its own that a finding about a setting depends on.
func dependsOn(f *exposure.Violation) []string {
	if f.Rule == nil || !f.Rule.OfSetting() {
		return nil
	}
	var list []string
	for _, c := range f.Listener.Causes {
		if c.Anchor != nil && c.Anchor.File != f.Host && !slices.Contains(list, c.Anchor.File) && len(list) < maxDependsOn {
			list = append(list, c.Anchor.File)
		}
	}
	return list
}

// second truncates a time to seconds, in UTC, so that files are easy to read.
func second(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }

// lastSeen returns when the finding of an entry was last seen for certain.
func (b *Baseline) lastSeen(e *Entry) time.Time {
	switch {
	case e.LastSeen != nil:
		return *e.LastSeen
	case b.Carried:
		return e.FirstSeen
	}
	return b.Created
}

// NewBaseline returns a baseline of the findings of a run. old is the baseline
// that the run was compared with, nil if there is none: findings in it that the
// run could not verify are carried forward, byte for byte. Fixed ones are left
// out, and so are findings that rest on a weaker identification than in old. It
// fills in the schema fields of the header.
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

// renew returns the entry of an unchanged finding. If the old entry has a more
// confident identification, that is kept.
func (e *Entry) renew(f *exposure.Violation) Entry {
	now := EntryOf(f)
	if e.moreConfident(f.Certainty, f.Product) {
		now.Service, now.Product, now.Confidence, now.Method = e.Service, e.Product, e.Confidence, e.Method
	}
	return now
}

// BaselineOf returns a baseline of entries; of several with the same id the first
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
	return cmp.Or(a.IP.Compare(b.IP), cmp.Compare(a.Port, b.Port), cmp.Compare(a.Rule, b.Rule), cmp.Compare(a.Vantage, b.Vantage),
		cmp.Compare(a.Host, b.Host), cmp.Compare(a.Listener, b.Listener))
}

// Encode returns the file: the header and one line for each entry.
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

// MaxSize is the maximum size of a baseline file, in bytes: enough for 100,000
// findings.
const MaxSize = 64 << 20

// Prune removes the entries for which keep returns false, and returns them.
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

// A Change is one entry that differs between two baselines. Before is nil for an
// added finding, After for a removed one.
type Change struct {
	Before, After *Entry
}

// Diff compares two baselines and returns the changes in the order of their
// entries. It ignores when findings were first or last seen.
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

// either returns After, or Before if After is nil.
func (c Change) either() *Entry {
	if c.After != nil {
		return c.After
	}
	return c.Before
}

// same reports whether two entries have the same content, except for times.
func (e *Entry) same(o *Entry) bool {
	return e.Severity == o.Severity && e.Service == o.Service && e.Product == o.Product &&
		e.Status == o.Status && e.Acceptance == o.Acceptance
}
