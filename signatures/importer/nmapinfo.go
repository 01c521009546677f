package importer

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// templates are the fields after a pattern, by letter: p, v, i, h, o and d, and
// "cpe:" for the first CPE of an application. $1 to $9 are replaced by groups,
// $P(1), $SUBST(1,"a","b") and $I(1,">") by what is derived from one.
type templates map[string]string

// versionInfo parses the fields: a letter or "cpe:", followed by a template
// between two delimiters.
func versionInfo(info string) (templates, error) {
	t := make(templates)
	for {
		info = strings.TrimLeft(info, " ")
		if info == "" {
			return t, nil
		}
		name := info[:1]
		if strings.HasPrefix(info, "cpe:") {
			name = "cpe:"
		} else if !strings.Contains("pvihod", name) {
			return nil, fmt.Errorf("unknown field %q of the version", name)
		}
		rest := info[len(name):]
		_, size := utf8.DecodeRuneInString(rest)
		if rest == "" {
			return nil, fmt.Errorf("the field %q has no template", name)
		}
		text, after, ok := strings.Cut(rest[size:], rest[:size])
		if !ok {
			return nil, fmt.Errorf("the template of %q has no end", name)
		}
		if name == "cpe:" {
			after = strings.TrimPrefix(after, "a") // nmap's flag for an operating system inferred from its service
		}
		if name != "cpe:" || t[name] == "" && strings.HasPrefix(text, "a:") {
			t[name] = text
		}
		if after != "" && after[0] != ' ' {
			return nil, fmt.Errorf("unexpected %q after the field %q", after, name)
		}
		info = after
	}
}

var (
	// variable matches a reference to a group in a template.
	variable = regexp.MustCompile(`\$(?:\d|[A-Z]+\([^)]*\))`)

	// oneGroup matches a template that consists of the text of one group.
	oneGroup = regexp.MustCompile(`^\$(?:(\d)|P\((\d)\))$`)
)

// product returns the name of the product without the parts that come from
// groups, because a signature has one name.
func (t templates) product() string {
	return strings.Join(strings.Fields(variable.ReplaceAllString(t["p"], "")), " ")
}

// group returns the number of the group of which a template consists, 0 if it is
// anything else.
func group(template string) int {
	m := oneGroup.FindStringSubmatch(strings.TrimSpace(template))
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1] + m[2]) // only digits
	return n
}

// fill sets the constants and the CPE of a signature, and returns the groups with
// values. A template that combines text and groups is omitted, because no group
// of a pattern can hold its value.
func (t templates) fill(e *entry) (groups map[string]int) {
	groups = make(map[string]int)
	for letter, name := range map[string]string{"v": version, "i": extraInfo, "h": hostname, "o": osType} {
		if n := group(t[letter]); n > 0 {
			groups[name] = n
		} else if !variable.MatchString(t[letter]) {
			e.setConstant(name, strings.TrimSpace(t[letter]))
		}
	}
	if device := t["d"]; device != "" && !variable.MatchString(device) && groups[extraInfo] == 0 {
		e.setConstant(extraInfo, strings.TrimPrefix(e.Constants[extraInfo]+"; device: "+device, "; "))
	}
	parts := strings.Split(t["cpe:"], ":")
	for i, part := range parts {
		switch n := group(part); {
		case n > 0 && n == groups[version]:
			parts[i] = versionMark
		case variable.MatchString(part):
			parts[i] = ""
		}
	}
	e.CPE = cpe23("cpe:/" + strings.Join(parts, ":"))
	return groups
}
