package sarif

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/report/escape"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/sanitize"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// brackets escapes what SARIF reads as an embedded link (3.11.6).
var brackets = strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`)

// plainSARIF escapes text, which may come from the network, for a plain message.
func plainSARIF(s string) string { return brackets.Replace(escape.Unlink(s)) }

// results encodes one result for each finding; if GitHub would not accept that
// many, one for each rule and line, and if that is still too much for each rule
// and file.
func (b *sarifBuilder) results() ([]json.RawMessage, error) {
	if len(b.findings) <= MaxResults {
		list, size, err := encodeResults(len(b.findings), func(i int) sarifResult { return b.result(b.findings[i]) })
		if err != nil || size < MaxBytes-b.overhead() {
			return list, err
		}
	}
	for _, by := range []func(*result.Anchor) string{
		func(a *result.Anchor) string { return a.File + "\x00" + strconv.Itoa(a.Line) },
		func(a *result.Anchor) string { return a.File },
		func(*result.Anchor) string { return "" },
	} {
		groups := b.group(by)
		if len(groups) > MaxResults {
			continue
		}
		list, size, err := encodeResults(len(groups), func(i int) sarifResult { return b.rolledUp(groups[i]) })
		if err != nil || size < MaxBytes-b.overhead() {
			b.left = fmt.Sprintf("%d findings are rolled up into %d results: GitHub shows at most %d, and takes at most %d MB.",
				len(b.findings), len(groups), MaxResults, MaxBytes/1_000_000)
			return list, err
		}
	}
	return nil, fmt.Errorf("encoding SARIF: %d findings do not fit into %d bytes", len(b.findings), MaxBytes)
}

// overhead returns the size of everything except the results, in bytes.
func (b *sarifBuilder) overhead() int {
	n := 64 << 10
	for i := range b.rules {
		r := &b.rules[i]
		n += 2*len(r.Why) + 2*len(r.Fix) + 2*len(r.Help) + 4096
	}
	for i := range b.c.Notices {
		n += len(b.c.Notices[i].Message) + 1024
	}
	return min(n, MaxBytes/2)
}

func encodeResults(n int, result func(int) sarifResult) ([]json.RawMessage, int, error) {
	list := make([]json.RawMessage, n)
	size := 0
	for i := range list {
		raw, err := json.Marshal(result(i))
		if err != nil {
			return nil, 0, fmt.Errorf("encoding SARIF: %w", err)
		}
		list[i] = raw
		size += len(raw) + 1
	}
	return list, size, nil
}

// result returns one finding (3.27).
func (b *sarifBuilder) result(f *result.Finding) sarifResult {
	p := b.ports[view.FindingPlace(f)]
	rule := &b.rules[b.ruleAt[f.Rule]]
	r := sarifResult{
		RuleID: f.Rule, RuleIndex: b.ruleAt[f.Rule],
		Kind: "fail", Level: view.Level(f.Severity),
		Message:      sarifText{Text: b.message(f, p, plainMark), Markdown: b.message(f, p, markdownMark)},
		Fingerprints: map[string]string{"mxsweepFindingId/v1": f.ID},
		Partial:      map[string]string{"primaryLocationLineHash": f.ID[:min(16, len(f.ID))] + ":1"},
		Baseline:     baselineState(f.Drift),
		Rank:         f.Score * 10,
		Properties:   sarifResultProps{Tags: f.Tags[:min(len(f.Tags), sarifMaxTags)], Mxsweep: b.mxsweep(f, p)},
	}
	r.Locations = []sarifLocation{{
		Physical: b.physical(view.AnchorOf(f, b.o.Anchor)),
		Logical:  []sarifLogical{logical(f)},
	}}
	r.Related = b.related(f)
	r.Fixes = b.fixes(f)
	if len(rule.CWE) > 0 {
		r.Taxa = []sarifTaxonRef{b.taxon(rule.CWE[0])}
	}
	if !f.FirstSeen.IsZero() || !f.LastSeen.IsZero() {
		r.Provenance = &sarifProvenance{f.FirstSeen, f.LastSeen}
	}
	if b.o.Profile == format.ProfileFull {
		r.Suppressions = b.suppressions(f)
	}
	return r
}

// related returns the policy that applies to a finding, and the settings because of which
// a listener is as wide as it is.
func (b *sarifBuilder) related(f *result.Finding) []sarifLocation {
	var list []sarifLocation
	if f.Anchor != nil && f.PolicyAnchor != nil {
		list = append(list, sarifLocation{ID: 1, Message: &sarifText{Text: "the policy for this host"}, Physical: b.physical(f.PolicyAnchor)})
	}
	line := f.Line()
	if line == nil {
		return list
	}
	for _, c := range line.Causes {
		if c.Anchor != nil && (f.Anchor == nil || *c.Anchor != *f.Anchor) {
			list = append(list, sarifLocation{ID: len(list) + 1, Message: &sarifText{Text: plainSARIF(c.Why)}, Physical: b.physical(c.Anchor)})
		}
	}
	return list
}

// fixes returns the edit of the file that closes a finding; nil if there is none.
func (b *sarifBuilder) fixes(f *result.Finding) []sarifFix {
	line := f.Line()
	if line == nil || line.Edit == nil || f.Anchor == nil {
		return nil
	}
	e := line.Edit
	what := "Bind the listener to loopback"
	if e.Fix == "" { // of a setting
		what = "Trust fewer clients"
	}
	return []sarifFix{{
		Description: sarifText{Text: what + ": " + plainSARIF(e.Says()) + "."},
		Changes: []sarifChange{{Artifact: b.physical(f.Anchor).Artifact, Replacements: []sarifReplacement{{
			Deleted:  sarifRegion{StartLine: e.StartLine, StartColumn: e.StartColumn, EndLine: e.EndLine, EndColumn: e.EndColumn},
			Inserted: sarifText{Text: e.Text},
		}}}},
	}}
}

// mark formats a name in a message: in quotes, or in markdown as code.
type mark struct {
	name func(string) string
	text func(string) string
	fix  func(string) string // for trusted text with code between backticks
}

var (
	plainMark    = mark{name: func(s string) string { return "'" + plainSARIF(s) + "'" }, text: plainSARIF, fix: brackets.Replace}
	markdownMark = mark{name: func(s string) string { return "`" + strings.ReplaceAll(s, "`", "'") + "`" }, text: escape.Markdown, fix: escape.Inline}
)

