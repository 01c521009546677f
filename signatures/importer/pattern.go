package importer

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"unicode"
)

// maxPattern is the maximum length of a pattern, in bytes.
const maxPattern = 8 << 10

// Names of the groups of a signature's patterns; see signatures/FORMAT.md.
const (
	version   = "version"
	hostname  = "hostname"
	extraInfo = "extra_info"
	osType    = "os_type"
)

// parse parses a pattern with RE2. The error says what RE2 does not support.
func parse(pattern string, flags syntax.Flags) (*syntax.Regexp, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("a pattern of more than %d bytes", maxPattern)
	}
	re, err := syntax.Parse(pattern, syntax.Perl|flags)
	if syntaxErr := new(syntax.Error); errors.As(err, &syntaxErr) {
		return nil, fmt.Errorf("%s %q", syntaxErr.Code, syntaxErr.Expr)
	}
	return re, err
}

// node returns a node of a pattern.
func node(op syntax.Op, sub ...*syntax.Regexp) *syntax.Regexp {
	return &syntax.Regexp{Op: op, Sub: sub}
}

// literal returns a node for a text.
func literal(text ...rune) *syntax.Regexp {
	return &syntax.Regexp{Op: syntax.OpLiteral, Rune: text}
}

// rewrite replaces each node, bottom up, by the result of f.
func rewrite(re *syntax.Regexp, f func(*syntax.Regexp) *syntax.Regexp) *syntax.Regexp {
	for i, sub := range re.Sub {
		re.Sub[i] = rewrite(sub, f)
	}
	return f(re)
}

// captures gives the groups with values their names, by number, and turns all
// others into groups without capture.
func captures(re *syntax.Regexp, groups map[string]int) *syntax.Regexp {
	return rewrite(re, func(re *syntax.Regexp) *syntax.Regexp {
		if re.Op != syntax.OpCapture {
			return re
		}
		inner := re.Sub[0]
		for _, name := range []string{version, hostname, extraInfo, osType} {
			if groups[name] == re.Cap {
				inner = &syntax.Regexp{Op: syntax.OpCapture, Name: name, Cap: re.Cap, Sub: []*syntax.Regexp{inner}}
			}
		}
		return inner
	})
}

// inLines converts a pattern for one line, without the prefix that the protocol
// adds, to a pattern for a reply of several lines: nothing matches across the end
// of a line, and its anchors match at the ends of the text.
func inLines(re, before *syntax.Regexp) *syntax.Regexp {
	anchored := false
	re = rewrite(re, func(re *syntax.Regexp) *syntax.Regexp {
		switch re.Op {
		case syntax.OpBeginText, syntax.OpBeginLine:
			anchored = true
			return node(syntax.OpConcat, node(syntax.OpBeginLine), before)
		case syntax.OpEndText, syntax.OpEndLine:
			return node(syntax.OpConcat, node(syntax.OpQuest, literal('\r')), node(syntax.OpEndLine))
		case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
			return withoutLineEnds([]rune{0, unicode.MaxRune})
		case syntax.OpCharClass:
			return withoutLineEnds(re.Rune)
		}
		return re
	})
	if anchored {
		return re
	}
	lead := node(syntax.OpStar, withoutLineEnds([]rune{0, unicode.MaxRune}))
	lead.Flags = syntax.NonGreedy
	return node(syntax.OpConcat, node(syntax.OpBeginLine), before, lead, re)
}

// withoutLineEnds returns the character class with these ranges, without CR and
// LF.
func withoutLineEnds(ranges []rune) *syntax.Regexp {
	for _, out := range []rune{'\n', '\r'} {
		var left []rune
		for r := range slices.Chunk(ranges, 2) {
			low, high := r[0], r[1]
			if out < low || out > high {
				left = append(left, low, high)
				continue
			}
			if low < out {
				left = append(left, low, out-1)
			}
			if out < high {
				left = append(left, out+1, high)
			}
		}
		ranges = left
	}
	if len(ranges) == 0 {
		return node(syntax.OpNoMatch)
	}
	return &syntax.Regexp{Op: syntax.OpCharClass, Rune: ranges}
}

