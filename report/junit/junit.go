// Package junit writes a run as JUnit XML, for the test reports of CI systems.
package junit

import (
	"bufio"
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// The elements of JUnit XML that both dialects accept: Ant's (junit.xsd), which
// is strict about order and attributes, and that of Jenkins' xUnit plugin.

type junitSuite struct {
	XMLName    xml.Name        `xml:"testsuite"`
	ID         int             `xml:"id,attr"`
	Package    string          `xml:"package,attr"`
	Name       string          `xml:"name,attr"`
	Timestamp  string          `xml:"timestamp,attr"`
	Hostname   string          `xml:"hostname,attr"`
	Tests      int             `xml:"tests,attr"`
	Failures   int             `xml:"failures,attr"`
	Errors     int             `xml:"errors,attr"`
	Skipped    int             `xml:"skipped,attr"`
	Time       string          `xml:"time,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
	Out        string          `xml:"system-out"`
	Err        string          `xml:"system-err"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Name    string        `xml:"name,attr"`
	Class   string        `xml:"classname,attr"`
	Time    string        `xml:"time,attr"`
	Failure *junitProblem `xml:"failure"`
	Error   *junitProblem `xml:"error"`
	Skipped *junitSkipped `xml:"skipped"`
}

type junitProblem struct {
	Type    string `xml:"type,attr"`
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

type junitSkipped struct {
	Message string `xml:"message,attr"`
}

// junitWriter writes one suite for the run itself (the gate, what was not seen,
// each open port without a finding) and one for each rule with findings, the one
// with the most urgent finding first. A finding that does not fail the gate, or
// is accepted or expected, is skipped; what was not seen is an error.
type junitWriter struct {
	view.Collector
	w io.Writer
}

// New returns a Writer that writes a run to w as JUnit XML.
func New(w io.Writer, _ format.Options) format.Writer { return &junitWriter{w: w} }

// End implements [format.Writer].
func (j *junitWriter) End(r result.Run, s result.Summary) error {
	j.Finish(r)
	suites := []junitSuite{j.runSuite(s)}
	ports := j.ByPlace()
	at := make(map[string]int)
	names := make(map[string]string)
	for i := range j.Run.Rules {
		names[j.Run.Rules[i].ID] = j.Run.Rules[i].Name
	}
	for i := range j.Findings {
		f := &j.Findings[i]
		n, ok := at[f.Rule]
		if !ok {
			n = len(suites)
			at[f.Rule] = n
			suites = append(suites, j.suite(f.Rule+" "+cmp.Or(names[f.Rule], f.Title)))
		}
		suites[n].add(j.findingCase(f, ports[view.FindingPlace(f)]))
	}
	return j.write(suites)
}

func (j *junitWriter) write(suites []junitSuite) error {
	w := bufio.NewWriter(j.w)
	w.WriteString(xml.Header + "<testsuites>\n")
	enc := xml.NewEncoder(w)
	enc.Indent("  ", "  ")
	for i := range suites {
		suites[i].ID = i
		if err := enc.Encode(suites[i]); err != nil {
			return fmt.Errorf("encoding JUnit: %w", err)
		}
	}
	w.WriteString("\n</testsuites>\n")
	return w.Flush()
}

func (j *junitWriter) pkg() string { return "mxsweep." + cmp.Or(j.Run.Scope.Name, "run") }

// suite returns an empty suite.
func (j *junitWriter) suite(name string) junitSuite {
	took := 0.0
	if !j.Run.EndTime.IsZero() {
		took = j.Run.EndTime.Sub(j.Run.StartTime.Time).Seconds()
	}
	s := junitSuite{
		Package: j.pkg(), Name: name,
		Timestamp:  j.Run.StartTime.UTC().Format("2006-01-02T15:04:05"), // without a zone: junit.xsd allows none
		Hostname:   cmp.Or(j.Run.Vantage, "localhost"),
		Time:       fmt.Sprintf("%.3f", took),
		Properties: []junitProperty{{"mxsweep.version", j.Tool.Version}, {"mxsweep.run_id", j.Run.ID}},
	}
	if b := j.Run.Baseline; b != nil {
		s.Properties = append(s.Properties, junitProperty{"mxsweep.baseline", b.SHA256})
	}
	return s
}

func (s *junitSuite) add(c junitCase) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

// runSuite returns the suite with the cases that belong to no rule.
func (j *junitWriter) runSuite(s result.Summary) junitSuite {
	suite := j.suite("run")
	v := j.Brief(s)
	class := j.pkg() + ".run"
	gate := junitCase{Name: "gate", Class: class, Time: suite.Time}
	if s.Partial() {
		gate.Error = &junitProblem{Type: string(s.Gate), Message: v.Verdict(), Text: v.Coverage()}
	}
	suite.add(gate)
	for _, n := range j.Notices {
		if n.Level == "note" {
			continue
		}
		c := junitCase{Name: strings.TrimSpace(n.Code + " " + n.Target), Class: class, Time: "0.000"}
		if n.Level == result.LevelError || n.Code == exposure.NoticeSilent {
			c.Error = &junitProblem{Type: n.Code, Message: n.Message, Text: view.Where(n.Anchor)}
		} else {
			c.Skipped = &junitSkipped{n.Message}
		}
		suite.add(c)
	}
	found := j.FindingsByPlace()
	for i := range j.Ports {
		p := &j.Ports[i]
		if p.State == result.StateOpen && len(found[view.PortPlace(p)]) == 0 {
			c := junitCase{Name: view.PortPlace(p) + "/" + p.Protocol, Class: class, Time: seconds(p)}
			if why := view.Inconclusive(p.Service); why != "" {
				c.Error = &junitProblem{Type: string(p.Service.Inconclusive), Message: why}
			}
			suite.add(c)
		}
	}
	return suite
}

func (j *junitWriter) findingCase(f *result.Finding, p *result.Port) junitCase {
	c := junitCase{
		Name: view.FindingPlace(f) + "/" + f.Protocol, Class: j.pkg() + "." + f.Rule, Time: seconds(p),
	}
	message := fmt.Sprintf("%s (%s)", f.Title, view.SeverityLabel(f))
	if p != nil && p.Listener == nil && p.Service.Label() != "" {
		message = fmt.Sprintf("%s answers on %s (%s)", p.Service.Label(), c.Name, view.SeverityLabel(f))
	}
	switch {
	case f.Drift == result.DriftFixed:
	case f.Status == result.StatusAccepted && f.Acceptance != nil:
		c.Skipped = &junitSkipped{fmt.Sprintf("accepted risk %s until %s", f.Acceptance.ID, f.Acceptance.Expires)}
	case f.Status != result.StatusOpen:
		c.Skipped = &junitSkipped{string(f.Status) + " by the policy"}
	case f.Drift == result.DriftUnverified:
		c.Error = &junitProblem{Type: f.Rule, Message: "not seen in this run: " + f.Title, Text: j.caseText(f)}
	case f.Verdict != "" && f.Verdict != result.VerdictFail:
		c.Skipped = &junitSkipped{"below the gate: " + message}
	default:
		c.Failure = &junitProblem{Type: f.Rule, Message: message, Text: j.caseText(f)}
	}
	return c
}

func (j *junitWriter) caseText(f *result.Finding) string {
	lines := []string{}
	if f.Anchor != nil {
		lines = append(lines, view.Where(f.Anchor))
	}
	if by := view.NamedBy(f); by != "" {
		lines = append(lines, "Named by: "+by)
	}
	for _, e := range f.Evidence {
		lines = append(lines, "Seen: "+e)
	}
	if f.Remediation != "" {
		lines = append(lines, "Fix: "+f.Remediation)
	}
	return strings.Join(lines, "\n")
}

// seconds returns how long a port took to answer, in seconds.
func seconds(p *result.Port) string {
	if p == nil {
		return "0.000"
	}
	return fmt.Sprintf("%.3f", p.RTT/1000)
}
