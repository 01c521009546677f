//go:build linux

package e2e

// amavisExposed lets amavisd take mail from everywhere and keep the domains of
// these hosts for local ones.
const amavisExposed = `sed -i "s/^1;/@local_domains_maps = (['.e2e.invalid']);\n1;/" /etc/amavis/conf.d/50-user`

// mailRoots are hosts of proofs whose packages conflict with each other.
var mailRoots = []spec{
	{
		name: "fix-exim", n: 41, ownPackages: true,
		about: "Exim as Debian sets it up for the Internet, with amavisd in the path of mail",
		setup: []string{
			`sed -i "s/^dc_eximconfig_configtype=.*/dc_eximconfig_configtype='internet'/; s/^dc_other_hostnames=.*/dc_other_hostnames='fix-exim.e2e.invalid'/; s/^dc_local_interfaces=.*/dc_local_interfaces='0.0.0.0 ; 0.0.0.0.10025'/" /etc/exim4/update-exim4.conf.conf`,
			// README.exim_v4 of amavisd-new.
			`sed -i '/^begin routers/r /dev/stdin' /etc/exim4/exim4.conf.template <<'END'
amavis:
  driver = manualroute
  condition = "${if eq {$interface_port}{10025} {0}{1}}"
  domains = +local_domains
  transport = amavis
  route_list = "* localhost byname"
  self = send
  no_verify
END`,
			`sed -i '/^begin transports/r /dev/stdin' /etc/exim4/exim4.conf.template <<'END'
amavis:
  driver = smtp
  port = 10024
  allow_localhost
END`,
			amavisExposed,
			"install -d -o amavis -g amavis /run/amavis /var/lib/amavis/tmp",
			"install -d -o Debian-exim -g Debian-exim -m 750 /run/exim4",
			"echo 'alice:x:1999:1999::/tmp:/bin/sh' >>/etc/passwd",
		},
		units: []unit{
			{name: "amavis", start: "exec /usr/sbin/amavisd foreground", port: 10024},
			{name: "exim4", start: ". /etc/default/exim4; update-exim4.conf; exec /usr/sbin/exim4 -bdf -q$QUEUEINTERVAL $COMMONOPTIONS $SMTPLISTENEROPTIONS", port: 25},
		},
		listen: []int{25, 10024, 10025},
	},
}

// mailRootProofs are the proofs on mailRoots.
var mailRootProofs = []proof{
	{fix: "exim-interfaces", rule: "MXS1002", host: "fix-exim", port: 10025, product: "Exim", pkg: "exim4-daemon-light"},
}
