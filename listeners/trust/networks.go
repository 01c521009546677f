package trust

import (
	"net/netip"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
)

// A list is a list of addresses and networks, in the order in which daemons look through it.
type list []entry

// An entry is one of a list.
type entry struct {
	network netip.Prefix // not valid if the file does not say which one
	negated bool
	word    string
}

// maxEntries is how many entries of a list are looked at, and maxAllEntries of all lists.
const (
	maxEntries    = 10_000
	maxAllEntries = 1_000_000
)

// restOfList stands for the entries that are not looked at.
const restOfList = "the rest of the list"

// missing says that it is not known which networks an entry has.
func missing(entry string) string {
	if entry == restOfList {
		return "the list is longer than what is read of it"
	}
	return entry + " is not in the files"
}

// A networks is a list with what was found out about it.
type networks struct {
	list    list
	all     string // the entry that stands for all addresses; "" if none does
	private string // the entry that has a whole range of private addresses; "" if none has
	unknown string // the last entry of which the files do not say which network it is; "" if there is none

	covered map[netip.Addr][2]string // what covers returns
}

// networks returns the list of a text.
func (f *finder) networks(text string) *networks {
	n := f.lists[text]
	if n == nil {
		l := list{{word: restOfList}}
		if f.entries < maxAllEntries {
			l = parseList(text)
		}
		f.entries += len(l)
		n = newNetworks(l)
		f.lists[text] = n
	}
	return n
}

func newNetworks(l list) *networks {
	n := &networks{list: l, all: l.all(), private: l.privateRange(), covered: map[netip.Addr][2]string{}}
	for _, e := range l {
		if !e.network.IsValid() && !strings.HasPrefix(e.word, "unix:") {
			n.unknown = e.word
		}
	}
	return n
}

// covers is that of its list.
func (n *networks) covers(a netip.Addr) (by string, unknown string) {
	known, ok := n.covered[a]
	if !ok {
		known[0], known[1] = n.list.covers(a)
		n.covered[a] = known
	}
	return known[0], known[1]
}

// parseList reads addresses and networks between blanks, commas and semicolons. An IPv6
// address may be in brackets, and ! before an entry excludes it.
func parseList(text string) list {
	var l list
	for word := range strings.FieldsFuncSeq(text, func(c rune) bool { return c == ',' || c == ';' || c == '\n' || c == ' ' || c == '\t' }) {
		if len(l) >= maxEntries {
			return append(l, entry{word: restOfList})
		}
		bare := strings.TrimLeft(word, "!")
		e := entry{word: word, negated: (len(word)-len(bare))%2 == 1}
		e.network = parseNetwork(brackets.Replace(bare))
		l = append(l, e)
	}
	return l
}

var brackets = strings.NewReplacer("[", "", "]", "")

// parseNetwork parses an address or a network; "all" and "*" are each IPv4 address.
func parseNetwork(s string) netip.Prefix {
	if s == "all" || s == "*" {
		return netip.PrefixFrom(netip.IPv4Unspecified(), 0)
	}
	if p, err := netip.ParsePrefix(s); err == nil {
		if p.Addr().Is4In6() {
			if p.Bits() < 96 {
				return netip.Prefix{}
			}
			p = netip.PrefixFrom(p.Addr().Unmap(), p.Bits()-96)
		}
		return p.Masked()
	}
	if a, err := netip.ParseAddr(s); err == nil {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen())
	}
	return netip.Prefix{}
}

// covers reports whether the list has an address that address translation gives to clients, by
// the entry that decides it. If entries before that are not known, it returns the first of
// them as unknown.
func (l list) covers(a netip.Addr) (by string, unknown string) {
	for _, e := range l {
		switch {
		case !e.network.IsValid():
			if e.word == listeners.OwnNetwork {
				return e.word, ""
			}
			if unknown == "" && !strings.HasPrefix(e.word, "unix:") {
				unknown = e.word
			}
		case e.network.Contains(a):
			if e.negated {
				return "", unknown
			}
			return e.word, "" // what is not known can only add to it
		}
	}
	return "", unknown
}

// all returns the entry that has so many public addresses that it stands for all of them; ""
// if there is none.
func (l list) all() string {
	for _, e := range l {
		most := 7 // as much as 128 of the old networks of class A
		if e.network.Addr().Is6() {
			most = 15
		}
		if e.network.IsValid() && !e.negated && e.network.Bits() <= most && public(e.network) {
			return e.word
		}
	}
	return ""
}

// public reports whether a network has addresses of the Internet: not multicast or reserved
// ones, and of IPv6 neither link-local nor unique local ones.
func public(p netip.Prefix) bool {
	if p.Addr().Is6() {
		return p.Overlaps(unicast6)
	}
	return p.Addr().Less(multicast)
}

// privateRange returns the entry that has a whole range of private addresses; "" if there is
// none.
func (l list) privateRange() string {
	for _, e := range l {
		for _, p := range private {
			if e.network.IsValid() && !e.negated && e.network.Bits() <= p.Bits() && e.network.Overlaps(p) {
				return e.word
			}
		}
	}
	return ""
}

var (
	// private are ranges of private addresses (RFC 1918, Section 3; RFC 4193, Section 3.1).
	private = []netip.Prefix{
		netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("172.16.0.0/12"), netip.MustParsePrefix("192.168.0.0/16"),
		netip.MustParsePrefix("fd00::/8"),
	}

	// unicast6 has all global unicast addresses of IPv6 that are assigned (IANA, Internet
	// Protocol Version 6 Address Space).
	unicast6 = netip.MustParsePrefix("2000::/3")

	// multicast is the first multicast address of IPv4 (RFC 5771, Section 3); what follows
	// is multicast or reserved (RFC 1112, Section 4).
	multicast = netip.MustParseAddr("224.0.0.0")
)
