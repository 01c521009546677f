package domains

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/miekg/dns"
)

// A Policy is a policy of MTA-STS (RFC 8461, Section 3.2).
type Policy struct {
	Mode   string   `json:"mode"`   // "enforce", "testing" or "none"
	MaxAge int      `json:"maxAge"` // in seconds
	MX     []string `json:"mx"`     // patterns of the names of MX hosts, in lower case
}

// maxAge is the longest time for which a policy may be kept, in seconds: about a year.
const maxAge = 31_557_600

// ParsePolicy parses a policy. Keys that are not known are skipped; of a key that occurs
// twice, other than "mx", the first counts.
func ParsePolicy(text string) (*Policy, error) {
	p := &Policy{MaxAge: -1}
	version := ""
	for line := range strings.Lines(text) {
		line = strings.TrimRight(line, "\r\n")
		name, value, ok := strings.Cut(line, ":")
		if !ok {
			if strings.TrimSpace(line) != "" {
				return nil, fmt.Errorf("line %.60q has no colon", line)
			}
			continue
		}
		value = strings.Trim(value, " \t")
		switch strings.TrimRight(name, " \t") {
		case "version":
			version = first(version, value)
		case "mode":
			p.Mode = first(p.Mode, value)
		case "max_age":
			n, err := strconv.Atoi(value)
			if err != nil || n < 0 || n > maxAge {
				return nil, fmt.Errorf("invalid max_age %.60q", value)
			}
			if p.MaxAge < 0 {
				p.MaxAge = n
			}
		case "mx":
			p.MX = append(p.MX, strings.ToLower(strings.TrimSuffix(value, ".")))
		}
	}
	return p, p.check(version)
}

// first returns the one that was there before, if any.
func first(before, value string) string {
	if before != "" {
		return before
	}
	return value
}

// check reports what is missing or wrong.
func (p *Policy) check(version string) error {
	switch {
	case version != "STSv1":
		return fmt.Errorf("version %.60q is not STSv1", version)
	case p.Mode != "enforce" && p.Mode != "testing" && p.Mode != "none":
		return fmt.Errorf("invalid mode %.60q", p.Mode)
	case p.MaxAge < 0:
		return errors.New("max_age is missing")
	case len(p.MX) == 0 && p.Mode != "none":
		return errors.New("mx is missing")
	}
	return nil
}

// Covers reports whether a pattern of the policy matches the name of an MX host. An asterisk stands
// for exactly one label, the leftmost (RFC 8461, Section 4.1).
func (p *Policy) Covers(host string) bool {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	_, parent, _ := strings.Cut(host, ".")
	for _, pattern := range p.MX {
		if suffix, ok := strings.CutPrefix(pattern, "*."); ok && parent != "" && parent == suffix || pattern == host {
			return true
		}
	}
	return false
}

// policyPath is where the policy is (RFC 8461, Section 3.3).
const policyPath = "/.well-known/mta-sts.txt"

// FetchPolicy fetches the policy of MTA-STS, if there is a record of one and its host may be contacted,
// and compares it with the MX records. What is wrong with it is among the faults.
func (d *Domain) FetchPolicy(ctx context.Context, f Fetcher) {
	if d.MTASTS == nil {
		return
	}
	host := "mta-sts." + d.Name
	i := slices.IndexFunc(d.Hosts, func(h *Host) bool { return h.Name == host })
	if i < 0 || len(d.Hosts[i].Addresses) == 0 {
		return
	}
	doc, err := f.Fetch(ctx, host, policyPath, d.Hosts[i].Addresses)
	if errors.Is(err, ErrNotAllowed) {
		return
	}
	if err == nil && doc.Type != "text/plain" {
		err = fmt.Errorf("the policy has the media type %.60q, not text/plain", doc.Type)
	}
	m := d.MTASTS
	if err == nil {
		m.Policy, err = ParsePolicy(string(doc.Body))
	}
	owner := "_mta-sts." + d.Name
	if err != nil {
		m.State, m.Policy = err.Error(), nil
		d.wrong("mta-sts-policy", "", owner, dns.TypeTXT, "MTA-STS of %s has no usable policy: %v", d.Name, err)
		return
	}
	m.State = "fetched"
	if m.Policy.Mode == "none" || d.Mail != MailMX {
		return
	}
	for _, h := range d.Hosts {
		if h.Accepts() && !m.Policy.Covers(h.Name) {
			d.wrong(FaultMTASTSMX, h.Name, owner, dns.TypeTXT, "MTA-STS of %s (mode %s) does not cover the MX %s", d.Name, m.Policy.Mode, h.Name)
		}
	}
}

// Accepts reports whether an MX record of the domain leads to the host.
func (h *Host) Accepts() bool {
	for _, p := range h.Paths {
		if p.Kind == KindMX {
			return true
		}
	}
	return false
}
