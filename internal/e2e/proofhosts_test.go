//go:build linux

package e2e

// proofSpecs are the hosts on which fixes are proven: the configuration that
// the packages bring, the smallest edit that exposes the daemon, and where
// mail flows, the entries that the packages' own manuals print.
var proofSpecs = []spec{
	{
		name: "fix-mail", n: 31,
		about: "Postfix with amavisd, OpenDKIM and OpenDMARC in the path of mail",
		setup: append(postfixSetup("fix-mail"),
			"postconf -e content_filter=smtp-amavis:[127.0.0.1]:10024 smtpd_milters=inet:127.0.0.1:8891,inet:127.0.0.1:8893 milter_default_action=tempfail",
			// README.postfix of amavisd-new, without "127.0.0.1:" before the port.
			`cat >>/etc/postfix/master.cf <<'END'
smtp-amavis unix -    -       n       -       2     smtp
    -o smtp_send_xforward_command=yes
    -o disable_dns_lookups=yes
    -o max_use=20
10025     inet  n    -       n       -       -     smtpd
    -o content_filter=
    -o smtpd_client_restrictions=permit_mynetworks,reject
    -o smtpd_recipient_restrictions=permit_mynetworks,reject
    -o mynetworks=127.0.0.0/8
    -o smtpd_authorized_xforward_hosts=127.0.0.0/8
    -o receive_override_options=no_header_body_checks,no_unknown_recipient_checks,no_milters
    -o smtpd_milters=
END`,
			"postconf -P smtp/inet/smtpd_authorized_xforward_hosts=10.79.0.0/24 smtp/inet/smtpd_authorized_xclient_hosts=10.79.0.0/24",
			`sed -i "s/^1;/\$inet_socket_bind = '0.0.0.0';\n@inet_acl = qw(127.0.0.1 10.79.0.0\/24);\n@local_domains_maps = (['.e2e.invalid']);\n1;/" /etc/amavis/conf.d/50-user`,
			"install -d -o amavis -g amavis /run/amavis /var/lib/amavis/tmp",
			`sed -i 's/^Socket.*/Socket inet:8891/' /etc/opendkim.conf`,
			`sed -i 's/^Socket.*/Socket inet:8893/' /etc/opendmarc.conf`,
			"install -d -o opendkim -g opendkim /run/opendkim",
			"install -d -o opendmarc -g opendmarc /run/opendmarc",
		),
		daemons: []daemon{postfixDaemon},
		units: []unit{
			{name: "amavis", start: "exec /usr/sbin/amavisd foreground", port: 10024},
			{name: "opendkim", start: "exec /usr/sbin/opendkim", port: 8891},
			{name: "opendmarc", start: "exec /usr/sbin/opendmarc", port: 8893},
		},
		listen: []int{25, 10024, 10025, 8891, 8893},
	},
	{
		name: "fix-spam", n: 32,
		about: "Postfix with spampd in the path of mail, behind the milters of ClamAV and SpamAssassin",
		setup: append(postfixSetup("fix-spam"),
			"postconf -e content_filter=smtp:[127.0.0.1]:10025 smtpd_milters=inet:127.0.0.1:7357,inet:127.0.0.1:8890 milter_default_action=tempfail",
			`cat >>/etc/postfix/master.cf <<'END'
127.0.0.1:10026 inet n - n - - smtpd
    -o content_filter=
    -o smtpd_milters=
    -o smtpd_recipient_restrictions=permit_mynetworks,reject
    -o mynetworks=127.0.0.0/8
END`,
			"sed -i 's/^LISTENHOST=.*/LISTENHOST=0.0.0.0/' /etc/default/spampd",
			"echo 'SOCKET=\"inet:8890@0.0.0.0\"' >>/etc/default/spamass-milter",
			"sed -i 's/-u spamass-milter//' /etc/default/spamass-milter",
			`sed -i 's/^OPTIONS=.*/OPTIONS="--create-prefs --max-children 2 --listen=0.0.0.0 --allowed-ips=127.0.0.1,10.79.0.0\/24"/' /etc/default/spamd`,
			"printf 'TCPSocket 3310\\n' >>/etc/clamav/clamd.conf",
			"rm -rf /var/lib/clamav && install -d -o clamav -g clamav /var/lib/clamav /run/clamav",
			// One signature: that of a text which no mail has.
			"echo 'Test.E2E:0:*:6d787377656570206e6f742061207669727573' >/var/lib/clamav/e2e.ndb",
			"sed -i 's/^MilterSocket .*/MilterSocket inet:7357/; s/^ClamdSocket .*/ClamdSocket tcp:127.0.0.1:3310/' /etc/clamav/clamav-milter.conf",
		),
		daemons: []daemon{postfixDaemon},
		units: []unit{
			{name: "spampd", start: "/usr/share/spampd/process_arguments.sh; exec /usr/sbin/spampd --setsid $(sed 's/.*= \"\\(.*\\)\"/\\1/' /run/spampd/spampd.arguments)", port: 10025},
			{name: "spamd", start: ". /etc/default/spamd; exec /usr/sbin/spamd --pidfile=/run/spamd.pid $OPTIONS", port: 783},
			{name: "spamass-milter", start: ". /etc/default/spamass-milter; exec /usr/sbin/spamass-milter -p $SOCKET $OPTIONS", port: 8890},
			{name: "clamav-daemon", start: "exec /usr/sbin/clamd --foreground=true", port: 3310},
			{name: "clamav-milter", start: "while ! ss -Hltn 'sport = :3310' | grep -q .; do sleep 0.2; done; exec /usr/sbin/clamav-milter --config-file=/etc/clamav/clamav-milter.conf", port: 7357},
		},
		listen: []int{25, 783, 3310, 7357, 8890, 10025, 10026},
	},
	{
		name: "fix-store", n: 33,
		about: "Dovecot as packaged with further listeners behind Postfix, and HAProxy and nginx in front of it",
		setup: append(postfixSetup("fix-store"),
			"postconf -e mailbox_transport=lmtp:inet:127.0.0.1:24",
			"sed -i 's,^\\(alice:.*\\):/nonexistent:,\\1:/var/lib/alice:,' /etc/passwd && install -d -o 1999 -g 1999 /var/lib/alice",
			"rm -rf /etc/dovecot && cp -r /usr/share/dovecot /etc/dovecot",
			"sed -i 's,/etc/dovecot/private/dovecot.pem,/etc/ssl/e2e.pem,; s,/etc/dovecot/private/dovecot.key,/etc/ssl/e2e.key,' /etc/dovecot/conf.d/10-ssl.conf",
			"sed -i 's/^#disable_plaintext_auth = .*/disable_plaintext_auth = no/' /etc/dovecot/conf.d/10-auth.conf",
			`cat >/etc/dovecot/local.conf <<'END'
log_path = /var/log/dovecot.log
mail_location = maildir:~/Maildir
auth_username_format = %Ln
doveadm_password = e2e-e2e-e2e
service imap-login {
  inet_listener webmail {
    port = 10143
  }
}
service lmtp {
  inet_listener lmtp {
    port = 24
  }
}
service auth {
  inet_listener {
    port = 12345
  }
}
service doveadm {
  inet_listener {
    port = 24245
  }
}
END`,
			`cat >>/etc/haproxy/haproxy.cfg <<'END'

listen imap
	mode tcp
	option tcplog
	bind :10144
	server store 127.0.0.1:143
END`,
			"install -d /run/haproxy",
			`cat >>/etc/nginx/nginx.conf <<'END'
mail {
	server_name front.e2e.invalid;
	auth_http 127.0.0.1:9;
	server {
		listen 10110;
		protocol pop3;
	}
}
END`,
			"rm -f /etc/nginx/sites-enabled/*",
		),
		daemons: []daemon{postfixDaemon},
		units: []unit{
			{name: "dovecot", start: "exec /usr/sbin/dovecot -F", port: 24},
			{name: "haproxy", start: "exec /usr/sbin/haproxy -Ws -f /etc/haproxy/haproxy.cfg -p /run/haproxy.pid -S /run/haproxy-master.sock", port: 10144, reload: "kill -USR2 $(cat /run/haproxy.pid)"},
			{name: "nginx", start: "exec /usr/sbin/nginx -g 'daemon off; master_process on;'", port: 10110},
		},
		listen: []int{24, 25, 143, 10110, 10143, 10144, 12345, 24245},
		boxes:  "/var/lib/alice",
	},
	{
		name: "fix-policy", n: 34,
		about: "policy daemons and a table server",
		setup: []string{
			`sed -i 's/^POSTGREY_OPTS=.*/POSTGREY_OPTS="--inet=0.0.0.0:10023"/' /etc/default/postgrey`,
			"install -d -o postgrey -g postgrey /var/lib/postgrey",
			`sed -i 's/^SOCKET:.*/SOCKET: ["0.0.0.0", 8552]/' /etc/policyd-rate-limit.yaml`,
			"install -d -o policyd-rate-limit -g policyd-rate-limit /run/policyd-rate-limit /var/lib/policyd-rate-limit",
			"printf '$BIND_ADDRESS = \"all\";\\n1;\\n' >/etc/policyd-weight.conf",
			"sed -i 's/^SRS_LISTEN_ADDR=.*/SRS_LISTEN_ADDR=0.0.0.0/' /etc/default/postsrsd",
			"test -s /etc/postsrsd.secret || echo e2e-e2e-e2e >/etc/postsrsd.secret",
			"cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf",
			"grep -q ^SRS_DOMAIN= /etc/default/postsrsd || echo SRS_DOMAIN=e2e.invalid >>/etc/default/postsrsd",
			"sed -i 's/^INET=.*/INET=0.0.0.0/' /etc/default/postfwd",
			"echo 'id=R01; protocol_state==RCPT; action=rate(client_address/50/3600/REJECT too many)' >/etc/postfix/postfwd.cf",
		},
		units: []unit{
			{name: "postgrey", start: `. /etc/default/postgrey; exec /usr/sbin/postgrey $POSTGREY_OPTS`, port: 10023},
			{name: "policyd-rate-limit", start: "exec /usr/bin/policyd-rate-limit", port: 8552},
			{name: "policyd-weight", start: "exec /usr/sbin/policyd-weight -f /etc/policyd-weight.conf start", port: 12525},
			{name: "postfwd", start: ". /etc/default/postfwd; exec /usr/sbin/postfwd $ARGS --daemon --file $CONF --interface $INET --port $PORT --user $RUNAS --group $RUNAS --pidfile /run/postfwd.pid", stop: "/usr/sbin/postfwd --file /etc/postfix/postfwd.cf --pidfile /run/postfwd.pid --kill", port: 10040},
			{name: "postsrsd", start: "exec /usr/share/postsrsd/postsrsd-systemd-launcher", port: 10001},
		},
		listen: []int{8552, 10001, 10023, 10040, 12525},
	},
	{
		name: "fix-greylist", n: 36, intrusive: true,
		about: "SQLgrey, which replies to nothing but requests that it writes down",
		setup: []string{
			// The smallest of the databases that sqlgrey.conf names.
			"printf 'inet = 0.0.0.0:2501\\ndb_type = SQLite\\ndb_name = /var/lib/sqlgrey/sqlgrey.db\\n' >>/etc/sqlgrey/sqlgrey.conf",
			"install -d -o sqlgrey -g sqlgrey /var/lib/sqlgrey",
		},
		units:  []unit{{name: "sqlgrey", start: "exec /usr/sbin/sqlgrey --pidfile=/run/sqlgrey.pid", port: 2501}},
		listen: []int{2501},
	},
	{
		name: "fix-scan", n: 35,
		about: "Postfix with Rspamd as its milter, and the store beside it",
		setup: append(postfixSetup("fix-scan"),
			"postconf -e smtpd_milters=inet:127.0.0.1:11332 milter_default_action=tempfail",
			`echo 'bind_socket = "*:11332";' >/etc/rspamd/local.d/worker-proxy.inc`,
			`echo 'bind_socket = "*:11333";' >/etc/rspamd/local.d/worker-normal.inc`,
			`echo 'bind_socket = "*:11334";' >/etc/rspamd/local.d/worker-controller.inc`,
			"install -d -o _rspamd -g _rspamd /run/rspamd /var/lib/rspamd /var/log/rspamd",
			"sed -i 's/^-l .*/-l 0.0.0.0/' /etc/memcached.conf",
			"install -d -o memcache /run/memcached",
		),
		daemons: []daemon{postfixDaemon},
		units: []unit{
			{name: "rspamd", start: "exec /usr/bin/rspamd -c /etc/rspamd/rspamd.conf -f -u _rspamd -g _rspamd", port: 11333},
			{name: "memcached", start: "exec /usr/share/memcached/scripts/systemd-memcached-wrapper /etc/memcached.conf", port: 11211},
		},
		listen: []int{25, 11211, 11332, 11333, 11334},
	},
}

// postfixSetup is Postfix as its package sets it up for mail of its own name,
// and a user with a mailbox.
func postfixSetup(name string) []string {
	fqdn := name + ".e2e.invalid"
	return []string{
		"cp /usr/share/postfix/main.cf.debian /etc/postfix/main.cf",
		"cp /usr/share/postfix/master.cf.dist /etc/postfix/master.cf",
		"postconf -e myhostname=" + fqdn + " mydestination=" + fqdn + " mynetworks=127.0.0.0/8 maillog_file=/var/log/mail.log alias_maps= alias_database= smtpd_peername_lookup=no",
		"postconf -F '*/*/chroot=n'",
		"echo 'alice:x:1999:1999::/nonexistent:/bin/sh' >>/etc/passwd",
		"rm -f /var/mail/alice",
	}
}
