package proxy

import (
	"slices"
	"strconv"
	"strings"
)

// An address is what a bind, server or listen line names.
type address struct {
	host        string // as written, without brackets and prefix
	v6          bool   // ipv6@
	first, last int    // the ports; 0 if it has none
	offset      int    // added to the port of the client, if it has none
	local       bool   // a local socket or a file descriptor: no port
	inherited   bool   // a file descriptor, which may be one of a TCP port
}

// portless are the prefixes of addresses without a TCP port.
var portless = []string{
	"unix@", "abns@", "abnsz@", "fd@", "sockpair@", "udp@", "udp4@", "udp6@", "quic4@", "quic6@", "rhttp@", "rev@", "dgram+",
}

// haproxyAddress parses an address (HAProxy src/tools.c, str2sa_range). The problem says why it is
// none.
func haproxyAddress(s string, needsPort bool) (a address, problem string) {
	for _, prefix := range []string{"stream+", "tcp@", "tcp4@", "tcp6@", "mptcp@", "mptcp4@", "mptcp6@", "ipv4@", "ipv6@"} {
		if rest, ok := strings.CutPrefix(s, prefix); ok {
			a.v6 = a.v6 || strings.HasSuffix(prefix, "6@")
			s = rest
		}
	}
	if s == "" {
		return a, "the address is empty"
	}
	if s[0] == '/' || slices.ContainsFunc(portless, func(p string) bool { return strings.HasPrefix(s, p) }) {
		a.local, a.inherited = true, strings.HasPrefix(s, "fd@")
		return a, ""
	}
	a.host = s
	port := ""
	if i := strings.LastIndexAny(s, ":]"); i >= 0 && s[i] == ':' {
		a.host, port = s[:i], s[i+1:]
	}
	a.host = strings.TrimSuffix(strings.TrimPrefix(a.host, "["), "]")
	switch {
	case port == "" && needsPort:
		return a, "the address has no port"
	case port == "":
	case (port[0] == '+' || port[0] == '-') && !needsPort:
		a.offset = leadingNumber(port[1:])
		if port[0] == '-' {
			a.offset = -a.offset
		}
	default:
		first, last, isRange := strings.Cut(port, "-")
		if !isRange {
			last = first
		}
		a.first, a.last = leadingNumber(first), leadingNumber(last)
		if port[0] < '0' || port[0] > '9' || a.first < 1 || a.last < a.first || a.last > 65535 {
			return a, strconv.Quote(port) + " is not a port"
		}
	}
	return a, ""
}

// leadingNumber returns the number at the beginning of a text, as atoi(3) does; 65536 for
// one that is larger.
func leadingNumber(s string) int {
	n := 0
	for i := 0; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		n = min(10*n+int(s[i]-'0'), 65536)
	}
	return n
}
