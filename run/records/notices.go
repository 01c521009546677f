package records

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/domains"
	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// The limits of notices: of each kind, and of the gaps that one of them names.
const (
	maxNotices = 100
	maxGaps    = 8
)

// Gaps returns a notice for each domain about which the DNS did not answer all questions, or that does
// not exist: each makes a run incomplete.
func (d *Domains) Gaps() []result.Notice {
	if d == nil {
		return nil
	}
	var list []result.Notice
	for _, domain := range d.found {
		switch {
		case missing(domain):
			list = append(list, exposure.NewNotice(exposure.NoticeDomainIncomplete, domain.Name, nil, "The domain %s does not exist (NXDOMAIN).", domain.Name))
		case !domain.Complete():
			var gaps []string
			for _, g := range domain.Gaps[:min(len(domain.Gaps), maxGaps)] {
				gaps = append(gaps, fmt.Sprintf("%s %s (%s)", g.Type, g.Name, g.Cause))
			}
			if more := len(domain.Gaps) - maxGaps; more > 0 {
				gaps = append(gaps, fmt.Sprintf("and %d more", more))
			}
			list = append(list, exposure.NewNotice(exposure.NoticeDomainIncomplete, domain.Name, nil, "The DNS did not answer all questions about %s: %s.", domain.Name, strings.Join(gaps, ", ")))
		}
	}
	return list
}

// Notices returns what there is to say about the domains that is neither a finding nor a gap: the hosts
// for which to ask, and what else is wrong in the records.
func (d *Domains) Notices() []result.Notice {
	if d == nil {
		return nil
	}
	return slices.Concat(d.askFor(), d.wrong())
}

// askFor returns a notice for each host that is not in the scope, or not with all of its addresses.
func (d *Domains) askFor() []result.Notice {
	var list []result.Notice
	told := map[string]bool{}
	left := 0
	for _, domain := range d.found {
		for _, h := range domain.Hosts {
			var outside []string
			for _, a := range h.Addresses {
				if d.family != scope.BothFamilies && a.Is4() != (d.family == scope.IPv4Only) {
					continue // the user left it out
				}
				if !d.scope.Allows(a) {
					outside = append(outside, a.String())
				}
			}
			name := h.Name
			if name == "" && len(h.Addresses) > 0 {
				name = h.Addresses[0].String()
			}
			key := name + " " + strings.Join(outside, " ")
			switch {
			case len(outside) == 0 || told[key]:
				continue
			case len(list) == maxNotices:
				left++
			default:
				shown := strings.Join(outside, ", ")
				if name != shown {
					shown = fmt.Sprintf("%s (%s)", name, shown)
				}
				list = append(list, exposure.NewNotice(exposure.NoticeAskFor, name, nil, "%s is not in the scope and was not scanned; %s.", shown, leads(h.Paths)))
			}
			told[key] = true
		}
	}
	if left > 0 {
		list = append(list, exposure.NewNotice(exposure.NoticeAskFor, "", nil, "%s not in the scope.", wording.Amount(left, "further host is", "further hosts are")))
	}
	return list
}

// maxPaths is how many paths a sentence names.
const maxPaths = 4

// leads says which paths lead to a host.
func leads(paths []domains.Way) string {
	var list []string
	for _, p := range paths[:min(len(paths), maxPaths)] {
		list = append(list, p.Text)
	}
	text := strings.Join(list, "; ")
	if more := len(paths) - maxPaths; more > 0 {
		text += fmt.Sprintf("; and %d more", more)
	}
	return "it is named by " + text
}

// wrong returns a notice for each fault of the records that has no rule.
func (d *Domains) wrong() []result.Notice {
	var list []result.Notice
	left := 0
	for _, domain := range d.found {
		for _, f := range domain.Faults {
			switch {
			case ruleOf[f.ID] != "" || f.ID == domains.NoSuchDomain:
			case len(list) == maxNotices:
				left++
			default:
				list = append(list, exposure.NewNotice(exposure.NoticeRecords, domain.Name, nil, "%s.", f.Text))
			}
		}
	}
	if left > 0 {
		list = append(list, exposure.NewNotice(exposure.NoticeRecords, "", nil, "The records have %s; \"mxsweep domain\" lists all.", wording.Amount(left, "further fault", "further faults")))
	}
	return list
}

