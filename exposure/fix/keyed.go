package fix

import (
	"regexp"
	"slices"
	"strings"
)

// A keyed grammar has settings with a name and a value, one per line.
type keyed struct {
	sep    string         // separator of name and value, as a regular expression
	join   string         // the same, as it is written
	end    string         // end of a value, "" for the end of the line
	blank  bool           // a line that begins with a blank continues the previous one
	fold   bool           // names are case-insensitive
	prefix string         // optional prefix of a name, as a regular expression
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
		return keyed{sep: `[ \t]*=`, join: " = ", blank: true}, true
	case Words:
		return keyed{sep: `(?:[ \t]+|$)`, join: " ", fold: true}, true
	case Equals:
		return keyed{sep: `[ \t]*=`, join: " = "}, true
	case Colon:
		return keyed{sep: `[ \t]*:`, join: ": ", blank: true}, true
	case Shell:
		return keyed{sep: `=`, join: "=", prefix: `(?:export[ \t]+)?`}, true
	case INI:
		return keyed{sep: `[ \t]*[=:]`, join: " = ", ini: true}, true
	case Perl:
		return keyed{sep: `[ \t]*=(?:[^=~]|$)`, join: " = ", end: ";", before: lastTrue}, true
	case PList:
		return keyed{sep: `[ \t]*=`, join: " = ", end: ";", before: lastBrace}, true
	case RspamdLocal:
		return keyed{sep: `(?:[ \t]*[=:]|[ \t]+["\d])`, join: " = ", end: ";"}, true
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

// set changes a setting: the first assignment is rewritten, further ones become
// comments, and if there is none a line is added. Other lines stay the same, byte
// for byte.
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
			indent := list[i][:len(list[i])-len(strings.TrimLeft(list[i], " \t"))]
			list = slices.Replace(list, i, i+n, indent+e.Set+k.join+e.Value+k.end+ending(list[i]))
			to -= n - 1
			n, done = 1, true
		}
		i += n - 1
	}
	if !done {
		list = k.add(list, e, from, to)
	}
	return strings.Join(list, ""), nil
}

// ending returns the line end of a line.
func ending(line string) string {
	if strings.HasSuffix(line, "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// extent returns the number of lines of the setting that begins at list[0]; at is
// its line number, counted from 0.
func (k keyed) extent(list []string, at int) (int, error) {
	switch {
	case k.end != "":
		for n, line := range list {
			code, rest, found := cutStatement(line, k.end[0])
			if !found {
				continue
			}
			if s := strings.TrimSpace(rest); s != "" && s[0] != '#' {
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
