package spf

import (
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
)

// directive parses a term that is a mechanism.
func directive(term string) (Directive, error) {
	d := Directive{Text: term, Qualifier: '+', Bits4: 32, Bits6: 128}
	rest := term
	if strings.IndexByte("+-~?", rest[0]) >= 0 {
		d.Qualifier, rest = rest[0], rest[1:]
	}
	end := strings.IndexAny(rest, ":/")
	if end < 0 {
		end = len(rest)
	}
	d.Mechanism = Mechanism(strings.ToLower(rest[:end]))
	value, hasValue := strings.CutPrefix(rest[end:], ":")
	switch d.Mechanism {
	case All:
		if end < len(rest) {
			return d, errors.New("the mechanism has no value")
		}
		return d, nil
	case Include, Exists:
		if !hasValue {
			return d, errors.New("the mechanism needs a domain")
		}
		d.Domain = value
		return d, checkDomain(value)
	case PTR:
		d.Domain = value
		if !hasValue {
			if end < len(rest) {
				return d, errors.New("the mechanism has no prefix length")
			}
			return d, nil
		}
		return d, checkDomain(value)
	case A, MX:
		return d, d.hosts(value, hasValue)
	case IP4, IP6:
		if !hasValue {
			return d, errors.New("the mechanism needs an address")
		}
		return d, d.network(value)
	}
	return d, errors.New("unknown mechanism") // RFC 7208, Section 4.6.1: a syntax error
}

// hosts parses the value of a and mx: [":" domain-spec] [dual-cidr-length].
func (d *Directive) hosts(value string, hasDomain bool) error {
	domain, lengths := value, ""
	// A slash of a macro (a delimiter, RFC 7208, Section 7.1) is followed by "}".
	if i := slash(value); i >= 0 {
		domain, lengths = value[:i], value[i:]
	}
	if hasDomain {
		if err := checkDomain(domain); err != nil {
			return err
		}
		d.Domain = domain
	} else if domain != "" {
		return errors.New("invalid prefix length")
	}
	if lengths == "" {
		return nil
	}
	four, six, dual := strings.Cut(lengths, "//")
	var err error
	if four != "" {
		if d.Bits4, err = bits(four[1:], 32); err != nil {
			return err
		}
	}
	if dual {
		d.Bits6, err = bits(six, 128)
	}
	return err
}

// slash returns the index of the first slash outside of macros, -1 if there is none.
func slash(value string) int {
	macro := false
	for i := range len(value) {
		switch c := value[i]; {
		case c == '{' && i > 0 && value[i-1] == '%':
			macro = true
		case c == '}':
			macro = false
		case c == '/' && !macro:
			return i
		}
	}
	return -1
}

// bits parses a prefix length of at most most, without leading zeros.
func bits(s string, most int) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 0 || n > most || s != strconv.Itoa(n) {
		return 0, fmt.Errorf("invalid prefix length %q", s)
	}
	return n, nil
}

// network parses the value of ip4 and ip6.
func (d *Directive) network(value string) error {
	address, length, hasLength := strings.Cut(value, "/")
	a, err := netip.ParseAddr(address)
	if err != nil || a.Zone() != "" || a.Is4() != (d.Mechanism == IP4) {
		return fmt.Errorf("invalid address %q", address)
	}
	n := a.BitLen()
	if hasLength {
		if n, err = bits(length, a.BitLen()); err != nil {
			return err
		}
	}
	d.Prefix = netip.PrefixFrom(a, n)
	return nil
}
