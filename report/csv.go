package report

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// csvColumns are the columns; later versions only append some.
var csvColumns = []string{
	"severity", "score", "rule", "title", "ip", "host", "port", "protocol", "state",
	"service", "product", "version", "role", "behind", "status", "drift", "verdict", "confidence",
	"remediation", "evidence", "first_seen", "last_seen", "file", "line",
	"accepted_until", "accepted_by", "accepted_why", "finding_id",
	"reason", "inconclusive", "refusal", "reachability",
	"why", "cwe", "references",
	"named_by",
}

// csvWriter writes one row for each finding, and one without a rule for each
// reported port that has none (RFC 4180). A row before them reports that the
// coverage was too low, if it was.
type csvWriter struct {
	view.Collector
	w    io.Writer
	only string
}

func newCSV(w io.Writer, o format.Options) format.Writer { return &csvWriter{w: w, only: o.Only} }

// End implements [format.Writer].
func (c *csvWriter) End(r result.Run, s result.Summary) error {
	c.Finish(r)
	w := csv.NewWriter(c.w)
	w.UseCRLF = true // RFC 4180, Section 2.1
	if err := w.Write(csvColumns); err != nil {
		return err
	}
	if s.Partial() {
		f := result.Finding{Title: words.Sentence(c.Brief(s).Verdict()), Verdict: result.Verdict(result.GateIncomplete)}
		if err := w.Write(csvRow(&f, nil, "")); err != nil {
			return err
		}
	}
	ports, found := c.ByPlace(), c.FindingsByPlace()
	why := make(map[string]string)
	for i := range c.Run.Rules {
		why[c.Run.Rules[i].ID] = strings.Join(strings.Fields(c.Run.Rules[i].Why), " ")
	}
	for i := range c.Findings {
		f := &c.Findings[i]
		if !view.Shows(f, c.only) {
			continue
		}
		if err := w.Write(csvRow(f, ports[view.FindingPlace(f)], why[f.Rule])); err != nil {
			return err
		}
	}
	for i := range c.Ports {
		p := &c.Ports[i]
		if c.only != "" || len(found[view.PortPlace(p)]) > 0 {
			continue
		}
		f := result.Finding{IP: p.IP, Host: p.Host, Port: p.Port, Protocol: p.Protocol, Anchor: p.Anchor, NamedBy: p.NamedBy}
		if err := w.Write(csvRow(&f, p, "")); err != nil {
			return err
		}
	}
	w.Flush()
	return w.Error()
}

// csvRow returns the row of a finding, its port (nil if the run did not see it),
// and why the finding matters.
func csvRow(f *result.Finding, p *result.Port, why string) []string {
	row := make(map[string]string, len(csvColumns))
	row["severity"], row["rule"], row["title"] = f.Severity.String(), f.Rule, f.Title
	row["host"] = f.Host
	row["ip"], row["port"], row["protocol"] = view.Endpoint(f)
	row["status"], row["drift"], row["verdict"] = string(f.Status), string(f.Drift), string(f.Verdict)
	row["state"], row["named_by"] = string(f.State), strings.Join(f.NamedBy, "; ")
	row["remediation"] = strings.ReplaceAll(f.Remediation, "\n", " | ")
	row["evidence"] = strings.Join(f.Evidence, "; ")
	row["first_seen"], row["last_seen"], row["finding_id"] = f.FirstSeen.String(), f.LastSeen.String(), f.ID
	row["why"], row["references"] = why, strings.Join(f.References, " ")
	for i, n := range f.CWE {
		row["cwe"] += map[bool]string{true: "CWE-", false: " CWE-"}[i == 0] + strconv.Itoa(n)
	}
	if f.Rule != "" {
		row["score"], row["confidence"] = strconv.FormatFloat(f.Score, 'f', 1, 64), strconv.Itoa(f.Confidence)
	}
	if f.Anchor != nil {
		row["file"], row["line"] = f.Anchor.File, strconv.Itoa(f.Anchor.Line)
	}
	if a := f.Acceptance; a != nil {
		row["accepted_until"], row["accepted_by"] = a.Expires.String(), a.Owner
		row["accepted_why"] = fmt.Sprintf("%s: %s", a.ID, a.Reason)
	}
	if p != nil {
		row["state"], row["reason"], row["reachability"] = string(p.State), string(p.Reason), string(p.Reachability)
		if s := p.Service; s != nil {
			row["service"], row["product"], row["version"], row["role"] = s.Name, s.KnownProduct(), s.KnownVersion(), string(s.Role)
			row["inconclusive"], row["refusal"] = string(s.Inconclusive), s.Refusal
			if s.Behind != nil {
				row["behind"] = strings.TrimSpace(s.Behind.Product + " " + s.Behind.Version)
			}
		}
	}
	cells := make([]string, len(csvColumns))
	for i, name := range csvColumns {
		cells[i] = noFormula(row[name])
	}
	return cells
}

// noFormula puts an apostrophe in front of text that a spreadsheet would evaluate
// (OWASP, CSV injection), so that it shows the text itself.
func noFormula(s string) string {
	t := strings.TrimLeft(s, " \t\r\n\"'")
	if t == "" {
		return s
	}
	if strings.ContainsAny(t[:1], "=+-@|%") {
		return "'" + s
	}
	for _, wide := range []string{"＝", "＋", "－", "＠"} { // full-width forms
		if strings.HasPrefix(t, wide) {
			return "'" + s
		}
	}
	return s
}
