package spf

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A UnboundError says that a domain-spec depends on the message that is checked, so that it
// names no domain by itself.
type UnboundError struct {
	Macro string // such as "%{i}"
}

// Error implements error.
func (e *UnboundError) Error() string { return "the name depends on " + e.Macro + " of each message" }

// Expand returns the domain that a domain-spec names, given the domain of the record and that of
// the sender ("%{d}" and "%{o}", RFC 7208, Section 7.2). An [*UnboundError] means that there is no
// single one.
func Expand(spec, domain, sender string) (string, error) {
	var b strings.Builder
	for len(spec) > 0 {
		literal, rest, found := strings.Cut(spec, "%")
		b.WriteString(literal)
		if !found {
			break
		}
		expanded, after, err := expand(rest, domain, sender)
		if err != nil {
			return "", err
		}
		b.WriteString(expanded)
		spec = after
	}
	return shorten(strings.TrimSuffix(b.String(), ".")), nil
}

// expand expands one macro, of which the percent sign is cut off, and returns what follows it.
func expand(macro, domain, sender string) (expanded, rest string, err error) {
	body, rest, err := split(macro)
	if err != nil {
		return "", "", err
	}
	switch body {
	case "%":
		return "%", rest, nil
	case "_":
		return " ", rest, nil
	case "-":
		return "%20", rest, nil
	}
	var value string
	switch body[0] | 0x20 {
	case 'd':
		value = domain
	case 'o':
		value = sender
	default:
		return "", "", &UnboundError{"%{" + body + "}"}
	}
	return transform(value, body[1:]), rest, nil
}

// transform applies the transformers and delimiters of a macro (RFC 7208, Section 7.3).
func transform(value, how string) string {
	digits := strings.IndexFunc(how, func(r rune) bool { return r < '0' || r > '9' })
	if digits < 0 {
		digits = len(how)
	}
	keep, _ := strconv.Atoi(how[:digits])
	delimiters := how[digits:]
	reverse := delimiters != "" && delimiters[0]|0x20 == 'r'
	if reverse {
		delimiters = delimiters[1:]
	}
	if delimiters == "" {
		delimiters = "."
	}
	parts := strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(delimiters, r) })
	if reverse {
		slices.Reverse(parts)
	}
	if keep > 0 && keep < len(parts) {
		parts = parts[len(parts)-keep:]
	}
	return strings.Join(parts, ".")
}

// maxName is the length of a name without its last dot (RFC 7208, Section 7.3).
const maxName = 253

// shorten removes labels from the left of a name that is too long.
func shorten(name string) string {
	for len(name) > maxName {
		_, rest, ok := strings.Cut(name, ".")
		if !ok {
			return name
		}
		name = rest
	}
	return name
}

// split cuts a macro, without its percent sign, off what follows it: "%", "_", "-", or what is in
// braces.
func split(macro string) (body, rest string, err error) {
	if macro == "" {
		return "", "", errors.New("a single percent sign at the end")
	}
	if strings.IndexByte("%_-", macro[0]) >= 0 {
		return macro[:1], macro[1:], nil
	}
	body, rest, ok := strings.Cut(macro, "}")
	if !ok || len(body) < 2 || body[0] != '{' {
		return "", "", fmt.Errorf("invalid macro %q", "%"+macro)
	}
	return body[1:], rest, nil
}

// checkMacros checks a macro-string (RFC 7208, Section 7.1). The letters c, r and t are for
// explanations.
func checkMacros(s string, explanation bool) error {
	for i := 0; i < len(s); i++ {
		if s[i] != '%' {
			if s[i] < 0x21 || s[i] > 0x7e {
				return fmt.Errorf("invalid byte 0x%02x", s[i])
			}
			continue
		}
		body, rest, err := split(s[i+1:])
		if err != nil {
			return err
		}
		if err := checkMacro(body, explanation); err != nil {
			return err
		}
		i = len(s) - len(rest) - 1
	}
	return nil
}

// checkMacro checks the body of one macro.
func checkMacro(body string, explanation bool) error {
	if len(body) == 1 && strings.Contains("%_-", body) {
		return nil
	}
	letters := "slodiphv"
	if explanation {
		letters += "crt"
	}
	if strings.IndexByte(letters, body[0]|0x20) < 0 || !isAlpha(body[0]) {
		return fmt.Errorf("invalid macro letter %q", body[:1])
	}
	how := strings.TrimLeft(body[1:], "0123456789")
	if digits := body[1 : len(body)-len(how)]; digits != "" {
		if n, err := strconv.Atoi(digits); err != nil || n == 0 { // RFC 7208, Section 7.3
			return fmt.Errorf("invalid number %q in a macro", digits)
		}
	}
	if how != "" && how[0]|0x20 == 'r' {
		how = how[1:]
	}
	if strings.Trim(how, ".-+,/_=") != "" {
		return fmt.Errorf("invalid delimiters %q in a macro", how)
	}
	return nil
}

// checkDomain checks a domain-spec: a macro-string that ends in a top label or in a macro (RFC
// 7208, Section 7.1).
func checkDomain(spec string) error {
	if spec == "" {
		return errors.New("the domain is empty")
	}
	if err := checkMacros(spec, false); err != nil {
		return err
	}
	if spec[len(spec)-1] == '}' || strings.HasSuffix(spec, "%%") || strings.HasSuffix(spec, "%_") || strings.HasSuffix(spec, "%-") {
		return nil
	}
	spec = strings.TrimSuffix(spec, ".")
	dot := strings.LastIndexByte(spec, '.')
	top := spec[dot+1:]
	switch {
	case dot < 0:
		return fmt.Errorf("the domain %q has one label", spec)
	case top == "" || strings.Trim(top, "0123456789") == "" || top[0] == '-' || top[len(top)-1] == '-':
		return fmt.Errorf("invalid top label %q", top)
	}
	for i := range len(top) {
		if c := top[i]; !isAlpha(c) && !isDigit(c) && c != '-' {
			return fmt.Errorf("invalid top label %q", top)
		}
	}
	return nil
}
