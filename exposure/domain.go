package exposure

import (
	"cmp"
	"fmt"
	"time"

	"github.com/mxsweep/mxsweep/result"
)

// The rules about the records of domains: what each finds is in rules/domains.yaml.
const (
	RuleMXWithoutAddress   = "MXS1601"
	RuleMXClosed           = "MXS1602"
	RuleServiceClosed      = "MXS1603"
	RuleMTASTSLeavesOutMX  = "MXS1604"
	RuleMTASTSTestLeavesMX = "MXS1605"
	RuleMTASTSCertificate  = "MXS1606"
	RuleTLSAUnmet          = "MXS1607"
	RuleSPFTooManyLookups  = "MXS1608"
	RuleMailHostIsNoMX     = "MXS1609"
	RuleOneFamily          = "MXS1610"
)

// A DomainFault is what the records of a domain and a scan show together.
type DomainFault struct {
	Rule       string // the id of a rule of KindDomain
	Domain     string
	Why        []string // sentences without a full stop
	Confidence int      // from 0 to 10, how certain the fault is

	// Line is the line of a zone file with the record that is to blame, and Record what it is; both
	// are nil if none is known.
	Line   *result.Anchor
	Record *result.Configured
}

// Domain returns the finding of a fault at a port, of whatever state; with a Listener of
// [result.KindRecords], at records. It is nil if there is no such rule.
func (j *Judge) Domain(fault DomainFault, p Subject) []Violation {
	rule := j.Rules.Lookup(fault.Rule)
	if rule == nil {
		return nil
	}
	f := j.finding(rule, p, j.vantage(p.Target.Addr()))
	f.Evidence, f.Confidence = fault.Why, fault.Confidence
	if p.State != result.StateOpen {
		f.PortState = p.State
	}
	if fault.Line != nil {
		f.Anchor = fault.Line
		if p.Listener == nil {
			f.OpenedBy = fault.Record
		}
	}
	f.Remediation += "\nVerify: mxsweep domain " + cmp.Or(fault.Domain, p.Host)
	list := []Violation{f}
	j.apply(list, p)
	return list
}

// CertificateProblems returns, as sentences without a full stop, why clients that require a valid
// certificate for the name refuse the one that a port presented at a time, and how certain that is,
// from 0 to 10. Nil means that none is known: which issuers clients trust is not checked, but no
// client knows the issuer of a certificate that is its own. A certificate for another name may be one that
// clients which send a name never get, whatever else is wrong with it.
func CertificateProblems(t *result.TLS, name string, at time.Time) (why []string, confidence int) {
	named := true
	for _, fault := range certificateFaults(t, []string{name}, at) {
		if fault == CertificateExpired || fault == CertificateWrongName {
			why = append(why, certificateEvidence(fault, t, []string{name}))
			confidence = max(confidence, certificateConfidence(fault))
			named = named && fault != CertificateWrongName
		}
	}
	if t != nil && t.CertSHA256 != "" && t.Subject == t.Issuer {
		why = append(why, fmt.Sprintf("the certificate of %q is self-signed", t.Subject))
		confidence = max(confidence, selfSignedConfidence)
	}
	if !named {
		confidence = min(confidence, UnnamedConfidence)
	}
	return why, confidence
}

// selfSignedConfidence is the confidence, 0 to 10, that no client trusts a certificate whose issuer
// has the name of its subject: the root of a private authority has that, too.
const selfSignedConfidence = 9
