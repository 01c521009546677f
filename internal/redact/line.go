package redact

import (
	"slices"
	"strings"
	"unicode/utf16"
)

// Line returns a line of a configuration file with an asterisk in place of each UTF-16 code
// unit of a secret, so that columns stay what they are. Secrets are the passwords in URLs and
// the values of names such as "password", "DB_SECRET" or "api-key": all that follows if the
// name begins the line, otherwise one word, one item of a list in brackets, or what is in
// quotation marks.
func Line(line string) string { return masked(line, Secrets(line)) }

// masked returns a line with asterisks in place of its secrets.
func masked(line string, secrets [][2]int) string {
	var b strings.Builder
	at := 0
	for _, s := range secrets {
		b.WriteString(line[at:s[0]])
		for _, c := range line[s[0]:s[1]] {
			b.WriteString("**"[:max(utf16.RuneLen(c), 1)])
		}
		at = s[1]
	}
	if at == 0 {
		return line
	}
	return b.String() + line[at:]
}

// minValue is how many bytes a secret has at least that Values returns: shorter ones are too
// often words of other texts.
const minValue = 6

// Values returns the secrets of a text of several lines, each once. Secrets of fewer than 6
// bytes are left out.
func Values(text string) []string {
	var list []string
	seen := map[string]bool{}
	before := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		for _, s := range SecretsAfter(before, line) {
			value := strings.TrimPrefix(line[s[0]:s[1]], "-")
			if len(value) >= minValue && !seen[value] {
				seen[value] = true
				list = append(list, value)
			}
		}
		before = line
	}
	return list
}

// Without returns a text with asterisks in place of some secrets, and of those that Line
// finds.
func Without(text string, secrets []string) string {
	for _, s := range secrets {
		text = strings.ReplaceAll(text, s, "***")
	}
	return Line(text)
}

// Value returns the value of a setting as Line shows it behind the name of the setting.
func Value(name, value string) string {
	if name == "" {
		return Line(value)
	}
	return Line(name + "=" + value)[len(name)+1:]
}

// LineAfter is Line for a line that may continue the one before it, which can announce a
// secret: "--password \", "password: >" or "- name: DB_PASSWORD".
func LineAfter(before, line string) string { return masked(line, SecretsAfter(before, line)) }

// SecretsAfter is Secrets for a line that may continue the one before it.
func SecretsAfter(before, line string) [][2]int {
	list := Secrets(line)
	open, continued := strings.CutSuffix(strings.TrimRight(before, " \t\r"), "\\")
	if !continued && indent(line) <= indent(before) || !suspicious(open) {
		return list
	}
	open = strings.TrimRight(open, " \t|>")
	at := len(open) + 1
	for _, s := range Secrets(open + " " + line[indent(line):]) {
		from, to := s[0]-at+indent(line), s[1]-at+indent(line)
		if from >= 0 && !slices.ContainsFunc(list, func(o [2]int) bool { return from < o[1] && o[0] < to }) {
			list = append(list, [2]int{from, to})
		}
	}
	slices.SortFunc(list, func(a, b [2]int) int { return a[0] - b[0] })
	return list
}

// indent returns how many blanks a line begins with.
func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " \t")) }

// Secrets returns where a line of a configuration file has secrets, in order; see Line.
func Secrets(line string) [][2]int {
	if !suspicious(line) {
		return nil
	}
	var list [][2]int
	for at := 0; at < len(line); {
		m := holder.FindStringSubmatchIndex(line[at:])
		if m == nil {
			break
		}
		s, next := secret(line, at, m)
		if s[0] < s[1] {
			list = append(list, s)
		}
		at = next
	}
	return list
}

// secret returns where the secret is that a match of holder at an offset of the line
// announces, and where to look on.
func secret(line string, at int, m []int) (s [2]int, next int) {
	end := at + m[1]
	if m[2*urlGroup] >= 0 {
		return [2]int{at + m[2*urlGroup+1], end - 1}, end
	}
	whole, colon := false, false
	for _, group := range []int{nameGroup, argGroup} {
		if m[2*group] < 0 {
			continue
		}
		from, to := at+m[2*group], at+m[2*group+1]
		if group == nameGroup {
			whole = begins(line[:from])
			colon = strings.Contains(line[to:end], ":")
		}
		if harmless(line[from:to], line[end:]) || group == argGroup && !named.MatchString(line[from:to]) {
			return s, to
		}
	}
	if sign := assigned.FindString(line[end:]); m[2*nameGroup] < 0 && sign != "" {
		end += len(sign)
	}
	s = [2]int{end, valueEnd(line, end, whole, colon)}
	if s[1]-s[0] > 0 && (line[end] == '"' || line[end] == '\'') {
		s[0]++
		if s[1] > s[0] && line[s[1]-1] == line[end] {
			s[1]--
		}
	}
	return s, max(s[1], end)
}

// begins reports whether only marks of lists, options and the like are before a name.
func begins(before string) bool { return strings.Trim(before, " \t-\"'$") == "" }

// valueEnd returns where the value ends that begins at an offset: at the end of the line if
// whole is set, or a colon is before it, and it is in no quotation marks or brackets.
func valueEnd(line string, from int, whole, colon bool) int {
	if from < len(line) && (line[from] == '"' || line[from] == '\'') {
		return quotedEnd(line, from)
	}
	quote, inList := within(line[:from])
	switch {
	case whole && quote == 0:
		return len(strings.TrimRight(line, " \t\r;"))
	case quote != 0:
		return endAt(line, from, string(quote))
	case inList:
		return endAt(line, from, ",]}")
	case colon:
		return len(strings.TrimRight(line, " \t\r;"))
	}
	for i := from; i < len(line); i++ {
		switch line[i] {
		case ' ', '\t', '\r':
			return i
		case '"', '\'':
			i = quotedEnd(line, i) - 1
		}
	}
	return len(line)
}

// quotedEnd returns the offset behind what is in quotation marks from an offset on. A mark
// in it is escaped, or duplicated.
func quotedEnd(line string, from int) int {
	for i := from + 1; i < len(line); i++ {
		switch {
		case line[i] == '\\':
			i++
		case line[i] != line[from]:
		case i+1 < len(line) && line[i+1] == line[from]:
			i++
		default:
			return i + 1
		}
	}
	return len(line)
}

// endAt returns the offset of the first of some marks, else the length of the line.
func endAt(line string, from int, marks string) int {
	if n := strings.IndexAny(line[from:], marks); n >= 0 {
		return from + n
	}
	return len(line)
}

// within returns the quotation mark that a text leaves open, 0 for none, and reports whether
// it leaves a bracket open.
func within(text string) (quote byte, list bool) {
	depth := 0
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '"', c == '\'':
			quote = c
		case c == '[', c == '{':
			depth++
		case c == ']', c == '}':
			depth = max(depth-1, 0)
		}
	}
	return quote, depth > 0
}