// Nothing returns why no host of the domains was in the scope, nil if one was.
func (d *Domains) Nothing() *result.Notice {
	if d == nil {
		return nil
	}
	for range d.own() {
		return nil
	}
	var names []string
	for _, domain := range d.found {
		names = append(names, domain.Name)
	}
	n := exposure.NewNotice(exposure.NoticeNothingInScope, "", nil, "No host of %s is in the scope.", wording.First(names, maxPaths))
	return &n
}

// Describe describes the domains for a dry run, a line for each host that is not in the scope.
func (d *Domains) Describe(line func(what, text string)) {
	if d == nil {
		return
	}
	for _, n := range d.Gaps() {
		line("incomplete", n.Message)
	}
	for _, n := range d.askFor() {
		line("ask for", n.Message)
	}
}

// Verify reports whether the run proves that a finding of a baseline about the domains is fixed, and
// what proves it or is missing: its domain was looked up without a gap, and for a port, that this was
// probed.
func (d *Domains) Verify(e *drift.Entry) (fixed bool, why string) {
	if !d.Complete() {
		return false, "the DNS did not answer all questions about the domains of this run"
	}
	if e.Listener != "" {
		if !slices.ContainsFunc(d.found, func(domain *domains.Domain) bool { return domain.Name == e.Host }) {
			return false, "this run did not look up the domain"
		}
		if e.Rule == exposure.RuleMTASTSLeavesOutMX || e.Rule == exposure.RuleMTASTSTestLeavesMX {
			return d.fetched(e.Host)
		}
		return true, "the records no longer break the rule"
	}
	for _, a := range e.AllAddresses() {
		at := netip.AddrPortFrom(a.Unmap(), e.Port)
		switch state := d.seen[at]; state {
		case result.StateOpen:
			if why := d.unseen(e.Rule, at); why != "" {
				return false, why
			}
		case result.StateClosed:
		case "":
			return false, "this run did not probe the port for a domain"
		default:
			return false, fmt.Sprintf("the port is %s", state)
		}
	}
	return true, "records and port no longer contradict each other"
}

// unseen returns what the run did not see of an open port without which nothing shows that a finding of a
// rule is fixed; "" if it saw all.
func (d *Domains) unseen(rule string, at netip.AddrPort) string {
	switch rule {
	case exposure.RuleMTASTSCertificate, exposure.RuleTLSAUnmet, exposure.RuleMailHostIsNoMX:
	default:
		return "" // that the port is open is all
	}
	p := d.open[at]
	if p == nil || p.Service == nil || !exposure.Identified(p.Service) {
		return "the service of the port was not identified"
	}
	switch t := p.Service.TLS; {
	case rule == exposure.RuleMailHostIsNoMX:
		return ""
	case t == nil || t.CertSHA256 == "":
		return "the run saw no certificate of the port"
	case rule == exposure.RuleTLSAUnmet && !d.trusted:
		return "the run compared no TLSA records"
	case rule == exposure.RuleMTASTSCertificate && slices.ContainsFunc(d.found, unfetched):
		return notFetched
	}
	return ""
}

// notFetched is why a run does not show that a policy is right.
const notFetched = "this run did not fetch the policy of MTA-STS"

// unfetched reports whether a domain has a policy that was not fetched.
func unfetched(d *domains.Domain) bool { return d.MTASTS != nil && d.MTASTS.Policy == nil }

// fetched reports whether the policy of a domain was fetched, or there is none any longer.
func (d *Domains) fetched(name string) (bool, string) {
	for _, domain := range d.found {
		if domain.Name == name && unfetched(domain) {
			return false, notFetched
		}
	}
	return true, "the policy of MTA-STS no longer breaks the rule"
}
