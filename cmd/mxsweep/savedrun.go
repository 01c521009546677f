package main

import (
	"fmt"
	"io"
	"net/netip"

	"mxsweep/exposure"
	"mxsweep/report"
)

// A savedRun is a run read back: what a baseline needs of it. It implements
// [report.Writer].
type savedRun struct {
	run      report.Run
	findings []report.Finding
	services map[netip.AddrPort]servicePair
	summary  report.Summary
}

// A servicePair is what a baseline keeps of a service.
type servicePair struct{ protocol, product string }

// read plays a saved run.
func (r *savedRun) read(in io.Reader) error {
	_, err := report.Reader{}.Replay(in, r)
	return err
}

// Start implements [report.Writer].
func (r *savedRun) Start(_ report.Tool, run report.Run) error {
	r.run = run
	return nil
}

// Port implements [report.Writer].
func (r *savedRun) Port(p report.Port) error {
	addr, err := netip.ParseAddr(p.IP)
	if err != nil || p.Service == nil {
		return nil // a port without a service tells nothing that is kept
	}
	pair := servicePair{p.Service.Name, p.Service.Product}
	if p.Service.Product != "" && p.Service.Version != "" {
		pair.product += " " + p.Service.Version
	}
	r.services[netip.AddrPortFrom(addr.Unmap(), p.Port)] = pair
	return nil
}

// Finding implements [report.Writer].
func (r *savedRun) Finding(f report.Finding) error {
	r.findings = append(r.findings, f)
	return nil
}

// Notice implements [report.Writer].
func (r *savedRun) Notice(report.Notice) error { return nil }

// End implements [report.Writer].
func (r *savedRun) End(run report.Run, s report.Summary) error {
	r.run, r.summary = run, s
	return nil
}

// baseline makes a baseline of the run: its findings, those that could not be
// verified carried forward as they stand in old, those that are fixed left out.
// Old may be nil.
func (r *savedRun) baseline(old *exposure.Baseline) (*exposure.Baseline, error) {
	known := make(map[string]exposure.BaselineEntry)
	if old != nil {
		for _, e := range old.Entries {
			known[e.ID] = e
		}
	}
	var entries []exposure.BaselineEntry
	for i := range r.findings {
		f := &r.findings[i]
		if f.Drift == string(exposure.DriftFixed) {
			continue
		}
		e, err := r.entry(f)
		if err != nil {
			return nil, err
		}
		if carried, ok := known[f.ID]; ok && f.Drift == string(exposure.DriftUnverified) {
			carried.LastSeen = e.LastSeen
			e = carried
		}
		entries = append(entries, e)
	}
	created := r.run.EndTime.Time
	if created.IsZero() {
		created = r.run.StartTime.Time
	}
	return exposure.BaselineOf(exposure.BaselineHeader{
		Created: created, Vantage: r.run.Vantage,
		ScopeSHA256: r.run.Scope.SHA256, Ports: r.run.Scope.Ports,
	}, entries), nil
}

// entry is the line of a finding.
func (r *savedRun) entry(f *report.Finding) (exposure.BaselineEntry, error) {
	severity, err := exposure.ParseSeverity(f.Severity)
	if err != nil {
		return exposure.BaselineEntry{}, err
	}
	addr, err := netip.ParseAddr(f.IP)
	if err != nil {
		return exposure.BaselineEntry{}, fmt.Errorf("reading finding %q: %w", f.ID, err)
	}
	target := netip.AddrPortFrom(addr.Unmap(), f.Port)
	service := r.services[target]
	e := exposure.BaselineEntry{
		ID: f.ID, Rule: f.Rule, Severity: severity, IP: target.Addr(), Port: f.Port, Protocol: f.Protocol,
		Vantage: r.vantageOf(f, target), Host: f.Host, Service: service.protocol, Product: service.product,
		FirstSeen: f.FirstSeen.Time,
	}
	if f.Drift == string(exposure.DriftUnverified) {
		last := f.LastSeen.Time
		e.LastSeen = &last
	}
	return e, nil
}

// vantageOf is where a finding was seen from. A run knows one vantage point,
// but its own machine's addresses are seen from the host; the id tells which.
func (r *savedRun) vantageOf(f *report.Finding, target netip.AddrPort) string {
	host := string(exposure.ClassHost)
	if exposure.FindingID(f.Rule, target, host) == f.ID {
		return host
	}
	return r.run.Vantage
}
