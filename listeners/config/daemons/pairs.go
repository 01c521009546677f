package daemons

import (
	"strings"

	"github.com/mxsweep/mxsweep/listeners/source"
)

// A pair is a name and a value on one line.
type pair struct {
	name, value string
	at          int // the offset of the value
}

// pairs yields the lines of a file that have a name, and a value after blanks or none. A line that begins with # is a comment; so is the rest of a line from a # on.
func pairs(f *source.File, yield func(pair)) {
	for start, line := range f.Lines() {
		if i := strings.IndexByte(line, '#'); i >= 0 {
			line = line[:i]
		}
		name, at := word(line, 0)
		value := strings.TrimRight(line[at:], " \t")
		skip := len(value) - len(strings.TrimLeft(value, " \t"))
		if name != "" {
			yield(pair{name, unquoted(value[skip:]), start + at + skip + quoteWidth(value[skip:])})
		}
	}
}

// word returns the next word of a line from an offset on, and where it ends.
func word(line string, from int) (text string, end int) {
	for from < len(line) && (line[from] == ' ' || line[from] == '\t') {
		from++
	}
	end = from
	for end < len(line) && line[end] != ' ' && line[end] != '\t' {
		end++
	}
	return line[from:end], end
}

// unquoted returns a value without quotation marks around it.
func unquoted(value string) string {
	if w := quoteWidth(value); w > 0 {
		return value[w : len(value)-w]
	}
	return value
}

// quoteWidth returns 1 if a value is in quotation marks, otherwise 0.
func quoteWidth(value string) int {
	if n := len(value); n >= 2 && (value[0] == '"' || value[0] == '\'') && value[n-1] == value[0] {
		return 1
	}
	return 0
}
