package drawing

import (
	"encoding/xml"
	"fmt"
	"io"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/mxsweep/mxsweep/result"
)

// chain returns the path of mail servers with a filter and a signing proxy, of each basis.
func chain() *result.Path {
	at := &result.Anchor{File: "etc/postfix/master.cf", Line: 12}
	return &result.Path{
		IP: netip.MustParseAddr("192.0.2.10"), Host: "mx1.example.org", Left: 3,
		Steps: []result.PathStep{
			{Kind: result.StepPort, Port: 25, Product: "Postfix smtpd", Role: result.RoleMTA, Open: true},
			{Kind: result.StepPort, Port: 10024, Product: "amavisd-new", Role: result.RoleContentFilter, Anchor: at},
			{Kind: result.StepPort, Port: 10025, Product: "Postfix smtpd", Role: result.RoleReinjection, Open: true, Internal: true},
			{Kind: result.StepQueue},
			{Kind: result.StepPort, Port: 587, Product: "Postfix smtpd", Role: result.RoleSubmission, Open: true},
			{Kind: result.StepPort, Port: 10027, Product: "DKIMproxy", Role: result.RoleSigningProxy, Open: true, Internal: true},
			{Kind: result.StepPort, Product: "Postfix"},
			{Kind: result.StepPort, Port: 10031, Role: result.RolePolicy, Open: true, Internal: true},
			{Kind: result.StepElsewhere, Name: "relay.example.org:25"},
		},
		Edges: []result.PathEdge{
			{From: 0, To: 7, Asks: true, Basis: result.BasisFile},
			{From: 0, To: 1, Basis: result.BasisFile, Anchor: at},
			{From: 1, To: 2, Basis: result.BasisTable},
			{From: 2, To: 3, Basis: result.BasisRole},
			{From: 4, To: 5, Basis: result.BasisTable},
			{From: 5, To: 6, Basis: result.BasisDialogue},
			{From: 3, To: 8, Basis: result.BasisFile},
			{From: 4, To: 1, Basis: result.BasisFile},
		},
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	const want = `internet
+-> 25 Postfix smtpd, mta
|   +-- 10024 amavisd-new, content filter [loopback only] (etc/postfix/master.cf:12)
|   |   ` + "`" + `.. 10025 Postfix smtpd, reinjection [internal, but open] (expected)
|   |       ` + "`" + `-- queue
|   |           ` + "`" + `-- relay.example.org:25
|   ` + "`" + `-? 10031, policy [internal, but open] (asks)
` + "`" + `-> 587 Postfix smtpd, submission
    +.. 10027 DKIMproxy, signing proxy [internal, but open] (expected)
    |   ` + "`" + `.. Postfix, its port is not known (likely)
    ` + "`" + `-- 10024 amavisd-new, drawn above
3 more ports are left out
`
	var b strings.Builder
	for _, l := range Text(chain(), "internet") {
		b.WriteString(l.Lead + l.Text + "\n")
	}
	if b.String() != want {
		t.Errorf("got\n%s\nwant\n%s", b.String(), want)
	}
}

func TestMermaid(t *testing.T) {
	t.Parallel()
	got := Mermaid(chain(), "internet")
	checkMermaid(t, got)
	for _, want := range []string{
		`  outside(["internet"])`,
		`  s1["10024 amavisd-new<br/>content filter<br/>loopback only"]`,
		`  s3[("queue")]`,
		`  outside --> s2`,
		`  s0 -->|"etc/postfix/master.cf:12"| s1`,
		`  s0 -.->|"asks"| s7`,
		`  s5 -.->|"likely"| s6`,
		`  class s2,s5,s7 open`,
	} {
		if !strings.Contains(got, "\n"+want+"\n") {
			t.Errorf("no line %q in\n%s", want, got)
		}
	}
	if strings.Contains(got, "outside --> s1\n") {
		t.Error("an arrow from outside leads to a port on loopback")
	}
}

// A cycle to which nothing leads is drawn, and ends.
func TestCycle(t *testing.T) {
	t.Parallel()
	p := &result.Path{
		Steps: []result.PathStep{{Kind: result.StepPort, Port: 10024}, {Kind: result.StepPort, Port: 10025}},
		Edges: []result.PathEdge{{From: 0, To: 1, Basis: result.BasisFile}, {From: 1, To: 0, Basis: result.BasisFile}},
	}
	if rows := rowsOf(p); len(rows) != 3 || !rows[2].again {
		t.Errorf("rows are %+v", rows)
	}
}

// mermaidLine is each line of a flowchart that is written.
var mermaidLine = regexp.MustCompile(`^(flowchart LR|  outside\(\["LABEL"\]\)|  s\d+(\["LABEL(<br/>LABEL)*"\]|\[\("LABEL"\)\])|  outside --> s\d+|  s\d+ -(-|\.-)>(\|"LABEL"\|)? s\d+|  classDef open [a-z0-9:,#-]+|  class s\d+(,s\d+)* open)$`)

var mermaidLabel = regexp.MustCompile(`"([^"<]*|<br/>)*"`)

// checkMermaid checks that a flowchart has no other lines than those, and no text in a label
// that Mermaid, or Markdown around it, reads as something else.
func checkMermaid(t *testing.T, chart string) {
	t.Helper()
	label := regexp.MustCompile(`^([A-Za-z0-9 .,:/-]|#[0-9]+;)*$`)
	for line := range strings.SplitSeq(strings.TrimSuffix(chart, "\n"), "\n") {
		plain := mermaidLabel.ReplaceAllStringFunc(line, func(quoted string) string {
			parts := strings.Split(strings.Trim(quoted, `"`), "<br/>")
			for i, part := range parts {
				if !label.MatchString(part) {
					t.Errorf("label %q", part)
				}
				parts[i] = "LABEL"
			}
			return `"` + strings.Join(parts, "<br/>") + `"`
		})
		if !mermaidLine.MatchString(plain) {
			t.Errorf("line %q", line)
		}
	}
}

// checkSVG checks that a drawing is well-formed, and has no other elements and attributes
// than those that are written.
func checkSVG(t *testing.T, svg string) {
	t.Helper()
	d := xml.NewDecoder(strings.NewReader(svg))
	allowed := " svg title desc rect text path class viewBox width height role aria-labelledby id x y rx d "
	for {
		token, err := d.Token()
		if err == io.EOF {
			return
		}
		if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, svg)
		}
		if e, ok := token.(xml.StartElement); ok {
			names := []string{e.Name.Local}
			for _, a := range e.Attr {
				names = append(names, a.Name.Local)
			}
			for _, name := range names {
				if !strings.Contains(allowed, " "+name+" ") {
					t.Errorf("element or attribute %q", name)
				}
			}
		}
	}
}

