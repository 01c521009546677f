package dovecot

import (
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/result"
)

// identify says what the listener is.
func (o *opening) identify(l *listeners.Listener) {
	p, ok := programs[o.service.program]
	if !ok {
		p = program{"", "Dovecot", result.RoleUnknown}
	}
	l.Protocol, l.Product, l.Role = p.protocol, p.product, p.role
	kind := o.inet.name
	if o.r.new24() {
		kind = o.field("type", "").s
	}
	if protocol, ok := overHTTP[o.service.program]; ok && kind == "http" {
		l.Protocol = protocol
	}
	switch l.Role {
	case result.RoleIMAP:
		switch {
		case o.haproxy:
			l.Role = result.RoleIMAPBackend
		case o.passes:
			l.Role = result.RoleIMAPProxy
		}
	case result.RolePOP3:
		switch {
		case o.haproxy:
			l.Role = result.RolePOP3Backend
		case o.passes:
			l.Role = result.RolePOP3Proxy
		}
	}
}

// settings returns what a judgement needs to know.
func (o *opening) settings() []listeners.Setting {
	var list []listeners.Setting
	if v := o.r.version; o.r.new24() {
		list = append(list, listeners.Setting{Name: "dovecot_config_version", Value: v.s, At: v.pointer()})
	}
	if o.haproxy {
		v := o.field("haproxy", "")
		list = append(list, listeners.Setting{Name: "haproxy", Value: "yes", At: v.pointer()})
		list = append(list, o.r.setting("haproxy_trusted_networks", ""))
	}
	login := strings.HasSuffix(o.service.program, "-login")
	switch {
	case login:
		list = append(list, o.r.setting("login_trusted_networks", ""), o.r.setting("ssl", "yes"))
		if o.r.new24() {
			list = append(list, o.r.setting("auth_allow_cleartext", "no"))
		} else {
			list = append(list, o.r.setting("disable_plaintext_auth", "yes"))
		}
	case o.service.program == "doveadm-server":
		list = append(list, o.r.setting("ssl", "yes"), o.r.secret("doveadm_password"), o.r.secret("doveadm_api_key"))
	case o.service.program == "lmtp":
		list = append(list, o.r.setting("login_trusted_networks", ""))
		if !o.r.new24() {
			list = append(list, o.r.setting("lmtp_proxy", "no"))
		}
	}
	return list
}

// setting returns a setting outside of all sections, or its default.
func (r *reading) setting(name, otherwise string) listeners.Setting {
	v, ok := r.set[name]
	if !ok {
		return listeners.Setting{Name: name, Value: otherwise}
	}
	return listeners.Setting{Name: name, Value: v.s, At: v.pointer()}
}

// secret says whether a secret is set, and never which.
func (r *reading) secret(name string) listeners.Setting {
	v, ok := r.set[name]
	if !ok || v.s == "" && v.problem == "" {
		return listeners.Setting{Name: name}
	}
	return listeners.Setting{Name: name, Value: "set", At: v.key.pointer()}
}

// passes reports whether a service passes logins on to other servers.
func (r *reading) passes(service string) bool {
	return slices.ContainsFunc(r.config.Edges, func(e listeners.Edge) bool {
		return e.Kind == listeners.EdgeProxy && (e.From == "" || strings.HasPrefix(e.From, "service "+service+" "))
	})
}
