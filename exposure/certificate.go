package exposure

import (
	"crypto/x509"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/net/idna"

	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
)

// A CertificateFault is a defect of the certificate that a port presented.
type CertificateFault string

// The certificate faults. A certificate is assessed by itself: whether its issuer
// is trusted depends on the client and is not checked.
const (
	CertificateExpired   CertificateFault = "expired" // or not valid yet
	CertificateExpiring  CertificateFault = "expiring"
	CertificateWrongName CertificateFault = "wrong-name"
	CertificateWeak      CertificateFault = "weak"
)

// A certificate that expires sooner than this was not renewed in time. ACME
// clients renew when a third of the lifetime, or thirty days, are left (a
// convention; RFC 8555 has no rule).
const (
	expiringTime = 14 * 24 * time.Hour
	expiringPart = 4 // of certificates valid for less than 56 days, a quarter of their lifetime
)

// weakKeys has the minimum key size in bits of each algorithm (NIST SP 800-131A,
// Section 2). Shorter keys are weak; keys of other algorithms are not assessed.
var weakKeys = map[string]int{"RSA": 2048, "ECDSA": 224, "DSA": 1 << 30}

// certificateFaults returns the faults of the certificate from a handshake at the
// given time. names are the names under which the host is in scope. No mismatch
// is reported if there are none, as for an address, or if not all names of the
// certificate are known.
func certificateFaults(t *result.TLS, names []string, now time.Time) []CertificateFault {
	if t == nil || t.CertSHA256 == "" {
		return nil
	}
	var faults []CertificateFault
	switch {
	case now.After(t.NotAfter.Time) || now.Before(t.NotBefore.Time):
		faults = append(faults, CertificateExpired)
	case t.NotAfter.Sub(now) < expiringWithin(t):
		faults = append(faults, CertificateExpiring)
	}
	if wrongName(t, names) {
		faults = append(faults, CertificateWrongName)
	}
	if weakness(t) != "" {
		faults = append(faults, CertificateWeak)
	}
	return faults
}

// expiringWithin returns how long before its end a certificate counts as
// expiring.
func expiringWithin(t *result.TLS) time.Duration {
	if t.NotBefore.IsZero() {
		return expiringTime
	}
	return min(expiringTime, t.NotAfter.Sub(t.NotBefore.Time)/expiringPart)
}

// wrongName reports whether the certificate is valid for none of the names (RFC
// 9525, Section 6.3, which ignores the subject).
func wrongName(t *result.TLS, names []string) bool {
	leaf := x509.Certificate{DNSNames: t.Names}
	named := false
	for _, name := range names {
		ascii, err := idna.Lookup.ToASCII(strings.TrimSuffix(name, "."))
		if name == "" || err != nil {
			continue
		}
		if leaf.VerifyHostname(ascii) == nil {
			return false
		}
		named = true
	}
	return named && !t.NamesTruncated
}

// weakness describes what makes the certificate weak, "" if nothing does.
func weakness(t *result.TLS) string {
	if least, ok := weakKeys[t.KeyAlgorithm]; ok && t.KeyBits < least {
		return fmt.Sprintf("its %s key has %d bits", t.KeyAlgorithm, t.KeyBits)
	}
	// The signature of a self-signed certificate is not verified by anyone.
	if t.Subject != t.Issuer && (strings.Contains(t.SignatureAlgorithm, "SHA1") || strings.Contains(t.SignatureAlgorithm, "MD5") ||
		strings.Contains(t.SignatureAlgorithm, "MD2")) {
		return "it is signed with " + t.SignatureAlgorithm
	}
	return ""
}

// certificateEvidence returns a sentence of evidence for the fault.
func certificateEvidence(fault CertificateFault, t *result.TLS, names []string) string {
	text := fmt.Sprintf("the certificate of %q, issued by %q, ", t.Subject, t.Issuer)
	switch fault {
	case CertificateWrongName:
		holds := "contains no DNS name"
		if len(t.Names) > 0 {
			holds = "is for " + strings.Join(t.Names[:min(len(t.Names), maxShownNames)], ", ")
			if more := len(t.Names) - maxShownNames; more > 0 {
				holds += fmt.Sprintf(" and %s more", wording.Plural(uint64(more), "name"))
			}
		}
		names = slices.DeleteFunc(slices.Clone(names), func(n string) bool { return n == "" })
		return text + holds + ", not for " + strings.Join(names, " or ") + " (the handshake sent no server name)"
	case CertificateWeak:
		return text + "is weak: " + weakness(t)
	}
	if !t.NotBefore.IsZero() {
		text += "is valid from " + t.NotBefore.UTC().Format(time.DateOnly) + " "
	} else {
		text += "is valid "
	}
	return text + "until " + t.NotAfter.UTC().Format(time.DateTime) + " UTC"
}

// maxShownNames is the maximum number of certificate names in evidence.
const maxShownNames = 5

// UnnamedConfidence is the confidence, 0 to 10, that clients which send a name get the
// certificate that a port presented: a server may present another one to them (RFC 6066,
// Section 3), and the dialogue sends no name.
const UnnamedConfidence = 6

// certificateConfidence returns the confidence, 0 to 10, that a certificate has
// the fault: dates and keys are certain, but not that clients get the one for another name.
func certificateConfidence(fault CertificateFault) int {
	if fault == CertificateWrongName {
		return UnnamedConfidence
	}
	return 10
}

// certificate returns the first of the faults that the rule asks for, "" if it
// asks for none of them.
func (r *Rule) certificate(faults []CertificateFault) CertificateFault {
	for _, c := range r.When {
		for _, fault := range c.Certificate {
			if slices.Contains(faults, fault) {
				return fault
			}
		}
	}
	return ""
}