// message returns first what is wrong and where, because lists show only the
// first sentence, then the evidence, why the host is in scope and how to fix it.
func (b *sarifBuilder) message(f *result.Finding, p *result.Port, m mark) string {
	var s strings.Builder
	if f.Listener != nil {
		b.configured(&s, f, p, m)
		return s.String()
	}
	fmt.Fprintf(&s, "%s; port %s on %s", m.text(strings.TrimSuffix(f.Title, ".")), m.name(strconv.Itoa(int(f.Port))+"/"+f.Protocol), m.name(f.IP.String()))
	if f.Host != "" {
		fmt.Fprintf(&s, " (%s)", m.text(view.ShownNames(f.Host, f.Aliases)))
	}
	switch {
	case f.Drift == result.DriftFixed:
		s.WriteString(" no longer answers.")
	case f.State != "":
		fmt.Fprintf(&s, " is %s.", f.State)
	case p == nil || p.State != result.StateOpen:
		s.WriteString(" was not seen in this run; the finding is known from the baseline.")
	case p.Service.Label() == "":
		s.WriteString(" answers.")
	default:
		fmt.Fprintf(&s, " answers as %s.", m.name(p.Service.Label()))
	}
	if len(f.Evidence) > 0 {
		fmt.Fprintf(&s, " Seen: %s.", m.text(strings.TrimSuffix(f.Evidence[0], ".")))
	}
	if by := view.NamedBy(f); by != "" {
		fmt.Fprintf(&s, " Named by %s.", m.text(by))
	}
	if f.Anchor != nil {
		through := "in scope through"
		if f.OpenedBy != nil {
			through = "opened by"
			if f.OpenedBy.Kind == result.KindRecords {
				through = "named by"
			}
		}
		fmt.Fprintf(&s, " It is %s %s line %d", through, m.name(f.Anchor.File), f.Anchor.Line)
		if f.PolicyAnchor != nil {
			s.WriteString(" and subject to the [policy](1)")
		}
		s.WriteString(".")
	}
	s.WriteString(b.howToFix(f, m))
	return s.String()
}

