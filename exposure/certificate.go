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

// A CertificateFault is what is wrong with the certificate that a port showed.
type CertificateFault string

// The faults. A certificate is judged by itself: whether its issuer is trusted is
// not asked, because that depends on the client.
const (
	CertificateExpired   CertificateFault = "expired" // or not valid yet
	CertificateExpiring  CertificateFault = "expiring"
	CertificateWrongName CertificateFault = "wrong-name"
	CertificateWeak      CertificateFault = "weak"
)

// Certificates are renewed when a third of their time is left (RFC 8555 knows no
// rule, but ACME clients do so), or thirty days. Less than this was forgotten.
const (
	expiringTime = 14 * 24 * time.Hour
	expiringPart = 4 // of certificates that live for less than 56 days, a quarter of their life
)

// weakKeys are the lowest numbers of bits that keys need not to be weak (NIST SP
// 800-131A, Section 2). Keys of other kinds are not judged.
var weakKeys = map[string]int{"RSA": 2048, "ECDSA": 224, "DSA": 1 << 30}

// certificateFaults judges what the handshake showed at a time against the names
// under which the user put the host in scope. Without a name, as for an address,
// or where not all names of the certificate are known, no name is wrong.
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

// expiringWithin is how long before its end a certificate counts as expiring.
func expiringWithin(t *result.TLS) time.Duration {
	if t.NotBefore.IsZero() {
		return expiringTime
	}
	return min(expiringTime, t.NotAfter.Sub(t.NotBefore.Time)/expiringPart)
}

// wrongName reports whether the certificate is for none of the names (RFC 9525,
// Section 6.3, which takes no account of the subject).
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

// weakness says what makes the certificate weak, "" if nothing does.
func weakness(t *result.TLS) string {
	if least, ok := weakKeys[t.KeyAlgorithm]; ok && t.KeyBits < least {
		return fmt.Sprintf("its %s key has %d bits", t.KeyAlgorithm, t.KeyBits)
	}
	// Nobody checks how a certificate signed itself.
	if t.Subject != t.Issuer && (strings.Contains(t.SignatureAlgorithm, "SHA1") || strings.Contains(t.SignatureAlgorithm, "MD5") ||
		strings.Contains(t.SignatureAlgorithm, "MD2")) {
		return "it is signed with " + t.SignatureAlgorithm
	}
	return ""
}

// certificateEvidence says in a sentence what the fault rests on.
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

// maxShownNames is how many names of a certificate evidence shows.
const maxShownNames = 5

// certificateConfidence is how sure it is that a certificate is wrong: dates and
// keys are read off it, but a server may show another one to a client that asks
// for a name (RFC 6066, Section 3), which the dialogue does not.
func certificateConfidence(fault CertificateFault) int {
	if fault == CertificateWrongName {
		return 6
	}
	return 10
}

// certificate is the first fault of the situation that the rule asks for, "" if
// it asks for none.
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
