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
	f, err := a.tree.Read(p.Host)
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
