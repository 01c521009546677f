package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/mxsweep/mxsweep/report/escape"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/sanitize"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// dojoFinding has only members of DefectDojo's generic findings import, which
// rejects a file with any other.
type dojoFinding struct {
	Title        string         `json:"title"`
	Severity     string         `json:"severity"`
	Description  string         `json:"description"`
	Date         string         `json:"date,omitempty"`
	CWE          int            `json:"cwe,omitempty"`
	Mitigation   string         `json:"mitigation,omitempty"`
	Impact       string         `json:"impact,omitempty"`
	References   string         `json:"references,omitempty"`
	Active       bool           `json:"active"`
	Verified     bool           `json:"verified"`
	RiskAccepted bool           `json:"risk_accepted"`
	IsMitigated  bool           `json:"is_mitigated"`
	Mitigated    string         `json:"mitigated,omitempty"`
	FilePath     string         `json:"file_path,omitempty"`
	Line         int            `json:"line,omitempty"`
	Component    string         `json:"component_name,omitempty"`
	Version      string         `json:"component_version,omitempty"`
	Static       bool           `json:"static_finding"`
	Dynamic      bool           `json:"dynamic_finding"`
	UniqueID     string         `json:"unique_id_from_tool"`
	VulnID       string         `json:"vuln_id_from_tool"`
	Service      string         `json:"service,omitempty"`
	Tags         []string       `json:"tags,omitempty"`
	Endpoints    []dojoEndpoint `json:"endpoints"`
}

type dojoEndpoint struct {
	Protocol string `json:"protocol"`
	Host     string `json:"host"`
	Port     uint16 `json:"port"`
}

// dojoWriter writes the format of DefectDojo's generic findings import.
type dojoWriter struct {
	view.Collector
	w io.Writer
}

func newDojo(w io.Writer, _ format.Options) format.Writer { return &dojoWriter{w: w} }

// End implements [format.Writer].
func (d *dojoWriter) End(r result.Run, s result.Summary) error {
	d.Finish(r)
	v := d.Brief(s)
	ports := d.ByPlace()
	out := documentWriter{w: bufio.NewWriter(d.w)}
	out.w.WriteString("{\n")
	out.member("name", "mxsweep")
	out.member("type", "mxsweep")
	out.member("version", d.Tool.Version)
	out.member("description", words.Sentence(v.Verdict())+" "+v.Provenance()+".")
	out.key("findings")
	out.list(len(d.Findings), "  ", func(i int) any {
		f := &d.Findings[i]
		return d.finding(f, v.Rule(f), ports[view.FindingPlace(f)])
	})
	out.w.WriteString("\n}\n")
	return cmp.Or(out.err, out.w.Flush())
}

// dojoSeverity returns DefectDojo's name of a severity, which is capitalized.
func dojoSeverity(s result.Severity) string {
	word := s.String()
	return strings.ToUpper(word[:1]) + word[1:]
}

func (d *dojoWriter) finding(f *result.Finding, r *result.RuleInfo, p *result.Port) dojoFinding {
	w := dojoFinding{
		Title:       sanitize.Text(fmt.Sprintf("%s on %s", f.Title, view.FindingPlace(f)), 500),
		Severity:    dojoSeverity(f.Severity),
		Description: d.description(f, p),
		Mitigation:  escape.Block(cmp.Or(f.Remediation, r.Fix)),
		Impact:      escape.Block(r.Why),
		References:  strings.Join(f.References, "\n"),
		Active:      f.Active(), Verified: f.Drift != result.DriftUnverified && f.Drift != result.DriftFixed,
		RiskAccepted: f.Status == result.StatusAccepted, IsMitigated: f.Drift == result.DriftFixed,
		Dynamic: true, UniqueID: f.ID, VulnID: f.Rule,
		Endpoints: []dojoEndpoint{{Protocol: f.Protocol, Host: cmp.Or(f.Host, f.IP.String()), Port: f.Port}},
	}
	if f.Listener != nil {
		w.Static, w.Dynamic, w.Endpoints = true, false, []dojoEndpoint{}
	}
	if !f.FirstSeen.IsZero() {
		w.Date = f.FirstSeen.UTC().Format("2006-01-02")
	}
	if w.IsMitigated {
		w.Mitigated = cmp.Or(d.Run.EndTime.String(), d.Run.StartTime.String())
	}
	if len(f.CWE) > 0 {
		w.CWE = f.CWE[0]
	}
	if f.Anchor != nil {
		w.FilePath, w.Line = f.Anchor.File, f.Anchor.Line
	}
	for _, t := range f.Tags {
		w.Tags = append(w.Tags, strings.Map(dojoTag, t))
	}
	if p != nil && p.Service != nil {
		w.Component, w.Version = p.Service.KnownProduct(), p.Service.KnownVersion()
		w.Service = p.Service.Name
	}
	return w
}

// dojoTag replaces characters that DefectDojo does not accept in a tag.
func dojoTag(r rune) rune {
	if strings.ContainsRune(" ,\"'", r) {
		return '-'
	}
	return r
}

func (d *dojoWriter) description(f *result.Finding, p *result.Port) string {
	var b strings.Builder
	fmt.Fprintf(&b, "`%s`", view.FindingPlace(f)+"/"+f.Protocol)
	if f.Host != "" {
		fmt.Fprintf(&b, " (%s)", escape.Markdown(f.Host))
	}
	if p != nil && p.Service.Label() != "" {
		fmt.Fprintf(&b, " runs **%s**", escape.Markdown(p.Service.Label()))
	}
	if f.OfRecords() {
		b.WriteString(", as the DNS says.\n")
	} else if f.Listener != nil {
		b.WriteString(", as configured.\n")
	} else {
		fmt.Fprintf(&b, ", seen from vantage %s.\n", escape.Markdown(d.Run.Vantage))
	}
	if by := view.NamedBy(f); by != "" {
		fmt.Fprintf(&b, "\nNamed by %s.\n", escape.Markdown(by))
	}
	for _, e := range f.Evidence {
		fmt.Fprintf(&b, "\n- %s", escape.Markdown(e))
	}
	if a := f.Acceptance; a != nil {
		fmt.Fprintf(&b, "\n\nAccepted until %s (%s): %s", a.Expires, escape.Markdown(a.ID), escape.Markdown(a.Reason))
	}
	return b.String()
}
