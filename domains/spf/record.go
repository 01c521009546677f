package spf

import (
	"fmt"
	"net/netip"
	"strings"
)

// A Mechanism is the name of a mechanism (RFC 7208, Section 5).
type Mechanism string

// The mechanisms.
const (
	All     Mechanism = "all"
	Include Mechanism = "include"
	A       Mechanism = "a"
	MX      Mechanism = "mx"
	PTR     Mechanism = "ptr"
	IP4     Mechanism = "ip4"
	IP6     Mechanism = "ip6"
	Exists  Mechanism = "exists"
)

// Looks reports whether the mechanism counts as one of the ten lookups (RFC 7208, Section 4.6.4).
func (m Mechanism) Looks() bool {
	switch m {
	case Include, A, MX, PTR, Exists:
		return true
	}
	return false
}

// A Directive is one mechanism with its qualifier and its values.
type Directive struct {
	Text      string // as it is in the record
	Qualifier byte   // '+', '-', '~' or '?'
	Mechanism Mechanism
	Domain    string       // the domain-spec, with its macros; "" is the domain of the record
	Prefix    netip.Prefix // of ip4 and ip6; its address may have bits set outside the prefix
	Bits4     int          // of a and mx: 0 to 32
	Bits6     int          // of a and mx: 0 to 128
}

// A Record is a valid record.
type Record struct {
	Directives []Directive
	Redirect   string // the domain-spec of the modifier; "" if there is none
}

// HasAll reports whether the record has the mechanism "all", which makes a redirect without effect
// (RFC 7208, Section 6.1).
func (r *Record) HasAll() bool {
	for i := range r.Directives {
		if r.Directives[i].Mechanism == All {
			return true
		}
	}
	return false
}

// version is the first term of a record.
const version = "v=spf1"

// Is reports whether the text of a TXT record is an SPF record: it begins with the version, and a
// space or the end follows (RFC 7208, Section 4.5). The version is compared without regard to
// case, as are all literals of the grammar (RFC 5234, Section 2.3).
func Is(text string) bool {
	return len(text) >= len(version) && strings.EqualFold(text[:len(version)], version) &&
		(len(text) == len(version) || text[len(version)] == ' ')
}

// Parse parses the text of a TXT record, the strings of which are joined. An error means "permerror"
// (RFC 7208, Section 4.6).
func Parse(text string) (*Record, error) {
	if !Is(text) {
		return nil, fmt.Errorf("the record does not begin with %q", version)
	}
	r := &Record{}
	seen := map[string]bool{}
	for _, term := range strings.Split(text[len(version):], " ") {
		if term == "" {
			continue
		}
		if err := r.add(term, seen); err != nil {
			return nil, fmt.Errorf("term %q: %w", term, err)
		}
	}
	return r, nil
}

// add adds one term to the record. The modifiers that occurred are in seen.
func (r *Record) add(term string, seen map[string]bool) error {
	name, value, ok := modifier(term)
	if !ok {
		d, err := directive(term)
		if err != nil {
			return err
		}
		r.Directives = append(r.Directives, d)
		return nil
	}
	name = strings.ToLower(name)
	switch name {
	case "redirect", "exp":
		if seen[name] { // RFC 7208, Section 6
			return fmt.Errorf("a second modifier %q", name)
		}
		seen[name] = true
		if err := checkDomain(value); err != nil {
			return err
		}
		if name == "redirect" {
			r.Redirect = value
		}
		return nil
	}
	// Unknown modifiers are ignored if their value is a macro-string.
	return checkMacros(value, true)
}

// modifier splits a term that is a modifier: name=value (RFC 7208, Section 4.6.1).
func modifier(term string) (name, value string, ok bool) {
	name, value, ok = strings.Cut(term, "=")
	if !ok || name == "" || !isAlpha(name[0]) {
		return "", "", false
	}
	for i := 1; i < len(name); i++ {
		if c := name[i]; !isAlpha(c) && !isDigit(c) && c != '-' && c != '_' && c != '.' {
			return "", "", false
		}
	}
	return name, value, true
}

func isAlpha(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }

func isDigit(c byte) bool { return c >= '0' && c <= '9' }
