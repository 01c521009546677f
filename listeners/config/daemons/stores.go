package daemons

import (
	"fmt"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// A store is what the files of a store of accounts, sessions or filter state say.
type store struct {
	product, protocol string
	port              value // its default if at is negative
	hosts             []value
	setting           string // that has the hosts
	families          bool   // * is each IPv4 address, and ::* each IPv6 address
	tunnel            result.Tunnel
}

// open adds the listeners of a store: on each host, or on all addresses if there is none.
func (s *store) open(c *listeners.Config, f *source.File) {
	at := f.Anchor(max(s.port.at, 0), max(s.port.at, 0)+len(s.port.text))
	if s.port.at < 0 {
		at = f.Anchor(0, 0)
	}
	n, ok := endpoint.Port(s.port.text)
	if !ok {
		c.AddDoubt(fmt.Sprintf("%q is not a port", s.port.text), at)
		return
	}
	l := listeners.Listener{Port: n, Product: s.product, Protocol: s.protocol, Role: result.RoleAdmin, Tunnel: s.tunnel, At: at}
	if len(s.hosts) == 0 {
		l.Service = fmt.Sprintf("port %d", n)
		l.Causes = []listeners.Cause{{Why: fmt.Sprintf("%s is not set; %s then listens on all addresses", s.setting, s.product)}}
		c.AddListener(&l)
	}
	for _, host := range s.hosts {
		one := l
		one.At = f.Anchor(host.at, host.at+len(host.text))
		name := strings.TrimPrefix(host.text, "-") // of Redis: the address may be missing
		one.Service, one.Entry = fmt.Sprintf("%s %s port %d", s.setting, name, n), fmt.Sprintf("port %d", n)
		switch {
		case s.families && name == "*":
			one.BindFamily("", false)
		case s.families && name == "::*":
			one.BindFamily("", true)
			one.V6Only = true
		default:
			one.Bind(name)
		}
		if one.All() && one.Doubt == "" {
			one.Causes = []listeners.Cause{{Why: fmt.Sprintf("%s has %s", s.setting, host.text), At: &one.At}}
		}
		c.AddListener(&one)
	}
}

// items splits a value at blanks and, if commas is set, at commas.
func items(v value, commas bool) (list []value) {
	for _, m := range listed.FindAllStringIndex(v.text, -1) {
		word := v.text[m[0]:m[1]]
		if !commas {
			list = append(list, value{strings.Trim(word, `"'`), v.at + m[0] + quoteWidth(word)})
			continue
		}
		at := v.at + m[0]
		for part := range strings.SplitSeq(word, ",") {
			if part != "" {
				list = append(list, value{part, at})
			}
			at += len(part) + 1
		}
	}
	return list
}

var listed = regexp.MustCompile(`\S+`)

// Redis reads redis.conf (redis.conf of Redis 7; src/config.c, loadServerConfigFromString): bind
// has addresses, port and tls-port are off if they are 0.
func Redis(_ *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	s := store{product: "Redis", protocol: "redis", port: value{"6379", -1}, setting: "bind", families: true}
	tls := value{"0", -1}
	found, nowhere := false, false
	for start, line := range f.Lines() {
		name, at := word(line, 0)
		if name == "" || name[0] == '#' {
			continue
		}
		rest := strings.TrimSpace(line[at:])
		v := value{rest, start + at + len(line[at:]) - len(strings.TrimLeft(line[at:], " \t"))}
		switch strings.ToLower(name) {
		case "bind":
			s.hosts = slices.DeleteFunc(items(v, false), func(h value) bool { return h.text == "" })
			nowhere = len(s.hosts) == 0
		case "port":
			s.port = v
		case "tls-port":
			tls = v
		case "include":
			c.AddDoubt(fmt.Sprintf("what %q configures is not read", rest), f.Anchor(v.at, v.at+len(rest)))
		case "protected-mode", "databases", "maxmemory", "appendonly", "requirepass", "save", "daemonize", "dir", "unixsocket":
		default:
			continue
		}
		found = true
	}
	if nowhere { // bind ""
		return c
	}
	if found && s.port.text != "0" {
		s.open(&c, f)
	}
	if found && tls.text != "0" {
		s.port, s.tunnel = tls, result.TunnelTLS
		s.open(&c, f)
	}
	return c
}

// memcachedOption is an option in memcached.conf.
var memcachedOption = regexp.MustCompile(`(?:^|\s)(-l|--listen|-p|--port|-s|--unix-socket)(?:[ \t=]\s*|)(\S*)`)

// Memcached reads memcached.conf, whose lines have options of the program: -l has addresses, of which
// some have a port of their own; with -s it listens on no port (memcached(1); Debian's
// systemd-memcached-wrapper).
func Memcached(_ *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	s := store{product: "memcached", protocol: "memcached", port: value{"11211", -1}, setting: "-l"}
	local, given := false, false
	for start, line := range f.Lines() {
		line, _, _ = strings.Cut(line, "#")
		if !strings.HasPrefix(strings.TrimSpace(line), "-") {
			continue
		}
		given = true
		for _, m := range memcachedOption.FindAllStringSubmatchIndex(line, -1) {
			v := value{line[m[4]:m[5]], start + m[4]}
			switch line[m[2]:m[3]] {
			case "-l", "--listen":
				s.hosts = append(s.hosts, items(v, true)...)
			case "-p", "--port":
				s.port = v
			default:
				local = true
			}
		}
	}
	if local || !given || s.port.text == "0" {
		return c
	}
	for _, host := range s.hosts {
		one := s
		one.hosts = []value{host}
		if e, ok := endpoint.Parse(host.text); ok && strings.Count(host.text, ":") != 0 && (strings.Count(host.text, ":") == 1 || host.text[0] == '[') {
			one.port = value{e.Name, host.at + len(host.text) - len(e.Name)}
			one.hosts[0].text = strings.TrimSuffix(host.text, ":"+e.Name)
		}
		one.open(&c, f)
	}
	if len(s.hosts) == 0 {
		s.open(&c, f)
	}
	return c
}

// mysqlSections are the groups of options that the server reads (mysqld(8), mariadbd(8)).
var mysqlSections = []string{"mysqld", "server", "mariadb", "mariadbd"}

// MySQL reads a file of options of MySQL and MariaDB: bind-address of the server, which may have
// several addresses. A file without it opens nothing here, for another one may have it.
func MySQL(_ *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	s := store{product: "MySQL", protocol: "mysql", port: value{"3306", -1}, setting: "bind-address"}
	values, _ := (&Kind{Format: "ini"}).values(f)
	for _, section := range mysqlSections {
		for _, prefix := range []string{"", "loose-", "loose_"} {
			for _, dash := range []string{"-", "_"} {
				if v, ok := values[section+"."+prefix+"bind"+dash+"address"]; ok {
					s.hosts = items(v, true)
				}
			}
		}
		if v, ok := values[section+".port"]; ok {
			s.port = v
		}
	}
	mysqlIncludes(&c, f)
	if len(s.hosts) == 0 || mysqlSkips.MatchString(f.Text) || s.port.text == "0" {
		return c
	}
	s.open(&c, f)
	return c
}

// mysqlIncluded are the folders of which the files are read by themselves.
var mysqlIncluded = []string{"conf.d", "mysql.conf.d", "mariadb.conf.d", "my.cnf.d"}

var mysqlInclude = regexp.MustCompile(`^[ \t]*!include(?:dir)?[ \t]+(\S+)`)

// mysqlIncludes adds a doubt about each file and folder that a file includes and that is not read
// by itself.
func mysqlIncludes(c *listeners.Config, f *source.File) {
	for start, line := range f.Lines() {
		m := mysqlInclude.FindStringSubmatchIndex(line)
		if m == nil {
			continue
		}
		name := path.Clean(line[m[2]:m[3]])
		if base := path.Base(name); base != "my.cnf" && !slices.Contains(mysqlIncluded, base) && !slices.Contains(mysqlIncluded, path.Base(path.Dir(name))) {
			c.AddDoubt(fmt.Sprintf("what %q configures is not read", name), f.Anchor(start+m[2], start+m[3]))
		}
	}
}

// mysqlSkips is the option with which the server listens on no port.
var mysqlSkips = regexp.MustCompile(`(?m)^[ \t]*skip[-_]networking[ \t]*(?:=[ \t]*(?:1|on|ON|true|TRUE)[ \t]*)?\r?$`)

var (
	slapdServices = regexp.MustCompile(`^[ \t]*(?:export[ \t]+)?SLAPD_SERVICES=(.*)$`)
	slapdURL      = regexp.MustCompile(`(?i)(?:^|[\s"'])(ldaps?)://([^/\s"']*)`)
)

// Slapd reads /etc/default/slapd of Debian: the URLs of SLAPD_SERVICES are those of slapd's option
// -h (slapd(8)); without any it listens on ldap:///.
func Slapd(_ *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	var services *value
	known := false
	for start, line := range f.Lines() {
		known = known || strings.HasPrefix(strings.TrimSpace(line), "SLAPD_")
		if m := slapdServices.FindStringSubmatchIndex(line); m != nil {
			services = &value{uncommentedValue(line[m[2]:m[3]]), start + m[2]}
		}
	}
	s := store{product: "OpenLDAP", protocol: "ldap", port: value{"389", -1}, setting: "SLAPD_SERVICES"}
	switch {
	case !known:
		return c
	case services == nil || strings.Trim(services.text, `"' `) == "":
		s.open(&c, f)
		return c
	case strings.ContainsAny(services.text, "$`\\"):
		c.AddDoubt("SLAPD_SERVICES is computed", f.Anchor(services.at, services.at+len(services.text)))
		return c
	}
	for _, m := range slapdURL.FindAllStringSubmatchIndex(services.text, -1) {
		slapdListen(&c, f, strings.ToLower(services.text[m[2]:m[3]]), value{services.text[m[4]:m[5]], services.at + m[4]}, services.at+m[2])
	}
	return c
}

// slapdListen adds what one URL opens.
func slapdListen(c *listeners.Config, f *source.File, scheme string, where value, start int) {
	l := listeners.Listener{Port: 389, Product: "OpenLDAP", Protocol: "ldap", Role: result.RoleAdmin, At: f.Anchor(start, where.at+len(where.text))}
	if scheme == "ldaps" {
		l.Port, l.Tunnel = 636, result.TunnelTLS
	}
	host := where.text
	if i := strings.LastIndexByte(host, ':'); i >= 0 && i > strings.LastIndexByte(host, ']') {
		n, ok := endpoint.Port(host[i+1:])
		if !ok {
			c.AddDoubt(fmt.Sprintf("%q of SLAPD_SERVICES has no port that is known", where.text), l.At)
			return
		}
		l.Port, host = n, host[:i]
	}
	l.Service = fmt.Sprintf("%s %s:%d", scheme, host, l.Port)
	if l.Bind(host); host == "" || host == "*" {
		l.Causes = []listeners.Cause{{Why: fmt.Sprintf("the URL %s:// has no address; slapd then listens on all of them", scheme)}}
	}
	c.AddListener(&l)
}
