package fix

import (
	"regexp"
	"slices"
	"strings"
)

// A keyed grammar has settings with a name and a value, one per line.
type keyed struct {
	sep    string         // separator of name and value, as a regular expression; () is where a value may begin
	join   string         // the same, as it is written
	end    string         // end of a value, "" for the end of the line
	blank  bool           // a line that begins with a blank continues the previous one
	fold   bool           // names are case-insensitive
	prefix string         // optional prefix of a name, as a regular expression
	remark bool           // a number sign after a value begins a remark
	stops  string         // other bytes that end a value
	lines  bool           // a backslash at its end, or an open quotation mark, continues a line
	before *regexp.Regexp // new settings are inserted before the last line of this kind
	ini    bool           // the file has sections
}

var (
	lastTrue  = regexp.MustCompile(`^\s*1\s*;`)
	lastBrace = regexp.MustCompile(`^\s*\}`)
)

// keyed returns the keyed grammar of f.
func (f Format) keyed() (keyed, bool) {
	switch f {
	case MainCF:
		return keyed{sep: `[ \t]*=()`, join: " = ", blank: true}, true
	case Words:
		return keyed{sep: `()(?:[ \t]+|$)`, join: " ", fold: true, remark: true}, true
	case Equals:
		return keyed{sep: `[ \t]*=()`, join: " = ", remark: true}, true
	case Colon:
		return keyed{sep: `[ \t]*:()`, join: ": ", blank: true, remark: true}, true
	case Shell:
		return keyed{sep: `=()`, join: "=", prefix: `(?:export[ \t]+)?`, remark: true, stops: ";", lines: true}, true
	case INI:
		return keyed{sep: `[ \t]*[=:]()`, join: " = ", ini: true, remark: true}, true
	case Perl:
		return keyed{sep: `[ \t]*=()(?:[^=~]|$)`, join: " = ", end: ";", before: lastTrue}, true
	case PList:
		return keyed{sep: `[ \t]*=()`, join: " = ", end: ";", before: lastBrace}, true
	case RspamdLocal:
		return keyed{sep: `(?:[ \t]*[=:]()|[ \t]+()["\d])`, join: " = ", end: ";"}, true
	}
	return keyed{}, false
}

// lines splits a text after each line end; one is added to the last line if it is
// missing.
func lines(text string) []string {
	list := strings.SplitAfter(text, "\n")
	if last := list[len(list)-1]; last == "" {
		list = list[:len(list)-1]
	} else {
		list[len(list)-1] = last + "\n"
	}
	return list
}

// comment reports whether a line is blank or a comment.
func comment(line string) bool {
	s := strings.TrimSpace(line)
	return s == "" || s[0] == '#' || s[0] == ';'
}

// set changes a setting: the first assignment gets the value, further ones become
// comments, and if there is none a line is added. Other lines, and what the line has
// before and after the value, stay the same, byte for byte.
func (k keyed) set(text string, e Edit) (string, error) {
	list := lines(text)
	flags := "^"
	if k.fold {
		flags = "(?i)^"
	}
	name := regexp.MustCompile(flags + `[ \t]*` + k.prefix + regexp.QuoteMeta(e.Set) + k.sep)
	from, to := 0, len(list)
	if k.ini && e.In != "" {
		from, to = section(list, e.In)
	}
	done := false
	for i := from; i < to; i++ {
		if comment(list[i]) || !name.MatchString(strings.TrimRight(list[i], "\r\n")) {
			continue
		}
		n, err := k.extent(list[i:to], i)
		if err != nil {
			return "", err
		}
		if done {
			for j := i; j < i+n; j++ {
				list[j] = "# " + list[j]
			}
		} else {
			now, err := k.assign(list[i:i+n], name.FindStringSubmatchIndex(strings.TrimRight(list[i], "\r\n")), e.Value)
			if err != nil {
				err.Line += i
				return "", err
			}
			list = slices.Replace(list, i, i+n, now...)
			to -= n - len(now)
			n, done = len(now), true
		}
		i += n - 1
	}
	if !done {
		list = k.add(list, e, from, to)
	}
	return strings.Join(list, ""), nil
}

