package exposure

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/scan/scope"
)

// A source is the text of a file of which entries keep their line rather than a
// copy of it. It is not safe for concurrent use while the file is read.
type source struct {
	file   string
	data   []byte
	starts []int32 // where each lineStep-th line begins, from the first on
	at     int     // where the line begins that was looked up last
	number int     // that line, from 1; 0 is none
}

// lineStep is how many lines share an entry of the index.
const lineStep = 64

// newSource indexes the lines of a file.
func newSource(file string, data []byte) *source {
	s := &source{file: file, data: data, starts: []int32{0}}
	n, at := 0, 0
	for {
		i := bytes.IndexByte(data[at:], '\n')
		if i < 0 {
			return s
		}
		at += i + 1
		if n++; n%lineStep == 0 {
			s.starts = append(s.starts, int32(at))
		}
	}
}

// offset is where a line from 1 begins, -1 out of range.
func (s *source) offset(line int) int {
	step := (line - 1) / lineStep
	if line < 1 || step >= len(s.starts) {
		return -1
	}
	return s.walk(int(s.starts[step]), step*lineStep+1, line)
}

// next is offset for lines that are looked up one behind the other.
func (s *source) next(line int) int {
	at := -1
	if s.number > 0 && line >= s.number && line-s.number < lineStep {
		at = s.walk(s.at, s.number, line)
	} else {
		at = s.offset(line)
	}
	s.at, s.number = at, line
	if at < 0 {
		s.number = 0
	}
	return at
}

// walk goes from the beginning of one line to that of a later one.
func (s *source) walk(at, from, to int) int {
	for ; from < to; from++ {
		i := bytes.IndexByte(s.data[at:], '\n')
		if i < 0 {
			return -1
		}
		at += i + 1
	}
	return at
}

// line gives the text of a line from 1, "" out of range, at most 200 bytes.
func (s *source) line(n int) string {
	at := s.offset(n)
	if at < 0 {
		return ""
	}
	text, _, _ := bytes.Cut(s.data[at:], []byte("\n"))
	text = bytes.TrimRight(text, "\r")
	return string(text[:min(len(text), 200)])
}

// find is where the text of a scalar begins, -1 if it is not written as it is read.
func (s *source) find(n *yaml.Node, text string) int {
	at := s.next(n.Line)
	if at < 0 {
		return -1
	}
	at += n.Column - 1
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		at++ // the quote in front
	}
	if at > len(s.data) || !bytes.HasPrefix(s.data[at:], []byte(text)) {
		return -1
	}
	return at
}

// A place is a line of a file, in few bytes. The zero place is none.
type place struct {
	in     *source
	number int32
}

// Anchor gives the place for reports, nil if there is none.
func (p place) Anchor() *scope.Anchor {
	if p.in == nil {
		return nil
	}
	line := p.in.line(int(p.number))
	return &scope.Anchor{File: p.in.file, Line: int(p.number), EndColumn: len(strings.TrimRight(line, " \t")) + 1, Text: strings.TrimSpace(line)}
}

// Lines are scope lines with their places, in few bytes each. The zero Lines are
// none.
type Lines struct {
	in   *source
	rows []lineRow
	odd  []scope.Anchor // lines that a row cannot hold
}

// A lineRow is one line of a scope. Its text stands in the source.
type lineRow struct {
	line, at int32 // at is its place among the odd ones if size is oddLine
	size     uint16
	excluded bool
}

// oddLine is the size of a line that stands among the odd ones.
const oddLine = 1<<16 - 1

// Len is how many lines there are.
func (l *Lines) Len() int { return len(l.rows) }

// All yields the lines in their order.
func (l *Lines) All(yield func(scope.Anchor) bool) {
	for i := range l.rows {
		if !yield(l.anchor(i)) {
			return
		}
	}
}

// anchor gives a line by its number.
func (l *Lines) anchor(i int) scope.Anchor {
	r := l.rows[i]
	if r.size == oddLine {
		return l.odd[r.at]
	}
	at, end := int(r.at), int(r.at)+int(r.size)
	a := scope.Anchor{File: l.in.file, Line: int(r.line), EndColumn: end - bytes.LastIndexByte(l.in.data[:at], '\n'), Text: string(l.in.data[at:end])}
	if r.excluded {
		a.Text = "!" + a.Text
	}
	return a
}

// add keeps the line of a node.
func (l *Lines) add(in *source, n *yaml.Node, a scope.Anchor) {
	l.in = in
	text, excluded := strings.CutPrefix(a.Text, "!")
	r := lineRow{line: int32(a.Line), at: int32(in.find(n, text)), size: uint16(len(text)), excluded: excluded}
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
