package userfile

import (
	"bytes"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Source is the text of a file, so that entries need only keep their line
// number. It is not safe for concurrent use while the file is read.
type Source struct {
	File   string
	Data   []byte
	starts []int32 // offset of every lineStep-th line, starting with the first
	at     int     // offset of the line that was looked up last
	number int     // its number, from 1; 0 means none
}

// lineStep is the number of lines per entry of the index.
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

// offset returns the offset of a line, counted from 1; -1 if it is out of range.
func (s *Source) offset(line int) int {
	step := (line - 1) / lineStep
	if line < 1 || step >= len(s.starts) {
		return -1
	}
	return s.walk(int(s.starts[step]), step*lineStep+1, line)
}

// next is offset for consecutive lookups of ascending lines.
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

// walk returns the offset of line to, given the offset at of an earlier line
// from.
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

// Line returns the text of a line, counted from 1, at most 200 bytes; "" if it is
// out of range.
func (s *Source) Line(n int) string {
	text := s.text(n)
	return string(text[:min(len(text), 200)])
}

// text returns a line, counted from 1, without its end; nil if it is out of
// range.
func (s *Source) text(n int) []byte {
	at := s.offset(n)
	if at < 0 {
		return nil
	}
	text, _, _ := bytes.Cut(s.Data[at:], []byte("\n"))
	return bytes.TrimRight(text, "\r")
}

// Find returns the offset of the text of a scalar, -1 if it is not written
// literally.
func (s *Source) Find(n *yaml.Node, text string) int {
	at := s.next(n.Line)
	if at < 0 {
		return -1
	}
	at += n.Column - 1
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		at++ // the opening quote
	}
	if at > len(s.Data) || !bytes.HasPrefix(s.Data[at:], []byte(text)) {
		return -1
	}
	return at
}

// Within returns the offset of piece from the beginning of a scalar, in bytes, 0
// if it is not written literally.
func (s *Source) Within(n *yaml.Node, piece string) int {
	i := strings.Index(n.Value, piece)
	if i <= 0 || n.Kind != yaml.ScalarNode || strings.Contains(n.Value, "\n") || s.Find(n, n.Value) < 0 {
		return 0
	}
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
		i++ // the opening quote
	}
	return i
}

// Show sets the source line of an error in the file.
func (s *Source) Show(e *Error) { e.SetSource(string(s.text(e.Line))) }
