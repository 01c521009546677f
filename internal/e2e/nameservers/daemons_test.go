//go:build linux

package nameservers

import (
	"fmt"
	"path/filepath"
	"strings"
)

// The addresses of the servers, each on port 53.
const (
	bindAddress   = "127.0.1.1"
	knotAddress   = "127.0.1.2"
	nsdAddress    = "127.0.1.3"
	deadAddress   = "127.0.1.8" // where nothing listens
	silentAddress = "127.0.1.9" // which takes questions and never replies
	resolver      = "127.0.0.1" // Unbound, which tells why it rejects a signature (RFC 8914)
	plainResolver = "127.0.0.2" // Unbound, which does not
)

// A daemon is one server.
type daemon struct {
	name    string
	program string
	args    []string // it runs in its folder, where its configuration is the file conf
	conf    func(dir string) string
}

var daemons = []daemon{
	{"bind", "named", []string{"-g", "-c", "conf"}, bindConf},
	{"knot", "knotd", []string{"-c", "conf"}, knotConf},
	{"nsd", "nsd", []string{"-d", "-c", "conf"}, nsdConf},
	{"unbound", "unbound", []string{"-d", "-c", "conf"}, func(dir string) string { return unboundConf(dir, resolver, true) }},
	{"unbound-plain", "unbound", []string{"-d", "-c", "conf"}, func(dir string) string { return unboundConf(dir, plainResolver, false) }},
}

// bindConf is the configuration of BIND.
func bindConf(dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `options {
	directory %q;
	listen-on { %s; };
	listen-on-v6 { none; };
	pid-file none;
	session-keyfile none;
	recursion no;
	dnssec-validation no;
	empty-zones-enable no;
	check-names primary ignore;
};
controls { };
`, filepath.Join(dir, "bind"), bindAddress)
	for _, z := range served(bindAddress) {
		fmt.Fprintf(&b, "zone %q { type primary; file %q; };\n", z.name, z.file(dir))
	}
	return b.String()
}

// knotConf is the configuration of Knot DNS, which signs its zones itself.
func knotConf(dir string) string {
	folder := filepath.Join(dir, "knot")
	var b strings.Builder
	fmt.Fprintf(&b, `server:
  rundir: %[1]q
  listen: %[2]s@53
log:
  - target: stderr
    any: info
database:
  storage: %[1]q
policy:
  - id: manual
    manual: on
template:
  - id: default
    storage: %[1]q
    dnssec-signing: on
    dnssec-policy: manual
    zonefile-sync: -1
    journal-content: none
zone:
`, folder, knotAddress)
	for _, z := range served(knotAddress) {
		fmt.Fprintf(&b, "  - domain: %s\n    file: %q\n", z.name, z.file(dir))
	}
	return b.String()
}

// nsdConf is the configuration of NSD.
func nsdConf(dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, `server:
  ip-address: %[2]s
  username: ""
  zonesdir: ""
  database: ""
  pidfile: "%[1]s/pid"
  xfrdfile: "%[1]s/xfrd"
  zonelistfile: "%[1]s/zones"
  xfrdir: "%[1]s"
remote-control:
  control-enable: no
`, filepath.Join(dir, "nsd"), nsdAddress)
	for _, z := range served(nsdAddress) {
		fmt.Fprintf(&b, "zone:\n  name: %s\n  zonefile: %q\n", z.name, z.file(dir))
	}
	return b.String()
}

// unboundConf is the configuration of Unbound, which validates from the key of the zone test.
func unboundConf(dir, address string, tells bool) string {
	told := "no"
	if tells {
		told = "yes"
	}
	return fmt.Sprintf(`server:
  interface: %s
  outgoing-interface: 127.0.0.1
  username: ""
  chroot: ""
  directory: ""
  pidfile: ""
  use-syslog: no
  verbosity: 1
  num-threads: 1
  do-ip6: no
  do-not-query-localhost: no
  # Give up on servers that do not reply sooner than mxsweep gives up on this one.
  outbound-msg-retry: 2
  infra-cache-max-rtt: 400
  module-config: "validator iterator"
  trust-anchor-file: "%s/anchor"
  local-zone: "test." nodefault
  ede: %s
stub-zone:
  name: "test."
  stub-addr: %s
remote-control:
  control-enable: yes
  control-use-cert: no
  control-interface: "%s/control-%s"
`, address, dir, told, bindAddress, dir, address)
}
