package recog

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// compile translates a Ruby regular expression to RE2. The error says what RE2
// cannot do.
func compile(pattern, flags string) (*regexp.Regexp, error) {
	switch {
	case pattern == "":
		return nil, errors.New("no pattern")
	case len(pattern) > maxPattern:
		return nil, fmt.Errorf("a pattern of more than %d bytes", maxPattern)
	}
	// In Ruby ^ and $ always match at line breaks, which RE2 calls m; what
	// Ruby calls multiline lets the dot match a line break, which RE2 calls s.
	options := "m"
	for flag := range strings.SplitSeq(flags, ",") {
		switch strings.TrimSpace(flag) {
		case "":
		case "REG_ICASE":
			options += "i"
		case "REG_DOT_NEWLINE", "REG_MULTILINE", "REG_LINE_ANY_CRLF":
			options += "s"
		default:
			return nil, fmt.Errorf("the flag %q, which RE2 does not have", flag)
		}
	}
	t := translator{in: pattern}
	if err := t.run(); err != nil {
		return nil, err
	}
	re, err := regexp.Compile("(?" + options + ")" + t.out.String())
	if err != nil {
		return nil, fmt.Errorf("RE2 refuses the pattern: %w", err)
	}
	return re, nil
}

// A translator turns the syntax of Ruby (Onigmo) into that of RE2, where they
// mean different things by the same signs.
type translator struct {
	in  string
	at  int
	out strings.Builder
}

func (t *translator) run() error {
	for t.at < len(t.in) {
		rest := t.in[t.at:]
		var err error
		switch {
		case rest[0] == '\\':
			err = t.escape(false)
		case rest[0] == '[':
			err = t.class()
		case strings.HasPrefix(rest, "(?"):
			err = t.group()
		case strings.HasPrefix(rest, "{,"):
			t.out.WriteString("{0,") // RE2 would take it for text
			t.at += 2
		default:
			t.out.WriteByte(rest[0])
			t.at++
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// escape copies a backslash and what follows it.
func (t *translator) escape(inClass bool) error {
	if t.at+1 >= len(t.in) {
		return errors.New("a backslash at the end of the pattern")
	}
	c := t.in[t.at+1]
	t.at += 2
	switch {
	case c == 'h' && inClass:
		t.out.WriteString("0-9a-fA-F")
	case c == 'h':
		t.out.WriteString("[0-9a-fA-F]")
	case c == 'H' && !inClass:
		t.out.WriteString("[^0-9a-fA-F]")
	case c == 'Z' && !inClass:
		t.out.WriteString(`\n?\z`)
	case c == 'e':
		t.out.WriteString(`\x1b`)
	case c == 'Q' || c == 'E':
		t.out.WriteByte(c) // no quoting in Ruby
	case c == 'C' || c == 'H' || c == 'Z' || c >= '1' && c <= '9':
		return fmt.Errorf(`\%c, which RE2 does not have`, c)
	default:
		t.out.WriteByte('\\')
		t.out.WriteByte(c)
	}
	return nil
}

// class copies a bracket expression. Ruby's may hold others and their
// intersections.
func (t *translator) class() error {
	start := t.at
	t.out.WriteByte('[')
	t.at++
	if t.at < len(t.in) && t.in[t.at] == '^' {
		t.out.WriteByte('^')
		t.at++
	}
	for first := true; t.at < len(t.in); first = false {
		rest := t.in[t.at:]
		switch {
		case rest[0] == ']' && !first:
			t.out.WriteByte(']')
			t.at++
			return nil
		case rest[0] == '\\':
			if err := t.escape(true); err != nil {
				return err
			}
			continue
		case strings.HasPrefix(rest, "[:") && strings.Contains(rest, ":]"):
			name := rest[:strings.Index(rest, ":]")+2]
			t.out.WriteString(name)
			t.at += len(name)
			continue
		case rest[0] == '[', strings.HasPrefix(rest, "&&"):
			return errors.New("a class inside of a class, which RE2 does not have")
		}
		t.out.WriteByte(rest[0])
		t.at++
	}
	return fmt.Errorf("the class %q has no end", t.in[start:min(len(t.in), start+20)])
}

// group copies the beginning of a group, its options translated.
func (t *translator) group() error {
	rest := t.in[t.at+2:]
	for i := 0; i < len(rest); i++ {
		switch rest[i] {
		case 'i', '-':
		case 'm', 'x':
		case ':', ')':
			if on, _, _ := strings.Cut(rest[:i], "-"); strings.Contains(on, "x") {
				return errors.New("free spacing (x), which RE2 does not have")
			}
			options := strings.NewReplacer("m", "s", "x", "").Replace(rest[:i])
			t.out.WriteString("(?" + strings.TrimSuffix(options, "-") + rest[i:i+1])
			t.at += 2 + i + 1
			return nil
		default:
			if i == 0 && rest[i] == '<' && len(rest) > 1 && rest[1] != '=' && rest[1] != '!' {
				t.out.WriteString("(?<") // a name
				t.at += 3
				return nil
			}
			return fmt.Errorf("the group %q, which RE2 does not have", "(?"+rest[:i+1])
		}
	}
	return errors.New("a group without an end")
}
