package postfix

import "strings"

// A disabled says which services master_service_disable has: of its patterns, "name/type",
// "name.type" or "type", the first one that fits a service decides.
type disabled map[string]pattern // by what it fits, in lower case

// A pattern is one of the list.
type pattern struct {
	order   int
	disable bool
}

// newDisabled returns the patterns of a list.
func newDisabled(list []text) disabled {
	d := disabled{}
	for i, w := range list {
		fits := strings.TrimLeft(w.s, "!")
		negated := (len(w.s)-len(fits))%2 != 0
		if i := strings.LastIndexByte(fits, '.'); i >= 0 && !strings.Contains(fits, "/") {
			fits = fits[:i] + "/" + fits[i+1:]
		}
		if fits = strings.ToLower(fits); d[fits] == (pattern{}) {
			d[fits] = pattern{i + 1, !negated}
		}
	}
	return d
}

// has reports whether a service is disabled.
func (d disabled) has(s *service) bool {
	one, other := d[strings.ToLower(s.kind.s)], d[strings.ToLower(s.name.s+"/"+s.kind.s)]
	if one.order == 0 || other.order > 0 && other.order < one.order {
		one = other
	}
	return one.disable
}
