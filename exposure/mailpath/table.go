package mailpath

import (
	"slices"

	"github.com/mxsweep/mxsweep/result"
)

// addTable adds the edges between ports whose daemons the table knows to be neighbors. Both
// must be identified by a dialogue, as what the table has on their ports.
func (b *builder) addTable() {
	for i, p := range b.ports {
		if slices.ContainsFunc(b.path.Edges, func(e result.PathEdge) bool { return e.From == i }) {
			continue // a dialogue shows where it leads
		}
		for j, q := range b.ports {
			if i != j && b.usual(p, q) {
				b.add(result.PathEdge{From: i, To: j, Basis: result.BasisTable})
			}
		}
	}
}

// follows are the roles to whose ports the table knows daemons with a role to hand mail or
// connections.
var follows = map[result.Role][]result.Role{
	result.RoleMTA:           {result.RoleContentFilter, result.RoleSigningProxy, result.RoleReinjection, result.RoleLMTP},
	result.RoleSubmission:    {result.RoleContentFilter, result.RoleSigningProxy},
	result.RoleContentFilter: {result.RoleContentFilter, result.RoleSigningProxy, result.RoleReinjection, result.RoleLMTP},
	result.RoleSigningProxy:  {result.RoleContentFilter, result.RoleReinjection},
	result.RoleReinjection:   {result.RoleContentFilter, result.RoleSigningProxy},
	result.RoleIMAPProxy:     {result.RoleIMAPBackend},
	result.RolePOP3Proxy:     {result.RolePOP3Backend},
}

// usual reports whether the table says that p hands mail to q. Many ports may lead to one
// that takes mail back, but a filter has its own, which its flow must name; and what an
// internal port leads to is no other port than its flow names.
func (b *builder) usual(p, q *result.Port) bool {
	if b.known == nil || !identified(p) || !identified(q) || !b.mayFollow(p.Service, q.Service.Role) {
		return false
	}
	after, before := b.neighbors(p, false), b.neighbors(q, true)
	forward, back := slices.Contains(after, q.Port), slices.Contains(before, p.Port)
	switch q.Service.Role {
	case result.RoleContentFilter, result.RoleSigningProxy:
		forward = false
	}
	if !forward && back {
		return len(after) == 0 || !b.byNumber(p.Port)
	}
	return forward
}

// mayFollow reports whether a role may follow that of a service.
func (b *builder) mayFollow(s *result.Service, role result.Role) bool {
	return slices.Contains(follows[s.Role], role) || s.Behind != nil && slices.Contains(next[s.Role], role)
}

// neighbors returns the ports before or after one, by the uses of it that fit its product
// and its role.
func (b *builder) neighbors(p *result.Port, before bool) (list []uint16) {
	known, _ := b.known.Lookup(p.Port)
	for i := range known.Uses {
		u := &known.Uses[i]
		if u.Role != p.Service.Role || b.byNumber(p.Port) && !sameProduct(u.Product, p.Service.Product) {
			continue // on a public port any server hands mail to the filter
		}
		earlier, later := b.known.Neighbors(p.Port, u)
		if before {
			later = earlier
		}
		list = append(list, later...)
	}
	return list
}

// addRoles adds where mail ends up by what the role of a daemon means: one that takes mail
// back has a queue, and one that serves mailboxes has them.
func (b *builder) addRoles() {
	for i := range b.path.Steps {
		if slices.ContainsFunc(b.path.Edges, func(e result.PathEdge) bool { return e.From == i && !e.Asks }) {
			continue
		}
		kind, name := result.StepMailboxes, ""
		switch b.path.Steps[i].Role {
		case result.RoleReinjection:
			kind, name = result.StepQueue, b.queues[i]
		case result.RoleLMTP, result.RoleIMAP, result.RoleIMAPBackend, result.RolePOP3, result.RolePOP3Backend:
		default:
			continue
		}
		if to := b.step(result.PathStep{Kind: kind, Name: name}); to >= 0 {
			b.add(result.PathEdge{From: i, To: to, Basis: result.BasisRole})
		}
	}
}