// howToFix returns the first line of the fix of a finding, "" if it has none.
func (b *sarifBuilder) howToFix(f *result.Finding, m mark) string {
	fix, _, _ := strings.Cut(cmp.Or(f.Remediation, b.rules[b.ruleAt[f.Rule]].Fix), "\n")
	if fix == "" {
		return ""
	}
	return " Fix: " + m.fix(fix)
}

// configured writes the message about a listener of a file.
func (b *sarifBuilder) configured(s *strings.Builder, f *result.Finding, p *result.Port, m mark) {
	in := "in"
	if f.OfRecords() {
		in = "for"
	}
	fmt.Fprintf(s, "%s: %s %s %s", m.text(strings.TrimSuffix(f.Title, ".")), m.name(f.Listener.Name), in, m.name(f.Host))
	switch {
	case f.Drift == result.DriftFixed:
		s.WriteString(" is fixed.")
	case f.OfRecords():
		s.WriteString(".")
	case p == nil:
		s.WriteString(" was not seen in this run; the finding is known from the baseline.")
	case p.Service.Label() != "":
		fmt.Fprintf(s, " configures %s.", m.name(p.Service.Label()))
	default:
		s.WriteString(".")
	}
	for i, e := range f.Evidence[:min(len(f.Evidence), 3)] {
		s.WriteString(map[bool]string{true: " ", false: "; "}[i == 0] + m.text(strings.TrimSuffix(e, ".")))
	}
	if len(f.Evidence) > 0 {
		s.WriteString(".")
	}
	if f.Anchor != nil && f.PolicyAnchor != nil {
		s.WriteString(" It is subject to the [policy](1).")
	}
	s.WriteString(b.howToFix(f, m))
}

// logical says where a finding is: the port, or the records of a domain.
func logical(f *result.Finding) sarifLogical {
	if f.OfRecords() {
		return sarifLogical{Name: f.Listener.Name, Full: view.FindingPlace(f), Kind: "resource"}
	}
	return sarifLogical{Name: strconv.Itoa(int(f.Port)) + "/" + f.Protocol, Full: view.FindingPlace(f) + "/" + f.Protocol, Kind: "resource"}
}

func (b *sarifBuilder) mxsweep(f *result.Finding, p *result.Port) sarifMxsweep {
	w := sarifMxsweep{
		NamedBy: f.NamedBy,
		IP:      f.IP.String(), Host: f.Host, Port: f.Port, Protocol: f.Protocol,
		Severity: f.Severity.String(), Confidence: f.Confidence, Drift: string(f.Drift), Vantage: b.c.Run.Vantage,
		Evidence: f.Evidence[:min(len(f.Evidence), 5)], Remediation: sanitize.Text(f.Remediation, 500),
	}
	if f.OfRecords() {
		w.IP, w.Port, w.Protocol = "", 0, ""
	}
	if w.State = string(f.State); p != nil {
		w.State, w.Reason = string(p.State), string(p.Reason)
		if s := p.Service; s != nil {
			w.Service, w.Product, w.Version, w.Role = s.Name, s.KnownProduct(), s.KnownVersion(), string(s.Role)
			w.Inconclusive = string(s.Inconclusive)
		}
	}
	return w
}

// baselineState returns the SARIF name of a drift (3.27.24). An unverified
// finding is carried forward, so it is unchanged.
func baselineState(drift result.Drift) string {
	switch drift {
	case result.DriftNew, result.DriftUpdated, result.DriftUnchanged:
		return string(drift)
	case result.DriftUnverified:
		return "unchanged"
	case result.DriftReopened:
		return "new"
	case result.DriftExpired: // there before, but the acceptance has expired
		return "updated"
	case result.DriftFixed:
		return "absent"
	}
	return ""
}

