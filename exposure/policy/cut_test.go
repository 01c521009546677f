package policy

import (
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure/exposuretest"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/result"
)

// A policyWriter writes policies at random, some of them with mistakes.
type policyWriter struct {
	*rand.Rand
	faults bool
}

// pick returns one of words.
func (w policyWriter) pick(words ...string) string { return words[w.IntN(len(words))] }

// target returns hosts.
func (w policyWriter) target() string {
	t := fmt.Sprintf("10.0.%d.%d", w.IntN(3), w.IntN(200))
	t = w.pick(t, t, t, t+"/32", "mx1.example.org", "2001:db8::1", "10.0.0.1-9")
	if w.faults && w.IntN(30) == 0 {
		t = w.pick("10.0.0/8", "no host", "mx1:25", "0.0.0.0", "*", "null", "[a, b]", "''", "*x", "300.1.1.1 # no")
	}
	return w.quoted(t)
}

// quoted returns a value in a random quoting style.
func (w policyWriter) quoted(text string) string {
	switch w.IntN(8) {
	case 0:
		return `"` + text + `"`
	case 1:
		return "'" + strings.ReplaceAll(text, "'", "''") + "'"
	case 2:
		return " " + text + "  # as agreed"
	}
	return text
}

// pairs returns an entry with its keys, in braces or below each other.
func (w policyWriter) pairs(indent string, pairs ...string) string {
	if w.faults && w.IntN(40) == 0 {
		pairs = append(pairs, w.pick("target: 10.0.0.9", "shape: round", "owner: me", "ports: 26"))
	}
	if w.faults && w.IntN(40) == 0 {
		pairs = pairs[1:]
	}
	w.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
	switch w.IntN(6) {
	case 0:
		return fmt.Sprintf("%s-\n%s  %s\n", indent, indent, strings.Join(pairs, "\n  "+indent))
	case 1:
		return fmt.Sprintf("%s- %s\n", indent, strings.Join(pairs, "\n\n"+indent+"  "))
	case 2, 3:
		text := strings.Join(pairs, ", ")
		if strings.Contains(text, "#") || strings.Contains(text, ">") {
			break
		}
		return fmt.Sprintf("%s- {%s}\n", indent, text)
	}
	return fmt.Sprintf("%s- %s\n", indent, strings.Join(pairs, "\n  "+indent))
}

// list returns a list below a key.
func (w policyWriter) list(key, indent string, item func(indent string) string) string {
	var b strings.Builder
	b.WriteString(indent + key + ":" + w.pick("", " # what follows", " ") + "\n")
	indent += w.pick("", "  ", "  ", "    ")
	for range 1 + w.IntN(12) {
		b.WriteString(item(indent))
		b.WriteString(w.pick("", "", "", "\n", "# a comment\n", "      # another\n"))
		if w.faults && w.IntN(150) == 0 {
			b.WriteString(w.pick(indent+"- \"a\n", indent+"- {a: b\n", indent+"- a: b: c\n", indent+"- a]\n", indent+" x\n", "- z\n"))
		}
	}
	return b.String()
}

// policy returns a whole policy.
func (w policyWriter) policy() string {
	ids := 0
	port := func() string { return w.quoted(w.pick("25", "25,143", "10000-10010", "[25, 143]")) }
	parts := []string{
		w.list("expect", "", func(i string) string {
			list := []string{"target: " + w.target(), "ports: " + w.pick("25", "[25, 143]", "'110'")}
			if w.IntN(2) == 0 {
				list = append(list, "protocol: smtp", "product: "+w.pick("Postfix", "\"Exim \\u0034\""))
			}
			return w.pairs(i, list...)
		}),
		w.list("must_be_closed", "", func(i string) string {
			return w.pairs(i, "target: "+w.target(), "ports: "+w.pick("25", "26-30", "\"*\""))
		}),
		w.list("accept", "", func(i string) string {
			ids++
			return w.pairs(i, fmt.Sprintf("id: AR-%d", ids-w.IntN(30)/29), "rule: MXS1002", "target: "+w.target(), "port: "+strings.TrimSpace(port()),
				"owner: "+w.pick("ops", "Jürgen", "null ops"), "expires: 2027-01-3"+w.pick("0", "1", "1"), "reason: "+w.pick("a lab that goes away", "'a lab: it''s old'", ">-\n        over two\n        lines of it"))
		}),
		"scope:\n" + w.list("targets", "  ", func(i string) string {
			if w.IntN(4) == 0 {
				return w.pairs(i, "target: 10.0.0.0/24", "hosts: 3")
			}
			return i + "- " + w.target() + "\n"
		}) + w.list("exclude", "  ", func(i string) string { return i + "- " + w.target() + "\n" }),
		"limits: {rate: 500}\n", "ports: [25]\n", "# a comment\n\n",
	}
	w.Shuffle(len(parts), func(i, j int) { parts[i], parts[j] = parts[j], parts[i] })
	text := w.pick("", "", "---\n", "# first\n") + "version: 1\n" + strings.Join(parts[:w.IntN(len(parts)+1)], "")
	if w.IntN(5) == 0 {
		text = strings.ReplaceAll(text, "\n", "\r\n")
	}
	return text
}

// mistakes returns everything that is reported for an error.
func mistakes(err error) []string {
	var list []string
	for _, e := range fault.Parts(err) {
		u := e.(*userfile.Error)
		list = append(list, u.Error()+"\n"+u.Source+"\n"+u.Hint)
	}
	return list
}

