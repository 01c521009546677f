package mailpath

import (
	"slices"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/result"
)

// next are the roles of the daemons to which one with a role hands what it received,
// the likeliest first.
var next = map[result.Role][]result.Role{
	result.RoleContentFilter: {result.RoleReinjection, result.RoleLMTP, result.RoleMTA, result.RoleSubmission},
	result.RoleSigningProxy:  {result.RoleReinjection, result.RoleMTA, result.RoleSubmission},
	result.RoleIMAPProxy:     {result.RoleIMAPBackend, result.RoleIMAP},
	result.RolePOP3Proxy:     {result.RolePOP3Backend, result.RolePOP3},
	result.RoleIMAP:          {result.RoleIMAPBackend},
	result.RolePOP3:          {result.RolePOP3Backend},
	result.RoleMTA:           {result.RoleMTA},
	result.RoleSubmission:    {result.RoleSubmission},
	result.RoleProxy:         {result.RoleIMAPBackend, result.RolePOP3Backend, result.RoleReinjection, result.RoleMTA, result.RoleSubmission, result.RoleSieve, result.RoleIMAP, result.RolePOP3},
}

// addDialogues adds the edges that dialogues show: of a proxy to the daemon behind it, and
// of a filter to the port whose greeting it repeats.
func (b *builder) addDialogues() {
	for i, p := range b.ports {
		if !identified(p) || p.Service.Behind == nil && !b.repeats(p) {
			continue
		}
		if to := b.behind(p); to >= 0 {
			b.add(result.PathEdge{From: i, To: to, Basis: result.BasisDialogue})
			continue
		}
		if d := p.Service.Behind; d != nil && d.Product != "" {
			if to := b.step(result.PathStep{Kind: result.StepPort, Product: d.Product}); to >= 0 {
				b.add(result.PathEdge{From: i, To: to, Basis: result.BasisDialogue})
			}
		}
	}
}

// repeats reports whether a port of a proxy has the greeting of another port.
func (b *builder) repeats(p *result.Port) bool {
	switch p.Service.Role {
	case result.RoleContentFilter, result.RoleSigningProxy, result.RoleIMAPProxy, result.RolePOP3Proxy, result.RoleProxy:
		return len(p.Service.SameAs) > 0
	}
	return false
}

// behind returns the step of the port to which the proxy on a port hands what it receives;
// -1 if that is not clear. Where more than one may be it, the table decides.
func (b *builder) behind(p *result.Port) int {
	var list []int
	for i, q := range b.ports {
		if q != p && b.mayBeBehind(p, q) {
			list = append(list, i)
		}
	}
	for _, narrow := range []func(int) bool{
		func(i int) bool { return slices.Contains(p.Service.SameAs, b.ports[i].Port) },
		func(i int) bool { return b.usual(p, b.ports[i]) },
		func(i int) bool { return b.ports[i].Service.Role == b.likeliest(p, list) },
	} {
		if fit := slices.DeleteFunc(slices.Clone(list), func(i int) bool { return !narrow(i) }); len(fit) > 0 {
			list = fit
		}
	}
	if len(list) != 1 {
		return -1
	}
	return list[0]
}

// mayBeBehind reports whether q may be the daemon behind the proxy p: of the product that
// showed through, or with the same greeting, and in a role that follows.
func (b *builder) mayBeBehind(p, q *result.Port) bool {
	s, d := p.Service, q.Service
	if !identified(q) || d.Behind != nil || !slices.Contains(next[s.Role], d.Role) {
		return false
	}
	if s.Name != d.Name && !(s.Name == "smtp" && d.Name == "lmtp") {
		return false
	}
	if s.Behind == nil || s.Behind.Product == "" {
		return slices.Contains(s.SameAs, q.Port)
	}
	return sameProduct(s.Behind.Product, d.Product)
}

// likeliest returns the likeliest of the roles of some steps behind a proxy.
func (b *builder) likeliest(p *result.Port, list []int) result.Role {
	for _, role := range next[p.Service.Role] {
		if slices.ContainsFunc(list, func(i int) bool { return b.ports[i].Service.Role == role }) {
			return role
		}
	}
	return ""
}

// sameProduct reports whether two names are of the same product: "Postfix" and "Postfix
// smtpd" are.
func sameProduct(a, b string) bool { return exposure.HasProduct(a, b) || exposure.HasProduct(b, a) }
