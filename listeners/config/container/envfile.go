package container

import (
	"errors"
	"fmt"
	"maps"
	"strings"
	"unicode"

	"github.com/compose-spec/compose-go/v2/dotenv"
)

// The bounds of a file of variables, and of the values that variables stand for. A line of 24 in
// which each variable has the one before twice stands for 700 MB otherwise.
const (
	maxStatementReferences = 100       // $ of a statement, which may be in each other
	maxStatement           = 64 << 10  // bytes of a statement with one
	maxExpanded            = 1 << 20   // bytes of all values that statements of a file refer to
	maxHandedOut           = 64 << 20  // the same of a project, each time that a text has the variable
	maxVariables           = 1_000_000 // of a file
)

var errLargeVariables = errors.New("its variables stand for more than is read")

// parseVariables parses a file of variables as Docker Compose does (compose-go, package dotenv),
// and returns the values. lookup returns a variable that the file does not decide. The library
// expands without a bound: it gets one statement after the other, and the values that this refers
// to as long as they are not too large.
func parseVariables(text string, lookup func(name string) (string, bool)) (map[string]string, error) {
	values := map[string]string{}
	expanded := 0
	bounded := func(name string) (string, bool) {
		v, ok := lookup(name)
		if !ok {
			v, ok = values[name]
		}
		if expanded += len(v); expanded > maxExpanded {
			return "", ok
		}
		return v, ok
	}
	text = strings.TrimPrefix(text, "\ufeff")
	for n := 1; ; n++ {
		statement, rest := cutStatement(text)
		if statement == "" {
			return values, nil
		}
		count := strings.Count(statement, "$")
		if n > maxVariables || count > maxStatementReferences || count > 0 && len(statement) > maxStatement {
			return nil, errLargeVariables
		}
		parsed, err := dotenv.ParseWithLookup(strings.NewReader(statement), bounded)
		switch {
		case expanded > maxExpanded:
			return nil, errLargeVariables
		case err != nil:
			return nil, fmt.Errorf("statement %d: %w", n, withoutText(err))
		}
		maps.Copy(values, parsed)
		text = rest
	}
}

// withoutText returns an error of the library without the number of the line in the statement, and
// without the line itself, which may be one of a private key.
func withoutText(err error) error {
	text := err.Error()
	if strings.HasPrefix(text, "line ") {
		_, text, _ = strings.Cut(text, ": ")
	}
	for _, before := range []string{" in variable name", "unterminated quoted value"} {
		if i := strings.Index(text, before); i >= 0 {
			return errors.New(text[:i+len(before)])
		}
	}
	return errors.New(text)
}

// cutStatement cuts the first statement off, without blanks and comments before it: a line, or as
// far as the quotation that its value begins with. It is "" if there is none.
func cutStatement(text string) (statement, rest string) {
	for {
		text = strings.TrimLeftFunc(text, unicode.IsSpace)
		if !strings.HasPrefix(text, "#") {
			break
		}
		_, text, _ = strings.Cut(text, "\n")
	}
	i := strings.IndexAny(text, "=:\n")
	if i < 0 {
		return text, ""
	}
	if text[i] == '\n' {
		return text[:i+1], text[i+1:]
	}
	value := strings.TrimLeftFunc(text[i+1:], blankOfVariables)
	if value != "" && (value[0] == '"' || value[0] == '\'') {
		start := len(text) - len(value)
		for j := start + 1; j < len(text); j++ {
			switch text[j] {
			case '\\':
				j++
			case value[0]:
				return text[:j+1], text[j+1:]
			}
		}
		return text, ""
	}
	if end := strings.IndexByte(value, '\n'); end >= 0 {
		end += len(text) - len(value) + 1
		return text[:end], text[end:]
	}
	return text, ""
}

// blankOfVariables reports whether a character may be before a value.
func blankOfVariables(r rune) bool {
	return strings.ContainsRune("\t\v\f\r \u0085\u00a0", r)
}