// said returns the content of a policy, without how it is stored.
func said(p *Policy) any {
	type entry struct {
		accept       result.Acceptance
		rule         string
		hosts, ports string
		ranges       any
		service      expectedService
		at           *result.Anchor
	}
	if p == nil {
		return nil
	}
	var list []entry
	for i := range p.Accept {
		a := &p.Accept[i]
		list = append(list, entry{a.Acceptance, a.Rule, a.Hosts.Text(), a.Ports.Text(), fmt.Sprint(a.Hosts.ranges(), a.Ports.set()), expectedService{}, a.Anchor()})
	}
	for i := range p.Expect {
		e := &p.Expect[i]
		list = append(list, entry{result.Acceptance{}, "", e.Hosts.Text(), e.Ports.Text(), fmt.Sprint(e.Hosts.ranges(), e.Ports.set()), expectedService{e.protocol(), e.product()}, e.Anchor()})
	}
	for i := range p.MustBeClosed {
		m := &p.MustBeClosed[i]
		list = append(list, entry{result.Acceptance{}, "", m.Hosts.Text(), m.Ports.Text(), fmt.Sprint(m.Hosts.ranges(), m.Ports.set()), expectedService{}, m.Anchor()})
	}
	return []any{list, slices.Collect(p.Scope.Lines.All), p.Scope.Files, p.Scope.Hosts, p.Ports, p.Limits, p.SHA256}
}

// TestPolicyInParts checks that a policy that is read list by list has the same
// content, and the same errors at the same positions, as one that is read as a
// whole.
func TestPolicyInParts(t *testing.T) {
	cut := 0
	for i := range 1500 {
		w := policyWriter{rand.New(rand.NewPCG(7, uint64(i))), i%3 > 0}
		text := w.policy()
		if d, _ := parse("p.yaml", []byte(text), 0); d.Lists != nil {
			cut++
		}
		if problem := inParts(text); problem != "" {
			t.Fatalf("%s\n%s", problem, text)
		}
	}
	if cut < 600 {
		t.Errorf("only %d policies were cut", cut)
	}
}

// inParts returns the differences between reading a policy by parts and as a
// whole.
func inParts(text string) string {
	whole, wholeErr := loadParts("p.yaml", []byte(text), Context{}, len(text)+1)
	parts, partsErr := loadParts("p.yaml", []byte(text), Context{}, 0)
	switch {
	case !reflect.DeepEqual(mistakes(partsErr), mistakes(wholeErr)):
		return fmt.Sprintf("in parts:\n%q\nas a whole:\n%q", mistakes(partsErr), mistakes(wholeErr))
	case fmt.Sprint(partsErr) != fmt.Sprint(wholeErr):
		return fmt.Sprintf("in parts: %v\nas a whole: %v", partsErr, wholeErr)
	case !reflect.DeepEqual(said(parts), said(whole)):
		return fmt.Sprintf("in parts:\n%+v\nas a whole:\n%+v", said(parts), said(whole))
	}
	return ""
}

// FuzzPolicyInParts compares any policy that is read list by list with the whole
// one.
func FuzzPolicyInParts(f *testing.F) {
	for i := range 20 {
		f.Add(policyWriter{rand.New(rand.NewPCG(8, uint64(i))), i%2 > 0}.policy())
	}
	f.Fuzz(func(t *testing.T, text string) {
		if problem := inParts(text); problem != "" {
			t.Error(problem)
		}
	})
}

// TestManyEntryNotices checks that of very many entries a limited number is
// reported, and all are counted.
func TestManyEntryNotices(t *testing.T) {
	text := "version: 1\naccept:\n" + lines(maxEntryNotices+300, func(i int) string {
		day := "2027-01-31"
		if i%13 == 0 {
			day = "2020-01-31"
		}
		return fmt.Sprintf("- {id: A%d, rule: MXS1002, target: 192.0.2.1, port: 25, reason: lab machines, owner: ops, expires: %s}\n", i, day)
	})
	p := loadPolicy(t, text)
	list := p.Notices(nil, nil, exposuretest.Time)
	expired, unused := Tally(list)
	if last := list[len(list)-1]; len(list) != 100+maxEntryNotices+1 || expired != 100 || unused != maxEntryNotices+200 || !strings.Contains(last.Message, "to 200 more entries") {
		t.Errorf("%d notices, %d expired, %d unused, the last %+v", len(list), expired, unused, last)
	}
}

// TestManyIDs checks that a known id is found among very many, whatever its hash.
func TestManyIDs(t *testing.T) {
	var x idIndex
	var list []AcceptedRisk
	for i := range 1000 {
		id := fmt.Sprint("AR-", i)
		if x.line(list, id) != 0 {
			t.Fatalf("%s is known", id)
		}
		x.add(id, i)
		list = append(list, AcceptedRisk{Acceptance: result.Acceptance{ID: id}, place: place{number: int32(i + 5)}})
	}
	for i := range x.first {
		x.first[i] = 0 // as if all had one hash
	}
	x.others["AR-7"] = 7
	if x.line(list, "AR-0") != 5 || x.line(list, "AR-7") != 12 || x.line(list, "AR-8") != 0 {
		t.Error("an id is not found by what it is")
	}
}
