package report

import (
	"cmp"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/result"
)

// textWriter writes the report for people: the verdict first, then host by
// host what is wrong, why and how to fix it, then what was not seen.
type textWriter struct {
	collector
	*page
	verbose  bool
	evidence string // as in Options
	only     string
	told     map[string]bool // rules whose reason was given
	cut      bool            // whether a fix was cut
}

func newText(w io.Writer, o Options) Writer {
	return &textWriter{page: newPage(w, o), verbose: o.Verbose, evidence: o.Evidence, only: o.Only, told: make(map[string]bool)}
}

func itoa(n int) string { return strconv.Itoa(n) }

// End implements [Writer].
func (t *textWriter) End(r result.Run, s result.Summary) error {
	t.finish(r)
	v := newView(&t.collector, s, showing{only: t.only, fold: !t.verbose})
	t.verdict(v)
	t.summary(v)
	t.plan()
	t.hosts(v)
	t.known(v)
	t.settled(v)
	t.unseen(v)
	t.hints(v)
	if t.lines > longReport { // the first line has left the screen
		t.blank()
		t.gate(v)
	}
	return t.w.Flush()
}

// gateColor goes with the word of the gate.
func gateColor(gate result.GateResult) string {
	switch gate {
	case result.GatePass:
		return onGreen
	case result.GateIncomplete:
		return onAmber
	}
	return onRed
}

// longReport is how many lines a report has that no screen shows at once.
const longReport = 60

// gate writes the verdict in one line.
func (t *textWriter) gate(v *view) {
	word := strings.ToUpper(string(v.sum.Gate))
	t.para(t.paint(gateColor(v.sum.Gate), word)+"  ", len(word)+2, len(word)+2, v.verdict())
}

func (t *textWriter) verdict(v *view) {
	t.gate(v)
	t.blank()
	t.counts(v)
	t.labeled(2, "seen    ", v.coverage())
	t.labeled(2, "run     ", v.provenance())
	if v.run.Authorization != "" {
		t.labeled(2, "ticket  ", v.run.Authorization)
	}
	if b := v.run.Baseline; b != nil {
		t.labeled(2, "baseline", v.baseline())
	}
	if r := v.restriction(); r != "" {
		t.labeled(2, "shown   ", r)
	}
}

// planned is how many edits of the plan the report itself lists.
const planned = 10

// plan writes what to do before what was seen: the shortest list of edits.
func (t *textWriter) plan() {
	var list []result.Finding
	for _, f := range t.shown(t.only) {
		list = append(list, *f)
	}
	p := NewPlan(list)
	if p.Edits == 0 {
		return
	}
	t.blank()
	t.para(t.paint(bold, "To fix")+"  ", 8, 4, p.Headline()+"; for the commands, save the run (-o text -o json=run.json), then mxsweep fix --plan run.json")
	n := 0
	for _, h := range p.Hosts {
		for i := range h.Edits {
			if n++; n > planned {
				continue
			}
			lead := "  " + itoa(n) + ". "
			e := &h.Edits[i]
			t.para(lead, width(lead), width(lead), h.Host+", "+e.Summary+" (closes "+e.closes()+")")
		}
	}
	if n > planned {
		t.line("  and " + plural(n-planned, "further edit"))
	}
}

// counts writes the findings by severity, each count with its word.
func (t *textWriter) counts(v *view) {
	line := cmp.Or(severityWords(v.sum.BySeverity), "none")
	if d := v.drift(); d != "" {
		line += " (" + d + ")"
	}
	t.labeled(2, "findings", line)
}

// hosts writes host by host what fails the gate, then in the same way the rest,
// so that no finding that fails stands below one that does not.
func (t *textWriter) hosts(v *view) {
	failing, rest := v.split()
	for i := range failing {
		t.host(v, &failing[i])
	}
	if len(failing) > 0 && len(rest) > 0 {
		t.blank()
		t.line(t.paint(bold, "Does not fail the gate"))
	}
	for i := range rest {
		t.host(v, &rest[i])
		t.quiet(&rest[i])
	}
}

func (t *textWriter) host(v *view, h *hostView) {
	t.blank()
	title := t.paint(bold, h.ip)
	used := width(h.ip)
	if h.name != "" && used+2+width(h.name) <= t.width {
		title += "  " + h.name
	} else if h.name != "" {
		title += "\n  " + h.name
	}
	if h.stack != "" {
		title += "  (" + h.stack + ")"
	}
	t.line(title)
	for i := range h.ports {
		if p := &h.ports[i]; len(p.findings) > 0 {
			t.port(v, p)
		}
	}
}

// port writes a port that has findings.
func (t *textWriter) port(v *view, p *portView) {
	lead := "  " + padTo(p.number(), 9) + "  "
	t.para("  "+t.paint(bold, padTo(p.number(), 9))+"  ", width(lead), width(lead), p.says())
	t.naming(p)
	for _, f := range p.findings {
		t.finding(v, f)
	}
}

// naming tells, if asked for more, why a product was named.
func (t *textWriter) naming(p *portView) {
	if !t.verbose || p.port == nil {
		return
	}
	if why := namingOf(p.port.Service); why != "" {
		t.labeled(6, "named", why)
	}
}

