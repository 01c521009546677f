// Package fixplan computes the shortest list of edits that closes the findings of
// a run.
package fixplan

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/exposure/fix"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/report/escape"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// A Plan is the shortest list of edits that closes the findings of a run.
type Plan struct {
	Edits    int    `json:"edits"`
	Findings int    `json:"findings"` // that the edits close
	Hosts    []Host `json:"hosts"`    // the one with the most urgent finding first

	// Incomplete says why the run may have more findings than are known, as a
	// sentence; "" if it has no more.
	Incomplete string `json:"incomplete,omitempty"`
}

// A Host has the edits of one host, the most urgent first.
type Host struct {
	Host  string `json:"host"` // as the user named it, else the address
	Edits []Edit `json:"edits"`
}

// An Edit is one change on one host. If it is not known which of several variants
// applies, Lines has all of them.
type Edit struct {
	Severity result.Severity `json:"severity"` // of the most urgent finding
	Fixes    []string        `json:"fixes,omitempty"`
	File     string          `json:"file,omitempty"` // "" where several, or none, are edited
	Summary  string          `json:"summary"`
	Lines    []string        `json:"lines"` // the summary and the commands
	Closes   []Item          `json:"closes"`
}

// An Item is one finding that an edit closes.
type Item struct {
	ID       string          `json:"id"`
	Rule     string          `json:"rule"`
	Title    string          `json:"title"`
	Severity result.Severity `json:"severity"`
	IP       netip.Addr      `json:"ip"`
	Port     uint16          `json:"port"`

	vantage  string
	listener string // in the file, "" for a port that was scanned
	records  bool   // of a domain: IP and Port mean nothing
}

// Anchor returns the anchor of the finding in the HTML report.
func (i Item) Anchor() string { return view.FindingAnchor(&result.Finding{ID: i.ID}) }

// New returns the plan for the live findings of a run, except those of severity
// info, which need no edit. An edit that binds a listener to loopback closes all
// findings of its port; any other edit closes those for which it is the fix, on
// each port of the host if it does not depend on the port.
func New(findings []result.Finding) Plan {
	b := planBuilder{hosts: map[string][]*result.Finding{}}
	for i := range findings {
		f := &findings[i]
		if !f.Active() || f.Severity <= result.SeverityInfo {
			continue
		}
		host := cmp.Or(f.Host, f.IP.String())
		b.hosts[host] = append(b.hosts[host], f)
	}
	var p Plan
	for host, list := range b.hosts {
		h := Host{Host: host, Edits: b.edits(list)}
		p.Edits += len(h.Edits)
		p.Findings += len(list)
		p.Hosts = append(p.Hosts, h)
	}
	slices.SortFunc(p.Hosts, func(x, y Host) int {
		return cmp.Or(compareEdits(x.Edits[0], y.Edits[0]), compareHosts(x.Host, y.Host))
	})
	return p
}

// compareHosts orders addresses numerically and names alphabetically.
func compareHosts(x, y string) int {
	a, errA := netip.ParseAddr(x)
	b, errB := netip.ParseAddr(y)
	if errA == nil && errB == nil {
		return a.Compare(b)
	}
	return strings.Compare(x, y)
}

// compareEdits puts the more urgent edit first, then the one that closes more
// findings.
func compareEdits(x, y Edit) int {
	return cmp.Or(
		-cmp.Compare(x.Severity, y.Severity),
		-cmp.Compare(len(x.Closes), len(y.Closes)),
		strings.Compare(x.Summary, y.Summary),
	)
}

// A planBuilder builds the plan host by host.
type planBuilder struct {
	hosts map[string][]*result.Finding
}

