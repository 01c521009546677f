package fix

import (
	"regexp"
	"strings"
)

// optionWord returns an option with its value in the syntax of the program.
func optionWord(name, value string) string {
	if strings.HasPrefix(name, "--") {
		return name + "=" + value
	}
	return name + " " + value
}

// shellOption sets a command-line option in the variable e.In. Other options keep
// their order; further occurrences of this one are removed.
func shellOption(text string, e Edit) (string, error) {
	assign := regexp.MustCompile(`^[ \t]*(?:export[ \t]+)?` + regexp.QuoteMeta(e.In) + `=(.*)$`)
	list := lines(text)
	at := -1
	for i, line := range list {
		if !comment(line) && assign.MatchString(strings.TrimRight(line, "\r\n")) {
			at = i // the last one counts
		}
	}
	names := strings.Fields(e.Option)
	if at < 0 {
		return strings.Join(append(list, e.In+`="`+optionWord(names[0], e.Value)+"\"\n"), ""), nil
	}
	line := strings.TrimRight(list[at], "\r\n")
	value := assign.FindStringSubmatchIndex(line)
	old := strings.TrimSpace(line[value[2]:])
	if strings.HasSuffix(old, `\`) {
		return "", &UnclearError{at + 1, "the value continues on the next line"}
	}
	quote := `"`
	if strings.HasPrefix(old, "'") {
		quote = "'"
	}
	words := setOption(strings.Fields(strings.Trim(old, quote)), names, e.Value)
	list[at] = line[:value[2]] + quote + strings.Join(words, " ") + quote + ending(list[at])
	return strings.Join(list, ""), nil
}

// setOption sets the option, which may have several names, in words.
func setOption(words, names []string, value string) []string {
	var out []string
	done := false
	give := func(name string) {
		if !done {
			out = append(out, strings.Fields(optionWord(name, value))...)
		}
		done = true
	}
next:
	for i := 0; i < len(words); i++ {
		for _, name := range names {
			if strings.HasPrefix(words[i], name+"=") {
				give(name)
				continue next
			}
			if words[i] == name {
				give(name)
				if i+1 < len(words) && !strings.HasPrefix(words[i+1], "-") {
					i++
				}
				continue next
			}
		}
		out = append(out, words[i])
	}
	give(names[0])
	return out
}
