package postfix

import (
	"cmp"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/result"
)

// A server is what a program of Postfix is on a port, in the words of the signatures.
type server struct {
	product, protocol string
	role              result.Role
	settings          []string // the parameters of it that a judgement needs
}

// servers are the programs that serve connections from outside.
var servers = map[string]server{
	"smtpd": {"Postfix smtpd", "smtp", result.RoleMTA, []string{
		"mynetworks", "mynetworks_style", "smtpd_client_restrictions", "smtpd_helo_restrictions",
		"smtpd_sender_restrictions", "smtpd_relay_restrictions", "smtpd_recipient_restrictions",
		"smtpd_data_restrictions", "smtpd_delay_reject", "content_filter", "smtpd_proxy_filter", "smtpd_milters",
		"receive_override_options", "smtpd_authorized_xforward_hosts", "smtpd_authorized_xclient_hosts",
		"smtpd_upstream_proxy_protocol", "smtpd_sasl_auth_enable", "smtpd_tls_security_level", "smtpd_tls_auth_only",
		"smtpd_tls_wrappermode",
	}},
	"postscreen": {"Postfix postscreen", "smtp", result.RoleMTA, []string{
		"mynetworks", "mynetworks_style", "postscreen_access_list", "postscreen_upstream_proxy_protocol",
	}},
	"qmqpd": {"Postfix qmqpd", "qmqp", result.RoleReinjection, []string{"qmqpd_authorized_clients"}},
	"spawn": {role: result.RoleUnknown},
}

// readListeners adds the listeners of each service of type inet.
func (r *reading) readListeners() {
	filters := r.filters()
	for i := range r.services {
		s := &r.services[i]
		if s.kind.s != "inet" {
			continue
		}
		list := r.listen(s)
		for _, l := range list {
			l.Service = s.name.s + " inet"
			if len(list) > 1 {
				l.Entry = l.Service
				l.Service += " " + l.Host
				if l.Address.IsValid() {
					l.Service = s.name.s + " inet " + l.Address.String()
				}
			}
			l.At = *s.name.place()
			r.describe(&l, s, filters)
			if !r.c.AddListener(&l) {
				return
			}
			s.listeners = append(s.listeners, l.Service)
		}
	}
}

// describe sets what a listener is and which settings hold for it.
func (r *reading) describe(l *listeners.Listener, s *service, filters bool) {
	server, ok := servers[s.program()]
	if !ok {
		server.role = result.RoleUnknown
	}
	scope := r.scope(s)
	l.Product, l.Protocol, l.Role = server.product, server.protocol, server.role
	r.addSettings(l, scope, server.settings)
	switch s.program() {
	case "smtpd":
		if scope.yes("smtpd_tls_wrappermode") {
			l.Tunnel = result.TunnelTLS
		}
		l.Role = role(l, scope, filters)
		r.addQueue(l, scope)
	case "qmqpd":
		r.addQueue(l, scope)
	case "postscreen":
		r.addSettings(l, r.screened(s), servers["smtpd"].settings)
	case "spawn":
		r.describeSpawned(l, s)
	}
}

// addQueue adds the queue manager to which a server hands its mail, if it is another one than
// that of the rest of Postfix: mail of a watchdog, say, that is discarded (cleanup(8)).
func (r *reading) addQueue(l *listeners.Listener, scope *scope) {
	usual, own := r.queueOf(&r.global), r.queueOf(scope)
	if own.s != "" && usual.s != "" && own.s != usual.s {
		l.Settings = append(l.Settings, listeners.Setting{Name: listeners.SettingQueue, Value: own.s, At: own.place()})
	}
}

// queueOf returns the queue manager that the cleanup of a server tells of new mail; "" if the
// files do not show it.
func (r *reading) queueOf(scope *scope) value {
	cleanup := r.byName["unix "+cmp.Or(scope.text("cleanup_service_name"), "cleanup")]
	if cleanup == nil || cleanup.program() != "cleanup" {
		return value{}
	}
	v := r.scope(cleanup).value("queue_service_name")
	if v.s == "" && v.set == nil { // proto/postconf.proto
		v.text = literal("qmgr")
	}
	return v
}

// addSettings adds the values of parameters that the listener does not have yet; none
// for one that is empty by default.
func (r *reading) addSettings(l *listeners.Listener, scope *scope, names []string) {
	for _, name := range names {
		_, has := l.Setting(name)
		_, networks := l.Setting("mynetworks")
		if has || networks && name == "mynetworks_style" { // it decides what mynetworks is by default
			continue
		}
		v := scope.value(name)
		switch {
		case v.set == nil && v.s == "":
			continue
		case v.set != nil:
			r.doubtValue(name, &v)
		}
		if name == "mynetworks" {
			v.text = r.networks(v.text)
		}
		l.Settings = append(l.Settings, listeners.Setting{Name: name, Value: v.s, At: v.place()})
	}
}
