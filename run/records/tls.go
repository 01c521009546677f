package records

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/domains"
	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
)

// withoutTLS is the confidence, 0 to 10, that a server that did not offer STARTTLS to the scanner
// offers it to nobody.
const withoutTLS = 8

// enforced adds a finding if the policy of MTA-STS makes senders require what an MX does not have: TLS,
// with a valid certificate for its name (RFC 8461, Section 4.2).
func (g *judgement) enforced(d *domains.Domain, h *domains.Host, p *exposure.Subject) {
	if d.MTASTS == nil || d.MTASTS.Policy == nil || d.MTASTS.Policy.Mode != "enforce" || !d.MTASTS.Policy.Covers(h.Name) {
		return
	}
	why, confidence := exposure.CertificateProblems(p.Service.TLS, h.Name, g.sweep.Now)
	if p.Service.Has("starttls-absent") {
		why, confidence = append(why, "the MX does not offer STARTTLS"), withoutTLS
	}
	if len(why) > 0 {
		why = append(why, fmt.Sprintf("MTA-STS of %s has the mode enforce and covers the MX %s", d.Name, h.Name))
		g.add(d, exposure.RuleMTASTSCertificate, record{"_mta-sts." + d.Name, "TXT", ""}, *p, confidence, why...)
	}
}

// dane adds a finding if none of the TLSA records of an MX matches a certificate that it presents, so
// that senders that use DANE deliver nothing (RFC 7672, Section 2.2).
func (g *judgement) dane(d *domains.Domain, h *domains.Host, p *exposure.Subject) {
	usable := slices.DeleteFunc(slices.Clone(h.TLSA), func(t domains.TLSA) bool { return !t.Usable })
	if len(usable) == 0 {
		return
	}
	records := fmt.Sprintf("%s of %s: %s", wording.Plural(len(usable), "TLSA record"), h.Name, texts(usable))
	published := record{fmt.Sprintf("_%d._tcp.%s", smtpPort, h.Name), "TLSA", ""}
	switch t := p.Service.TLS; {
	case p.Service.Has("starttls-absent"):
		g.add(d, exposure.RuleTLSAUnmet, published, *p, withoutTLS, "the MX does not offer STARTTLS", records)
	case t == nil || len(t.Chain) == 0: // nothing is known of the certificate
	case slices.ContainsFunc(usable, func(r domains.TLSA) bool { return r.Usage == usageTA && r.Matching == matchingFull }):
		// The record holds the authority, which the server then need not send (RFC 7671, Section 5.2.3).
	case !slices.ContainsFunc(usable, func(r domains.TLSA) bool { return meets(r, t.Chain) }):
		g.add(d, exposure.RuleTLSAUnmet, published, *p, exposure.UnnamedConfidence, fmt.Sprintf("no certificate that the MX presents meets a TLSA record; the leaf has the SHA-256 %s, its key %s (the handshake sent no server name)", t.Chain[0].CertSHA256, t.Chain[0].KeySHA256), records)
	}
}

// The usages and matching types of TLSA records (RFC 7218, Sections 2.1 and 2.3).
const (
	usageTA        = 2
	usageEE        = 3
	matchingFull   = 0
	matchingSHA256 = 1
)

// meets reports whether a certificate of the chain matches the record: with DANE-EE the leaf, with
// DANE-TA any of them (RFC 6698, Section 2.1.1).
func meets(r domains.TLSA, chain []result.CertificateDigests) bool {
	if r.Usage == usageEE {
		chain = chain[:1]
	}
	want := strings.ToLower(r.Data)
	if r.Matching == matchingFull { // the data is the certificate or the key itself
		raw, err := hex.DecodeString(want)
		if err != nil {
			return false
		}
		sum := sha256.Sum256(raw)
		want = hex.EncodeToString(sum[:])
	}
	return slices.ContainsFunc(chain, func(c result.CertificateDigests) bool {
		short, long := c.CertSHA256, c.CertSHA512
		if r.Selector == 1 { // SPKI
			short, long = c.KeySHA256, c.KeySHA512
		}
		if r.Matching == matchingFull || r.Matching == matchingSHA256 {
			return want == short
		}
		return want == long
	})
}

// maxTLSA is how many records a sentence shows.
const maxTLSA = 4

// texts are records as zone files have them, the data cut short.
func texts(records []domains.TLSA) string {
	var list []string
	for _, r := range records[:min(len(records), maxTLSA)] {
		data := r.Data
		if len(data) > 16 {
			data = data[:16] + "..."
		}
		list = append(list, fmt.Sprintf("%d %d %d %s", r.Usage, r.Selector, r.Matching, data))
	}
	return strings.Join(list, ", ")
}

// noMX adds the finding of a host that receives mail though no MX record names it.
func (g *judgement) noMX(d *domains.Domain, h *domains.Host, p *exposure.Subject) {
	if len(h.Paths) == 0 || d.Mail == domains.MailUnknown || !g.Complete() {
		return // an MX record that is not known may lead there
	}
	why := fmt.Sprintf("%s leads to the host, it speaks SMTP on port %d, and no MX record of the domains leads to it", h.Paths[0].Text, smtpPort)
	g.add(d, exposure.RuleMailHostIsNoMX, recordOf(h.Paths[0], h.Name), *p, p.Service.ProtocolConfidence(), why)
}
