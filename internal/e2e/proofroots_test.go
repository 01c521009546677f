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
		queue:  "exim4 -bp",
	},
	{
		name: "fix-cyrus", n: 42, ownPackages: true,
		about: "Cyrus IMAP behind Postfix, with listeners for a webmail host, a replica and other hosts' mail",
		setup: append(postfixSetup("fix-cyrus"),
			"postconf -e mailbox_transport=lmtp:inet:127.0.0.1:24",
			`sed -i '/^SERVICES/r /dev/stdin' /etc/cyrus.conf <<'END'
	webmail		cmd="imapd -U 30" listen="10143" prefork=0 maxchild=100
	phone		cmd="imapd -U 30" listen="1143" prefork=0 maxchild=100
	pickup		cmd="pop3d -U 30" listen="10110" prefork=0 maxchild=50
	lmtp		cmd="lmtpd -a" listen="24" prefork=0 maxchild=20
	sync		cmd="sync_server" listen="2005" prefork=0
	rules		cmd="timsieved" listen="14190" prefork=0 maxchild=100
END`,
			"printf 'tls_server_cert: /etc/ssl/e2e.pem\ntls_server_key: /etc/ssl/e2e.key\nautocreate_post: yes\n' >>/etc/imapd.conf",
			"install -d -o cyrus -g mail /run/cyrus /run/cyrus/proc /run/cyrus/lock /run/cyrus/socket",
		),
		daemons: []daemon{postfixDaemon},
		units: []unit{
			{name: "cyrus-imapd", start: "exec /usr/sbin/cyrmaster -l 32 -C /etc/imapd.conf -M /etc/cyrus.conf", port: 143},
		},
		listen: []int{24, 25, 110, 143, 1143, 2005, 10110, 10143, 14190},
		boxes:  "/var/spool/cyrus/mail",
	},
	{
		name: "fix-courier", n: 43, ownPackages: true,
		about: "Courier IMAP and POP3 with further ports for a webmail host",
		setup: []string{
			"sed -i 's/^PORT=143/PORT=143,10143/' /etc/courier/imapd",
			"sed -i 's/^PORT=110/PORT=110,10110/' /etc/courier/pop3d",
			"sed -i 's/^MAXPERIP=.*/MAXPERIP=40/' /etc/courier/imapd /etc/courier/pop3d",
			"install -d -o courier -g courier /run/courier",
		},
		units: []unit{
			{name: "courier-authdaemon", start: "exec /usr/sbin/authdaemond start"},
			{name: "courier-imap", start: "exec /usr/sbin/imapd start", port: 143},
			{name: "courier-pop", start: "exec /usr/sbin/pop3d start", port: 110},
		},
		listen: []int{110, 143, 10110, 10143},
	},
	{
		name: "fix-opensmtpd", n: 44, ownPackages: true,
		about: "OpenSMTPD with amavisd in the path of mail",
		setup: []string{
			`cat >/etc/smtpd.conf <<'END'
table aliases file:/etc/aliases
listen on 0.0.0.0
listen on 0.0.0.0 port 10025 tag FILTERED
action "local" mbox alias <aliases>
action "filter" relay host smtp://127.0.0.1:10024
match tag FILTERED from any for domain "fix-opensmtpd.e2e.invalid" action "local"
match from any for domain "fix-opensmtpd.e2e.invalid" action "filter"
END`,
			"touch /etc/aliases",
			amavisExposed,
			"install -d -o amavis -g amavis /run/amavis /var/lib/amavis/tmp",
			"echo 'alice:x:1999:1999::/home/alice:/bin/sh' >>/etc/passwd && install -d -o 1999 -g 1999 /home/alice",
		},
		units: []unit{
			{name: "amavis", start: "exec /usr/sbin/amavisd foreground", port: 10024},
			{name: "opensmtpd", start: "exec /usr/sbin/smtpd -F", port: 25},
		},
		listen: []int{25, 10024, 10025},
		queue:  "smtpctl show queue",
	},
	{
		name: "fix-proxy", n: 45,
		about: "perdition and imapproxy before Dovecot, each for a webmail host",
		setup: []string{
			"rm -rf /etc/dovecot && cp -r /usr/share/dovecot /etc/dovecot",
			"sed -i 's,/etc/dovecot/private/dovecot.pem,/etc/ssl/e2e.pem,; s,/etc/dovecot/private/dovecot.key,/etc/ssl/e2e.key,' /etc/dovecot/conf.d/10-ssl.conf",
			"printf 'ssl = no\ndisable_plaintext_auth = no\nlisten = 127.0.0.2\nlog_path = /var/log/dovecot.log\n' >/etc/dovecot/local.conf",
			"echo 'outgoing_server 127.0.0.2' >>/etc/perdition/perdition.conf",
			"sed -i 's/^POP3S=.*/POP3S=no/; s/^IMAP4S=.*/IMAP4S=no/; s/^IMAP4_FLAGS=.*/IMAP4_FLAGS=\"-l 10143\"/; s/^POP3_FLAGS=.*/POP3_FLAGS=\"-l 10110\"/; s/^MANAGESIEVE_FLAGS=.*/MANAGESIEVE_FLAGS=\"-l 14190\"/' /etc/default/perdition",
			"for p in pop3 imap4 managesieve; do install -d -o nobody /run/perdition.$p; done",
			"sed -i 's/^server_hostname .*/server_hostname 127.0.0.2/' /etc/imapproxy.conf",
		},
		units: []unit{
			{name: "dovecot", start: "exec /usr/sbin/dovecot -F", port: 143},
			{name: "perdition", start: "exec /etc/init.d/perdition restart", port: 10143},
			{name: "imapproxy", start: "/usr/share/imapproxy/prepare-chroot; exec /usr/sbin/imapproxyd -f /etc/imapproxy.conf", port: 1143},
		},
		listen: []int{143, 1143, 10110, 10143, 14190},
	},
}

