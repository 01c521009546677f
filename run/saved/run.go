// Package saved reads runs that were written as json or jsonl, makes baselines of
// them, and merges several into one.
package saved

import (
	"io"
	"net/netip"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// A RunFile is a saved run that was read: what a baseline needs of it, or all of
// it. It implements [format.Writer].
type RunFile struct {
	File     string // as named by the user
	Record   result.Run
	Findings []result.Finding
	Summary  result.Summary

	rules    *exposure.RuleSet // of this program
	tool     result.Tool
	ports    []*result.Port  // only if whole is set
	notices  []result.Notice // likewise
	whole    bool            // keeps everything, not only what a baseline needs
	services map[savedPlace]savedService
	texts    sameTexts // of all records
	cut      string    // where it was cut short, "" if it was not
}

// A savedPlace is where a service is: address and port, and of a file its name and that of
// the listener.
type savedPlace struct {
	pair           netip.AddrPort
	file, listener string
}

// placeOf returns the place of a port or a finding.
func placeOf(pair netip.AddrPort, host string, l *result.Configured) savedPlace {
	if l == nil {
		return savedPlace{pair: pair}
	}
	return savedPlace{pair, host, l.Name}
}

// A savedService is the part of a service that a baseline needs.
type savedService struct {
	protocol, product string
	method            result.Method
	confidence        int
}

// read reads a saved run.
func (r *RunFile) read(in io.Reader) error {
	_, err := report.Reader{File: r.File}.Replay(in, r)
	return err
}

// Start implements [format.Writer].
func (r *RunFile) Start(t result.Tool, run result.Run) error {
	r.tool, r.Record = t, run
	return nil
}

// Port implements [format.Writer].
func (r *RunFile) Port(p result.Port) error {
	r.texts.share(&p)
	if r.whole {
		r.ports = append(r.ports, &p)
	}
	if p.Service == nil {
		return nil // a port without a service tells nothing that is kept
	}
	pair := savedService{p.Service.Name, p.Service.KnownProduct(), p.Service.Method, p.Service.Confidence}
	if pair.product != "" && p.Service.Version != "" {
		pair.product += " " + p.Service.Version
	}
	r.services[placeOf(pairOf(&p), p.Host, p.Listener)] = pair
	return nil
}

// up returns the addresses that sent a packet during the run, as far as the
// records show; whole must be set.
func (r *RunFile) up() map[netip.Addr]bool {
	up := map[netip.Addr]bool{}
	for _, p := range r.ports {
		if p.State == result.StateOpen || p.State == result.StateClosed {
			up[p.IP.Unmap()] = true
		}
	}
	for i := range r.notices {
		n := &r.notices[i]
		if addr, err := netip.ParseAddr(n.Target); err == nil && n.Code == exposure.NoticeReferencePort {
			up[addr.Unmap()] = true
		}
	}
	return up
}

// Finding implements [format.Writer].
func (r *RunFile) Finding(f result.Finding) error {
	r.texts.share(&f)
	r.Findings = append(r.Findings, f)
	return nil
}

// Notice implements [format.Writer].
func (r *RunFile) Notice(n result.Notice) error {
	if n.Code == view.NoticeCutShort {
		r.cut = n.Message
	}
	if r.whole {
		r.notices = append(r.notices, n)
	}
	return nil
}

// End implements [format.Writer].
func (r *RunFile) End(run result.Run, s result.Summary) error {
	r.Record, r.Summary = run, s
	return nil
}

// Lacks says why the findings of the run may be incomplete, "" if they are
// complete.
func (r *RunFile) Lacks() string {
	switch {
	case r.cut != "":
		return r.cut
	case !r.Summary.Complete:
		return "The run ended early."
	case r.Summary.Incomplete || r.Summary.Gate == result.GateIncomplete:
		return "The coverage of the run is too low to rule out more findings."
	}
	return ""
}

// planUnknown reports whether the file was cut before its end, which says how many
// pairs were planned. This includes a run merged from such a file.
func (r *RunFile) planUnknown() bool {
	c := &r.Summary.Coverage
	return !r.Summary.Complete && c.Planned == 0 && c.CoverageCounts == nil
}

// Baseline returns a baseline of the run. old is the one that the run was
// compared with, nil if there is none.
func (r *RunFile) Baseline(old *drift.Baseline) *drift.Baseline {
	return drift.NewBaseline(r.header(), old, r.judged())
}

// known returns a baseline of the run for comparison with another run. Unlike one
// that is written to a file, it has the fixed findings.
func (r *RunFile) known() *drift.Baseline {
	findings := r.judged()
	b := drift.NewBaseline(r.header(), nil, findings)
	for i := range findings {
		if findings[i].Status == result.StatusFixed {
			b.Entries = append(b.Entries, drift.EntryOf(&findings[i]))
		}
	}
	return drift.BaselineOf(b.Header, b.Entries)
}

// header returns the conditions of the run.
func (r *RunFile) header() drift.Header {
	created := r.Record.EndTime.Time
	if created.IsZero() {
		created = r.Record.StartTime.Time
	}
	return drift.Header{
		Created: created, Vantage: r.Record.Vantage,
		ScopeSHA256: r.Record.Scope.SHA256, Ports: r.Record.Scope.Ports,
	}
}

// judged returns the findings of the run in the form of the judge.
func (r *RunFile) judged() []exposure.Violation {
	list := make([]exposure.Violation, 0, len(r.Findings))
	for i := range r.Findings {
		list = append(list, r.finding(&r.Findings[i]))
	}
	return list
}

// finding converts a finding of a report.
func (r *RunFile) finding(w *result.Finding) exposure.Violation {
	target := netip.AddrPortFrom(w.IP.Unmap(), w.Port)
	service := r.services[placeOf(target, w.Host, w.Listener)]
	f := exposure.Violation{
		ID: w.ID, GroupID: w.GroupID, Rule: r.rule(w), Title: w.Title, Severity: w.Severity, Score: w.Score,
		Target: target, Host: w.Host, Aliases: w.Aliases, Vantage: r.vantageOf(w, target), Reachability: w.Reachability,
		Service: service.protocol, Product: service.product, Method: service.method,
		Confidence: w.Confidence, Evidence: w.Evidence, Remediation: w.Remediation, Fixes: w.Fixes, Tags: w.Tags,
		Status: w.Status, Drift: w.Drift,
		Anchor: w.Anchor, PolicyAnchor: w.PolicyAnchor, Listener: w.Listener, NamedBy: w.NamedBy, PortState: w.State,
		FirstSeen: w.FirstSeen.Time, LastSeen: w.LastSeen.Time, Acceptance: w.Acceptance,
	}
	if f.Drift == result.DriftFixed {
		f.Status = result.StatusFixed // earlier versions wrote open
	}
	f.Carried = f.Drift == result.DriftFixed || f.Drift == result.DriftUnverified && w.LastSeen.Before(r.Record.StartTime.Time)
	if f.Certainty = service.confidence; w.Certainty != nil {
		f.Certainty = *w.Certainty
	}
	if f.GroupID == "" {
		f.GroupID = exposure.GroupID(w.Rule, w.IP.String(), w.Port) // a run of the first version
	}
	for _, a := range w.Addresses {
		f.Addresses = append(f.Addresses, a.Unmap())
	}
	return f
}

// rule returns the rule of a finding: that of this program, otherwise what the
// run says about it.
func (r *RunFile) rule(w *result.Finding) *exposure.Rule {
	if rule := r.rules.Lookup(w.Rule); rule != nil {
		return rule
	}
	return &exposure.Rule{RuleInfo: result.RuleInfo{ID: w.Rule, Title: w.Title, Severity: w.Severity, Score: w.Score, CWE: w.CWE, References: w.References, Tags: w.Tags}}
}

// vantageOf returns the vantage point of a finding. Runs of the first version do
// not record it per finding: there, the id shows whether it is the host itself.
func (r *RunFile) vantageOf(f *result.Finding, target netip.AddrPort) string {
	host := string(exposure.ClassHost)
	switch {
	case f.Vantage != "":
		return f.Vantage
	case exposure.FindingID(f.Rule, target.Addr().String(), f.Port, host) == f.ID:
		return host
	}
	return r.Record.Vantage
}

// newServices returns an empty table of services.
func newServices() map[savedPlace]savedService { return make(map[savedPlace]savedService) }

// serviceOf converts the service of a record; nil for nil.
func serviceOf(w *result.Service) *fingerprint.Identification {
	if w == nil {
		return nil
	}
	return &fingerprint.Identification{
		Service: result.Service{
			Name:         w.Name,
			Product:      w.Product,
			Version:      w.Version,
			Role:         w.Role,
			Expected:     w.Expected,
			Tunnel:       w.Tunnel,
			Method:       w.Method,
			Confidence:   w.Confidence,
			Observations: w.Observations,
			Inconclusive: w.Inconclusive,
		},
	}
}