// assign returns the lines of a setting with another value. name is the match of the
// setting in the first of the lines. The line of an error counts from the first one.
func (k keyed) assign(list []string, name []int, value string) ([]string, *UnclearError) {
	line := strings.TrimRight(list[0], "\r\n")
	from := name[1]
	for _, at := range name[2:] {
		if at >= 0 {
			from = at
		}
	}
	start := skipBlanks(line, from)
	lead := line[:start]
	old, rest := k.split(list, start)
	if old == "" {
		lead = strings.TrimRight(line[:from], " \t:=") + k.join
		if strings.HasPrefix(rest, "#") {
			rest = " " + rest
		}
	}
	if k.lines {
		if _, open := valueEnd(line, start, k.stops); open || strings.HasSuffix(line, `\`) {
			return nil, &UnclearError{1, "the value continues on the next line"}
		}
	}
	if listKeeps(withoutRemarks(old)) {
		if len(list) > 1 {
			return nil, &UnclearError{1, "a list of several lines has an address that stays"}
		}
		if key, _ := addressKey(strings.Trim(value, `'"`)); key != "" {
			value = boundList(old, strings.Trim(value, `'"`))
		}
	}
	now := []string{lead + value + rest + ending(list[0])}
	for _, l := range list[1:] {
		if k.blank && comment(l) {
			now = append(now, l)
		}
	}
	return now, nil
}

// split returns the value of a setting that begins at an offset of its first line, and what
// follows it in its last line: its end and a remark.
func (k keyed) split(list []string, start int) (value, rest string) {
	line := strings.TrimRight(list[0], "\r\n")
	end := len(strings.TrimRight(line, " \t"))
	switch {
	case k.end != "":
		text := strings.Join(list, "")
		at := start
		for line := range strings.Lines(text[min(start, len(text)):]) {
			if code, _, found := cutStatement(line, k.end[0]); found {
				value = strings.TrimRight(text[start:at+len(code)], " \t")
				return value, strings.TrimRight(text[start+len(value):], "\r\n")
			}
			at += len(line)
		}
		end, _ = valueEnd(line, start, "")
		return line[start:end], k.end + line[end:]
	case k.remark:
		end, _ = valueEnd(line, start, k.stops)
	}
	end = max(end, start)
	return line[start:end], line[end:]
}

// ending returns the line end of a line.
func ending(line string) string {
	if strings.HasSuffix(line, "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// maxLines is how many lines a statement has that an edit can change.
const maxLines = 1000

// extent returns the number of lines of the setting that begins at list[0]; at is
// its line number, counted from 0.
func (k keyed) extent(list []string, at int) (int, error) {
	switch {
	case k.end != "":
		for n, line := range list {
			code, rest, found := cutStatement(line, k.end[0])
			switch {
			case found:
			case n == maxLines:
				return 0, &UnclearError{at + 1, "the statement has too many lines"}
			default:
				continue
			}
			if s := strings.TrimSpace(rest); s != "" && s[0] != '#' && !strings.HasPrefix(s, "//") {
				return 0, &UnclearError{at + n + 1, "another statement after " + strings.TrimSpace(code) + k.end}
			}
			return n + 1, nil
		}
		return 1, nil
	case k.blank:
		n := 1
		for i := 1; i < len(list); i++ {
			if comment(list[i]) {
				continue
			}
			if first := list[i][0]; first != ' ' && first != '\t' && !strings.HasPrefix(list[i], "- ") {
				break
			}
			n = i + 1
		}
		return n, nil
	}
	return 1, nil
}

// cutStatement cuts a line at the first end that is not quoted or in a comment.
func cutStatement(line string, end byte) (code, rest string, found bool) {
	var quote byte
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
		case c == '\'' || c == '"':
			quote = c
		case c == '#':
			return line[:i], "", false
		case c == end:
			return line[:i], line[i+1:], true
		}
	}
	return line, "", false
}

// add inserts a line for a setting that list does not have between from and to.
func (k keyed) add(list []string, e Edit, from, to int) []string {
	line := e.Set + k.join + e.Value + k.end + "\n"
	switch {
	case k.ini && e.In != "" && from == len(list):
		return append(list, "["+e.In+"]\n", line)
	case k.ini && e.In != "":
		for to > from && comment(list[to-1]) {
			to--
		}
		return slices.Insert(list, to, line)
	case k.before != nil:
		for i := len(list) - 1; i >= 0; i-- {
			if k.before.MatchString(list[i]) {
				return slices.Insert(list, i, line)
			}
		}
	}
	return append(list, line)
}

// section returns the lines between the head of an INI section and the next head;
// both are the end of the file if there is no such section.
func section(list []string, name string) (from, to int) {
	from = len(list)
	for i, line := range list {
		s := strings.TrimSpace(line)
		if !strings.HasPrefix(s, "[") {
			continue
		}
		if from < len(list) {
			return from, i
		}
		if head, _, ok := strings.Cut(s[1:], "]"); ok && strings.TrimSpace(head) == name {
			from = i + 1
		}
	}
	return from, len(list)
}