// mailRootProofs are the proofs on mailRoots.
var mailRootProofs = []proof{
	{fix: "exim-interfaces", rule: "MXS1002", host: "fix-exim", port: 10025, product: "Exim", pkg: "exim4-daemon-light"},

	{fix: "cyrus-bind", rule: "MXS1101", host: "fix-cyrus", port: 10143, product: "Cyrus IMAP", pkg: "cyrus-imapd"},
	{fix: "cyrus-bind", rule: "MXS1102", host: "fix-cyrus", port: 10110, product: "Cyrus IMAP", pkg: "cyrus-imapd"},
	{fix: "cyrus-bind", rule: "MXS1103", host: "fix-cyrus", port: 14190, product: "Cyrus IMAP", pkg: "cyrus-imapd"},
	{fix: "cyrus-bind", rule: "MXS1105", host: "fix-cyrus", port: 24, product: "Cyrus IMAP", pkg: "cyrus-imapd"},
	{fix: "cyrus-bind", rule: "MXS1110", host: "fix-cyrus", port: 2005, product: "Cyrus IMAP", pkg: "cyrus-imapd"},
	{fix: "cyrus-cleartext", rule: "MXS1403", host: "fix-cyrus", port: 143, product: "Cyrus IMAP", pkg: "cyrus-imapd"},
	// The last one: it takes away what tells Cyrus from others.
	{fix: "cyrus-quiet", rule: "MXS1407", host: "fix-cyrus", port: 1143, product: "Cyrus IMAP", pkg: "cyrus-imapd"},

	{fix: "courier-imapd-port", rule: "MXS1101", host: "fix-courier", port: 10143, product: "Courier IMAP", pkg: "courier-imap"},
	{fix: "courier-pop3d-port", rule: "MXS1102", host: "fix-courier", port: 10110, product: "Courier POP3", pkg: "courier-pop"},
	{fix: "courier-tls-required", rule: "MXS1403", host: "fix-courier", port: 143, product: "Courier IMAP", pkg: "courier-imap"},

	{fix: "perdition-imap4-bind", rule: "MXS1101", host: "fix-proxy", port: 10143, product: "perdition", pkg: "perdition"},
	{fix: "perdition-pop3-bind", rule: "MXS1102", host: "fix-proxy", port: 10110, product: "perdition", pkg: "perdition"},
	{fix: "perdition-managesieve-bind", rule: "MXS1103", host: "fix-proxy", port: 14190, product: "perdition", pkg: "perdition"},
	{fix: "imapproxy-bind", rule: "MXS1101", host: "fix-proxy", port: 1143, product: "imapproxy", pkg: "imapproxy"},

	{fix: "opensmtpd-bind", rule: "MXS1002", host: "fix-opensmtpd", port: 10025, product: "OpenSMTPD", pkg: "opensmtpd"},
}
