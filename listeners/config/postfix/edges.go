package postfix

import (
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
)

// A sender is a service, or all of Postfix, while its edges are read.
type sender struct {
	*reading
	scope *scope
	from  []string // the names of its listeners; one "" for all of Postfix
}

// readEdges adds to whom mail is handed, and questions about it.
func (r *reading) readEdges() {
	all := sender{r, &r.global, []string{""}}
	served := false
	for i := range r.services {
		s := &r.services[i]
		switch {
		case s.kind.s != "inet" || len(s.listeners) == 0:
			sender{r, r.scope(s), all.from}.readTables(s.own)
			continue
		case s.program() == "smtpd":
			sender{r, r.scope(s), s.listeners}.readReceiving()
			served = true
		case s.program() == "postscreen":
			sender{r, r.screened(s), s.listeners}.readReceiving()
			served = true
		}
		sender{r, r.scope(s), s.listeners}.readTables(s.own)
	}
	if !served {
		all.readReceiving()
	}
	all.readSending()
	all.readTables(r.global.main)
}

// screened returns the settings of the smtpd to which a postscreen hands connections:
// the service of type pass that smtpd_service_name names.
func (r *reading) screened(s *service) *scope {
	if p := r.byName["pass "+r.scope(s).text("smtpd_service_name")]; p != nil {
		return r.scope(p)
	}
	return &r.global
}

// readReceiving adds what an smtpd does with mail that it receives.
func (s sender) readReceiving() {
	s.readTransport("content_filter", listeners.EdgeFilter)
	s.readAddress("smtpd_proxy_filter", "smtp", listeners.EdgeFilter)
	s.readMilters("smtpd_milters")
	if v := s.scope.value("smtpd_sasl_type"); v.s == "dovecot" {
		s.readAddress("smtpd_sasl_path", "", listeners.EdgeLookup)
	}
	classes := map[string]bool{}
	v := s.value("smtpd_restriction_classes")
	for _, w := range words(v.text, commaBlanks, false) {
		classes[w.s] = true
	}
	for _, when := range []string{"client", "helo", "sender", "relay", "recipient", "data", "end_of_data", "etrn"} {
		s.readRestrictions("smtpd_"+when+"_restrictions", classes)
	}
}

// readSending adds where mail goes that is in the queue.
func (s sender) readSending() {
	s.readMilters("non_smtpd_milters")
	for _, name := range []string{"header_checks", "mime_header_checks", "nested_header_checks", "body_checks"} {
		v := s.value(name)
		s.readActions(name, &v)
	}
	s.readMaps("transport_maps")
	for _, name := range []string{"relayhost", "smtp_fallback_relay"} {
		v := s.value(name)
		for _, w := range words(v.text, commaBlanks, false) {
			s.connect(name, w, s.scope.text("smtp_tcp_port"), listeners.EdgeRelay)
		}
	}
	for _, name := range []string{"default_transport", "relay_transport"} {
		s.readTransport(name, listeners.EdgeRelay)
	}
	for _, name := range []string{"local_transport", "virtual_transport", "mailbox_transport", "fallback_transport"} {
		s.readTransport(name, listeners.EdgeDeliver)
	}
}

// value returns the value of a parameter, and adds the doubt about it.
func (s sender) value(name string) value {
	v := s.scope.value(name)
	if v.set != nil {
		s.doubtValue(name, &v)
	}
	return v
}

// readAddress adds an edge for a parameter that has "host:port", "inet:host:port" or
// the path of a local socket.
func (s sender) readAddress(name, usual string, kind listeners.EdgeKind) {
	v := s.value(name)
	t := v.text
	if len(t.s) >= 5 && strings.EqualFold(t.s[:5], "inet:") {
		t = t.cut(5, len(t.s))
	} else if kind == listeners.EdgeLookup {
		return // the path of a socket, relative to the queue
	}
	s.connect(name, t, usual, kind)
}

// readTransport adds an edge for a parameter that has "transport:destination".
func (s sender) readTransport(name string, kind listeners.EdgeKind) {
	v := s.value(name)
	s.connectBy(name, v.text, kind)
}

// connectBy adds an edge for each destination of "transport:destination". The program
// of the transport says whether it connects to a port.
func (s sender) connectBy(name string, t text, kind listeners.EdgeKind) {
	transport, _, ok := strings.Cut(t.s, ":")
	if !ok {
		return
	}
	usual, connects := s.clientOf(transport)
	if !connects {
		return
	}
	for _, w := range words(t.cut(len(transport)+1, len(t.s)), commaBlanks, false) {
		if rest, ok := strings.CutPrefix(w.s, "inet:"); ok { // of the client for LMTP (smtp/smtp_connect.c)
			w = w.cut(len(w.s)-len(rest), len(w.s))
		}
		s.connect(name, w, usual, kind)
	}
}

// clientOf returns the usual port of a transport, and reports whether it connects to
// ports at all.
func (r *reading) clientOf(transport string) (port string, connects bool) {
	program := transport
	if s := r.byName["unix "+transport]; s != nil {
		program = s.program()
	}
	switch program {
	case "lmtp":
		return r.global.text("lmtp_tcp_port"), true
	case "smtp", "relay":
		return r.global.text("smtp_tcp_port"), true
	case "local", "virtual", "pipe", "error", "retry", "discard", "uucp", "maildrop", "spawn":
		return "", false
	}
	return r.global.text("smtp_tcp_port"), program == transport // a service that is not among the files
}

// readMilters adds an edge for each milter of a list (milter/milter.c, milter_new).
func (s sender) readMilters(name string) {
	v := s.value(name)
	for _, w := range words(v.text, commaBlanks, true) {
		if inner, _ := unbraced(w); inner.s != w.s {
			list := words(inner, commaBlanks, true)
			if len(list) == 0 {
				continue
			}
			w = list[0]
		}
		if strings.HasPrefix(w.s, "inet:") {
			s.connect(name, w.cut(len("inet:"), len(w.s)), "", listeners.EdgeMilter)
		}
	}
}

// readRestrictions adds an edge for each policy service in a list of restrictions, and
// in the classes that it names, each of which it reads once.
func (s sender) readRestrictions(name string, classes map[string]bool) {
	v := s.value(name)
	s.readActions(name, &v)
	list := words(v.text, commaBlanks, true)
	for i, w := range list {
		if w.s != "check_policy_service" {
			if classes[w.s] {
				classes[w.s] = false
				s.readRestrictions(w.s, classes)
			}
			continue
		}
		if i+1 == len(list) {
			continue
		}
		policy, _ := unbraced(list[i+1])
		if parts := words(policy, commaBlanks, true); len(parts) > 0 && strings.HasPrefix(parts[0].s, "inet:") {
			s.connect(name, parts[0].cut(len("inet:"), len(parts[0].s)), "", listeners.EdgePolicy)
		}
	}
}

// connect adds an edge to a destination.
func (s sender) connect(name string, t text, usual string, kind listeners.EdgeKind) {
	if s.full {
		return
	}
	d, ok, problem := s.destination(t, usual)
	at := d.at.place()
	switch {
	case problem != "":
		s.doubt(name+" "+problem, t)
		return
	case !ok || at == nil:
		return
	case kind == listeners.EdgePolicy:
		s.asked[d.port] = "postfix-policy"
	}
	for _, from := range s.from {
		if s.full = !s.c.AddEdge(listeners.Edge{From: from, File: s.file.Anchor(0, 0).File, Kind: kind, Host: d.host, Port: d.port, At: *at}); s.full {
			return
		}
	}
}