// edits returns the edits for the findings of one host. Those that bind a port
// come first, because they make the others for that port unnecessary.
func (b *planBuilder) edits(list []*result.Finding) []Edit {
	slices.SortStableFunc(list, func(x, y *result.Finding) int {
		return cmp.Or(-cmp.Compare(b.binds(x), b.binds(y)), -cmp.Compare(x.Severity, y.Severity),
			cmp.Compare(x.Port, y.Port), strings.Compare(x.Rule, y.Rule))
	})
	at := map[string]int{}    // index of each edit, by key
	bound := map[string]int{} // index of the edit that binds each port or listener
	var edits []Edit
	for _, f := range list {
		one := bindKey(f)
		i, ok := bound[one]
		if !ok {
			key := b.key(f)
			if i, ok = at[key]; !ok {
				i = len(edits)
				at[key] = i
				edits = append(edits, b.edit(f))
			}
			if b.binds(f) > 0 {
				bound[one] = i
			}
		}
		e := &edits[i]
		e.Closes = append(e.Closes, Item{f.ID, f.Rule, f.Title, f.Severity, f.IP, f.Port, f.Vantage, listenerOf(f), f.OfRecords()})
		if f.Severity > e.Severity {
			e.Severity = f.Severity
		}
	}
	for i := range edits {
		edits[i].verifyAll()
		slices.SortStableFunc(edits[i].Closes, func(x, y Item) int { return -cmp.Compare(x.Severity, y.Severity) })
	}
	slices.SortStableFunc(edits, compareEdits)
	return edits
}

// verifyAll sets the command that verifies an edit to cover all ports with a
// finding that it closes, each from the vantage point of the finding; so far it
// covers only the first one.
func (e *Edit) verifyAll() {
	if e.Closes[0].listener != "" {
		return // the files are read again
	}
	var flags []string // each needs a command of its own
	places := map[string][]string{}
	for _, c := range e.Closes {
		flag, at := fix.Values{Address: c.IP, Vantage: c.vantage}.VantageFlag(), view.Place(c.IP, c.Port)
		if !slices.Contains(flags, flag) {
			flags = append(flags, flag)
		}
		if !slices.Contains(places[flag], at) {
			places[flag] = append(places[flag], at)
		}
	}
	var all []string
	for _, flag := range flags {
		all = append(all, fix.Verify(flag, places[flag]...))
	}
	first := fix.Verify(flags[0], places[flags[0]][0])
	for i := len(e.Lines) - 1; i >= 0; i-- {
		if e.Lines[i] == first {
			e.Lines = slices.Replace(e.Lines, i, i+1, all...)
		}
	}
}

// listenerOf returns the name of the listener of a finding of a file, "" for others.
func listenerOf(f *result.Finding) string {
	if f.Listener == nil {
		return ""
	}
	return f.Listener.Name
}

// bindKey identifies what one edit binds on a host, or in a file.
func bindKey(f *result.Finding) string {
	if f.Listener != nil {
		return f.Listener.Name
	}
	return strconv.Itoa(int(f.Port))
}

// fixes returns the fixes of a finding that this program knows.
func (b *planBuilder) fixes(f *result.Finding) []*fix.Fix {
	var list []*fix.Fix
	for _, id := range f.Fixes {
		if x := fix.Builtin().Lookup(id); x != nil {
			list = append(list, x)
		}
	}
	return list
}

// binds returns 1 for a finding whose fix makes its port unreachable for other
// hosts.
func (b *planBuilder) binds(f *result.Finding) int {
	list := b.fixes(f)
	if len(list) == 0 || slices.ContainsFunc(list, func(x *fix.Fix) bool { return !x.Binds() }) {
		return 0
	}
	return 1
}

// key returns the same string for findings that one edit closes.
func (b *planBuilder) key(f *result.Finding) string {
	list := b.fixes(f)
	switch {
	case f.Listener != nil && f.Listener.Edit != nil:
		return fmt.Sprintf("edit %+v", *f.Listener.Edit)
	case len(list) == 0 || f.Listener != nil:
		return "text " + f.Remediation
	case editsLine(f):
		return fmt.Sprintf("line %s:%d %s", f.Anchor.File, f.OpenedBy.Edit.StartLine, f.OpenedBy.Edit.Text)
	}
	key := strings.Join(f.Fixes, " ")
	if slices.ContainsFunc(list, (*fix.Fix).NeedsPort) {
		key += " " + strconv.Itoa(int(f.Port))
	}
	return key
}

// editsLine reports whether the edit of a line closes a finding of a port that was scanned,
// or on which the machine listens.
func editsLine(f *result.Finding) bool {
	return f.OpenedBy != nil && f.OpenedBy.Edit != nil && f.Anchor != nil
}

