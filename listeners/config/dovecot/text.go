package dovecot

import (
	"sort"
	"strings"

	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// A text is a logical line: one line of a file, or several joined by \ at their ends.
type text struct {
	s      string // set by join
	pieces []piece
	length int
}

// A piece is where a part of a text comes from.
type piece struct {
	start int // in the text
	file  *source.File
	at    int // in the file
	s     string
}

// add appends a part of a line of a file.
func (t *text) add(f *source.File, at int, s string) {
	t.pieces = append(t.pieces, piece{t.length, f, at, s})
	t.length += len(s)
}

// join makes the text of what was added.
func (t *text) join() {
	if len(t.pieces) == 1 {
		t.s = t.pieces[0].s
		return
	}
	var b strings.Builder
	for _, p := range t.pieces {
		b.WriteString(p.s)
	}
	t.s = b.String()
}

// anchor returns the place of the bytes from start to end, as far as they are on one line.
func (t *text) anchor(start, end int) result.Anchor {
	i := sort.Search(len(t.pieces), func(i int) bool { return t.pieces[i].start > start }) - 1
	p := t.pieces[max(i, 0)]
	if i+1 < len(t.pieces) {
		end = min(end, t.pieces[i+1].start-1)
	}
	return p.file.Anchor(p.at+start-p.start, p.at+end-p.start)
}

// A token is a word or a value of a line; s is what it means, without quotation marks.
type token struct {
	s          string
	line       *text
	start, end int
}

// token returns the bytes of a line from start to end.
func (t *text) token(start, end int) token { return token{t.s[start:end], t, start, end} }

// place returns where the token is.
func (t token) place() result.Anchor {
	if t.line == nil {
		return result.Anchor{}
	}
	return t.line.anchor(t.start, t.end)
}

// pointer returns where the token is, for what may have no place.
func (t token) pointer() *result.Anchor {
	if t.line == nil {
		return nil
	}
	a := t.place()
	return &a
}

// fields splits a token at any of the separators. The parts have places of their own if the
// token means what it says.
func (t token) fields(separators string) []token { return t.firstFields(separators, len(t.s)) }

// firstFields returns the first n of the fields.
func (t token) firstFields(separators string, n int) []token {
	var list []token
	exact := t.line != nil && t.end-t.start == len(t.s) && t.line.s[t.start:t.end] == t.s
	for at := 0; at < len(t.s) && len(list) < n; {
		end := at
		for end < len(t.s) && !strings.ContainsRune(separators, rune(t.s[end])) {
			end++
		}
		if end > at {
			part := t
			part.s = t.s[at:end]
			if exact {
				part.start, part.end = t.start+at, t.start+end
			}
			list = append(list, part)
		}
		at = end + 1
	}
	return list
}
