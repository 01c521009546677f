package postfix

import (
	"sort"
	"strings"

	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// A text is text of files with the places from which its parts come: a logical line
// has several lines, and an expanded value consists of several settings.
type text struct {
	s     string
	base  int    // s begins base bytes after the text to which parts belong
	parts []part // by at
}

// A part is a part of a text that comes from one line of a file.
type part struct {
	at   int          // where it begins
	file *source.File // nil for defaults, which are in no file
	from int          // its offset in file
}

// literal returns a text that is in no file.
func literal(s string) text { return text{s: s, parts: []part{{}}} }

// cut returns the bytes from i to j.
func (t text) cut(i, j int) text {
	first := max(sort.Search(len(t.parts), func(k int) bool { return t.parts[k].at > t.base+i })-1, 0)
	end := sort.Search(len(t.parts), func(k int) bool { return t.parts[k].at >= t.base+j })
	return text{t.s[i:j], t.base + i, t.parts[first:max(end, min(first+1, len(t.parts)))]}
}

// trim returns the text without white space around it.
func (t text) trim() text {
	i, j := 0, len(t.s)
	for i < j && isSpace(t.s[i]) {
		i++
	}
	for j > i && isSpace(t.s[j-1]) {
		j--
	}
	return t.cut(i, j)
}

// place returns where the text is, or its last part if it has several: in
// "$host:10025" that is the port. It is nil for text that is in no file.
func (t text) place() *result.Anchor {
	if len(t.parts) == 0 || t.parts[len(t.parts)-1].file == nil {
		return nil
	}
	p := t.parts[len(t.parts)-1]
	start := max(p.at, t.base)
	at := p.file.Anchor(p.from+start-p.at, p.from+t.base+len(t.s)-p.at)
	return &at
}

// first returns the part of the text that is on its first line.
func (t text) first() text {
	if len(t.parts) > 1 {
		return t.cut(0, t.parts[1].at-t.base)
	}
	return t
}

// A builder joins texts.
type builder struct {
	b     []byte
	parts []part
}

// add appends a text.
func (b *builder) add(t text) {
	if t.s == "" {
		return
	}
	for _, p := range t.parts {
		skip := max(t.base-p.at, 0)
		b.parts = append(b.parts, part{len(b.b) + p.at + skip - t.base, p.file, p.from + skip})
	}
	b.b = append(b.b, t.s...)
}

// text returns what was joined.
func (b *builder) text() text { return text{s: string(b.b), parts: b.parts} }

// maxLine is how many bytes of a line are read; a longer one is a doubt.
const maxLine = 64 << 10

// logicalLines returns the logical lines of a file: a line that begins with white
// space continues the one before it. Comments and blank lines neither belong to a
// logical line nor end it. A continuation without a line before it does not count
// (util/readlline.c, readllines).
func logicalLines(f *source.File) []text {
	var lines []text
	var b builder
	end := func() {
		if t := b.text(); t.s != "" && !isSpace(t.s[0]) {
			lines = append(lines, t)
		}
		b = builder{}
	}
	for start, line := range f.Lines() {
		bare := strings.TrimLeft(line, spaces)
		if bare == "" || bare[0] == '#' || len(line) > maxLine {
			continue
		}
		if len(bare) == len(line) {
			end()
		}
		b.add(text{s: hideTags(line), parts: []part{{0, f, start}}})
	}
	end()
	return lines
}

// spaces is the white space of C.
const spaces = " \t\n\v\f\r"

func isSpace(c byte) bool { return strings.IndexByte(spaces, c) >= 0 }

// The separators of words (util/stringops.h, CHARS_SPACE and CHARS_COMMA_SP).
const (
	blanks      = " \t\r\n"
	commaBlanks = ", \t\r\n"
)

// words splits a text at separators. If braces is set, it does not split inside of
// { and } (util/mystrtok.c, mystrtok and mystrtokq).
func words(t text, separators string, braces bool) []text {
	var list []text
	for at := 0; at < len(t.s); {
		if strings.IndexByte(separators, t.s[at]) >= 0 {
			at++
			continue
		}
		end := wordEnd(t.s, at, separators, braces)
		list = append(list, t.cut(at, end))
		at = end
	}
	return list
}

// wordEnd returns where the word that begins at from ends.
func wordEnd(s string, from int, separators string, braces bool) int {
	level := 0
	for i := from; i < len(s); i++ {
		switch c := s[i]; {
		case braces && c == '{':
			level++
		case level > 0 && c == '}':
			level--
		case level == 0 && strings.IndexByte(separators, c) >= 0:
			return i
		}
	}
	return len(s)
}

// unbraced returns a text without the { and } around it, and without white space
// inside of them. The problem says what is wrong with the braces (util/extpar.c).
func unbraced(t text) (inner text, problem string) {
	if t.s == "" || t.s[0] != '{' {
		return t, ""
	}
	end := closing(t.s, 1, '{', '}')
	switch {
	case end < 0:
		return t.cut(1, len(t.s)).trim(), "} is missing"
	case end+1 < len(t.s):
		problem = "text follows }"
	}
	return t.cut(1, end).trim(), problem
}

// closing returns the offset of the close that ends what was opened before from, -1 if
// there is none.
func closing(s string, from int, open, end byte) int {
	level := 1
	for i := from; i < len(s); i++ {
		switch s[i] {
		case open:
			level++
		case end:
			if level--; level == 0 {
				return i
			}
		}
	}
	return -1
}

// inFile returns the bytes of a file from start to end, which are on one line.
func inFile(f *source.File, start, end int) text {
	return text{s: f.Text[start:end], parts: []part{{0, f, start}}}
}
