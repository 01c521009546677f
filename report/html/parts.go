package html

import (
	"cmp"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/report/escape"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// maxMatrix is the maximum number of hosts in the matrix, those with the most
// severe findings first.
const maxMatrix = 500

// maxColumns is the number of ports that fit side by side on a page.
const maxColumns = 14

type htmlRule struct {
	ID, Title, Severity, Brief string
	Score                      string
	CWE                        []int
	Why                        []escape.Span
	Fix                        *htmlBlock
	References                 []string
	Places                     []htmlPlace
}

// Count returns the number of ports that break the rule, with its unit.
func (r htmlRule) Count() string { return wording.Plural(len(r.Places), "port") }

type htmlPlace struct {
	ID, At, Name, Drift, Verdict, Says string
	Fix                                *htmlBlock
	Enters                             string // where in the mail path, a sentence
	By                                 string // the paths from the domains of the run
	bare                               bool   // without evidence
	Seen                               []string
	htmlEvidence
}

type htmlResolved struct{ ID, At, Name, Rule, Title, Severity, Why string }

type htmlMatrix struct {
	Tables []htmlTable
	Left   int // number of hosts that are omitted
}

type htmlTable struct {
	Ports []uint16
	Rows  []htmlRow
}

type htmlRow struct {
	Label string
	Name  string
	Cells []htmlCell
}

type htmlCell struct{ Mark, Class, Severity, Href, Title string }

type htmlHost struct {
	ip          netip.Addr
	Label       string
	Name, Stack string
	Ports       []htmlHostPort
}

type htmlHostPort struct {
	Number, Says string
	Findings     []htmlLink
	htmlEvidence
}

// htmlLink is a link to a finding; Severity is its status if it is resolved.
type htmlLink struct{ ID, Rule, Severity string }

// An htmlBuilder builds the parts of a page.
type htmlBuilder struct {
	v     *view.View
	c     *view.Collector
	ports map[string]*result.Port
	fixes map[string]*htmlBlock
	bare  bool // without evidence
}

// rules groups the findings by rule, the rule with the most urgent finding first.
func (b *htmlBuilder) rules() []htmlRule {
	var list []htmlRule
	at := make(map[string]int)
	for _, f := range b.c.Shown(b.v.Show.Only) {
		i, ok := at[f.Rule]
		if !ok {
			i = len(list)
			at[f.Rule] = i
			list = append(list, b.rule(f))
		}
		list[i].Places = append(list[i].Places, b.place(f))
	}
	for i := range list {
		if !slices.ContainsFunc(list[i].Places, func(p htmlPlace) bool { return p.Fix == nil }) {
			list[i].Fix = nil // each place has its own
		}
	}
	return list
}

func (b *htmlBuilder) rule(f *result.Finding) htmlRule {
	r := b.v.Rule(f)
	w := htmlRule{
		ID: r.ID, Title: r.Title, Severity: f.Severity.String(), Brief: view.Summarize(r.Why), CWE: r.CWE,
		Why: escape.Spans(r.Why), Fix: newHTMLBlock(r.Fix),
	}
	if r.Score > 0 {
		w.Score = strconv.FormatFloat(r.Score, 'f', 1, 64)
	}
	for _, ref := range r.References {
		if u, err := url.Parse(ref); err == nil && (u.Scheme == "https" || u.Scheme == "http") {
			w.References = append(w.References, ref)
		}
	}
	return w
}

// drifts counts the live findings by drift; nil without a baseline.
func (b *htmlBuilder) drifts() []htmlCount {
	if b.v.Run.Baseline == nil {
		return nil
	}
	count := make(map[result.Drift]int)
	for i := range b.c.Findings {
		if f := &b.c.Findings[i]; f.Active() {
			count[f.Drift]++
		}
	}
	var list []htmlCount
	for _, d := range []result.Drift{result.DriftNew, result.DriftExpired, result.DriftReopened, result.DriftUpdated, result.DriftUnchanged, result.DriftUnverified} {
		if count[d] > 0 {
			list = append(list, htmlCount{string(d), count[d]})
		}
	}
	return list
}

// place returns one finding of a rule.
func (b *htmlBuilder) place(f *result.Finding) htmlPlace {
	at := view.FindingPlace(f)
	p := b.ports[at]
	if p != nil && p.State != result.StateOpen {
		p = nil
	}
	w := htmlPlace{
		ID: view.FindingAnchor(f), At: at, Name: view.ShownNames(f.Host, f.Aliases), Drift: string(f.Drift),
		Says: (&view.PortEntry{Port: p, Findings: []*result.Finding{f}}).Describe(), By: view.NamedBy(f), Fix: b.fix(f.Remediation), bare: b.bare, Seen: f.Evidence,
		htmlEvidence: htmlEvidence{p, f},
	}
	if entry := b.v.Entry(f); entry != "" {
		w.Enters = strings.ToUpper(entry[:1]) + entry[1:] + "."
	}
	if f.Fails() {
		w.Verdict = "fails the gate"
	}
	return w
}

// fix returns the block of a fix; equal fixes share one.
func (b *htmlBuilder) fix(text string) *htmlBlock {
	block, ok := b.fixes[text]
	if !ok {
		block = newHTMLBlock(text)
		b.fixes[text] = block
	}
	return block
}

func (b *htmlBuilder) resolved() []htmlResolved {
	var list []htmlResolved
	for _, f := range b.v.Resolved {
		list = append(list, htmlResolved{
			ID: view.FindingAnchor(f), At: view.FindingPlace(f), Name: view.ShownNames(f.Host, f.Aliases), Rule: f.Rule, Title: f.Title,
			Severity: f.Severity.String(), Why: view.ResolvedWhy(f),
		})
	}
	return list
}

// hosts returns all open ports; the evidence of a port without a finding is shown
// here.
func (b *htmlBuilder) hosts() []htmlHost {
	resolved := make(map[string][]*result.Finding)
	for _, f := range b.v.Resolved {
		if f.Status != result.StatusOpen {
			at := view.FindingPlace(f)
			resolved[at] = append(resolved[at], f)
		}
	}
	var list []htmlHost
	for i := range b.v.Hosts {
		h := &b.v.Hosts[i]
		w := htmlHost{ip: h.IP, Label: h.Label(), Name: h.Name, Stack: h.Stack}
		for j := range h.Ports {
			p := &h.Ports[j]
			if p.Port == nil {
				continue
			}
			q := htmlHostPort{Number: p.Number(), Says: p.Describe()}
			for _, f := range p.Findings {
				q.Findings = append(q.Findings, htmlLink{view.FindingAnchor(f), f.Rule, f.Severity.String()})
			}
			for _, f := range resolved[p.Place] {
				q.Findings = append(q.Findings, htmlLink{view.FindingAnchor(f), f.Rule, string(f.Status)})
			}
			if len(p.Findings) == 0 && !b.bare {
				q.htmlEvidence = htmlEvidence{port: p.Port}
			}
			w.Ports = append(w.Ports, q)
		}
		slices.SortStableFunc(w.Ports, func(x, y htmlHostPort) int { return compareNumbers(x.Number, y.Number) })
		if len(w.Ports) > 0 {
			list = append(list, w)
		}
	}
	slices.SortStableFunc(list, func(x, y htmlHost) int {
		return cmp.Or(x.ip.Compare(y.ip), cmp.Compare(x.Label, y.Label))
	})
	return list
}
