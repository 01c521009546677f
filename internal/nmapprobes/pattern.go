package nmapprobes

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/dlclark/regexp2/v2"
)

const (
	// maxPattern is the longest pattern that is compiled.
	maxPattern = 8 << 10

	// matchTime is how long one pattern may take with one reply: a hundred
	// times what the slowest of nmap's takes. The engine looks at the clock
	// every 100 ms.
	matchTime = 100 * time.Millisecond

	// maxStack bounds the memory of one match, in words.
	maxStack = 100000
)

// compile makes a pattern out of PCRE. The engine matches characters, the file
// means bytes, so each byte becomes the character of its number.
func compile(pattern, flags string) (*regexp2.Regexp, error) {
	if len(pattern) > maxPattern {
		return nil, fmt.Errorf("a pattern of more than %d bytes", maxPattern)
	}
	options := regexp2.None
	for _, flag := range flags {
		switch flag {
		case 'i':
			options |= regexp2.IgnoreCase
		case 's':
			options |= regexp2.Singleline
		default:
			return nil, fmt.Errorf("unknown flag %q of the pattern", flag)
		}
	}
	if option := foreign(pattern); option != "" {
		return nil, fmt.Errorf("the pattern sets the option %q, which the engine does not have", option)
	}
	re, err := regexp2.Compile(string(runes([]byte(pattern))), options, regexp2.OptionMaxBacktrackingStackSize(maxStack))
	if err != nil {
		return nil, fmt.Errorf("the pattern is not understood: %w", err)
	}
	re.MatchTimeout = matchTime
	return re, nil
}

// foreign returns the first option that a pattern sets inside and that means
// something else to the engine, as U does, which in PCRE makes quantifiers lazy.
func foreign(pattern string) string {
	inClass := false
	for i := 0; i < len(pattern); i++ {
		switch c := pattern[i]; {
		case c == '\\':
			i++
		case c == '[':
			inClass = true
		case c == ']':
			inClass = false
		case c == '(' && !inClass && strings.HasPrefix(pattern[i:], "(?"):
			rest := pattern[i+2:]
			options := rest[:len(rest)-len(strings.TrimLeft(rest, "imsxnrueUJ-"))]
			after := rest[len(options):]
			if at := strings.IndexAny(options, "nrueUJ"); at >= 0 && (strings.HasPrefix(after, ":") || strings.HasPrefix(after, ")")) {
				return options[at : at+1]
			}
		}
	}
	return ""
}

// runes are the characters whose numbers are the bytes.
func runes(b []byte) []rune {
	all := make([]rune, len(b))
	for i, c := range b {
		all[i] = rune(c)
	}
	return all
}

// unrunes is the reverse of runes.
func unrunes(all []rune) string {
	b := make([]byte, len(all))
	for i, c := range all {
		b[i] = byte(c)
	}
	return string(b)
}

// unescape reads the bytes of a Probe, with the escapes of C.
func unescape(text string) ([]byte, error) {
	named := map[byte]byte{'0': 0, 'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', '\\': '\\'}
	var out []byte
	for {
		before, rest, found := strings.Cut(text, `\`)
		out = append(out, before...)
		if !found {
			return out, nil
		}
		switch {
		case rest == "":
			return nil, fmt.Errorf("a backslash at the end of the bytes")
		case rest[0] == 'x':
			if len(rest) < 3 {
				return nil, fmt.Errorf(`\x needs two hexadecimal digits`)
			}
			c, err := strconv.ParseUint(rest[1:3], 16, 8)
			if err != nil {
				return nil, fmt.Errorf(`\x needs two hexadecimal digits, not %q`, rest[1:3])
			}
			out, text = append(out, byte(c)), rest[3:]
		default:
			c, ok := named[rest[0]]
			if !ok {
				return nil, fmt.Errorf("unknown escape %q", `\`+rest[:1])
			}
			out, text = append(out, c), rest[1:]
		}
	}
}
