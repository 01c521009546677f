// Package terminal writes a run as text, for a terminal or a log.
package terminal

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/report/fixplan"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/sanitize"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// textWriter writes the report for people: first the verdict, then for each host
// what is wrong, why and how to fix it, then what was not seen.
type textWriter struct {
	view.Collector
	*Page
	verbose       bool
	evidence      string // as in format.Options
	only          string
	reasonWritten map[string]bool // rules whose reason was written
	cut           bool            // whether only the edit of a fix was written
	saved         string          // as in format.Options
}

// New returns a Writer that writes a run to w as text.
func New(w io.Writer, o format.Options) format.Writer {
	return &textWriter{Page: newPage(w, o), verbose: o.Verbose, evidence: o.Evidence, only: o.Only, saved: o.Saved, reasonWritten: make(map[string]bool)}
}

// End implements [format.Writer].
func (t *textWriter) End(r result.Run, s result.Summary) error {
	t.Finish(r)
	v := view.New(&t.Collector, s, view.Showing{Only: t.only, Fold: !t.verbose})
	t.verdict(v)
	t.summary(v)
	t.sockets()
	t.joined(v)
	t.plan()
	t.hosts(v)
	t.paths(v)
	t.known(v)
	t.resolved(v)
	t.unseen(v)
	t.hints(v)
	if t.lines > longReport { // the first line has scrolled off the screen
		t.blank()
		t.gate(v)
	}
	return t.W.Flush()
}

// gateColor returns the color of the gate's result.
func gateColor(gate result.GateResult) string {
	switch gate {
	case result.GatePass:
		return onGreen
	case result.GateIncomplete:
		return onAmber
	}
	return onRed
}

// longReport is the minimum number of lines that need scrolling on any screen.
const longReport = 60

// gate writes the result of the gate in one line.
func (t *textWriter) gate(v *view.View) {
	word := strings.ToUpper(string(v.Sum.Gate))
	t.Para(t.paint(gateColor(v.Sum.Gate), word)+"  ", len(word)+2, len(word)+2, v.Verdict())
}

func (t *textWriter) verdict(v *view.View) {
	t.gate(v)
	t.blank()
	t.counts(v)
	t.labeled(2, "seen    ", v.Coverage())
	t.labeled(2, "run     ", v.Provenance())
	if v.Run.Authorization != "" {
		t.labeled(2, "ticket  ", v.Run.Authorization)
	}
	if b := v.Run.Baseline; b != nil {
		t.labeled(2, "baseline", v.Baseline())
	}
	if r := v.Restriction(); r != "" {
		t.labeled(2, "shown   ", r)
	}
}

// planned is the maximum number of edits of the plan in the report.
const planned = 10

// plan writes the shortest list of edits, before the evidence.
func (t *textWriter) plan() {
	var list []result.Finding
	for _, f := range t.Shown(t.only) {
		list = append(list, *f)
	}
	p := fixplan.New(list)
	if p.Edits == 0 {
		return
	}
	t.blank()
	how := "for the commands, save the run (`-o text -o json=run.json`), then `mxsweep fix --plan run.json`"
	if t.saved != "" {
		how = "for the commands: `mxsweep fix --plan " + shellWord(t.saved) + "`"
	}
	t.Para(t.paint(bold, "To fix")+"  ", 8, 4, p.Headline()+"; "+how)
	n := 0
	for _, h := range p.Hosts {
		for i := range h.Edits {
			if n++; n > planned {
				continue
			}
			lead := "  " + strconv.Itoa(n) + ". "
			e := &h.Edits[i]
			t.Para(lead, words.Width(lead), words.Width(lead), placed(h.Host, e.Summary)+" (closes "+e.ClosesText()+")")
		}
	}
	if n > planned {
		t.line("  and " + wording.Plural(n-planned, "more edit"))
	}
}

// placed returns an edit with the host or the file that needs it.
func placed(host, edit string) string {
	switch sentence, ok := strings.CutSuffix(edit, "."); {
	case strings.HasPrefix(edit, host+":"):
		return edit // it names the file
	case ok: // advice
		return host + ": " + sentence
	}
	return host + ", " + edit
}

