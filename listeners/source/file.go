package source

import (
	"iter"
	"sort"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/mxsweep/mxsweep/internal/redact"
	"github.com/mxsweep/mxsweep/result"
)

// A File is the text of one file.
type File struct {
	Name string // in its Tree
	Text string

	shown string
	lines []int // the offset of each line
	*positions
}

// positions are what anchors need of a text, once they need it.
type positions struct {
	counted bool
	ascii   bool           // each character is one byte
	blocks  []block        // of a text that is not ASCII
	texts   map[int]string // the text of lines, as anchors show it
}

// A block is the beginning of a part of a text, with how much is before it.
type block struct{ at, units, runes int }

// blockSize is about how many bytes a block has.
const blockSize = 256

// maxText is how many bytes of a line anchors show.
const maxText = 1000

// NewFile returns the file with that name and text. shown is its name in messages and
// anchors.
func NewFile(name, shown, text string) *File {
	f := &File{Name: name, Text: text, shown: shown, lines: []int{0}, positions: &positions{}}
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
// does (3.14.17). The text is that of the line, of a long one its beginning, without the
// secrets in it (see redact.LineAfter).
func (f *File) Anchor(start, end int) result.Anchor {
	start = min(max(start, 0), len(f.Text))
	i := sort.SearchInts(f.lines, start+1) - 1
	line, at := f.line(i), f.lines[i]
	from := min(start-at, len(line))
	to := min(max(end-at, from), len(line))
	before := f.units(at)
	return result.Anchor{
		File:      f.shown,
		Line:      i + 1,
		Column:    1 + f.units(at+from) - before,
		EndColumn: 1 + f.units(at+to) - before,
		Text:      f.text(i, line),
	}
}

// text returns the text of the i-th line as anchors show it.
func (f *File) text(i int, line string) string {
	if shown, ok := f.texts[i]; ok {
		return shown
	}
	before := f.before(i)
	shown := redact.LineAfter(before[max(len(before)-2*maxText, 0):], line[:min(len(line), 2*maxText)])
	if n := maxText; len(shown) > n {
		for n > maxText-utf8.UTFMax && !utf8.RuneStart(shown[n]) {
			n--
		}
		shown = shown[:n]
	}
	if f.texts == nil {
		f.texts = map[int]string{}
	}
	f.texts[i] = shown
	return shown
}

// Secret reports whether a byte from start to before end is one of a secret (see
// redact.SecretsAfter); of an empty range, whether it is within one.
func (f *File) Secret(start, end int) bool {
	for i := max(sort.SearchInts(f.lines, start+1)-1, 0); i < len(f.lines) && f.lines[i] <= end; i++ {
		at := f.lines[i]
		for _, s := range redact.SecretsAfter(f.before(i), f.line(i)) {
			if at+s[0] < end && start < at+s[1] {
				return true
			}
		}
	}
	return false
}

// before returns the line before the i-th, "" for the first.
func (f *File) before(i int) string {
	if i == 0 {
		return ""
	}
	return f.line(i - 1)
}

// Range returns the offsets of the token of an anchor in this file.
func (f *File) Range(a *result.Anchor) (start, end int) {
	i := min(max(a.Line, 1), len(f.lines)) - 1
	line := f.line(i)
	return f.lines[i] + bytesOf(line, a.Column-1), f.lines[i] + bytesOf(line, a.EndColumn-1)
}

// bytesOf returns how many bytes of a text have that number of UTF-16 code units.
func bytesOf(text string, units int) int {
	for at, c := range text {
		if units <= 0 {
			return at
		}
		units -= max(utf16.RuneLen(c), 1)
	}
	return len(text)
}

// Offset returns the offset of a line and a column, from 1, of which the column counts
// characters, as parsers of YAML do. Beyond the text it returns the nearest offset in it.
func (f *File) Offset(line, column int) int {
	i := min(max(line, 1), len(f.lines)) - 1
	at, end := f.lines[i], f.lines[i]+len(f.line(i))
	skip := max(column-1, 0)
	if f.count(); f.ascii {
		return min(at+skip, end)
	}
	skip += f.blockAt(at).runes
	b := f.blocks[max(sort.Search(len(f.blocks), func(i int) bool { return f.blocks[i].runes > skip })-1, 0)]
	if b.at < at {
		b = f.blockAt(at)
	}
	for b.at < end && b.runes < skip {
		b = f.next(b)
	}
	return min(b.at, end)
}

// units returns how many UTF-16 code units are before an offset.
func (f *File) units(at int) int {
	if f.count(); f.ascii {
		return at
	}
	return f.blockAt(at).units
}

// blockAt returns what is before an offset.
func (f *File) blockAt(at int) block {
	b := f.blocks[sort.Search(len(f.blocks), func(i int) bool { return f.blocks[i].at > at })-1]
	for b.at < at {
		if next := f.next(b); next.at <= at {
			b = next
			continue
		}
		b = block{b.at + 1, b.units + 1, b.runes + 1} // in the middle of a character
	}
	return b
}

// next returns b after one more character.
func (f *File) next(b block) block {
	c, width := utf8.DecodeRuneInString(f.Text[b.at:])
	return block{b.at + width, b.units + max(utf16.RuneLen(c), 1), b.runes + 1}
}

// count counts characters, once.
func (f *File) count() {
	if f.counted {
		return
	}
	f.counted = true
	f.ascii = strings.IndexFunc(f.Text, func(c rune) bool { return c >= utf8.RuneSelf }) < 0
	if f.ascii {
		return
	}
	f.blocks = []block{{}}
	for b := (block{}); b.at < len(f.Text); {
		if b = f.next(b); b.at-f.blocks[len(f.blocks)-1].at >= blockSize {
			f.blocks = append(f.blocks, b)
		}
	}
}
