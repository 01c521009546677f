package postfix

import (
	"net/netip"
	"path"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/result"
)

// role returns what an smtpd does. It follows from the options of its service; only
// where these do not say does the port decide. filters is set if mail goes through a
// content filter on its way.
func role(l *listeners.Listener, s *scope, filters bool) result.Role {
	switch {
	case s.isOwn("smtpd_sasl_auth_enable") && s.yes("smtpd_sasl_auth_enable") && l.Port != 25, s.forUsers():
		return result.RoleSubmission
	case s.takesBack(filters):
		return result.RoleReinjection
	case s.yes("smtpd_tls_wrappermode"), l.Port == 465, l.Port == 587: // RFC 8314, Section 3.3
		return result.RoleSubmission
	}
	return result.RoleMTA
}

// forUsers reports whether the service is one of users alone: its options admit those
// who have logged in and reject all others.
func (s *scope) forUsers() bool {
	for _, name := range []string{"smtpd_client_restrictions", "smtpd_relay_restrictions", "smtpd_recipient_restrictions"} {
		if !s.isOwn(name) {
			continue
		}
		users := false
		v := s.value(name)
		for _, w := range words(v.text, commaBlanks, true) {
			switch w.s {
			case "permit_sasl_authenticated":
				users = true
			case "permit", "permit_auth_destination", "reject_unauth_destination", "defer_unauth_destination":
				users = false // mail of others is accepted as well
			case "reject":
				if users {
					return true
				}
			}
		}
	}
	return false
}

// takesBack reports whether the service takes mail back from a content filter
// (FILTER_README and SMTPD_PROXY_README of Postfix): it hands mail to no filter, and its
// options say that the filter's work is done, or trust the filter.
func (s *scope) takesBack(filters bool) bool {
	if s.text("content_filter") != "" || s.text("smtpd_proxy_filter") != "" {
		return false
	}
	ended := s.isOwn("content_filter") || s.isOwn("smtpd_proxy_filter")
	switch {
	case s.isOwn("smtpd_authorized_xforward_hosts") && s.text("smtpd_authorized_xforward_hosts") != "":
		return true
	case s.isOwn("receive_override_options") && s.checked():
		return true
	case s.isOwn("smtpd_milters") && s.text("smtpd_milters") == "" && s.onlyNetworks():
		return true
	}
	return ended && (filters || s.isOwn("receive_override_options") || s.isOwn("mynetworks") && s.loopback("mynetworks") || s.onlyNetworks())
}

// text returns the value of a parameter.
func (s *scope) text(name string) string { return s.value(name).s }

// checked reports whether receive_override_options says that mail was received, and
// checked, before. no_address_mappings alone is for those who hand it to a filter.
func (s *scope) checked() bool {
	for _, w := range words(s.value("receive_override_options").text, commaBlanks, false) {
		if w.s == "no_unknown_recipient_checks" || w.s == "no_header_body_checks" {
			return true
		}
	}
	return false
}

// loopback reports whether a list of networks has only those of the host itself.
func (s *scope) loopback(name string) bool {
	list := words(s.value(name).text, commaBlanks, false)
	for _, w := range list {
		address, _, _ := strings.Cut(strings.NewReplacer("[", "", "]", "").Replace(w.s), "/")
		if a, err := netip.ParseAddr(address); err != nil || !a.IsLoopback() {
			return false
		}
	}
	return len(list) > 0
}

// onlyNetworks reports whether the options of the service admit mynetworks and reject
// all others.
func (s *scope) onlyNetworks() bool {
	for _, name := range []string{"smtpd_client_restrictions", "smtpd_relay_restrictions", "smtpd_recipient_restrictions"} {
		if !s.isOwn(name) {
			continue
		}
		list := words(s.value(name).text, commaBlanks, true)
		if len(list) == 2 && list[0].s == "permit_mynetworks" && list[1].s == "reject" {
			return true
		}
	}
	return false
}

// filters reports whether a service hands mail to a content filter.
func (r *reading) filters() bool {
	has := func(s *scope) bool { return s.text("content_filter") != "" || s.text("smtpd_proxy_filter") != "" }
	if has(&r.global) {
		return true
	}
	for i := range r.services {
		if r.services[i].program() == "smtpd" && has(r.scope(&r.services[i])) {
			return true
		}
	}
	return false
}

// spawned are programs that spawn(8) starts for each connection, by name, in the words
// of the signatures.
var spawned = map[string]server{
	"policyd-spf":              {product: "policyd-spf (python)", protocol: "postfix-policy", role: result.RolePolicy},
	"policyd-spf-perl":         {product: "policyd-spf (perl)", protocol: "postfix-policy", role: result.RolePolicy},
	"postfix-policyd-spf-perl": {product: "policyd-spf (perl)", protocol: "postfix-policy", role: result.RolePolicy},
}

// describeSpawned sets what a listener of spawn(8) is, by the program in "argv=".
func (r *reading) describeSpawned(l *listeners.Listener, s *service) {
	for i, a := range s.arguments {
		command, ok := strings.CutPrefix(a.s, "argv=")
		if !ok {
			continue
		}
		words := []string{command}
		for _, rest := range s.arguments[i+1:] {
			words = append(words, rest.s)
		}
		command = strings.Join(words, " ")
		l.Settings = append(l.Settings, listeners.Setting{Name: "argv", Value: command, At: a.place()})
		words = strings.Fields(command)
		for _, word := range words[:min(2, len(words))] { // the program, or an interpreter and its script
			if p, ok := spawned[path.Base(word)]; ok {
				l.Product, l.Protocol, l.Role = p.product, p.protocol, p.role
			}
		}
		return
	}
}

// readQuestions sets what the listeners of spawn(8) are by who asks them.
func (r *reading) readQuestions() {
	for i := range r.c.Listeners {
		l := &r.c.Listeners[i]
		if protocol := r.asked[l.Port]; protocol != "" && l.Protocol == "" && l.Role == result.RoleUnknown {
			l.Protocol, l.Role = protocol, result.RolePolicy
		}
	}
}