// briefEvidence is how much of a sentence of evidence is shown in brief.
const briefEvidence = 160

// shorten cuts s at a blank before n bytes, if it is longer.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	if i := strings.LastIndexByte(s[:n+1], ' '); i > n/2 {
		return s[:i] + " …"
	}
	return clip(s, n)
}

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

func (t *textWriter) finding(v *view, f *result.Finding) {
	word := strings.ToUpper(f.Severity.String())
	head := f.Rule + "  " + f.Title
	if f.Drift != result.DriftNone {
		head += " (" + string(f.Drift) + ")"
	}
	t.para("    "+t.paint(severityColor(f.Severity), word)+"  ", 6+len(word), 6, head)
	for i, e := range f.Evidence {
		if t.evidence == EvidenceNone {
			break
		}
		if t.verbose || t.evidence == EvidenceFull {
			t.labeled(6, "saw", e)
		} else if i == 0 {
			t.labeled(6, "saw", shorten(e, briefEvidence))
		}
	}
	if f.Severity == result.SeverityInfo && !t.verbose {
		return // worth knowing, no more
	}
	if why := v.why(f); why != "" && (t.verbose || !t.told[f.Rule]) {
		t.told[f.Rule] = true // once is enough
		t.labeled(6, "why", why)
	}
	for i, line := range v.fix(f, t.verbose) {
		if i == 0 {
			t.labeled(6, "fix", t.explained(line))
		} else {
			pad := 11 + len(line) - len(strings.TrimLeft(line, " ")) // a blank may begin a continued line
			t.para(strings.Repeat(" ", pad), pad, pad+2, line)
		}
	}
}

// explained is the first line of a fix, which tells of the first that was cut how
// to see the rest.
func (t *textWriter) explained(line string) string {
	if t.cut || !strings.HasSuffix(line, more) {
		return line
	}
	t.cut = true
	return line + " (-v shows all)"
}

// known counts the findings that the baseline has and nothing fails on.
func (t *textWriter) known(v *view) {
	if len(v.folded) == 0 {
		return
	}
	var count result.BySeverity
	for _, f := range v.folded {
		*count.Of(f.Severity)++
	}
	t.blank()
	t.para(t.paint(bold, "Unchanged")+"  ", 11, 4, fmt.Sprintf("%s as the baseline has %s: %s; -v lists %[2]s",
		plural(count.Total(), "finding"), map[bool]string{true: "it", false: "them"}[count.Total() == 1], severityWords(count)))
}

// settled lists the findings that need no work: accepted, expected, fixed.
func (t *textWriter) settled(v *view) {
	if len(v.settled) == 0 {
		return
	}
	t.blank()
	t.line(t.paint(bold, "Needs no work now"))
	for _, f := range v.settled {
		place := place(f.IP, f.Port)
		text := f.Rule + " " + f.Title + ": " + settledWhy(f)
		t.para("  "+place+"  ", width(place)+4, 4, text)
	}
}

// settledWhy says why a finding needs no work.
func settledWhy(f *result.Finding) string {
	switch {
	case f.Drift == result.DriftFixed && len(f.Evidence) > 0:
		return "fixed, " + f.Evidence[0]
	case f.Drift == result.DriftFixed:
		return "fixed"
	case f.Status == result.StatusAccepted && f.Acceptance != nil:
		a := f.Acceptance
		by := ""
		if a.Owner != "" {
			by = " by " + a.Owner
		}
		return fmt.Sprintf("accepted%s until %s (%s): %s", by, a.Expires, a.ID, a.Reason)
	}
	return string(f.Status)
}

// unseen says plainly what the run does not know.
func (t *textWriter) unseen(v *view) {
	lines := v.unseen()
	if len(lines) == 0 {
		return
	}
	t.blank()
	t.line(t.paint(bold, "Not seen, and notices"))
	for _, l := range lines {
		lead := "  " + t.paint(levelColor(l.level), string(l.level)) + "  "
		t.para(lead, len(l.level)+4, 4, l.text)
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

func (t *textWriter) hints(v *view) {
	rule, port := v.example()
	host, nameless := v.nameless()
	code := v.obstacle()
	if rule == "" && port == 0 && code == "" {
		return
	}
	t.blank()
	if code != "" {
		t.para("", 0, 2, "mxsweep rules "+code+"  says what a notice means and what to do.")
	}
	if rule != "" {
		t.para("", 0, 2, "mxsweep rules "+rule+"  says more on a finding: why, how to fix it, how to accept it.")
	}
	if port != 0 {
		t.para("", 0, 2, "mxsweep ports "+itoa(int(port))+"  says who uses a port and how to look at it on the host.")
	}
	if nameless != nil {
		t.para("", 0, 2, "mxsweep signatures record "+place(host.ip, nameless.num)+"  writes down what an unknown service says, for a signature that names it.")
	}
}

// period is "2026-11-20 06:00 UTC, 1m42s".
func period(start, end result.Time) string {
	s := start.UTC().Format("2006-01-02 15:04 UTC")
	if !end.IsZero() {
		s += ", " + end.Sub(start.Time).Round(100*time.Millisecond).String()
	}
	return s
}
