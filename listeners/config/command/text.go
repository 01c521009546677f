package command

import (
	"strings"

	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// maxText is how many bytes one command line, or one value, can have.
const maxText = 32 << 10

// tooLong is the doubt about one that has more.
const tooLong = "the value is too long"

// A Text is a piece of a command line that knows where each of its bytes comes from: "10023"
// of "--inet=$PORT" comes from the file that sets PORT.
type Text struct {
	text    string
	origins []origin

	// Doubt says why the text may be another one, "" if it is certain.
	Doubt string
}

// An origin is where a byte comes from; file is nil for what no file has.
type origin struct {
	file *source.File
	at   int
}

// From returns the text of a file from start to end. What is longer than 32 KiB is cut, with a
// doubt.
func From(f *source.File, start, end int) Text {
	cut := end > start+maxText
	end = min(end, start+maxText)
	t := Text{text: f.Text[start:end], origins: make([]origin, end-start)}
	if cut {
		t.Doubt = tooLong
	}
	for i := range t.origins {
		t.origins[i] = origin{f, start + i}
	}
	return t
}

// Literal returns a text that no file has.
func Literal(s string) Text { return Text{text: s, origins: make([]origin, len(s))} }

// Placed returns a text that stands at a place of a file in another way, as an escaped
// string does.
func Placed(s string, f *source.File, at int) Text {
	t := Text{text: s[:min(len(s), maxText)]}
	if len(s) > maxText {
		t.Doubt = tooLong
	}
	t.origins = make([]origin, len(t.text))
	for i := range t.origins {
		t.origins[i] = origin{f, at}
	}
	return t
}

// String returns the text without its origins.
func (t Text) String() string { return t.text }

// Slice returns the bytes from i to j.
func (t Text) Slice(i, j int) Text { return Text{t.text[i:j], t.origins[i:j], t.Doubt} }

// plus returns the text with another one behind it.
func (t Text) plus(o Text) Text {
	if len(t.text)+len(o.text) > maxText {
		t.Doubt = tooLong
		return t
	}
	doubt := t.Doubt
	if doubt == "" {
		doubt = o.Doubt
	}
	return Text{t.text + o.text, append(t.origins[:len(t.origins):len(t.origins)], o.origins...), doubt}
}

// Cut is strings.Cut.
func (t Text) Cut(sep string) (before, after Text, found bool) {
	i := strings.Index(t.text, sep)
	if i < 0 {
		return t, Text{}, false
	}
	return t.Slice(0, i), t.Slice(i+len(sep), len(t.text)), true
}

// At returns the place of the text: of its first bytes that one file has without a gap. It
// reports false if no file has them.
func (t Text) At() (result.Anchor, bool) {
	for i, o := range t.origins {
		if o.file == nil {
			continue
		}
		end := o.at + 1
		for _, next := range t.origins[i+1:] {
			if next.file != o.file || next.at < end-1 || next.at > end+1 { // a quotation mark is no gap
				break
			}
			end = next.at + 1
		}
		return o.file.Anchor(o.at, end), true
	}
	return result.Anchor{}, false
}
