package query

import (
	"fmt"
	"slices"
	"strings"

	"github.com/miekg/dns"
)

// An Outcome is how a question ended.
type Outcome int

// The outcomes. Those up to NXDomain are what the DNS says; after any other one, nothing
// is known about the name.
const (
	Found    Outcome = iota + 1 // there are records of the type
	NoData                      // the name exists, without records of the type (RFC 2308, Section 2.2)
	NXDomain                    // the name does not exist (RFC 2308, Section 2.1)
	ServFail                    // the server could not resolve the name
	Bogus                       // the server rejects the signatures of the name (RFC 4035, Section 5.5)
	Refused                     // the server does not answer this question
	Timeout                     // no server replied
	Loop                        // the CNAME records lead back, or are too many
	Invalid                     // the reply cannot be used
	Limit                       // not asked: too many questions before
)

// outcomes are the words for the outcomes.
var outcomes = [...]string{Found: "found", NoData: "NODATA", NXDomain: "NXDOMAIN", ServFail: "SERVFAIL", Bogus: "bogus DNSSEC signature",
	Refused: "REFUSED", Timeout: "timeout", Loop: "CNAME loop", Invalid: "invalid reply", Limit: "limit of questions reached"}

// String returns the term of the DNS, such as "NXDOMAIN".
func (o Outcome) String() string {
	if o > 0 && int(o) < len(outcomes) {
		return outcomes[o]
	}
	return fmt.Sprintf("outcome %d", int(o))
}

// Known reports whether the outcome says what the DNS contains.
func (o Outcome) Known() bool { return o >= Found && o <= NXDomain }

// Absent reports whether the DNS says that there are no records.
func (o Outcome) Absent() bool { return o == NoData || o == NXDomain }

// An Answer is the reply to one question.
type Answer struct {
	Name    string // that was asked for, in canonical form
	Type    uint16
	Outcome Outcome
	Records []dns.RR // of Type, at the end of Aliases; not to be changed
	// Aliases are the CNAME targets that lead from Name to the owner of Records, in order.
	Aliases []string
	// Authenticated reports whether the server validated the reply (AD bit, RFC 4035,
	// Section 3.2.3). It means something only if the server and the path to it are trusted.
	Authenticated bool
	// Detail is more about an outcome that is not Known, such as the extended error of the
	// server (RFC 8914); "" if there is none. It contains bytes of the server.
	Detail string
}

// Owner returns the name that has the records: that at the end of the aliases.
func (a *Answer) Owner() string {
	if n := len(a.Aliases); n > 0 {
		return a.Aliases[n-1]
	}
	return a.Name
}

// recordSize is about how many bytes of memory a record takes beside its data.
const recordSize = 128

// size is about how many bytes of memory the answer takes.
func (a *Answer) size() int {
	n := recordSize + len(a.Name) + len(a.Detail)
	for _, alias := range a.Aliases {
		n += len(alias)
	}
	for _, rr := range a.Records {
		n += recordSize + dns.Len(rr)
	}
	return n
}

// maxAliases is how many CNAME records of one answer are followed. RFC 1034, Section
// 3.6.2 gives no number; resolvers stop between 8 and 16.
const maxAliases = 16

// read interprets a reply to the question about name and qtype.
func read(name string, qtype uint16, m *dns.Msg) *Answer {
	a := &Answer{Name: name, Type: qtype, Authenticated: m.AuthenticatedData}
	code, text := extended(m)
	switch {
	case m.Rcode == dns.RcodeRefused || withheld(code):
		a.Outcome, a.Detail = Refused, text
	case dnssec(code) && m.Rcode == dns.RcodeServerFailure:
		a.Outcome, a.Detail = Bogus, text
	case m.Rcode == dns.RcodeServerFailure:
		a.Outcome, a.Detail = ServFail, text
	case m.Rcode != dns.RcodeSuccess && m.Rcode != dns.RcodeNameError:
		a.Outcome, a.Detail = ServFail, strings.TrimSpace(dns.RcodeToString[m.Rcode]+" "+text)
	case slices.ContainsFunc(m.Answer, cut):
		a.Outcome, a.Detail = Invalid, "the reply has a record without its data"
	case !a.follow(m.Answer):
		a.Outcome = Loop
	case len(a.Records) == 0 && referral(m):
		a.Outcome, a.Detail = Refused, "the server names other servers instead of asking them"
	case unfollowed(a, m):
		a.Outcome, a.Detail = Refused, "the server does not follow the alias"
	case m.Rcode == dns.RcodeNameError:
		a.Outcome, a.Records = NXDomain, nil
	case len(a.Records) == 0:
		a.Outcome = NoData
	default:
		a.Outcome = Found
	}
	return a
}

