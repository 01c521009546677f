package scope

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"

	"go4.org/netipx"
)

// An entry is one target as written, before its name is looked up.
type entry struct {
	addrs netipx.IPRange // invalid if name is set
	zone  string         // of a link-local address
	name  string         // a host name, in lower case, without the final dot
	ports PortSet        // written after it; empty if none
}

// parseEntry reads one target in any of its forms:
//
//	192.0.2.1  192.0.2.0/24  192.0.2.1-9  192.0.2.1-192.0.3.9  mx1.example.net
//	2001:db8::1  2001:db8::/120  2001:db8::1-2001:db8::9
//
// each with an optional port behind a colon, for which the IPv6 forms stand in
// brackets (RFC 3986, Section 3.2.2).
func parseEntry(text string) (entry, *InputError) {
	host, ports := text, ""
	switch {
	case strings.Contains(text, "://"):
		return entry{}, &InputError{Text: text, Problem: "a URL is not a target", Hint: "write only the host, with :port if needed"}
	case strings.HasPrefix(text, "["):
		inner, rest, ok := strings.Cut(text[1:], "]")
		if !ok {
			return entry{}, &InputError{Text: text, Problem: "a bracket is not closed", Hint: "write [2001:db8::1]:10025"}
		}
		if rest != "" && !strings.HasPrefix(rest, ":") {
			return entry{}, &InputError{Text: text, Problem: "text other than a port after the bracket", Hint: "write [2001:db8::1]:10025"}
		}
		if !strings.Contains(inner, ":") {
			return entry{}, &InputError{Text: text, Problem: "brackets without an IPv6 address in them", Hint: "omit the brackets"}
		}
		host, ports = inner, rest
	case strings.Count(text, ":") == 1:
		i := strings.IndexByte(text, ':')
		host, ports = text[:i], text[i:]
	}
	e, err := parseHost(host)
	if err != nil {
		return entry{}, err
	}
	if ports != "" {
		e.ports, err = parseOwnPorts(text, ports[1:])
	}
	return e, err
}

// parseOwnPorts parses the ports after a target's colon.
func parseOwnPorts(text, spec string) (PortSet, *InputError) {
	ports, err := ParsePortSet(spec, nil)
	if err == nil {
		return ports, nil
	}
	var e *InputError
	errors.As(err, &e) // the first one
	if e.Text == "" || spec == "" {
		e.Text = text
		e.Problem, e.Hint = "no port after the colon", "omit the colon, or write a port after it"
	}
	e.Column = 0 // the caller knows the position of the whole entry
	return PortSet{}, e
}

// parseHost parses a target without its port.
func parseHost(s string) (entry, *InputError) {
	if strings.Contains(s, "%") {
		a, err := netip.ParseAddr(s)
		if err != nil || !a.IsLinkLocalUnicast() {
			return entry{}, &InputError{Text: s, Problem: "an IPv6 zone is allowed only after a single link-local address",
				Hint: "write a zone only after an address in fe80::/10, like fe80::1%eth0"}
		}
		a = a.WithZone(interfaceName(a.Zone()))
		return entry{addrs: netipx.IPRangeFrom(a, a), zone: a.Zone()}, nil
	}
	var addrs netipx.IPRange
	var err *InputError
	switch {
	case strings.Contains(s, "/"):
		addrs, err = parsePrefix(s)
	case strings.Contains(s, ":"):
		addrs, err = parseRange(s)
	case strings.Contains(s, "*") && strings.Trim(s, "0123456789.-*") == "":
		err = &InputError{Text: s, Problem: "not an IP address", Hint: octetHint}
	case looksNumeric(s):
		addrs, err = parseRange(s)
	default:
		name, err := parseName(s)
		return entry{name: name}, err
	}
	if err != nil {
		return entry{}, err
	}
	if err := checkUnicast(s, addrs); err != nil {
		return entry{}, err
	}
	return entry{addrs: addrs}, nil
}

// looksNumeric reports whether s can only be meant as an IPv4 address or range:
// digits, dots and dashes, or a last label of digits, which no host name has (RFC
// 1123, Section 2.1).
func looksNumeric(s string) bool {
	if s != "" && strings.Trim(s, "0123456789.-") == "" {
		return true
	}
	last := s[strings.LastIndexByte(s, '.')+1:]
	return last != "" && strings.Trim(last, "0123456789") == ""
}

