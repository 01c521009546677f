package postfix

import (
	"slices"
	"strconv"
	"strings"
)

// maxDepth is how deep macros may be nested (util/mac_expand.c).
const maxDepth = 100

// maxExpansion is how many bytes and steps all expansions of one reading take at most.
const maxExpansion = 16 << 20

// An expansion expands $name, ${name}, $(name), ${name?text}, ${name:text} and
// ${{text} == {text} ? {text} : {text}} (util/mac_parse.c, util/mac_expand.c).
type expansion struct {
	scope   *scope
	open    []string
	problem string
	depth   int
	operand bool // the text is one that is compared
}

// expand returns a text with its macros expanded.
func (s *scope) expand(t text) value {
	x := expansion{scope: s}
	if strings.IndexByte(t.s, '$') < 0 {
		if !x.spend(len(t.s)) {
			t = text{}
		}
		return value{text: t, problem: x.problem}
	}
	var out builder
	x.parse(t, &out)
	return value{text: out.text(), open: x.open, problem: x.problem}
}

// fail keeps the first problem.
func (x *expansion) fail(problem string) {
	if x.problem == "" {
		x.problem = problem
	}
}

// spend takes from the budget and reports whether it lasts.
func (s *scope) spend(n int) bool {
	*s.budget -= n
	return *s.budget >= 0
}

// spend does the same, and fails if the budget does not last.
func (x *expansion) spend(n int) bool {
	if !x.scope.spend(n) {
		x.fail("it is too large to expand")
	}
	return x.problem == ""
}

// parse adds a text to out, expanded (mac_parse).
func (x *expansion) parse(t text, out *builder) {
	for at := 0; at < len(t.s) && x.spend(1); {
		switch end := strings.IndexByte(t.s[at:], '$'); {
		case end < 0:
			x.literal(t.cut(at, len(t.s)), out)
			return
		case end > 0:
			x.literal(t.cut(at, at+end), out)
			at += end
		case strings.HasPrefix(t.s[at:], "$$"):
			x.literal(t.cut(at, at+1), out)
			at += 2
		default:
			macro, next := x.macro(t, at+1)
			if x.problem != "" {
				return
			}
			x.expr(macro, out)
			at = next
		}
	}
}

func (x *expansion) literal(t text, out *builder) {
	if x.spend(len(t.s) + 16) { // a part of its own
		out.add(t)
	}
}

// macro returns the macro that begins at from, after the $, without its parentheses,
// and where it ends.
func (x *expansion) macro(t text, from int) (macro text, next int) {
	end := from
	switch {
	case strings.HasPrefix(t.s[from:], "{"), strings.HasPrefix(t.s[from:], "("):
		from++
		end = closing(t.s, from, t.s[from-1], map[byte]byte{'{': '}', '(': ')'}[t.s[from-1]])
		if end < 0 {
			x.fail("a macro has no end")
		}
		if !x.spend(len(t.s) - from) { // at most what was looked through
			return text{}, 0
		}
		next = end + 1
	default:
		for end < len(t.s) && isName(t.s[end]) {
			end++
		}
		next = end
	}
	if end == from {
		x.fail("$ without a name")
	}
	return t.cut(from, end), next
}

// isName reports whether names of parameters contain a byte.
func isName(c byte) bool {
	return c == '_' || '0' <= c && c <= '9' || 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z'
}

// expr adds what a macro stands for (mac_expand_callback). A parameter that is not in
// the files, for which Postfix puts a default or nothing, stays as it is.
func (x *expansion) expr(t text, out *builder) {
	if x.depth++; x.depth > maxDepth {
		x.fail("its macros are nested too deeply")
	}
	defer func() { x.depth-- }()
	if !x.spend(1) {
		return
	}
	rest := skip(t, blanks)
	var holds, known bool
	parameter := literal("true")
	var name text
	if strings.HasPrefix(rest.s, "{") {
		holds, rest = x.relation(rest)
		known = holds
	} else if name, rest = x.name(rest); x.problem == "" {
		parameter, _, known = x.scope.raw(name.s)
		holds = parameter.s != ""
	}
	switch {
	case x.problem != "":
	case rest.s != "":
		x.choose(holds, rest, out)
	case known:
		x.parse(parameter, out)
	case name.s != "":
		if !slices.Contains(x.open, name.s) {
			x.open = append(x.open, name.s)
		}
		if !x.operand { // nothing is compared in its place, as by Postfix
			x.literal(literal("$"), out)
			x.literal(name, out)
		}
	}
}

