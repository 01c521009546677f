package perl

import (
	"fmt"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/listeners"
)

// hand adds the edge of a method by which all mail is passed on.
func (a *amavis) hand(name string, kind listeners.EdgeKind) {
	v := a.vars[name]
	if v == nil {
		return
	}
	if v.doubt != "" {
		a.c.AddDoubt(v.doubt, v.doubtAt)
	}
	for _, item := range v.value.each() {
		if item.kind == scalar {
			a.method(v, item, nil, kind)
		}
	}
}

// handBanks adds the edges of the policy banks of listeners.
func (a *amavis) handBanks() {
	for i := range a.c.Listeners {
		l := &a.c.Listeners[i]
		if _, bank := a.bank(l.Port); bank != nil {
			for _, name := range []string{"forward_method", "notify_method"} {
				if v, ok := bank.value.member(name); ok && v.kind == scalar {
					a.method(bank, v, l, listeners.EdgeRelay)
				}
			}
		}
	}
}

// method adds the edge of a method, "smtp:[127.0.0.1]:10025" or "lmtp:/path". A port * is one
// more than the port at which the mail came in, a host * the client (README_FILES/README.postfix
// of amavisd-new).
func (a *amavis) method(v *assignment, item value, from *listeners.Listener, kind listeners.EdgeKind) {
	proto, rest, _ := strings.Cut(item.text, ":")
	if p := strings.ToLower(proto); p != "smtp" && p != "lmtp" {
		return // pipe:, sql:, bsmtp: and the like
	}
	host, name, ok := cutPort(rest)
	if !ok || strings.HasPrefix(rest, "/") {
		return
	}
	if host == "*" {
		host = ""
	}
	if name != "*" {
		a.edge(v, item, from, kind, host, name)
		return
	}
	for i := range a.c.Listeners {
		if l := &a.c.Listeners[i]; from == nil || from == l {
			a.edge(v, item, l, kind, host, fmt.Sprint(int(l.Port)+1))
		}
	}
}

// edge adds an edge to a port.
func (a *amavis) edge(v *assignment, item value, from *listeners.Listener, kind listeners.EdgeKind, host, name string) {
	port, ok := endpoint.Port(name)
	if !ok {
		a.doubt(v.file, item.start, item.end, "%q has no port", item.text)
		return
	}
	if a.tried++; a.tried > maxTried {
		return
	}
	e := listeners.Edge{Kind: kind, Host: host, Port: port, At: v.at(item)}
	e.File = e.At.File
	if from != nil {
		e.From, e.File = from.Service, from.At.File
	}
	a.c.AddEdge(e)
}
