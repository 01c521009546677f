package domains

import (
	"net/netip"

	"github.com/mxsweep/mxsweep/domains/query"
)

// A Domain is what the DNS says of one mail domain.
type Domain struct {
	Name      string     `json:"name"` // in canonical form, without the dot at the end
	Hosts     []*Host    `json:"hosts"`
	Networks  []*Network `json:"networks"` // which SPF names by address
	Mail      MailState  `json:"mail"`
	SPF       *SPF       `json:"spf,omitempty"`    // nil if the domain has no record
	MTASTS    *MTASTS    `json:"mtasts,omitempty"` // nil if the domain has no record
	TLSRPT    string     `json:"tlsrpt,omitempty"` // the record; "" if there is none
	DMARC     string     `json:"dmarc,omitempty"`  // the record; "" if there is none
	Faults    []Fault    `json:"faults"`           // what is wrong in what the DNS says
	Gaps      []Gap      `json:"gaps"`             // what it did not say
	Questions int        `json:"questions"`        // that were asked, answers from the cache included
}

// Complete reports whether all questions were answered, so that there are no further hosts.
func (d *Domain) Complete() bool { return len(d.Gaps) == 0 }

// A MailState is how a domain receives mail.
type MailState string

// The mail states.
const (
	MailMX       MailState = "mx"       // by its MX records
	MailImplicit MailState = "implicit" // it has no MX record, and mail goes to its own addresses (RFC 5321, Section 5.1)
	MailNull     MailState = "null"     // it accepts none (RFC 7505)
	MailNone     MailState = "none"     // it has no MX record and no address, or does not exist
	MailUnknown  MailState = "unknown"  // the DNS did not say
)

// A Host is a host that the records of a domain lead to.
type Host struct {
	Name      string       `json:"name"`      // without the dot at the end; "" if only its address is known
	Addresses []netip.Addr `json:"addresses"` // sorted; empty if it has none, or none is known
	Aliases   []string     `json:"aliases,omitempty"`
	Paths     []Way        `json:"paths"`
	Ports     []int        `json:"ports,omitempty"` // which the records declare as public, sorted
	TLSA      []TLSA       `json:"tlsa,omitempty"`  // of port 25, if the DNS authenticates them
	Class     Class        `json:"class"`
}

// A Class is whose host or network it is.
type Class string

// The classes. A scope decides if there is one; else only names do.
const (
	Own        Class = "own"         // all its addresses are in the scope; without a scope: its names are below the domain
	Provider   Class = "provider"    // of the domain: its own records lead there
	ThirdParty Class = "third party" // records of other domains lead there
)

// A Kind is the kind of record that leads to a host.
type Kind string

// The kinds.
const (
	KindMX           Kind = "mx"
	KindSPF          Kind = "spf"
	KindSRV          Kind = "srv"
	KindAutoconfig   Kind = "autoconfig"
	KindAutodiscover Kind = "autodiscover"
	KindMTASTS       Kind = "mta-sts"
	KindAddress      Kind = "address" // of the domain itself
)

// A Way leads from the domain to a host.
type Way struct {
	Kind  Kind   `json:"kind"`
	Text  string `json:"text"`           // for people, such as "mx 10 of example.org"
	Owner string `json:"owner"`          // the name of the first record on the path: the one of the domain
	Type  string `json:"type"`           // the type of that record, such as "MX"
	Port  int    `json:"port,omitempty"` // which the path declares as public; 0 if it declares none
	// Foreign reports whether the path leads through records of another domain.
	Foreign bool `json:"foreign,omitempty"`
}

// A Network is a prefix that SPF allows to send. It is wider than one address, and never a target
// by itself.
type Network struct {
	Prefix netip.Prefix `json:"prefix"`
	Paths  []Way        `json:"paths"`
	Class  Class        `json:"class"`
}

// A Fault is a fault of the records.
type Fault struct {
	ID    string `json:"id"`             // stable, such as "mx-without-address"
	Text  string `json:"text"`           // a sentence without its final point
	Host  string `json:"host,omitempty"` // that it is about; "" if it is about no single one
	Owner string `json:"owner"`          // the name of the record
	Type  string `json:"type"`
}

// The IDs of faults that have a rule when a scan looks up the domain.
const (
	FaultMXWithoutAddress = "mx-without-address"
	FaultMTASTSMX         = "mta-sts-mx"
	FaultSPFLookups       = "spf-too-many-lookups"
)

// NoSuchDomain is the ID of the fault that the domain does not exist.
const NoSuchDomain = "no-such-domain"

// A Gap is a question without an answer: what it would have said is unknown.
type Gap struct {
	Name   string `json:"name"`
	Type   string `json:"type"`
	Cause  string `json:"cause"`            // such as "SERVFAIL"
	Detail string `json:"detail,omitempty"` // of the server
	For    string `json:"for"`              // what was looked for, such as "SPF"
}

// newGap is the gap that an answer leaves.
func newGap(a *query.Answer, purpose string) Gap {
	return Gap{Name: display(a.Name), Type: typeName(a.Type), Cause: a.Outcome.String(), Detail: a.Detail, For: purpose}
}