// notPossessive matches possessive quantifiers in its first group, atomic groups
// as "(?>", and what only looks like them.
var notPossessive = regexp.MustCompile(`\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|([+*?}])\+|\(\?>`)

// greedy replaces possessive quantifiers and atomic groups by ordinary ones
// (pcrepattern(3)), because RE2 does not have them: they match no less, and nmap
// uses the former to save time.
func greedy(pattern string) string {
	return notPossessive.ReplaceAllStringFunc(pattern, func(s string) string {
		switch {
		case s == "(?>":
			return "(?:"
		case len(s) == 2 && s[0] != '\\' && s[0] != '[':
			return s[:1]
		}
		return s
	})
}

// ofBytes converts a pattern for bytes to RE2, which reads UTF-8: a dollar sign
// also matches before the last line break (pcrepattern(3)), and bytes of 0x80 and
// above are not supported.
func ofBytes(re *syntax.Regexp) (*syntax.Regexp, error) {
	var err error
	re = rewrite(re, func(re *syntax.Regexp) *syntax.Regexp {
		named := re.Op == syntax.OpLiteral || re.Op == syntax.OpCharClass
		if named && slices.ContainsFunc(re.Rune, func(r rune) bool { return r >= 0x80 && r <= 0xff }) {
			err = errors.New("bytes of 0x80 and above")
		}
		if re.Op == syntax.OpEndText && re.Flags&syntax.WasDollar != 0 {
			return node(syntax.OpConcat, node(syntax.OpQuest, literal('\n')), node(syntax.OpEndText))
		}
		return re
	})
	return re, err
}

// greets reports whether a pattern can match only text that begins with a
// greeting.
func greets(re *syntax.Regexp) bool {
	if re.Op != syntax.OpConcat || len(re.Sub) < 2 || re.Sub[0].Op != syntax.OpBeginText || re.Sub[1].Op != syntax.OpLiteral {
		return false
	}
	text := string(re.Sub[1].Rune)
	return strings.HasPrefix(text, "220") || strings.HasPrefix(text, "+OK") || strings.HasPrefix(text, "* OK")
}

// split splits a pattern for a greeting and a reply at the reply code, nil if
// there is none: a line that begins with another code than the greeting's (RFC
// 5321, Section 4.2), or such a code after any text.
func split(re *syntax.Regexp) (greeting, reply *syntax.Regexp) {
	for i := 1; i < len(re.Sub); i++ {
		if re.Sub[i].Op != syntax.OpLiteral {
			continue
		}
		text := re.Sub[i].Rune
		open := re.Sub[i-1].Op == syntax.OpStar && re.Sub[i-1].Sub[0].Op == syntax.OpAnyChar
		for at := range text {
			if !isCode(text[at:]) || at == 0 && !open || at > 0 && text[at-1] != '\n' {
				continue
			}
			before, after := literal(text[:at]...), literal(text[at:]...)
			before.Flags, after.Flags = re.Sub[i].Flags, re.Sub[i].Flags
			if at == 0 {
				return node(syntax.OpConcat, re.Sub[:i]...), node(syntax.OpConcat, re.Sub[i:]...)
			}
			greeting = node(syntax.OpConcat, slices.Concat(re.Sub[:i], []*syntax.Regexp{before})...)
			return greeting, node(syntax.OpConcat, slices.Concat([]*syntax.Regexp{node(syntax.OpBeginText), after}, re.Sub[i+1:])...)
		}
	}
	return re, nil
}

// isCode reports whether a text begins with a reply code that is not that of a
// greeting.
func isCode(text []rune) bool {
	return len(text) >= 3 && text[0] >= '2' && text[0] <= '5' && text[1] >= '0' && text[1] <= '9' && text[2] >= '0' && text[2] <= '9' &&
		string(text[:3]) != "220"
}

// ends reports whether a pattern matches only up to the end of the text.
func ends(re *syntax.Regexp) bool {
	return re.Op == syntax.OpEndText || re.Op == syntax.OpConcat && ends(re.Sub[len(re.Sub)-1])
}
