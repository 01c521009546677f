package selfname

import (
	"net/netip"
	"regexp"
	"strconv"
	"strings"
)

// hosts is the set of words in host names, in lower case. A word maps to true if it can
// only be a host or its owner, and to false if it may be the product as well: the first
// label of a name is often that of what runs on the host.
type hosts map[string]bool

func newHosts(names []string) hosts {
	h := make(hosts)
	for _, name := range names {
		h.add(name)
	}
	return h
}

// add adds a host name and its labels.
func (h hosts) add(name string) {
	name = strings.ToLower(strings.Trim(name, "[]()<>.,;: \r\n"))
	if name == "" {
		return
	}
	h[name] = true
	labels := strings.Split(name, ".")
	if _, known := h[labels[0]]; !known {
		h[labels[0]] = false
	}
	for _, label := range labels[1:] {
		h[label] = true
	}
}

func (h hosts) has(word string) bool { return h[strings.ToLower(word)] }

// machine reports whether a text may be the name of a host without its domain. One
// with a capital letter inside, like MailHog, is spelled as a product.
func (h hosts) machine(text string) bool {
	_, is := h[strings.ToLower(text)]
	return is && text[1:] == strings.ToLower(text[1:])
}

// found is a name found in a text, before it is checked.
type found struct{ product, version string }

var productPattern = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+_/-]*(?: [A-Za-z][A-Za-z0-9+_/-]*){0,3}$`)

// proper reports whether a name may be shown as a product and its version: it is
// short and printable, and not a host name, an address, a date or a company.
func (f found) proper(h hosts) bool {
	if len(f.product) < 2 || len(f.product) > MaxProduct || !productPattern.MatchString(f.product) || h.has(f.product) {
		return false
	}
	if f.version == "" && h.machine(f.product) {
		return false // 220 hercules.example.org ESMTP Hercules
	}
	names, vendors, more := false, false, false
	for word := range strings.FieldsSeq(f.product) {
		if h.has(word) || isDate(word) {
			return false
		}
		k, known := kinds[strings.ToLower(word)]
		if known && k == other {
			return false
		}
		names, vendors, more = names || !known, vendors || k == vendor, more || known && k != vendor
	}
	return (names || vendors && more) && (f.version == "" || isVersion(f.version) || isNumber(f.version))
}

// isDate reports whether a word with digits can be read as a date or a time.
func isDate(word string) bool {
	parts := strings.FieldsFunc(word, func(r rune) bool { return r == '.' || r == '-' || r == '/' || r == 'T' || r == ':' })
	if len(parts) < 3 {
		return false
	}
	var n [3]int
	short := true
	for i, part := range parts[:3] {
		v, err := strconv.Atoi(part)
		if err != nil {
			return false
		}
		n[i], short = v, short && len(part) == 2
	}
	day := func(v int) bool { return v >= 1 && v <= 31 }
	year := func(v int) bool { return v >= 1900 && v <= 2199 }
	return short || year(n[0]) && day(n[1]) && day(n[2]) || day(n[0]) && day(n[1]) && year(n[2])
}

// isAddress reports whether a word can be read as an address.
func isAddress(word string) bool {
	_, err := netip.ParseAddr(word)
	return err == nil
}