// shellWord quotes a file name for a shell, if necessary.
func shellWord(name string) string {
	plain := func(r rune) bool {
		return r < 0x80 && (r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._/-+@:=,%", r))
	}
	if name != "" && !strings.ContainsFunc(name, func(r rune) bool { return !plain(r) }) {
		return name
	}
	return "'" + strings.ReplaceAll(sanitize.Text(name, len(name)), "'", `'\''`) + "'"
}

// counts writes the number of findings of each severity.
func (t *textWriter) counts(v *view.View) {
	line := cmp.Or(view.SeverityWords(v.Sum.BySeverity), "none")
	if d := v.Drift(); d != "" {
		line += " (" + d + ")"
	}
	t.labeled(2, "findings", line)
}

// hosts writes, host by host, the findings that fail the gate, and then all
// others, so that no finding that fails is below one that does not.
func (t *textWriter) hosts(v *view.View) {
	failing, rest := v.Split()
	if v.OfSockets() {
		rest = slices.DeleteFunc(rest, func(h view.HostEntry) bool { return !h.HasFindings() })
	}
	for i := range failing {
		t.host(v, &failing[i])
	}
	if len(failing) > 0 && len(rest) > 0 {
		t.blank()
		t.line(t.paint(bold, "Does not fail the gate"))
	}
	for i := range rest {
		t.host(v, &rest[i])
		if !v.OfSockets() { // else they are in the list of sockets
			t.quiet(&rest[i])
		}
	}
}

func (t *textWriter) host(v *view.View, h *view.HostEntry) {
	t.blank()
	title := t.paint(bold, h.Label())
	used := len(h.Label())
	if h.Name != "" && used+2+words.Width(h.Name) <= t.Width {
		title += "  " + h.Name
	} else if h.Name != "" {
		title += "\n  " + h.Name
	}
	if h.Stack != "" {
		title += "  (" + h.Stack + ")"
	}
	t.line(title)
	for i := range h.Ports {
		if p := &h.Ports[i]; len(p.Findings) > 0 {
			t.port(v, p)
		}
	}
}

// port writes a port that has findings.
func (t *textWriter) port(v *view.View, p *view.PortEntry) {
	lead := "  " + words.PadTo(p.Number(), 9) + "  "
	t.Para("  "+t.paint(bold, words.PadTo(p.Number(), 9))+"  ", words.Width(lead), words.Width(lead), p.Describe())
	t.naming(p)
	if entry := v.Entry(p.Findings[0]); entry != "" && !t.verbose && t.evidence != format.EvidenceFull { // else it is among the evidence
		t.labeled(4, "path", entry)
	}
	for _, f := range p.Findings {
		t.finding(v, f)
	}
}

// naming writes why a product was identified, in verbose reports.
func (t *textWriter) naming(p *view.PortEntry) {
	if !t.verbose || p.Port == nil {
		return
	}
	if why := namingOf(p.Port.Service); why != "" {
		t.labeled(6, "named", why)
	}
}

// briefEvidence is how much of a sentence of evidence is shown in brief, in
// bytes.
const briefEvidence = 160

func severityColor(s result.Severity) string {
	switch s {
	case result.SeverityCritical:
		return onRed
	case result.SeverityHigh:
		return boldRed
	case result.SeverityMedium:
		return yellow
	case result.SeverityLow:
		return cyan
	}
	return dim
}

func (t *textWriter) finding(v *view.View, f *result.Finding) {
	word := strings.ToUpper(f.Severity.String())
	head := f.Rule + "  " + f.Title
	if f.Drift != result.DriftNone {
		head += " (" + string(f.Drift) + ")"
	}
	t.Para("    "+t.paint(severityColor(f.Severity), word)+"  ", 6+len(word), 6, head)
	if a := f.Anchor; f.Line() != nil && a != nil {
		t.labeled(6, "at", view.Where(a)+"  "+words.Shorten(strings.TrimSpace(a.Text), briefEvidence))
	}
	if by := view.NamedBy(f); by != "" {
		t.labeled(6, "dns", by)
	}
	for i, e := range f.Evidence {
		if t.evidence == format.EvidenceNone {
			break
		}
		if t.verbose || t.evidence == format.EvidenceFull {
			t.labeled(6, "saw", e)
		} else if i == 0 {
			t.labeled(6, "saw", words.Shorten(e, briefEvidence))
		}
	}
	if f.Severity == result.SeverityInfo && !t.verbose {
		return // information only
	}
	if why := v.Why(f); why != "" && (t.verbose || !t.reasonWritten[f.Rule]) {
		t.reasonWritten[f.Rule] = true // once is enough
		t.labeled(6, "why", why)
	}
	for i, line := range v.Fix(f) {
		if i == 1 && !t.verbose {
			break
		}
		if i == 0 {
			t.labeled(6, "fix", t.explained(v, f))
		} else {
			pad := 11 + len(line) - len(strings.TrimLeft(line, " ")) // a continued line may begin with blanks
			if fixplan.IsCode(line) {
				t.line(strings.Repeat(" ", 11) + line)
				continue
			}
			t.Para(strings.Repeat(" ", pad), pad, pad+2, line)
		}
	}
}

// explained returns the edit of a fix; the first time that there is more, with a hint how to
// see it.
func (t *textWriter) explained(v *view.View, f *result.Finding) string {
	lines := v.Fix(f)
	edit := strings.TrimRight(lines[0], " ")
	if t.cut || t.verbose || len(lines) == 1 {
		return edit
	}
	t.cut = true
	return edit + " (-v shows the commands for each fix)"
}

// known writes the number of findings that are unchanged since the baseline and
// do not fail the gate.
func (t *textWriter) known(v *view.View) {
	if len(v.Folded) == 0 {
		return
	}
	var count result.BySeverity
	for _, f := range v.Folded {
		*count.Of(f.Severity)++
	}
	t.blank()
	t.Para(t.paint(bold, "Unchanged")+"  ", 11, 4, fmt.Sprintf("%s as in the baseline: %[3]s; -v lists %[2]s",
		wording.Plural(count.Total(), "finding"), map[bool]string{true: "it", false: "them"}[count.Total() == 1], view.SeverityWords(count)))
}

// resolved lists the findings that need no work: accepted, expected and fixed
// ones.
func (t *textWriter) resolved(v *view.View) {
	if len(v.Resolved) == 0 {
		return
	}
	t.blank()
	t.line(t.paint(bold, "No action needed now"))
	for _, f := range v.Resolved {
		place := view.FindingPlace(f)
		text := f.Rule + " " + f.Title + ": " + view.ResolvedWhy(f)
		t.Para("  "+place+"  ", words.Width(place)+4, 4, text)
	}
}

// unseen writes what the run does not know.
func (t *textWriter) unseen(v *view.View) {
	lines := v.Unseen()
	if len(lines) == 0 {
		return
	}
	t.blank()
	t.line(t.paint(bold, "Coverage and notices"))
	for _, l := range lines {
		lead := "  " + t.paint(levelColor(l.Level), string(l.Level)) + "  "
		t.Para(lead, len(l.Level)+4, 4, l.Text)
	}
}

func levelColor(level result.Level) string {
	switch level {
	case result.LevelError:
		return boldRed
	case result.LevelWarning:
		return yellow
	}
	return dim
}

func (t *textWriter) hints(v *view.View) {
	rule, port := v.Example()
	_, unidentified := v.FirstUnidentified()
	code := v.Obstacle()
	if rule == "" && port == 0 && code == "" {
		return
	}
	t.blank()
	if code != "" {
		t.Para("", 0, 2, "mxsweep rules "+code+"  explains a notice and what to do.")
	}
	if rule != "" {
		t.Para("", 0, 2, "mxsweep rules "+rule+"  explains a finding: why it matters, how to fix or accept it.")
	}
	if port != 0 {
		t.Para("", 0, 2, "mxsweep ports "+strconv.Itoa(int(port))+"  shows who uses a port and how to inspect it on the host.")
	}
	if unidentified != nil && !view.OfFiles(&v.Run) && !v.OfSockets() {
		t.Para("", 0, 2, "mxsweep signatures record "+unidentified.Place+"  records the replies of an unknown service, as the basis of a signature.")
	}
}
