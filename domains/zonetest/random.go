package zonetest

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
)

// randomRecord is an SPF record of a few terms over the names of RandomSPF.
func randomRecord(r *rand.Rand, origin string) string {
	pick := func(s ...string) string { return s[r.IntN(len(s))] }
	host := func() string { return fmt.Sprintf("h%d.%s", r.IntN(5), origin) }
	terms := []string{"v=spf1"}
	for range r.IntN(5) {
		q := pick("", "", "", "+", "-", "~", "?")
		switch r.IntN(8) {
		case 0:
			terms = append(terms, q+fmt.Sprintf("ip4:192.0.2.%d/%d", r.IntN(32), 26+r.IntN(7)))
		case 1:
			terms = append(terms, q+fmt.Sprintf("ip6:2001:db8::%x", r.IntN(16)))
		case 2:
			terms = append(terms, q+"a:"+host())
		case 3:
			terms = append(terms, q+"a:"+host()+pick("/28", "/24", "//126", "/30//124"))
		case 4:
			terms = append(terms, q+pick("mx", "a", "mx:"+origin, "mx:"+host()))
		case 5, 6:
			terms = append(terms, q+fmt.Sprintf("include:r%d.%s", r.IntN(5), origin))
		case 7:
			terms = append(terms, q+pick("exists:"+host(), "exists:none."+origin, "a:%{d}", "all", "include:bad."+origin))
		}
	}
	switch r.IntN(4) {
	case 0:
		terms = append(terms, pick("-all", "~all", "?all", "+all"))
	case 1:
		terms = append(terms, fmt.Sprintf("redirect=r%d.%s", r.IntN(5), origin))
	}
	return strings.Join(terms, " ")
}

// RandomSPF returns the records of a domain with SPF records that refer to each other, in the syntax of
// zone files and relative to the domain. Some of the addresses of [Senders] may send.
func RandomSPF(r *rand.Rand, domain string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "@ TXT %q\n", randomRecord(r, domain))
	for i := range 5 {
		fmt.Fprintf(&b, "r%d TXT %q\n", i, randomRecord(r, domain))
		if r.IntN(4) > 0 {
			fmt.Fprintf(&b, "h%d A 192.0.2.%d\nh%d AAAA 2001:db8::%x\n", i, r.IntN(32), i, r.IntN(16))
		}
	}
	for i := range r.IntN(3) {
		fmt.Fprintf(&b, "@ MX 10 h%d\n", i)
	}
	b.WriteString("bad TXT \"v=spf1 nonsense\"\n")
	return b.String()
}

// Senders are the addresses from which the random records choose.
func Senders() (all []netip.Addr) {
	for i := range 32 {
		all = append(all, netip.AddrFrom4([4]byte{192, 0, 2, byte(i)}))
	}
	for i := range 16 {
		all = append(all, netip.AddrFrom16([16]byte{0: 0x20, 1: 1, 2: 0x0d, 3: 0xb8, 15: byte(i)}))
	}
	return all
}
