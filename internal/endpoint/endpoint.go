// Package endpoint reads and writes "[host:]port" as configuration files have it.
package endpoint

import (
	"net/netip"
	"strconv"
	"strings"
)

// An Endpoint is "[host:]port".
type Endpoint struct {
	Prefix string // HAProxy's "ipv4@"
	Host   string // without brackets; "", "*" for all
	Name   string // the port as written
	Port   uint16
	Last   uint16 // end of a range; the same as Port otherwise
}

// wellKnown has the names in /etc/services that mail daemons use.
var wellKnown = map[string]uint16{
	"smtp": 25, "mail": 25, "pop3": 110, "pop-3": 110, "imap": 143, "imap2": 143, "smtps": 465, "submissions": 465, "ssmtp": 465, "urd": 465,
	"submission": 587, "qmqp": 628, "spamd": 783, "imaps": 993, "pop3s": 995, "lmtp": 24, "sieve": 4190, "csync": 2005, "mupdate": 3905,
}

// Port returns the port of a number or of a service name that mail daemons use. It
// reports false for 0 and for what is neither.
func Port(name string) (uint16, bool) {
	if n, ok := wellKnown[strings.ToLower(name)]; ok {
		return n, true
	}
	n, err := strconv.ParseUint(name, 10, 16)
	return uint16(n), err == nil && n > 0
}

// Parse parses an endpoint. It reports false for the path of a socket and other values
// without a port.
func Parse(s string) (Endpoint, bool) {
	var e Endpoint
	if i := strings.IndexByte(s, '@'); i >= 0 {
		e.Prefix, s = s[:i+1], s[i+1:]
	}
	if strings.ContainsAny(s, "/ \t\r\n") {
		return e, false
	}
	e.Name = s
	if i := strings.LastIndexByte(s, ':'); i >= 0 {
		e.Host, e.Name = strings.Trim(s[:i], "[]"), s[i+1:]
	}
	if n, ok := wellKnown[strings.ToLower(e.Name)]; ok {
		e.Port, e.Last = n, n
		return e, true
	}
	first, last, isRange := strings.Cut(e.Name, "-")
	n, err := strconv.ParseUint(first, 10, 16)
	if err != nil || n == 0 {
		return e, false
	}
	e.Port, e.Last = uint16(n), uint16(n)
	if isRange {
		m, err := strconv.ParseUint(last, 10, 16)
		if err != nil {
			return e, false
		}
		e.Last = uint16(m)
	}
	return e, true
}

// Loopback reports whether only the host itself can connect to the endpoint.
func (e *Endpoint) Loopback() bool {
	if e.Host == "localhost" || e.Host == "ip6-localhost" {
		return true
	}
	a, err := netip.ParseAddr(e.Host)
	return err == nil && a.Unmap().IsLoopback()
}

// LoopbackInterface reports whether only the host itself can connect to what is bound to the
// network interface with a name: lo on Linux, lo0 on macOS and the BSDs.
func LoopbackInterface(name string) bool { return name == "lo" || name == "lo0" }

// Bound returns the endpoint bound to an address; an IPv6 endpoint stays IPv6 if
// the address is loopback.
func (e *Endpoint) Bound(address string) string {
	if strings.Contains(e.Host, ":") && strings.HasPrefix(address, "127.") {
		address = "::1"
	}
	if strings.Contains(address, ":") {
		address = "[" + address + "]"
	}
	return e.Prefix + address + ":" + e.Name
}
