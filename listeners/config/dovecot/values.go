package dovecot

import (
	"strings"
)

// The bounds of values in which variables are replaced: of one, and of all.
const (
	maxValue    = 16 << 10
	maxExpanded = 32 << 20
)

// evaluate returns the value of a line.
func (r *reading) evaluate(l line, in *input) value {
	v := value{token: l.value, key: l.key}
	switch {
	case len(l.value.s) > maxValue:
		v.s, v.end, v.problem = "", v.start+1, "the value is too long"
	case l.kind == lineFile:
		r.readValue(&v, in)
	case l.kind == lineVariable:
		r.expand(&v)
	}
	if v.problem == "" && (templated(v.s) || r.new24() && strings.Contains(v.s, "%{")) {
		v.problem = "the value of " + v.s + " is not in the files"
	}
	return v
}

// filed are the settings whose value is read if it is in a file of its own. Others, as
// those of keys, are not.
var filed = map[string]bool{"listen": true, "protocols": true, "port": true, "address": true, "ssl": true, "haproxy": true}

// readValue reads "<file".
func (r *reading) readValue(v *value, in *input) {
	if !filed[v.key.s[strings.LastIndexByte(v.key.s, '/')+1:]] {
		v.problem = "the value is in the file " + v.s
		return
	}
	if names := r.tree.Find(in.file.Name, v.s); len(names) == 1 {
		if f, err := r.tree.Read(names[0]); err == nil {
			v.s = f.Text
			return
		}
	}
	v.problem = "the file " + v.s + ", which has the value, is not there"
}

// expand replaces the words of a value that begin with $ (config_write_keyvariable).
func (r *reading) expand(v *value) {
	var b strings.Builder
	rest := v.s
	for {
		word, more, found := strings.Cut(rest, " ")
		if name, ok := strings.CutPrefix(word, "$"); ok {
			s, problem := r.variable(name)
			if problem != "" && v.problem == "" {
				v.problem = problem
			}
			b.WriteString(s)
		} else {
			b.WriteString(word)
		}
		if !found || b.Len() > maxValue {
			break
		}
		b.WriteByte(' ')
		rest = strings.TrimLeft(more, r.grammar.blanks)
	}
	r.expanded += b.Len()
	if v.s = b.String(); len(v.s) > maxValue || r.expanded > maxExpanded {
		v.s, v.problem = "", "the value is too long"
	}
}

// variable returns the value of a variable, which is a setting, or says why it is not
// known.
func (r *reading) variable(name string) (s, problem string) {
	unknown := "the value of $" + name + " is not in the files"
	if r.new24() {
		set, ok := strings.CutPrefix(name, "SET:")
		if !ok {
			if strings.HasPrefix(name, "ENV:") {
				return "$" + name, unknown
			}
			return "$" + name, "" // no variable
		}
		name = set
	}
	if strings.HasPrefix(name, "ENV:") {
		return "$" + name, unknown
	}
	if v, ok := r.set[name]; ok {
		return v.s, v.problem
	}
	if l, ok := r.lists[name]; ok && !l.whole {
		return "$" + name, "the value of $" + name + " is a list of several lines"
	}
	if _, ok := defaults23[name]; ok {
		return r.global(name).s, ""
	}
	return "$" + name, unknown
}

// defaults23 and defaults24 are the settings that are not set (master-settings.c).
var (
	defaults23 = map[string]string{
		"listen": "*, ::", "protocols": "imap pop3 lmtp", "ssl": "yes", "default_process_limit": "100", "default_client_limit": "1000",
	}
	defaults24 = map[string]string{
		"listen": "* ::", "protocols": "", "ssl": "yes", "default_process_limit": "100", "default_client_limit": "1000",
	}
)

// global returns a setting outside of all sections, or its default.
func (r *reading) global(name string) value {
	if v, ok := r.set[name]; ok {
		return v
	}
	s := defaults23[name]
	switch {
	case r.new24():
		s = defaults24[name]
	case name == "protocols" && r.debian:
		s = ""
	case name == "protocols":
		r.assumed = true
	}
	return value{token: token{s: s}, unset: true}
}
