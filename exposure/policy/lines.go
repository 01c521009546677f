package policy

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/result"
)

// A place is a compact position in a file. The zero place is none.
type place struct {
	in     *userfile.Source
	number int32
}

// Anchor returns the position for reports, nil if there is none.
func (p place) Anchor() *result.Anchor {
	if p.in == nil {
		return nil
	}
	line := p.in.Line(int(p.number))
	return &result.Anchor{File: p.in.File, Line: int(p.number), EndColumn: len(strings.TrimRight(line, " \t")) + 1, Text: strings.TrimSpace(line)}
}

// FilePlace returns the place where the policy names one of its scope files, for an
// error about that file.
func (s *ScopeSection) FilePlace(file result.Anchor) *userfile.Error {
	e := &userfile.Error{File: file.File, Line: file.Line, Column: file.EndColumn - len(file.Text),
		Hint: "a scope file is found relative to the policy that names it"}
	if s.in != nil {
		s.in.Show(e)
	}
	return e
}

// Lines are scope lines with their positions, stored compactly. The zero Lines
// are empty.
type Lines struct {
	in   *userfile.Source
	rows []lineRow
	odd  []result.Anchor // lines that do not fit into a row
}

// A lineRow is one line of a scope. Its text is in the source.
type lineRow struct {
	line, at int32 // at is its index in odd if size is oddLine
	size     uint16
	excluded bool
}

// oddLine is the size of a line stored in odd.
const oddLine = 1<<16 - 1

// Len returns the number of lines.
func (l *Lines) Len() int { return len(l.rows) }

// All yields the lines in their order.
func (l *Lines) All(yield func(result.Anchor) bool) {
	for i := range l.rows {
		if !yield(l.anchor(i)) {
			return
		}
	}
}

// anchor returns line i.
func (l *Lines) anchor(i int) result.Anchor {
	r := l.rows[i]
	if r.size == oddLine {
		return l.odd[r.at]
	}
	at, end := int(r.at), int(r.at)+int(r.size)
	a := result.Anchor{File: l.in.File, Line: int(r.line), EndColumn: end - bytes.LastIndexByte(l.in.Data[:at], '\n'), Text: string(l.in.Data[at:end])}
	if r.excluded {
		a.Text = "!" + a.Text
	}
	return a
}

// add appends the line at a node.
func (l *Lines) add(in *userfile.Source, n *yaml.Node, a result.Anchor) {
	l.in = in
	text, excluded := strings.CutPrefix(a.Text, "!")
	r := lineRow{line: int32(a.Line), at: int32(in.Find(n, text)), size: uint16(len(text)), excluded: excluded}
	if r.at >= 0 && len(text) < oddLine {
		l.rows = append(l.rows, r)
		if l.anchor(len(l.rows)-1) == a {
			return
		}
		l.rows = l.rows[:len(l.rows)-1]
	}
	a.Text = strings.Clone(a.Text)
	l.odd = append(l.odd, a)
	l.rows = append(l.rows, lineRow{at: int32(len(l.odd) - 1), size: oddLine})
}