// follow walks through the CNAME records of section from the name that was asked for, and takes
// the records at their end. It reports whether there is an end.
func (a *Answer) follow(section []dns.RR) bool {
	aliases := map[string]string{}
	for _, rr := range section {
		if c, ok := rr.(*dns.CNAME); ok && a.Type != dns.TypeCNAME {
			aliases[dns.CanonicalName(c.Hdr.Name)] = dns.CanonicalName(c.Target)
		}
	}
	owner := a.Name
	for {
		next, ok := aliases[owner]
		if !ok {
			break
		}
		if len(a.Aliases) == maxAliases || next == a.Name {
			return false
		}
		a.Aliases = append(a.Aliases, next)
		owner = next
	}
	for _, rr := range section {
		if h := rr.Header(); h.Rrtype == a.Type && h.Class == dns.ClassINET && dns.CanonicalName(h.Name) == owner {
			a.Records = append(a.Records, rr)
		}
	}
	return true
}

// cut reports whether the data of a record ends before a field that it must have. Package dns then
// leaves the field empty, as updates need it (RFC 2136, Section 2.4).
func cut(rr dns.RR) bool {
	switch rr := rr.(type) {
	case *dns.A:
		return len(rr.A) == 0
	case *dns.AAAA:
		return len(rr.AAAA) == 0
	case *dns.CNAME:
		return rr.Target == ""
	case *dns.MX:
		return rr.Mx == ""
	case *dns.SRV:
		return rr.Target == ""
	case *dns.TXT:
		return len(rr.Txt) == 0
	case *dns.TLSA:
		return rr.Certificate == ""
	}
	return false
}

// extended returns the code of the extended error of the reply and what it says (RFC 8914,
// Section 2); 0 and "" if there is none.
func extended(m *dns.Msg) (code uint16, text string) {
	opt := m.IsEdns0()
	if opt == nil {
		return 0, ""
	}
	for _, o := range opt.Option {
		if e, ok := o.(*dns.EDNS0_EDE); ok {
			return e.InfoCode, strings.TrimSuffix(dns.ExtendedErrorCodeToString[e.InfoCode]+": "+e.ExtraText, ": ")
		}
	}
	return 0, ""
}

// referral reports whether the reply leads to other servers: it has their NS records, and no SOA
// record, which a reply without data has (RFC 2308, Section 2.2).
func referral(m *dns.Msg) bool {
	servers := false
	for _, rr := range m.Ns {
		switch rr.Header().Rrtype {
		case dns.TypeSOA:
			return false
		case dns.TypeNS:
			servers = true
		}
	}
	return servers && m.Rcode == dns.RcodeSuccess
}

// unfollowed reports whether the server followed the aliases only as far as its own zones lead: it asks
// no others, and sends no SOA record, which a reply without data has.
func unfollowed(a *Answer, m *dns.Msg) bool {
	return len(a.Aliases) > 0 && len(a.Records) == 0 && m.Rcode == dns.RcodeSuccess && !m.RecursionAvailable &&
		!slices.ContainsFunc(m.Ns, func(rr dns.RR) bool { return rr.Header().Rrtype == dns.TypeSOA })
}

// dnssec reports whether the code is one of a signature that does not verify (RFC 8914,
// Sections 4.7 to 4.13).
func dnssec(code uint16) bool {
	return code >= dns.ExtendedErrorCodeDNSBogus && code <= dns.ExtendedErrorCodeNSECMissing
}

// withheld reports whether the code says that the server hides what the DNS contains (RFC 8914,
// Sections 4.5 and 4.16 to 4.18). The response code may then be NXDOMAIN.
func withheld(code uint16) bool {
	switch code {
	case dns.ExtendedErrorCodeForgedAnswer, dns.ExtendedErrorCodeBlocked, dns.ExtendedErrorCodeCensored, dns.ExtendedErrorCodeFiltered:
		return true
	}
	return false
}
