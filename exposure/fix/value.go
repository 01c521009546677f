package fix

import (
	"net/netip"
	"regexp"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
)

// valueEnd returns where a value ends that begins at the offset from of a line: before a
// remark, which begins with a number sign after a blank, or before one of the bytes in
// stops, as far as they are not quoted. The blanks before the end do not belong to it. open
// reports whether the value has a quotation mark that nothing closes.
func valueEnd(line string, from int, stops string) (end int, open bool) {
	var quote byte
	end = from
	for i := from; i < len(line); i++ {
		c := line[i]
		switch {
		case quote != 0 && c == '\\':
			i++
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
		case c == '\'' || c == '"':
			quote = c
		case c == '#' && (i == from || blank(line[i-1])), strings.IndexByte(stops, c) >= 0:
			return end, false
		}
		if i < len(line) && !blank(line[i]) && line[i] != '\r' && line[i] != '\n' {
			end = i + 1
		}
	}
	return min(end, len(line)), quote != 0
}

// withoutRemarks returns the lines of a value without their remarks.
func withoutRemarks(value string) string {
	var b strings.Builder
	for line := range strings.Lines(value) {
		end, _ := valueEnd(line, 0, "")
		b.WriteString(line[:end] + " ")
	}
	return b.String()
}

// blank reports whether a byte separates words of a line.
func blank(c byte) bool { return c == ' ' || c == '\t' }

// skipBlanks returns the offset of the first byte from that one on that is no blank.
func skipBlanks(line string, from int) int {
	for from < len(line) && blank(line[from]) {
		from++
	}
	return from
}

// listItem is an item of a list of addresses, in whatever quotation marks, brackets and
// separators the list has.
var listItem = regexp.MustCompile(`-?\[[0-9A-Fa-f.]*:[0-9A-Fa-f:.]*(?:%\w+)?\]|[^\s,;"'()\[\]]+`)

// A listedAddress is an item of a list of addresses.
type listedAddress struct {
	start, end int    // of the item
	from, to   int    // the same with its quotation marks
	key        string // equal for equal addresses; "" if it is none
	loopback   bool
}

// listedAddresses returns the items of a list.
func listedAddresses(value string) []listedAddress {
	var list []listedAddress
	for _, m := range listItem.FindAllStringIndex(value, -1) {
		word := value[m[0]:m[1]]
		if word == "qw" && strings.HasPrefix(value[m[1]:], "(") { // a list of Perl
			continue
		}
		a := listedAddress{start: m[0], end: m[1], from: m[0], to: m[1]}
		if a.from > 0 && a.to < len(value) && value[a.from-1] == value[a.to] && (value[a.to] == '"' || value[a.to] == '\'') {
			a.from, a.to = a.from-1, a.to+1
		}
		a.key, a.loopback = addressKey(word)
		list = append(list, a)
	}
	return list
}

// addressKey returns a text that is the same for the same address, "" for what is no
// address, and reports whether only the host itself can connect to the address. A minus
// sign is that of Redis: the address may be missing.
func addressKey(word string) (key string, loopback bool) {
	host := endpoint.Endpoint{Host: strings.Trim(strings.TrimPrefix(word, "-"), "[]")}
	if a, err := netip.ParseAddr(host.Host); err == nil {
		return a.String(), host.Loopback()
	}
	if host.Host == "*" || host.Loopback() {
		return host.Host, host.Loopback()
	}
	return "", false
}

// listKeeps reports whether a value is a list of which an address stays although another
// one is bound: it has several addresses and nothing else, and one of them is on loopback.
func listKeeps(value string) bool {
	list := listedAddresses(value)
	return len(list) > 1 && slices.ContainsFunc(list, func(a listedAddress) bool { return a.loopback }) &&
		!slices.ContainsFunc(list, func(a listedAddress) bool { return a.key == "" })
}

// boundList returns a list of addresses in which each item that is not on loopback is
// replaced by the address, or by the loopback address of its own family. An item that the
// list then has twice is left out, with its separator. All else stays, byte for byte.
func boundList(value, address string) string {
	list := listedAddresses(value)
	has := map[string]bool{}
	for _, a := range list {
		has[a.key] = has[a.key] || a.loopback
	}
	var b strings.Builder
	at, kept := 0, 0
	for i, a := range list {
		now := value[a.start:a.end]
		if !a.loopback {
			now = boundItem(now, address)
			key, _ := addressKey(now)
			if has[key] { // there is another item, which stays
				if kept == 0 && i+1 < len(list) {
					b.WriteString(value[at:a.from])
					at = list[i+1].from
				} else {
					at = a.to
				}
				continue
			}
			has[key] = true
		}
		b.WriteString(value[at:a.start])
		b.WriteString(now)
		b.WriteString(value[a.end:a.to])
		at = a.to
		kept++
	}
	return b.String() + value[at:]
}

// boundItem returns the address in the form of an item of a list.
func boundItem(item, address string) string {
	optional := ""
	if strings.HasPrefix(item, "-") {
		optional, item = "-", item[1:]
	}
	if strings.Contains(item, ":") && strings.HasPrefix(address, "127.") {
		address = "::1"
		if strings.HasPrefix(item, "[") {
			address = "[::1]"
		}
	}
	return optional + address
}
