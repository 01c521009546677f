package main

import (
	"bytes"
	"net/netip"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/result"
)

// TestBaselineDiffShowsWhy checks that the lines of a changed finding differ,
// whatever changed.
func TestBaselineDiffShowsWhy(t *testing.T) {
	whole := drift.Entry{ID: "1", Rule: "MXS1001", Severity: result.SeverityHigh, IP: netip.MustParseAddr("192.0.2.1"), Port: 10024, Protocol: "tcp",
		Vantage: "internet", Service: "smtp", Product: "amavisd-new", FirstSeen: time.Unix(0, 0)}
	line := func(e drift.Entry) string {
		var b bytes.Buffer
		baselineTable(&b, "", "internet", []drift.Entry{e})
		return b.String()
	}
	for name, change := range map[string]func(*drift.Entry){
		"severity":   func(e *drift.Entry) { e.Severity = result.SeverityLow },
		"product":    func(e *drift.Entry) { e.Product = "" },
		"service":    func(e *drift.Entry) { e.Service = "lmtp" },
		"status":     func(e *drift.Entry) { e.Status = result.StatusAccepted },
		"acceptance": func(e *drift.Entry) { e.Status, e.Acceptance = result.StatusAccepted, "AR-1" },
		"vantage":    func(e *drift.Entry) { e.ID, e.Vantage = "2", "lan" },
	} {
		other := whole
		change(&other)
		changes := drift.Diff(&drift.Baseline{Entries: []drift.Entry{whole}}, &drift.Baseline{Entries: []drift.Entry{other}})
		if len(changes) == 0 || line(whole) == line(other) {
			t.Errorf("%s: %d changes, and the line is %q", name, len(changes), line(other))
		}
	}
}