// suppressions never returns nil: an empty list says that the result is not
// suppressed, which all results must say if one has suppressions (3.27.23).
func (b *sarifBuilder) suppressions(f *result.Finding) []sarifSuppression {
	if f.Status == result.StatusOpen || f.Status == result.StatusFixed {
		return []sarifSuppression{}
	}
	s := sarifSuppression{Kind: "external", Status: "accepted", Justification: "expected by the policy"}
	if a := f.Acceptance; a != nil {
		s.Justification = a.ID + ": " + a.Reason
		s.Properties = map[string]string{"id": a.ID, "expires": a.Expires.String()}
		if a.Owner != "" {
			s.Properties["owner"] = a.Owner
		}
	}
	if f.PolicyAnchor != nil {
		s.Location = &sarifLocation{Physical: b.physical(f.PolicyAnchor)}
	}
	return []sarifSuppression{s}
}

// physical returns the location of a line of a file (3.29).
func (b *sarifBuilder) physical(a *result.Anchor) sarifPhysical {
	i, ok := b.fileAt[a.File]
	if !ok {
		i = len(b.files)
		b.fileAt[a.File] = i
		b.files = append(b.files, a.File)
	}
	w := sarifPhysical{
		Artifact: sarifArtifactLocation{URI: uriPath(a.File), BaseID: "SRCROOT", Index: &i},
		Region:   sarifRegion{StartLine: a.Line},
	}
	if a.EndColumn > 1 {
		w.Region.StartColumn, w.Region.EndLine, w.Region.EndColumn = max(a.Column, 1), a.Line, a.EndColumn
	}
	if a.Text != "" {
		w.Region.Snippet = &sarifText{Text: a.Text}
	}
	return w
}

// uriPath returns a relative path as a URI reference (RFC 3986, Section 4.2).
func uriPath(file string) string {
	file = strings.TrimLeft(strings.ReplaceAll(file, `\`, "/"), "/")
	return (&url.URL{Path: file}).String()
}

// A sarifGroup has the findings of one rule for a line, a file or the run.
type sarifGroup struct {
	key      string
	findings []*result.Finding
}

// group groups the findings of one rule by the result of by for their anchor, in
// their order.
func (b *sarifBuilder) group(by func(*result.Anchor) string) []sarifGroup {
	var groups []sarifGroup
	at := make(map[string]int)
	for _, f := range b.findings {
		key := f.Rule + "\x00" + string(f.Status) + "\x00" + string(f.Drift) + "\x00" + by(view.AnchorOf(f, b.o.Anchor))
		i, ok := at[key]
		if !ok {
			i = len(groups)
			at[key] = i
			groups = append(groups, sarifGroup{key: key})
		}
		groups[i].findings = append(groups[i].findings, f)
	}
	return groups
}

// rolledUp returns one result for many findings of a rule.
func (b *sarifBuilder) rolledUp(g sarifGroup) sarifResult {
	r := b.result(g.findings[0])
	if len(g.findings) == 1 {
		return r
	}
	sum := sha256.Sum256([]byte("rolled up\x00" + g.key))
	id := hex.EncodeToString(sum[:])
	var places []string
	for _, f := range g.findings[:min(len(g.findings), 100)] {
		places = append(places, view.FindingPlace(f))
	}
	f := g.findings[0]
	r.Message = sarifText{Text: plainSARIF(fmt.Sprintf("%s: %d ports, among them %s. The json and html reports list them all.",
		f.Title, len(g.findings), strings.Join(places[:min(len(places), 5)], ", ")))}
	r.Fingerprints = map[string]string{"mxsweepFindingId/v1": id}
	r.Partial = map[string]string{"primaryLocationLineHash": id[:16] + ":1"}
	r.Count = len(g.findings)
	r.Related = nil
	r.Locations[0].Logical = nil
	r.Provenance = nil
	r.Properties.Mxsweep = sarifMxsweep{Severity: f.Severity.String(), Drift: string(f.Drift), Vantage: b.c.Run.Vantage, Places: places}
	return r
}
