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
	start := assign.FindStringSubmatchIndex(line)[2]
	end, open := valueEnd(line, start, ";")
	value := line[start:end]
	if open || strings.HasSuffix(line, `\`) {
		return "", &UnclearError{at + 1, "the value continues on the next line"}
	}
	quote := `"`
	if strings.HasPrefix(value, "'") {
		quote = "'"
	}
	inner := strings.TrimSuffix(strings.TrimPrefix(value, quote), quote)
	if strings.ContainsAny(inner, quote) {
		return "", &UnclearError{at + 1, "the value has several parts in quotation marks"}
	}
	list[at] = line[:start] + quote + setOption(inner, names, e.Value) + quote + line[end:] + ending(list[at])
	return strings.Join(list, ""), nil
}

// optionOrBlanks is a word of a command line, with the blanks before it.
var optionOrBlanks = regexp.MustCompile(`[ \t]*[^ \t]+`)

// setOption sets the option, which may have several names, in the words of a text. Other words
// stay as they are, with the blanks between them.
func setOption(text string, names []string, value string) string {
	words := optionOrBlanks.FindAllString(text, -1)
	var b strings.Builder
	done := false
	give := func(name, lead string) {
		if !done {
			b.WriteString(lead + optionWord(name, value))
		}
		done = true
	}
next:
	for i := 0; i < len(words); i++ {
		word := strings.TrimLeft(words[i], " \t")
		lead := words[i][:len(words[i])-len(word)]
		for _, name := range names {
			if strings.HasPrefix(word, name+"=") {
				give(name, lead)
				continue next
			}
			if word == name {
				give(name, lead)
				if i+1 < len(words) && !strings.HasPrefix(strings.TrimLeft(words[i+1], " \t"), "-") {
					i++
				}
				continue next
			}
		}
		b.WriteString(words[i])
	}
	rest := strings.TrimRight(b.String(), " \t")
	if !done {
		if rest != "" {
			rest += " "
		}
		rest += optionWord(names[0], value)
	}
	return rest
}
