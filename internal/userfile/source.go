package userfile

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Source is the text of a file of which entries keep their line rather than a
// copy of it. It is not safe for concurrent use while the file is read.
type Source struct {
	File   string
	Data   []byte
	starts []int32 // where each lineStep-th line begins, from the first on
	at     int     // where the line begins that was looked up last
	number int     // that line, from 1; 0 is none
}

// lineStep is how many lines share an entry of the index.
const lineStep = 64

// NewSource indexes the lines of a file.
func NewSource(file string, data []byte) *Source {
	s := &Source{File: file, Data: data, starts: []int32{0}}
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
func (s *Source) offset(line int) int {
	step := (line - 1) / lineStep
	if line < 1 || step >= len(s.starts) {
		return -1
	}
	return s.walk(int(s.starts[step]), step*lineStep+1, line)
}

// next is offset for lines that are looked up one behind the other.
func (s *Source) next(line int) int {
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
func (s *Source) walk(at, from, to int) int {
	for ; from < to; from++ {
		i := bytes.IndexByte(s.Data[at:], '\n')
		if i < 0 {
			return -1
		}
		at += i + 1
	}
	return at
}

// Line gives the text of a line from 1, "" out of range, at most 200 bytes.
func (s *Source) Line(n int) string {
	text := s.text(n)
	return string(text[:min(len(text), 200)])
}

// text is a line from 1 without its end, nil out of range.
func (s *Source) text(n int) []byte {
	at := s.offset(n)
	if at < 0 {
		return nil
	}
	text, _, _ := bytes.Cut(s.Data[at:], []byte("\n"))
	return bytes.TrimRight(text, "\r")
}

// Find is where the text of a scalar begins, -1 if it is not written as it is read.
func (s *Source) Find(n *yaml.Node, text string) int {
	at := s.next(n.Line)
	if at < 0 {
		return -1
	}
	at += n.Column - 1
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		at++ // the quote in front
	}
	if at > len(s.Data) || !bytes.HasPrefix(s.Data[at:], []byte(text)) {
		return -1
	}
	return at
}

// Within is how many bytes behind the beginning of a scalar a piece of its text
// stands, 0 if it is not written as it is read.
func (s *Source) Within(n *yaml.Node, piece string) int {
	i := strings.Index(n.Value, piece)
	if i <= 0 || n.Kind != yaml.ScalarNode || strings.Contains(n.Value, "\n") || s.Find(n, n.Value) < 0 {
		return 0
	}
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		i++ // the quote in front
	}
	return i
}

// Show gives an error of the file its line.
func (s *Source) Show(e *Error) { e.SetSource(string(s.text(e.Line))) }
