package command

import (
	"slices"
	"strings"
)

// A parsed command line has the values of options, and its other words.
type parsed struct {
	values    map[string][]Text
	given     map[string]bool
	arguments []Text
	unknown   []Text // words whose value is not known, and that may be options
}

// parse reads the words behind the name of a program.
func (s *spec) parse(words []Text) parsed {
	p := parsed{values: map[string][]Text{}, given: map[string]bool{}}
	for i := 0; i < len(words); i++ {
		w := words[i]
		switch {
		case w.text == "--":
			p.arguments = append(p.arguments, words[i+1:]...)
			return p
		case len(w.text) < 2 || w.text[0] != '-':
			if w.Doubt != "" {
				p.unknown = append(p.unknown, w)
			}
			p.arguments = append(p.arguments, w)
			continue
		}
		name, value, has, lacks := s.option(w)
		if name == "" {
			continue
		}
		p.given[name] = true
		if lacks == "" { // a flag
			continue
		}
		if !has && i+1 < len(words) && !(lacks == "optional" && strings.HasPrefix(words[i+1].text, "-")) {
			i++
			value, has = words[i], true
		}
		if !has && lacks == "optional" {
			value = w.Slice(0, 0)
			value.origins = w.origins
		}
		if has || lacks == "optional" {
			p.values[name] = append(p.values[name], value)
		}
	}
	return p
}

// option reads a word that begins with a -: the option, its value if the word has it, and
// whether it takes one: "" no, "always" or "optional".
func (s *spec) option(w Text) (name string, value Text, has bool, takes string) {
	long := strings.HasPrefix(w.text, "--")
	rest := w.Slice(1, len(w.text))
	if long {
		rest = w.Slice(2, len(w.text))
	}
	head, value, has := rest.Cut("=")
	switch {
	case !long && s.Style == "perl":
		return rest.text, Text{}, false, s.takes(rest.text)
	case long || s.Style == "go":
		return head.text, value, has, s.takes(head.text)
	}
	for i := range rest.text { // letters, of which the last may have a value
		name := rest.text[i : i+1]
		takes := s.takes(name)
		if takes != "" {
			return name, rest.Slice(i+1, len(rest.text)), i+1 < len(rest.text), takes
		}
		if !strings.Contains(s.Flags, name) {
			break
		}
	}
	return rest.text, Text{}, false, ""
}

// takes reports whether an option of interest takes a value: "" not, or no such option.
func (s *spec) takes(name string) string {
	for _, sock := range s.Sockets {
		if slices.Contains(sock.Options, name) {
			if sock.MayLack {
				return "optional"
			}
			return "always"
		}
		if slices.Contains(sock.Ports, name) {
			return "always"
		}
	}
	if slices.Contains(s.Relay, name) || slices.Contains(s.RelayPorts, name) {
		return "always"
	}
	for _, set := range s.Settings {
		if slices.Contains(set.Options, name) {
			return "always"
		}
	}
	return ""
}

// all returns the values of options of several names.
func (p *parsed) all(names []string) []Text {
	var list []Text
	for _, n := range names {
		list = append(list, p.values[n]...)
	}
	return list
}

// last returns the last value of options of several names.
func (p *parsed) last(names []string) (Text, bool) {
	list := p.all(names)
	if len(list) == 0 {
		return Text{}, false
	}
	return list[len(list)-1], true
}
