package domains

import (
	"strings"

	"github.com/miekg/dns"
)

// tagged reports whether the text of a record begins with the version as its first tag. White
// space may surround what separates tags.
func tagged(version string) func(string) bool {
	return func(text string) bool {
		first, _, _ := strings.Cut(text, ";")
		name, value, ok := strings.Cut(first, "=")
		return ok && strings.TrimRight(name, " \t") == "v" && strings.TrimSpace(value) == version
	}
}

// versioned reports whether the text of a record begins with exactly the version, and a semicolon
// follows (RFC 8461, Section 3.1; RFC 8460, Section 3). White space may be before that.
func versioned(version string) func(string) bool {
	return func(text string) bool {
		rest, ok := strings.CutPrefix(text, version)
		return ok && strings.HasPrefix(strings.TrimLeft(rest, " \t"), ";")
	}
}

// one returns the only record of a name that is wanted. Several are as good as none (RFC 8461,
// Section 3.1; RFC 8460, Section 3; RFC 7489, Section 6.6.3), which is noted.
func (k *walk) one(name, what string, want func(string) bool) string {
	text, _ := k.only(name, what, want)
	return text
}

// only is one, and reports whether the name is known to have no such record.
func (k *walk) only(name, what string, want func(string) bool) (text string, none bool) {
	a := k.lookup(name, dns.TypeTXT, what)
	records := texts(a.Records, want)
	if len(records) > 1 {
		k.wrong("several-records", name, dns.TypeTXT, "%s has %d %s records, they are as good as none", name, len(records), what)
	}
	if len(records) != 1 {
		return "", len(records) == 0 && a.Outcome.Known()
	}
	return records[0], false
}

// tlsrpt looks up the record of TLS reporting (RFC 8460, Section 3). No host follows from it.
func (k *walk) tlsrpt() {
	k.domain.TLSRPT = k.one("_smtp._tls."+k.domain.Name, "TLS-RPT", versioned("v=TLSRPTv1"))
}

// dmarc looks up the DMARC record of the domain, or else of the names above it (RFC 7489, Section
// 6.6.3, which looks at one of them, by a list of public suffixes; here it is the next one with a
// record, at most eight labels long, as in draft-ietf-dmarc-dmarcbis, Section 4.10). No host
// follows from it.
func (k *walk) dmarc() {
	name := k.domain.Name
	for first := true; strings.Contains(name, "."); first = false {
		if labels := dns.SplitDomainName(name); !first && len(labels) > 7 {
			name = strings.Join(labels[len(labels)-7:], ".")
		}
		text, none := k.only("_dmarc."+name, "DMARC", tagged("DMARC1"))
		if !none { // several records, or no answer, end the search as well
			k.domain.DMARC = text
			return
		}
		_, name, _ = strings.Cut(name, ".")
	}
}

// MTASTS is the policy by which a domain asks for TLS (RFC 8461).
type MTASTS struct {
	Record string `json:"record"`
	// Policy is what https://mta-sts.DOMAIN offers; nil if it was not fetched, or could not be.
	Policy *Policy `json:"policy,omitempty"`
	// State is "fetched", "not fetched", or why it could not be.
	State string `json:"state"`
}

// notFetched is the state of what was not to be fetched.
const notFetched = "not fetched"

// mtasts looks up the record of MTA-STS and the host of its policy (RFC 8461, Sections 3.1 and
// 3.2).
func (k *walk) mtasts() {
	owner := "_mta-sts." + k.domain.Name
	record := k.one(owner, "MTA-STS", versioned("v=STSv1"))
	if record == "" {
		return
	}
	m := &MTASTS{Record: record, State: notFetched}
	k.domain.MTASTS = m
	name := "mta-sts." + k.domain.Name
	h, found := k.host(name, Way{Kind: KindMTASTS, Text: "policy of mta-sts of " + k.domain.Name, Owner: owner, Type: "TXT", Port: 443})
	h.Ports = append(h.Ports, 443)
	if found.void() {
		k.wrong("mta-sts-without-host", owner, dns.TypeTXT, "MTA-STS of %s needs the host %s, which has no address (%s)", k.domain.Name, name, found.outcome)
		return
	}
	if k.Fetch != nil && k.err == nil {
		k.domain.FetchPolicy(k.ctx, k.Fetch)
	}
}
