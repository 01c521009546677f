package words

import (
	"strings"

	"github.com/rivo/uniseg"
)

// Width returns the number of columns that s takes.
func Width(s string) int { return uniseg.StringWidth(s) }

// PadTo appends blanks to s up to n columns.
func PadTo(s string, n int) string {
	if w := Width(s); w < n {
		return s + strings.Repeat(" ", n-w)
	}
	return s
}

// Wrap breaks text at blanks into lines of at most first, then rest columns. A
// longer word is broken, but not before a colon, because what follows could be
// read as a command. Code in backticks, which users copy, stays on one line if
// that is long enough.
func Wrap(text string, first, rest int) []string {
	var lines []string
	limit := max(first, 8)
	rest = max(rest, 8)
	var cur strings.Builder
	used := 0
	flush := func() {
		lines = append(lines, cur.String())
		cur.Reset()
		used, limit = 0, rest
	}
	list := strings.Fields(text)
	for len(list) > 0 {
		word := list[0]
		n := 1
		if code, of := codeSpan(list); of > 1 && (Width(code) <= limit || used > 0 && Width(code) <= rest) {
			word, n = code, of
		}
		list = list[n:]
		w := Width(word)
		if used > 0 && used+1+w > limit {
			flush()
		}
		for w > limit && used == 0 {
			head := breakWord(word, limit)
			cur.WriteString(word[:head])
			flush()
			word = word[head:]
			w = Width(word)
		}
		if used > 0 {
			cur.WriteByte(' ')
			used++
		}
		cur.WriteString(word)
		used += w
	}
	if cur.Len() > 0 || len(lines) == 0 {
		flush()
	}
	return lines
}

// codeSpan joins the words of the code in backticks at the start of a list, and
// returns their number; 1 if there is no code, or it has one word.
func codeSpan(list []string) (code string, words int) {
	open := false
	for i, word := range list {
		open = open != (strings.Count(word, "`")%2 == 1)
		switch {
		case i == maxCode:
			return "", 1
		case !open:
			return strings.Join(list[:i+1], " "), i + 1
		}
	}
	return "", 1 // without an end
}

// maxCode is more words than a line can have.
const maxCode = 200

// breakWord returns where to break a word so that its first part takes at most
// limit columns; never 0.
func breakWord(word string, limit int) int {
	state, used, at := -1, 0, 0
	rest := word
	for rest != "" {
		var cluster string
		var w int
		cluster, rest, w, state = uniseg.FirstGraphemeClusterInString(rest, state)
		if used+w > limit && at > 0 {
			break
		}
		used += w
		at += len(cluster)
	}
	for _, may := range []func(string, int) bool{endsEscapedLine, endsPart, mayBreak} {
		for back := at; back > at/2; back-- {
			if mayBreak(word, back) && may(word, back) {
				return back
			}
		}
	}
	return at
}

// mayBreak reports whether a line may end after word[:i]: not within an escape,
// and never before a colon.
func mayBreak(word string, i int) bool {
	return word[i-1] < 0x80 && (i == len(word) || word[i] != ':' && word[i] < 0x80) && !splitsEscape(word, i)
}

// endsPart reports whether word[:i] ends with a separator of a list, a path or an
// option.
func endsPart(word string, i int) bool { return strings.IndexByte(",;/=", word[i-1]) >= 0 }

// endsEscapedLine reports whether word[:i] ends with an escaped line end.
func endsEscapedLine(word string, i int) bool {
	return i < len(word) && strings.HasSuffix(word[:i], `\n`) && !splitsEscape(word, i-2)
}

// splitsEscape reports whether word[:i] ends within an escape like \n or \x1b, as
// written by [sanitize.Text] and strconv.
func splitsEscape(word string, i int) bool {
	for at := 0; at < i; at++ {
		if word[at] != '\\' || at+1 == len(word) {
			continue
		}
		switch word[at+1] {
		case 'x':
			at += 3
		case 'u':
			at += 5
		case 'U':
			at += 9
		default:
			at++
		}
		if at >= i {
			return true
		}
	}
	return false
}
