package proxy

import (
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// A word is one word of a line or directive, without its quotation marks and escapes.
type word struct {
	text       string
	start, end int // what it was read from, without quotation marks around all of it
	file       *source.File
	env        *environment // for HAProxy: the variables at that line
	open       []string     // for HAProxy: variables in it whose value is not in the files
}

// place returns where the word is.
func (w word) place() result.Anchor { return w.file.Anchor(w.start, w.end) }

// haproxyWords splits a line of HAProxy (HAProxy src/tools.c, parse_line): words end at
// blanks, a # begins a comment, '...' is literal, and in "..." variables are replaced.
// The problem says why the line is refused.
func haproxyWords(f *source.File, start int, line string, env *environment) (words []word, problem string) {
	var text strings.Builder
	var quote byte
	w := word{file: f, env: env, start: -1}
	end := func() {
		if w.start >= 0 {
			w.text = text.String()
			w.start, w.end = unquotedPlace(f.Text, w.start, w.end)
			words = append(words, w)
		}
		text.Reset()
		w = word{file: f, env: env, start: -1}
	}
	for i := 0; i < len(line); {
		c, width := line[i], 1
		blank := c == ' ' || c == '\t' || c == '\v' || c == '\f'
		if quote == 0 && (blank || c == '#') {
			end()
			if c == '#' {
				return words, ""
			}
			i++
			continue
		}
		if w.start < 0 {
			w.start = start + i
		}
		switch {
		case c == quote && quote != 0:
			quote = 0
		case quote == 0 && (c == '"' || c == '\''):
			quote = c
		case c == '\\' && quote != '\'':
			var unescaped string
			unescaped, width = escape(line[i:], quote)
			text.WriteString(unescaped)
		case c == '$' && quote == '"':
			var value string
			value, width = w.variable(line[i:])
			if text.Len()+len(value) > maxWord {
				return nil, "a word is longer than a line of HAProxy can be; HAProxy does not start"
			}
			text.WriteString(value)
		default:
			text.WriteByte(c)
		}
		i += width
		w.end = start + i
	}
	if quote != 0 {
		return nil, "a quotation mark is not closed; HAProxy does not start"
	}
	end()
	return words, ""
}

// maxWord is how long a word can be after its variables are replaced. HAProxy takes lines
// of 2048 bytes (LINESIZE in include/haproxy/defaults.h).
const maxWord = 64 << 10

// unquotedPlace returns a place without the quotation marks around it.
func unquotedPlace(text string, start, end int) (int, int) {
	if c := text[start]; end-start > 2 && (c == '"' || c == '\'') && text[end-1] == c && strings.Count(text[start:end], string(c)) == 2 {
		return start + 1, end - 1
	}
	return start, end
}

// escape returns what a \ and the characters after it stand for, and how many bytes they
// are; "" for a \ at the end of a line.
func escape(s string, quote byte) (text string, width int) {
	if len(s) == 1 {
		return `\`, 1
	}
	switch c := s[1]; c {
	case ' ', '\\', '#', '"':
		return string(c), 2
	case '\'':
		return "'", 2
	case 't':
		return "\t", 2
	case 'n':
		return "\n", 2
	case 'r':
		return "\r", 2
	case '$':
		if quote == '"' {
			return "$", 2
		}
	case 'x':
		if len(s) >= 4 {
			if n, err := strconv.ParseUint(s[2:4], 16, 8); err == nil {
				return string([]byte{byte(n)}), 4
			}
		}
	}
	return `\`, 1
}