// parsePrefix parses a CIDR prefix. Bits after its length are dropped.
func parsePrefix(s string) (netipx.IPRange, *InputError) {
	p, err := netip.ParsePrefix(s)
	if err == nil && p.Addr().Is4In6() && p.Bits() >= 96 {
		p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
	}
	if err != nil {
		return netipx.IPRange{}, &InputError{Text: s, Problem: "not an address prefix",
			Hint: prefixHint(s)}
	}
	return netipx.RangeOfPrefix(p.Masked()), nil
}

// parseRange parses an address, or two with a dash between them, the second of which
// may be just the last number of an IPv4 address.
func parseRange(s string) (netipx.IPRange, *InputError) {
	low, high, isRange := strings.Cut(s, "-")
	from, err := parseAddr(low)
	if isRange && err != nil && strings.Count(low, ".") < 3 && strings.Trim(s, "0123456789.-") == "" {
		err.Hint = octetHint
	}
	if err != nil {
		err.Text, err.Column = s, letterIn(s)
		return netipx.IPRange{}, err
	}
	if !isRange {
		return netipx.IPRangeFrom(from, from), nil
	}
	var to netip.Addr
	if last, ok := parseLastOctet(high); ok && from.Is4() {
		b := from.As4()
		b[3] = last
		to = netip.AddrFrom4(b)
	} else if to, err = parseAddr(high); err != nil {
		err.Text, err.Column = s, letterIn(s)
		return netipx.IPRange{}, err
	}
	r := netipx.IPRangeFrom(from, to)
	if !r.IsValid() {
		return r, &InputError{Text: s, Problem: "a range that ends before it starts, or mixes IPv4 and IPv6",
			Hint: "write the lower address first, like 192.0.2.1-9 or 192.0.2.1-192.0.3.9"}
	}
	return r, nil
}

// parseLastOctet parses the number after the dash of 192.0.2.1-9.
func parseLastOctet(s string) (byte, bool) {
	n, err := strconv.ParseUint(s, 10, 8)
	return byte(n), err == nil && !strings.HasPrefix(s, "+")
}

// parseAddr parses one address. An IPv4-mapped IPv6 address (RFC 4291, Section
// 2.5.5.2) becomes its IPv4 address, so that an exclude works in both forms.
func parseAddr(s string) (netip.Addr, *InputError) {
	a, err := netip.ParseAddr(s)
	if err != nil {
		if strings.Contains(s, "::") || strings.Count(s, ":") > 1 {
			return a, &InputError{Problem: "not an IPv6 address",
				Hint: "write it like 2001:db8::1, and with a port in brackets, like [2001:db8::1]:25"}
		}
		return a, &InputError{Problem: "not an IP address", Hint: addrHint(s)}
	}
	return a.Unmap(), nil
}

// checkUnicast refuses single addresses that no host has.
func checkUnicast(s string, r netipx.IPRange) *InputError {
	if r.From() != r.To() {
		return nil // such addresses are removed from a wider set
	}
	if r.From().IsLinkLocalUnicast() && r.From().Is6() {
		return &InputError{Text: s, Problem: "a link-local address without its zone",
			Hint: "append the interface, as in " + r.From().String() + "%eth0: such an address means a different host on each link"}
	}
	if never.Contains(r.From()) {
		return &InputError{Text: s, Problem: "not the address of one host",
			Hint: "unspecified, multicast and broadcast addresses cannot be scanned"}
	}
	return nil
}

// parseName parses a host name (RFC 1123, Section 2.1; underscores, which it does not
// allow, are common in private zones).
func parseName(s string) (string, *InputError) {
	name := strings.ToLower(strings.TrimSuffix(s, "."))
	bad := func(problem, advice string) (string, *InputError) {
		return "", &InputError{Text: s, Problem: problem, Hint: advice}
	}
	if name == "" {
		return bad("an empty target", "write an address, a prefix, a range or a host name")
	}
	if len(name) > 253 { // RFC 1035, Section 2.3.4, without the final dot
		return bad("a host name longer than 253 bytes", "check the entry")
	}
	for label := range strings.SplitSeq(name, ".") {
		if label == "" || len(label) > 63 || label[0] == '-' || label[len(label)-1] == '-' {
			return bad("not a host name", "each part between dots has 1 to 63 letters, digits and inner dashes")
		}
		for _, c := range []byte(label) {
			switch {
			case 'a' <= c && c <= 'z', '0' <= c && c <= '9', c == '-', c == '_':
			case c >= 0x80:
				return bad("a host name with non-ASCII letters", "write its ASCII form, which starts with xn-- (RFC 5890)")
			default:
				return bad("not a host name", "write an address, a prefix, a range or a host name")
			}
		}
	}
	return name, nil
}