// name returns the name with which an expression begins, and the operator ? or : with
// what follows.
func (x *expansion) name(t text) (name, rest text) {
	end := 0
	for end < len(t.s) && isName(t.s[end]) {
		end++
	}
	rest = skip(t.cut(end, len(t.s)), blanks)
	if rest.s != "" && rest.s[0] != '?' && rest.s[0] != ':' {
		x.fail("a macro has a name that is none")
	}
	return t.cut(0, end), rest
}

// choose adds the text after ? if the condition holds, otherwise that after :.
func (x *expansion) choose(holds bool, rest text, out *builder) {
	if rest.s[0] == '?' {
		var yes text
		yes, rest = x.result(rest)
		if x.problem == "" && holds {
			x.parse(yes, out)
		}
		if rest.s == "" || x.problem != "" {
			return
		}
	}
	if rest.s[0] != ':' {
		x.fail(": is missing in a macro")
		return
	}
	no, rest := x.result(rest)
	if x.problem == "" && !holds {
		x.parse(no, out)
	}
	if rest.s != "" {
		x.fail("text follows the end of a macro")
	}
}

// result returns what follows an operator: the text in braces, or all of the rest.
func (x *expansion) result(t text) (inner, rest text) {
	t = t.cut(1, len(t.s))
	if braced := skip(t, blanks); strings.HasPrefix(braced.s, "{") {
		return x.payload(braced)
	}
	return t, text{}
}

// payload returns the text in braces with which t begins, and what follows.
func (x *expansion) payload(t text) (inner, rest text) {
	end := closing(t.s, 1, '{', '}')
	if end < 0 {
		x.fail("} is missing in a macro")
	}
	if !x.spend(len(t.s)) {
		return text{}, text{}
	}
	return t.cut(1, end), skip(t.cut(end+1, len(t.s)), blanks)
}

// relation evaluates {text} operator {text} and returns what follows
// (mac_exp_parse_relational).
func (x *expansion) relation(t text) (holds bool, rest text) {
	left, rest := x.payload(t)
	end := 0
	for end < len(rest.s) && strings.IndexByte("<>!=?+-*/~&|%", rest.s[end]) >= 0 {
		end++
	}
	operator := rest.s[:end]
	for end < len(rest.s) && isName(rest.s[end]) && rest.s[end] != '_' {
		end++
	}
	suffix := rest.s[len(operator):end]
	rest = skip(rest.cut(end, len(rest.s)), blanks)
	if x.problem == "" && !strings.HasPrefix(rest.s, "{") {
		x.fail("an operand is missing in a macro")
	}
	if x.problem != "" {
		return false, rest
	}
	right, rest := x.payload(rest)
	var a, b builder
	within := x.operand
	x.operand = true
	x.parse(left, &a)
	x.parse(right, &b)
	x.operand = within
	order, ok := compare(string(a.b), string(b.b), suffix)
	holds, known := map[string]bool{
		"==": order == 0, "!=": order != 0, "<": order < 0, "<=": order <= 0, ">=": order >= 0, ">": order > 0,
	}[operator]
	if !ok || !known {
		x.fail("a comparison in a macro has no result")
	}
	if rest.s != "" && rest.s[0] != '?' && rest.s[0] != ':' {
		x.fail("? or : is missing in a macro")
	}
	return holds, rest
}

// compare compares two operands, as numbers if both consist of digits; with the suffix
// "level" it compares levels of compatibility (global/compat_level.c). It reports false
// if they cannot be compared.
func compare(a, b, suffix string) (order int, ok bool) {
	switch {
	case suffix == "level":
		l, ok := level(a)
		r, ok2 := level(b)
		return slices.Compare(l[:], r[:]), ok && ok2
	case suffix != "":
		return 0, false
	case digits(a) && digits(b):
		l, err := strconv.ParseInt(a, 10, 64)
		r, err2 := strconv.ParseInt(b, 10, 64)
		return int(min(max(l-r, -1), 1)), err == nil && err2 == nil
	}
	return strings.Compare(a, b), true
}

// level parses a level of compatibility: "2", "3.6" or "3.6.1".
func level(s string) (numbers [3]int, ok bool) {
	list := strings.Split(s, ".")
	if len(list) > len(numbers) {
		return numbers, false
	}
	for i, part := range list {
		n, err := strconv.Atoi(part)
		if err != nil || n < 0 || i > 0 && n > 1023 {
			return numbers, false
		}
		numbers[i] = n
	}
	return numbers, true
}

// digits reports whether a text consists of digits.
func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == ""
}

// skip returns a text without the characters at its beginning.
func skip(t text, characters string) text {
	return t.cut(len(t.s)-len(strings.TrimLeft(t.s, characters)), len(t.s))
}
