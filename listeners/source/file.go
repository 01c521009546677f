package source

import (
	"iter"
	"sort"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/mxsweep/mxsweep/result"
)

// A File is the text of one file.
type File struct {
	Name string // in its Tree
	Text string

	shown string
	lines []int // the offset of each line
}

// NewFile returns the file with that name and text. shown is its name in messages and
// anchors.
func NewFile(name, shown, text string) *File {
	f := &File{Name: name, Text: text, shown: shown, lines: []int{0}}
	for i := range len(text) {
		if text[i] == '\n' && i+1 < len(text) {
			f.lines = append(f.lines, i+1)
		}
	}
	return f
}

// Lines yields each line with its offset, without its line end.
func (f *File) Lines() iter.Seq2[int, string] {
	return func(yield func(int, string) bool) {
		for i, at := range f.lines {
			if !yield(at, f.line(i)) {
				return
			}
		}
	}
}

// line returns the i-th line, from 0, without its line end.
func (f *File) line(i int) string {
	end := len(f.Text)
	if i+1 < len(f.lines) {
		end = f.lines[i+1]
	}
	return strings.TrimSuffix(strings.TrimSuffix(f.Text[f.lines[i]:end], "\n"), "\r")
}

// Anchor returns the place of the bytes from start to end, which are on one line; what
// is beyond the line of start is cut off. The columns count UTF-16 code units, as SARIF
// does (3.14.17).
func (f *File) Anchor(start, end int) result.Anchor {
	start = min(max(start, 0), len(f.Text))
	i := sort.SearchInts(f.lines, start+1) - 1
	line := f.line(i)
	from := min(start-f.lines[i], len(line))
	to := min(max(end-f.lines[i], from), len(line))
	return result.Anchor{
		File:      f.shown,
		Line:      i + 1,
		Column:    1 + units(line[:from]),
		EndColumn: 1 + units(line[:to]),
		Text:      line,
	}
}

// Offset returns the offset of a line and a column, from 1, of which the column counts
// characters, as parsers of YAML do. Beyond the text it returns the nearest offset in it.
func (f *File) Offset(line, column int) int {
	i := min(max(line, 1), len(f.lines)) - 1
	text, at := f.line(i), 0
	for range column - 1 {
		if at >= len(text) {
			break
		}
		_, width := utf8.DecodeRuneInString(text[at:])
		at += width
	}
	return f.lines[i] + at
}

// units returns how many UTF-16 code units a text has.
func units(text string) int {
	n := 0
	for _, c := range text {
		n += max(utf16.RuneLen(c), 1)
	}
	return n
}
