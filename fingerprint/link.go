package fingerprint

import (
	"maps"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/signatures"
)

// tableConfidence is the maximum confidence from a port number alone.
const tableConfidence = 3

// Link draws the conclusions that need all ports of one host: which ports have the
// same greeting, the roles of the daemons, their stack, and what a silent port may be.
// The map has the service of each open port of one address and is changed in place.
// ports may be nil.
func Link(set *signatures.Set, ports *signatures.Ports, services map[uint16]*Identification) {
	shareGreetings(services)
	for port, svc := range services {
		if ports == nil {
			continue
		}
		known, ok := ports.Lookup(port)
		if !ok {
			continue
		}
		if svc.Name == "" && svc.TLS == nil && !answered(svc) {
			byTable(svc, known)
		}
	}
	for port, svc := range services {
		if role := roleAt(svc, port, ports); role != svc.Role {
			svc.Role, svc.RoleByPort = role, true
		}
	}
	if stack := stackOf(set, services); stack != "" {
		for _, svc := range services {
			svc.Stack = stack
		}
	}
	for _, svc := range services {
		nameItself(svc)
	}
}

// maxSame is how many ports with the same greeting are listed. A chain has a handful;
// a host with thousands is a decoy or a middlebox.
const maxSame = 32

// shareGreetings records for each port the first others with an identical greeting.
func shareGreetings(services map[uint16]*Identification) {
	groups := make(map[string][]uint16)
	for _, port := range slices.Sorted(maps.Keys(services)) {
		if svc := services[port]; len(svc.Banner) > 0 {
			groups[string(svc.Banner)] = append(groups[string(svc.Banner)], port)
		}
	}
	for _, group := range groups {
		first := group[:min(len(group), maxSame+1)]
		for _, port := range group {
			if services[port].Name == "" {
				continue
			}
			same := slices.DeleteFunc(slices.Clone(first), func(p uint16) bool { return p == port })
			if len(same) > 0 {
				services[port].SameAs = slices.Clip(same[:min(len(same), maxSame)])
			}
		}
	}
}

// answered reports whether the port said anything at all.
func answered(svc *Identification) bool {
	if svc.Transcript == nil {
		return len(svc.Banner) > 0
	}
	return slices.ContainsFunc(svc.Transcript.Exchanges, func(ex Exchange) bool { return len(ex.Reply) > 0 })
}

// serverFirst are the protocols in which the server speaks first: a silent port speaks
// another one.
var serverFirst = []string{"smtp", "lmtp", "qmqp", "imap", "pop3", "managesieve", "mupdate", "csync", "dovecot-auth", "ssh", "ftp", "mysql"}

// hungUp reports whether the port closed the first connection without sending
// anything: a daemon of a protocol in which the server speaks first does so if it
// refuses.
func hungUp(svc *Identification) bool {
	if svc.Transcript == nil {
		return false
	}
	g := svc.Transcript.Find(signatures.Greeting)
	return g != nil && len(g.Reply) == 0 && (g.End == signatures.EndClosed || g.End == signatures.EndReset)
}

// byTable says what is expected on a port that said nothing. Neither product nor
// protocol is named: that would be a guess which reads like a finding.
func byTable(svc *Identification, known signatures.KnownPort) {
	uses := slices.Clone(known.Uses)
	speaksFirst := func(u signatures.Use) bool { return slices.Contains(serverFirst, u.Protocol) }
	switch {
	case svc.Has("acl-refused"), svc.Has("reset-at-connect"), hungUp(svc):
	case svc.slow && slices.ContainsFunc(uses, speaksFirst):
		return // it may have had no time to speak
	default:
		uses = slices.DeleteFunc(uses, speaksFirst)
	}
	if len(uses) == 0 {
		return
	}
	svc.Expected = &result.Expected{Name: uses[0].Protocol, Role: uses[0].Role}
	svc.Method, svc.Confidence = result.MethodTable, tableConfidence
	for _, use := range uses {
		if use.Protocol != svc.Expected.Name {
			svc.Confidence = tableConfidence - 1
		}
		svc.Alternatives = append(svc.Alternatives, use.Product)
	}
	slices.Sort(svc.Alternatives)
	svc.Alternatives = slices.Compact(svc.Alternatives)
}

// The ports that tell the role of a service. RFC 5321, Section 4.5.4.2 (25),
// RFC 8314, Section 7.3 (465, 587), RFC 9051 (143, 993) and RFC 8314 (110,
// 995) are for everybody; 10465 and 10587 are the twins of 465 and 587 behind
// a load balancer, and 2525 a common one of 25.
var (
	relayPorts      = []uint16{25, 2525}
	submissionPorts = []uint16{465, 587, 10465, 10587}
	imapPorts       = []uint16{143, 993}
	pop3Ports       = []uint16{110, 995}
)

// roleAt returns the role of a service on its port: an MTA on a port between filters
// is a re-injection listener, and IMAP on a port that no client uses is a back end.
func roleAt(svc *Identification, port uint16, ports *signatures.Ports) result.Role {
	switch {
	case svc.Role == result.RoleMTA && slices.Contains(submissionPorts, port):
		return result.RoleSubmission
	case svc.Role == result.RoleMTA && !slices.Contains(relayPorts, port):
		return mtaRole(port, ports)
	case svc.Role == result.RoleIMAP && !slices.Contains(imapPorts, port):
		return result.RoleIMAPBackend
	case svc.Role == result.RolePOP3 && !slices.Contains(pop3Ports, port):
		return result.RolePOP3Backend
	}
	return svc.Role
}

func mtaRole(port uint16, ports *signatures.Ports) result.Role {
	if ports == nil {
		return result.RoleMTA
	}
	known, ok := ports.Lookup(port)
	if !ok || !known.Internal {
		return result.RoleMTA
	}
	role := result.RoleReinjection
	for _, use := range known.Uses {
		switch use.Role {
		case result.RoleReinjection:
			return result.RoleReinjection
		case result.RoleSubmission:
			role = result.RoleSubmission
		}
	}
	return role
}

// stackOf returns the stack of which most is there. A port counts only if a dialogue
// named its product: open ports alone name no stack.
func stackOf(set *signatures.Set, services map[uint16]*Identification) string {
	name, most := "", 0
	for _, stack := range set.Stacks {
		n := 0
		for _, port := range stack.Ports {
			if svc := services[port]; svc != nil && svc.Method == result.MethodProbed && svc.KnownProduct() != "" {
				n++
			}
		}
		for _, product := range stack.Products {
			if has(services, product) {
				n++
			}
		}
		if n >= stack.Least && n > most {
			name, most = stack.Name, n
		}
	}
	return name
}

func has(services map[uint16]*Identification, product string) bool {
	for _, svc := range services {
		known := svc.KnownProduct()
		if strings.HasPrefix(known, product) || known != "" && svc.Behind != nil && strings.HasPrefix(svc.Behind.Product, product) {
			return true
		}
	}
	return false
}
