// Package saved reads runs back that were written as json or jsonl, makes baselines
// of them, and one run of several.
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

// A RunFile is a saved run, read back: what a baseline needs of it, or all. It implements
// [format.Writer].
type RunFile struct {
	File     string // as it was named
	Record   result.Run
	Findings []result.Finding
	Summary  result.Summary

	rules    *exposure.RuleSet // of this program
	tool     result.Tool
	ports    []*result.Port  // kept if whole is set
	notices  []result.Notice // likewise
	whole    bool            // all is kept, not only what a baseline needs
	services map[netip.AddrPort]savedService
	texts    sameTexts // of all its records
	cut      string    // where it is cut short, "" if it is not
}

// A savedService is what a baseline keeps of a service.
type savedService struct {
	protocol, product string
	method            result.Method
	confidence        int
}

// read plays a saved run.
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
	r.services[pairOf(&p)] = pair
	return nil
}

// up gives the addresses of which the run had a packet, as far as its records tell:
// the run must be a whole one.
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

// Lacks says why the run does not hold all that it was to find, "" if it does.
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

// Baseline makes a baseline of the run. Old is the one that the run was
// compared with, nil if there is none.
func (r *RunFile) Baseline(old *drift.Baseline) *drift.Baseline {
	return drift.NewBaseline(r.header(), old, r.judged())
}

// known makes a baseline of the run to compare another one with. Unlike one that
// is written, it knows what was fixed.
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

// header says under which conditions the run was made.
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

// judged gives the findings of the run as the judge made them.
func (r *RunFile) judged() []exposure.Violation {
	list := make([]exposure.Violation, 0, len(r.Findings))
	for i := range r.Findings {
		list = append(list, r.finding(&r.Findings[i]))
	}
	return list
}

// finding makes a finding of its written form.
func (r *RunFile) finding(w *result.Finding) exposure.Violation {
	target := netip.AddrPortFrom(w.IP.Unmap(), w.Port)
	service := r.services[target]
	f := exposure.Violation{
		ID: w.ID, GroupID: w.GroupID, Rule: r.rule(w), Title: w.Title, Severity: w.Severity, Score: w.Score,
		Target: target, Host: w.Host, Aliases: w.Aliases, Vantage: r.vantageOf(w, target), Reachability: w.Reachability,
		Service: service.protocol, Product: service.product, Method: service.method,
		Confidence: w.Confidence, Evidence: w.Evidence, Remediation: w.Remediation, Fixes: w.Fixes, Tags: w.Tags,
		Status: w.Status, Drift: w.Drift,
		Anchor: w.Anchor, PolicyAnchor: w.PolicyAnchor,
		FirstSeen: w.FirstSeen.Time, LastSeen: w.LastSeen.Time, Acceptance: w.Acceptance,
	}
	if f.Drift == result.DriftFixed {
		f.Status = result.StatusFixed // earlier versions called it open
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

// rule is the rule of a finding: the one that this program has, else what the
// run tells of it.
func (r *RunFile) rule(w *result.Finding) *exposure.Rule {
	if rule := r.rules.Lookup(w.Rule); rule != nil {
		return rule
	}
	return &exposure.Rule{RuleInfo: result.RuleInfo{ID: w.Rule, Title: w.Title, Severity: w.Severity, Score: w.Score, CWE: w.CWE, References: w.References, Tags: w.Tags}}
}

// vantageOf is where a finding was seen from. Runs of the first version do not
// say it of each: there, the id tells whether it is the host itself.
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

// newServices is an empty table of services.
func newServices() map[netip.AddrPort]savedService { return make(map[netip.AddrPort]savedService) }

// serviceOf is a service as its record tells it; nil of none.
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
