package postfix

import (
	"strings"

	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// An assignment is "name = value".
type assignment struct {
	name, value text
	at          *result.Anchor // see place
}

// place returns where the value is, or the name if the value is empty.
func (a *assignment) place() *result.Anchor {
	switch {
	case a.at != nil:
	case a.value.s == "":
		a.at = a.name.first().place()
	default:
		a.at = a.value.first().place()
	}
	return a.at
}

// assign parses "name = value"; the problem says why it is none (util/split_nameval.c).
func assign(t text) (a *assignment, problem string) {
	t = t.trim()
	end := strings.IndexAny(t.s, spaces+"=")
	switch {
	case t.s == "" || t.s[0] == '=':
		return nil, "a name is missing before ="
	case end < 0:
		return nil, "= is missing after the name"
	}
	rest := t.cut(end, len(t.s)).trim()
	if rest.s == "" || rest.s[0] != '=' {
		return nil, "= is missing after the name"
	}
	return &assignment{name: t.cut(0, end), value: rest.cut(1, len(rest.s)).trim()}, ""
}

// settings are assignments by name.
type settings map[string]*assignment

// readMain reads main.cf. The last assignment of a name counts. failed is called for
// each line that is no assignment.
func readMain(f *source.File, failed func(problem string, at text)) settings {
	set := settings{}
	for _, line := range logicalLines(f) {
		a, problem := assign(line)
		if (&tagFinder{line: line.s}).end(0) > 0 {
			problem = "a template decides it"
		}
		if problem != "" {
			failed(problem+notStarted, line.first())
			continue
		}
		set[a.name.s] = a
	}
	return set
}

// defaults are the values of parameters that are not set, of those that decide
// something here (global/mail_params.h of Postfix 3.12).
var defaults = map[string]string{
	"compatibility_level":                "0",
	"content_filter":                     "",
	"default_transport":                  "smtp",
	"fallback_transport":                 "",
	"inet_interfaces":                    "all",
	"inet_protocols":                     "all",
	"known_tcp_ports":                    "lmtp=24, smtp=25, smtps=submissions=465, submission=587",
	"lmtp_tcp_port":                      "24",
	"local_transport":                    "local:$myhostname",
	"mailbox_transport":                  "",
	"mail_name":                          "Postfix",
	"master_service_disable":             "",
	"mynetworks_style":                   "${{$compatibility_level} <level {2} ? {subnet} : {host}}",
	"non_smtpd_milters":                  "",
	"postscreen_access_list":             "permit_mynetworks",
	"postscreen_upstream_proxy_protocol": "",
	"qmqpd_authorized_clients":           "",
	"receive_override_options":           "",
	"relay_transport":                    "relay",
	"relayhost":                          "",
	"smtp_fallback_relay":                "$fallback_relay",
	"fallback_relay":                     "",
	"smtp_tcp_port":                      "smtp",
	"smtpd_authorized_xclient_hosts":     "",
	"smtpd_authorized_xforward_hosts":    "",
	"smtpd_client_restrictions":          "",
	"smtpd_data_restrictions":            "",
	"smtpd_delay_reject":                 "yes",
	"smtpd_end_of_data_restrictions":     "",
	"smtpd_etrn_restrictions":            "",
	"smtpd_helo_restrictions":            "",
	"smtpd_milters":                      "",
	"smtpd_proxy_filter":                 "",
	"smtpd_recipient_restrictions":       "",
	"smtpd_relay_restrictions":           "${{$compatibility_level} <level {1} ? {} : {permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination}}",
	"smtpd_restriction_classes":          "",
	"smtpd_sasl_auth_enable":             "no",
	"smtpd_sasl_path":                    "smtpd",
	"smtpd_sasl_type":                    "cyrus",
	"smtpd_sender_restrictions":          "",
	"smtpd_service_name":                 "smtpd",
	"smtpd_tls_auth_only":                "no",
	"smtpd_tls_security_level":           "",
	"smtpd_tls_wrappermode":              "no",
	"smtpd_upstream_proxy_protocol":      "",
	"virtual_transport":                  "virtual",
}

// A scope is where a daemon looks up its settings: its own options, main.cf, and the
// defaults.
type scope struct {
	own    settings // the options of its service; nil for all services
	main   settings
	budget *int // how many more bytes and steps expansions may take
}

// raw returns the value of a parameter before expansion, and its assignment, nil if it
// is a default. It reports false if there is neither.
func (s *scope) raw(name string) (value text, set *assignment, ok bool) {
	if a, ok := s.own[name]; ok {
		return a.value, a, true
	}
	if a, ok := s.main[name]; ok {
		return a.value, a, true
	}
	d, ok := defaults[name]
	return literal(d), nil, ok
}

// A value is the expanded value of a parameter.
type value struct {
	text
	set     *assignment // nil for a default
	open    []string    // parameters in it whose value is not in the files
	problem string      // why it could not be expanded; "" if it could
}

// value returns the expanded value of a parameter.
func (s *scope) value(name string) value {
	raw, set, ok := s.raw(name)
	if !ok {
		return value{}
	}
	v := s.expand(raw)
	v.set = set
	return v
}

// doubt returns why the value is not certain, "" if it is.
func (v *value) doubt(name string) string {
	switch {
	case v.problem != "":
		return name + ": " + v.problem
	case len(v.open) > 0:
		return name + " refers to $" + v.open[0] + ", which the files do not set"
	}
	return ""
}

// place returns where the parameter is set; nil for a default.
func (v *value) place() *result.Anchor {
	if v.set == nil {
		return nil
	}
	return v.set.place()
}

// isSet reports whether the options of the service itself have the parameter.
func (s *scope) isOwn(name string) bool {
	_, ok := s.own[name]
	return ok
}

// yes reports whether a parameter is yes.
func (s *scope) yes(name string) bool {
	v := s.value(name)
	return strings.EqualFold(v.s, "yes")
}
