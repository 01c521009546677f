package configured

import (
	"strings"
	"unicode/utf8"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/fix"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// maxEdited bounds the time that edits take: each one goes through its whole file.
const maxEdited = 64 << 20

// edit returns the edit of the file that binds the listener to loopback; nil if the fix of
// its kind of file has none for it.
func (a *Audit) edit(p *exposure.Subject) *result.Replacement {
	known := fix.Builtin().Lookup(p.Fix)
	if known == nil || known.Manual() {
		return nil
	}
	f, err := a.tree.Read(a.named(p.Host))
	if err != nil {
		return nil
	}
	if a.edited += len(f.Text); a.edited > maxEdited {
		return nil
	}
	at := p.Anchor
	text, err := known.Edit(f.Text, fix.Values{Port: p.Target.Port(), File: p.Host, Line: at.Line})
	if err != nil || text == f.Text {
		return nil
	}
	e := hunk(f, text, at)
	if e != nil {
		e.Fix = known.ID
	}
	return e
}

// hunk returns the part of a file in which it differs from a new text; nil if a region of
// SARIF cannot be that part, or if a secret is in it. In a line it has the whole token; a line that is added follows
// the one that it belongs to.
func hunk(f *source.File, text string, token *result.Anchor) *result.Replacement {
	old := f.Text
	if !strings.HasSuffix(old, "\n") && strings.HasSuffix(text, "\n") {
		text = text[:len(text)-1] // which the fix added to the last line
	}
	if old == text {
		return nil
	}
	start := prefix(old, text)
	end, newEnd := len(old), len(text)
	for end > start && newEnd > start && old[end-1] == text[newEnd-1] {
		end, newEnd = end-1, newEnd-1
	}
	if start == end { // inserted: a line begins with the end of the one before
		for start > 0 && !lineEnd(text, start) && strings.Contains(text[start:newEnd], "\n") && text[newEnd-1] == old[start-1] {
			start, end, newEnd = start-1, end-1, newEnd-1
		}
	}
	if start == newEnd && end == len(old) && start > 0 && old[start-1] == '\n' && old[end-1] == '\n' { // the last line goes
		start, end, newEnd = start-1, end-1, newEnd-1
	}
	for start > 0 && start < len(old) && !utf8.RuneStart(old[start]) {
		start--
	}
	for end < len(old) && !utf8.RuneStart(old[end]) {
		end, newEnd = end+1, newEnd+1
	}
	if from, to := f.Range(token); !strings.Contains(old[min(start, from):max(end, to)], "\n") && !strings.Contains(text[start:newEnd], "\n") {
		newEnd += max(to-end, 0)
		start, end = min(start, from), max(end, to)
	}
	if !strings.Contains(old[start:end], "\n") && !strings.Contains(text[start:newEnd], "\n") {
		from, to := words(old, start, end)
		start, end, newEnd = from, to, newEnd+to-end
	}
	a, b := f.Anchor(start, start), f.Anchor(end, end)
	if from, _ := f.Range(&a); from != start {
		return nil
	}
	if to, _ := f.Range(&b); to != end { // a region has no end of a line
		return nil
	}
	e := &result.Replacement{
		StartLine: a.Line, StartColumn: a.Column, EndLine: b.Line, EndColumn: b.Column,
		Old: old[start:end], Text: text[start:newEnd],
	}
	now := source.NewFile("", "", text)
	if f.Secret(start, end) || now.Secret(start, newEnd) {
		return nil
	}
	from := strings.LastIndexByte(old[:start], '\n') + 1
	to := len(text)
	if i := strings.IndexByte(text[newEnd:], '\n'); i >= 0 {
		to = newEnd + i
	}
	if !now.Secret(from, to) {
		e.Lines = strings.TrimSuffix(text[from:to], "\r")
	}
	return e
}

// words widens a range of a text to whole words: addresses with brackets and ports, and what
// is in quotation marks of which it has one.
func words(text string, start, end int) (from, to int) {
	for {
		for start > 0 && inWord(text[start-1]) {
			start--
		}
		for end < len(text) && inWord(text[end]) {
			end++
		}
		closes := strings.HasPrefix(text[end:], "]")
		switch {
		case closes && strings.Count(text[start:end], "[") > strings.Count(text[start:end], "]"):
			end++
			continue
		case closes && start > 0 && text[start-1] == '[' && strings.HasPrefix(text[end:], "]:"):
			start, end = start-1, end+1
			continue
		}
		break
	}
	if start > 0 && (text[start-1] == '"' || text[start-1] == '\'') && strings.Count(text[start:end], text[start-1:start])%2 == 1 {
		start--
	}
	return start, end
}

// inWord reports whether a byte is one of a word.
func inWord(c byte) bool {
	return c >= utf8.RuneSelf || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' || strings.IndexByte(".:*_-/@%$", c) >= 0
}

// lineEnd reports whether the end of a line begins at an offset of a text.
func lineEnd(text string, at int) bool {
	return strings.HasPrefix(text[at:], "\r\n") || text[at] == '\n' && (at == 0 || text[at-1] != '\r')
}

// prefix returns how many bytes two texts have in common at the beginning.
func prefix(a, b string) int {
	n := 0
	for n < min(len(a), len(b)) && a[n] == b[n] {
		n++
	}
	return n
}