// edit returns the edit for a finding.
func (b *planBuilder) edit(f *result.Finding) Edit {
	list := b.fixes(f)
	e := Edit{Severity: f.Severity, Fixes: f.Fixes}
	text := cmp.Or(f.Remediation, "See "+f.Rule+".")
	if len(list) > 0 && f.Listener == nil && !editsLine(f) {
		text = fix.Text(list, fix.Values{Address: f.IP, Port: f.Port, Vantage: f.Vantage})
	}
	if len(list) == 1 {
		e.File = list[0].File
	}
	switch {
	case f.OfRecords():
		if f.Anchor != nil { // of a zone file
			e.File = f.Anchor.File
		}
	case f.Listener != nil:
		e.File = f.Host
	case editsLine(f):
		e.File = f.Anchor.File
	}
	e.Lines = strings.Split(text, "\n")
	e.Summary = e.Lines[0]
	return e
}

// IsCode reports whether a line of a fix is a command or a line of a file, which
// a report must not wrap.
func IsCode(line string) bool { return fix.IsCode(line) }

// Headline says how many findings the plan closes with how many edits.
func (p *Plan) Headline() string {
	in, of := "", ""
	if p.Incomplete != "" {
		in, of = " in the known part of the run", " of the known part of the run"
	}
	if p.Edits == 0 {
		return "nothing to fix" + in
	}
	verb := map[bool]string{true: "closes", false: "close"}[p.Edits == 1]
	return fmt.Sprintf("%s %s %s%s", wording.Plural(p.Edits, "edit"), verb, wording.Plural(p.Findings, "finding"), of)
}

// ClosesText lists what an edit closes, by rule and port, or records.
func (e *Edit) ClosesText() string {
	var list []string
	for _, c := range e.Closes {
		at := strconv.Itoa(int(c.Port))
		if c.records {
			at = c.listener
		}
		list = append(list, fmt.Sprintf("%s %s on %s", c.Severity, c.Rule, at))
	}
	return strings.Join(list, ", ")
}

// Text returns the plan for a terminal with that number of columns.
func (p *Plan) Text(columns int) string {
	var b strings.Builder
	b.WriteString(words.Sentence(p.Headline()) + "\n")
	if p.Incomplete != "" {
		b.WriteString(strings.Join(words.Wrap(p.Incomplete, columns, columns), "\n") + "\n")
	}
	n := 0
	for _, h := range p.Hosts {
		fmt.Fprintf(&b, "\n%s\n", h.Host)
		for i := range h.Edits {
			e := &h.Edits[i]
			n++
			lead := fmt.Sprintf("%4d. ", n)
			for j, line := range e.Lines {
				pad := strings.Repeat(" ", len(lead)+len(line)-len(strings.TrimLeft(line, " ")))
				pieces := []string{line}
				if !IsCode(line) {
					pieces = words.Wrap(line, columns-len(pad), columns-len(pad)-2)
				}
				for k, piece := range pieces {
					switch {
					case j == 0 && k == 0:
						b.WriteString(lead)
					case k == 0:
						b.WriteString(pad)
					default:
						b.WriteString(pad + "  ")
					}
					b.WriteString(strings.TrimLeft(piece, " ") + "\n")
				}
			}
			for k, piece := range words.Wrap("Closes "+e.ClosesText(), columns-len(lead), columns-len(lead)-2) {
				b.WriteString(strings.Repeat(" ", len(lead)+min(k, 1)*2) + piece + "\n")
			}
		}
	}
	return b.String()
}

// Markdown returns the plan as Markdown.
func (p *Plan) Markdown() string {
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n", words.Sentence(p.Headline()))
	if p.Incomplete != "" {
		fmt.Fprintf(&b, "\n%s\n", escape.Markdown(p.Incomplete))
	}
	for _, h := range p.Hosts {
		fmt.Fprintf(&b, "\n## %s\n", escape.Markdown(h.Host))
		for i := range h.Edits {
			e := &h.Edits[i]
			fmt.Fprintf(&b, "\n%d. %s %s\n", i+1, escape.SeverityMark(e.Severity), escape.Inline(e.Summary))
			if len(e.Lines) > 1 {
				b.WriteString("\n")
			}
			for _, line := range e.Lines[1:] {
				fmt.Fprintf(&b, "       %s\n", line)
			}
			fmt.Fprintf(&b, "\n   Closes %s\n", escape.Markdown(e.ClosesText()))
		}
	}
	return b.String()
}
