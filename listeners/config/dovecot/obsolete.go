package dovecot

import (
	"strconv"
	"strings"
)

// oldInets are the listeners that settings of Dovecot 1 mean, by protocol.
var oldInets = []struct{ protocol, path string }{
	{"imap", "service/imap-login/inet_listener/imap"},
	{"pop3", "service/pop3-login/inet_listener/pop3"},
	{"sieve", "service/managesieve-login/inet_listener/managesieve"},
}

// obsolete obeys a setting that 2.3 still takes of Dovecot 1 (old-set-parser.c), and
// reports whether it was one.
func (r *reading) obsolete(key token, v value) bool {
	top := r.top()
	switch {
	case top.path != "":
	case key.s == "listen" && (hasPort(v.s) || top.filter != ""), key.s == "ssl_listen":
		r.oldListen(key, v, top.filter)
		return true
	case top.filter != "":
	case key.s == "protocols":
		r.oldProtocols(key, v)
		return true
	case key.s == "ssl_disable":
		switch {
		case strings.EqualFold(v.s, "yes"):
			v.s = "no"
		case strings.EqualFold(v.s, "no"):
			v.s = "yes"
		}
		r.set["ssl"] = v
		return true
	}
	return false
}

// hasPort reports whether an address of a list has a port (listen_has_port).
func hasPort(s string) bool {
	if !strings.Contains(s, ":") {
		return false
	}
	for _, a := range strings.FieldsFunc(s, func(c rune) bool { return c == ' ' || c == ',' }) {
		if a != "*" && !onlyOf(a, "0123456789.") && !onlyOf(withoutBrackets(a), "0123456789abcdefABCDEF:") {
			return true
		}
	}
	return false
}

// onlyOf reports whether a text consists of characters of a set (is_ipv4_address and
// is_ipv6_address look no closer).
func onlyOf(s, set string) bool { return strings.Trim(s, set) == "" }

// withoutBrackets returns an address without the brackets around it, of which the last may
// be missing.
func withoutBrackets(s string) string {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		return strings.TrimSuffix(inner, "]")
	}
	return s
}

// oldListen obeys "listen = address:port", and listen and ssl_listen of a protocol.
func (r *reading) oldListen(key token, v value, protocol string) {
	if v.s == "" {
		return
	}
	port, ported := v, hasPort(v.s)
	if i := strings.LastIndexByte(v.s, ':'); ported {
		port.s, v.s = v.s[i+1:], v.s[:i]
	} else {
		port.s = ""
	}
	suffix := strings.TrimSuffix(key.s, "listen")
	if suffix != "" {
		suffix = "s"
	}
	for _, old := range oldInets {
		if !matches(protocol, old.protocol) || suffix != "" && old.protocol == "sieve" {
			continue
		}
		service, name, _ := strings.Cut(strings.TrimPrefix(old.path, "service/"), "/inet_listener/")
		if r.byName[service].byName[name+suffix] == nil {
			continue // as the one of sieve, which is not called managesieve
		}
		_, err := strconv.ParseUint(port.s, 10, 16)
		switch {
		case !ported:
		case err != nil && (suffix != "" || !matches(protocol, "sieve")): // else it forgets the error
			r.checkField("port", port)
		case err == nil:
			r.set[old.path+suffix+"/port"] = port
		}
		if protocol != "" || suffix != "" {
			r.set[old.path+suffix+"/address"] = v
		}
	}
	if protocol == "" && suffix == "" {
		v.key = key
		r.set["listen"] = v
	}
}

// matches reports whether the section of a filter holds for a protocol: "" for all,
// "!x" for others than x (config_filter_match).
func matches(filter, protocol string) bool {
	if other, ok := strings.CutPrefix(filter, "!"); ok {
		return other != protocol
	}
	return filter == "" || filter == protocol
}

// oldProtocols obeys "protocols = imaps pop3s managesieve".
func (r *reading) oldProtocols(key token, v value) {
	words := strings.FieldsFunc(v.s, func(c rune) bool { return c == ' ' })
	has := map[string]bool{}
	var kept []string
	changed := false
	for _, w := range words {
		has[w] = true
		switch w {
		case "imaps", "pop3s":
			changed = true
			continue
		case "managesieve":
			changed, w = true, "sieve"
		}
		kept = append(kept, w)
	}
	for i, name := range []string{"imap", "pop3"} {
		if has[name+"s"] && !has[name] {
			kept = append(kept, name)
			off := v
			off.s = "0"
			r.set[oldInets[i].path+"/port"] = off
		}
	}
	if changed {
		v.s = strings.Join(kept, " ")
	}
	v.key = key
	r.set["protocols"] = v
}