func TestSVG(t *testing.T) {
	t.Parallel()
	svg := SVG(chain(), "internet", "path0")
	checkSVG(t, svg)
	if n := strings.Count(svg, `<rect class="exposed"`); n != 3 {
		t.Errorf("%d exposed steps are drawn, want 3", n)
	}
	for _, want := range []string{`aria-labelledby="path0-title path0-text"`, `<title id="path0-title">Mail path of 192.0.2.10 mx1.example.org</title>`, "10027 DKIMproxy"} {
		if !strings.Contains(svg, want) {
			t.Errorf("no %s", want)
		}
	}
}

// FuzzDrawing draws paths with any texts: none breaks out of its form, and each exposed port
// is in each drawing.
func FuzzDrawing(f *testing.F) {
	for _, text := range []string{
		"Postfix", "\"]; click s0 \"javascript:alert(1)\"", "a\"--> b", "```\n# x", "</title><script>alert(1)</script>", "<br/>", "#quot;",
		"`md`", "%%{init: {}}%%", "]]>", "\x00\x1b[31m\r\n", "\u202e\ufeff", "end", "１２",
	} {
		f.Add(text, text, text, uint8(3))
	}
	f.Fuzz(func(t *testing.T, product, name, host string, n uint8) {
		if !utf8.ValidString(product + name + host) {
			t.Skip("a report has valid UTF-8 only")
		}
		clean := func(s string) string { // as package sanitize leaves no control characters
			return strings.Map(func(r rune) rune {
				if r < ' ' || r == 0xfffe || r == 0xffff {
					return ' '
				}
				return r
			}, s)
		}
		p := chain()
		p.Host = clean(host)
		p.Steps[8].Name, p.Steps[1].Anchor.File = clean(name), clean(name)
		for i := range p.Steps[:3] {
			p.Steps[i].Product = clean(product)
		}
		p.Edges[0].To = int(n) % len(p.Steps)
		chart := Mermaid(p, clean(host))
		checkMermaid(t, chart)
		svg := SVG(p, clean(host), "path0")
		checkSVG(t, svg)
		var text strings.Builder
		for _, l := range Text(p, clean(host)) {
			text.WriteString(l.Lead + l.Text + "\n")
		}
		for i := range p.Steps {
			s := &p.Steps[i]
			if !exposed(s) {
				continue
			}
			number := fmt.Sprint(s.Port)
			if !strings.Contains(chart, "outside --> s"+fmt.Sprint(i)+"\n") || !strings.Contains(svg, number) || !strings.Contains(text.String(), number) {
				t.Errorf("port %d is not drawn", s.Port)
			}
		}
	})
}

// TestMachine: the path of a machine has its name for a title, and its ports on loopback are
// marked although no line is known that binds them.
func TestMachine(t *testing.T) {
	t.Parallel()
	p := &result.Path{IP: netip.IPv4Unspecified(), Host: "mx1.example.org", Steps: []result.PathStep{
		{Kind: result.StepPort, Port: 24, Product: "Dovecot", Role: result.RoleLMTP, Open: true, Internal: true},
		{Kind: result.StepPort, Port: 10143, Product: "Dovecot", Role: result.RoleIMAPBackend, Internal: true},
	}}
	if got := Title(p); got != "mx1.example.org" {
		t.Errorf("the title is %q", got)
	}
	var b strings.Builder
	for _, l := range Text(p, "host") {
		b.WriteString(l.Lead + l.Text + "\n")
	}
	for _, want := range []string{"24 Dovecot, lmtp [internal, but open]", "10143 Dovecot, imap backend [loopback only]"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("no %q in\n%s", want, b.String())
		}
	}
}
