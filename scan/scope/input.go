package scope

import (
	"encoding/binary"
	"fmt"
	"math/bits"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/result"
)

// An InputError is an error in what the user wrote: a target, a scope line, a port. It
// has its position and a hint.
type InputError = userfile.Error

// locate sets the position of a wrong entry, and of the part of it that is wrong. The
// column of e is the offset from the beginning of that part.
func locate(e *InputError, at result.Anchor) {
	e.File, e.Line = at.File, at.Line
	if at.EndColumn == 0 {
		return
	}
	start := at.EndColumn - len(at.Text)
	e.Column += start + max(strings.LastIndex(at.Text, e.Text), 0)
	if e.Source == "" {
		e.SetSource(strings.Repeat(" ", max(start-1, 0)) + at.Text)
	}
}

// octetHint is the hint for a target like 192.0.2.* or 192.0.2-3.1.
const octetHint = "ranges within an address are not supported; write a prefix or a range, like 192.0.2.0/24 or 192.0.2.1-192.0.3.9"

// notOneEntry returns the error for a line with spaces or separators in it.
func notOneEntry(text string, inFile bool, d listKind) *InputError {
	e := &InputError{Text: text, Problem: "more than one entry", Hint: "write one per argument"}
	if !inFile {
		return e
	}
	e.Hint = "write one entry per line; # starts a comment"
	word, rest, _ := strings.Cut(text, " ")
	switch {
	case strings.HasPrefix(text, ";"), strings.HasPrefix(text, "//"), strings.HasPrefix(text, "--"):
		e.Problem, e.Hint = "not an entry", "# starts a comment"
	case d == scoped && slices.Contains([]string{"exclude", "not", "deny", "no", "-"}, strings.ToLower(word)):
		e.Problem, e.Hint = "not an entry", fmt.Sprintf("! excludes, as in %q", "!"+strings.TrimSpace(rest))
	}
	return e
}

// prefixHint says how to write a wrong prefix.
func prefixHint(s string) string {
	host, mask, _ := strings.Cut(s, "/")
	m, err := netip.ParseAddr(mask)
	if _, bad := netip.ParseAddr(host); bad == nil && err == nil && m.Is4() {
		b := m.As4()
		n := binary.BigEndian.Uint32(b[:])
		if ones := bits.LeadingZeros32(^n); n<<ones == 0 {
			return fmt.Sprintf("write the length of the mask: %s/%d", host, ones)
		}
	}
	return "write all of the address and its length, like 192.0.2.0/24 or 2001:db8::/120"
}

// addrHint says how to write a wrong address.
func addrHint(s string) string {
	parts := strings.Split(s, ".")
	for i, p := range parts {
		if parts[i] = strings.TrimLeft(p, "0"); parts[i] == "" && p != "" {
			parts[i] = "0"
		}
	}
	if a, err := netip.ParseAddr(strings.Join(parts, ".")); err == nil && a.Is4() {
		return fmt.Sprintf("omit leading zeros: write %s", a)
	}
	return "write four numbers from 0 to 255, like 192.0.2.1, or IPv6 like 2001:db8::1"
}

// letterIn returns the offset of the first character that no IPv4 address has, 0 if
// there is none.
func letterIn(s string) int {
	if strings.Contains(s, ":") {
		return 0
	}
	return max(strings.IndexFunc(s, func(c rune) bool { return !strings.ContainsRune("0123456789.-", c) }), 0)
}

// portHint says how to write what is no port, as users of nmap write it; "" if it is
// something else.
func portHint(item string) string {
	if len(item) > 2 && item[1] == ':' {
		switch item[0] {
		case 'T', 't':
			return fmt.Sprintf("only TCP ports are scanned: write %s", item[2:])
		case 'U', 'u', 'S', 's':
			return fmt.Sprintf("only TCP ports are scanned: omit %s", item)
		}
	}
	if port := servicePorts[strings.ToLower(item)]; port > 0 {
		return fmt.Sprintf("write the number: %s is port %d", item, port)
	}
	return ""
}

// servicePorts are the ports of mail services by their registered names (RFC 6335,
// Section 5).
var servicePorts = map[string]int{
	"smtp": 25, "submission": 587, "submissions": 465, "smtps": 465,
	"imap": 143, "imaps": 993, "pop3": 110, "pop3s": 995, "sieve": 4190, "managesieve": 4190,
}
