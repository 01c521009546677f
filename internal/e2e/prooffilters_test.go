//go:build linux

package e2e

// filterHosts are hosts of filters, list servers and further MTAs, each in the
// path of mail.
var filterHosts = []spec{
	{
		name: "fix-virus", n: 37,
		about: "Postfix with ClamSMTP in the path of mail",
		setup: append(postfixSetup("fix-virus"),
			"postconf -e content_filter=smtp:[127.0.0.1]:10026",
			`cat >>/etc/postfix/master.cf <<'END'
127.0.0.1:10025 inet n - n - - smtpd
    -o content_filter=
    -o smtpd_recipient_restrictions=permit_mynetworks,reject
    -o mynetworks=127.0.0.0/8
END`,
			"rm -rf /var/lib/clamav && install -d -o clamav -g clamav /var/lib/clamav /run/clamav",
			"echo 'Test.E2E:0:*:6d787377656570206e6f742061207669727573' >/var/lib/clamav/e2e.ndb",
			// As clamsmtpd.conf(5) has it, with the ports of Postfix's own guide.
			"sed -i 's/^OutAddress:.*/OutAddress: 127.0.0.1:10025/; s/^Listen:.*/Listen: 0.0.0.0:10026/' /etc/clamsmtpd.conf",
			"install -d -o clamsmtp -g clamsmtp /run/clamsmtp /var/spool/clamsmtp",
		),
		daemons: []daemon{postfixDaemon},
		units: []unit{
			{name: "clamav-daemon", start: "exec /usr/sbin/clamd --foreground=true"},
			{name: "clamsmtp", start: "while ! [ -S /run/clamav/clamd.ctl ]; do sleep 0.2; done; exec /usr/sbin/clamsmtpd -d 1 -f /etc/clamsmtpd.conf", port: 10026},
		},
		listen: []int{25, 10025, 10026},
	},
	{
		name: "fix-milters", n: 38,
		about: "Postfix with milters that sign, look up SPF and run Perl",
		setup: append(postfixSetup("fix-milters"),
			"postconf -e smtpd_milters=inet:127.0.0.1:8890,inet:127.0.0.1:8894,inet:127.0.0.1:8892 milter_default_action=tempfail",
			"echo 'SOCKET=inet:8890@0.0.0.0' >>/etc/default/mimedefang",
			"install -d -o defang -g defang /run/mimedefang /var/spool/MIMEDefang",
			"sed -i 's/^Socket .*/Socket = inet:8894@0.0.0.0/' /etc/pyspf-milter/pyspf-milter.conf",
			"install -d -o pyspf-milter -g pyspf-milter /run/pyspf-milter",
			"echo 'Socket inet:8892@0.0.0.0' >>/etc/dkimpy-milter/dkimpy-milter.conf",
			"install -d -o dkimpy-milter -g dkimpy-milter /run/dkimpy-milter",
		),
		daemons: []daemon{postfixDaemon},
		units: []unit{
			{name: "mimedefang-multiplexor", start: "rm -f /var/spool/MIMEDefang/mimedefang-multiplexor.sock; exec /usr/bin/mimedefang-multiplexor -D -m 1 -x 2 -b 600 -l -U defang -s /var/spool/MIMEDefang/mimedefang-multiplexor.sock"},
			{name: "mimedefang", start: ". /etc/default/mimedefang; exec /usr/bin/mimedefang -D -m /var/spool/MIMEDefang/mimedefang-multiplexor.sock -U defang -p $SOCKET", port: 8890},
			// systemd removes the file of PIDFile= once a unit has ended.
			{name: "pyspf-milter", start: "rm -f /run/pyspf-milter/pyspf-milter.pid; exec /usr/bin/pyspf-milter /etc/pyspf-milter/pyspf-milter.conf", port: 8894},
			{name: "dkimpy-milter", start: "rm -f /run/dkimpy-milter/dkimpy-milter.pid; exec /usr/bin/dkimpy-milter /etc/dkimpy-milter/dkimpy-milter.conf -P /run/dkimpy-milter/dkimpy-milter.pid", port: 8892},
		},
		listen: []int{25, 8890, 8892, 8894},
	},
	{
		name: "fix-trust", n: 39, intrusive: true,
		about: "Postfix that relays for strangers and takes passwords in clear",
		setup: append(postfixSetup("fix-trust"),
			"postconf -e smtpd_tls_cert_file=/etc/ssl/e2e.pem smtpd_tls_key_file=/etc/ssl/e2e.key smtpd_tls_security_level=may smtpd_sasl_type=dovecot smtpd_sasl_path=private/auth",
			`cat >>/etc/postfix/master.cf <<'END'
submission inet n - n - - smtpd
    -o smtpd_sasl_auth_enable=yes
10025     inet  n    -       n       -       -     smtpd
    -o mynetworks=0.0.0.0/0
END`,
			"rm -rf /etc/dovecot && cp -r /usr/share/dovecot /etc/dovecot",
			"sed -i 's,/etc/dovecot/private/dovecot.pem,/etc/ssl/e2e.pem,; s,/etc/dovecot/private/dovecot.key,/etc/ssl/e2e.key,' /etc/dovecot/conf.d/10-ssl.conf",
			`cat >/etc/dovecot/local.conf <<'END'
protocols = imap
ssl = no
disable_plaintext_auth = no
listen = 127.0.0.1
log_path = /var/log/dovecot.log
service auth {
  unix_listener /var/spool/postfix/private/auth {
    mode = 0666
  }
}
END`,
		),
		daemons: []daemon{dovecotDaemon, postfixDaemon},
		listen:  []int{25, 143, 587, 10025},
	},
	{
		name: "fix-lists", n: 46, ownPackages: true,
		about: "Postfix before Mailman, whose list alice has one member, carol",
		setup: append(postfixSetup("fix-lists"),
			"postconf -e transport_maps='inline:{alice@fix-lists.e2e.invalid=lmtp:[127.0.0.1]:8024}' local_recipient_maps=",
			"echo 'carol:x:1998:1998::/nonexistent:/bin/sh' >>/etc/passwd",
			"sed -i 's/^lmtp_host:.*/lmtp_host: 0.0.0.0/; /^.webservice/,/^hostname/s/^hostname:.*/hostname: 0.0.0.0/' /etc/mailman3/mailman.cfg",
			"install -d -o list -g list /run/mailman3 /var/log/mailman3 /var/lib/mailman3",
			`cat >/usr/lib/python3/dist-packages/e2elist.py <<'END'
from mailman.config import config
from mailman.interfaces.action import Action
from mailman.interfaces.usermanager import IUserManager
from mailman.utilities.datetime import now
from zope.component import getUtility

def e2elist(mlist):
    mlist.default_nonmember_action = Action.accept
    mlist.subject_prefix = ''
    mlist.send_welcome_message = False
    address = getUtility(IUserManager).create_address('carol@fix-lists.e2e.invalid')
    address.verified_on = now()
    mlist.subscribe(address)
    config.db.commit()
END`,
			asList+"create alice@fix-lists.e2e.invalid",
			asList+"shell -l alice@fix-lists.e2e.invalid -r e2elist",
		),
		daemons: []daemon{postfixDaemon},
		units: []unit{
			{name: "mailman3", start: "exec " + asList + "start --force", stop: asList + "stop", port: 8024},
		},
		listen: []int{25, 8001, 8024},
		boxes:  "/var/mail/carol",
		queue:  "postqueue -j; find /var/lib/mailman3/queue -name '*.pck'",
	},
	{
		name: "fix-sendmail", n: 47, ownPackages: true,
		about: "Sendmail with a second listener, as a filter needs it to hand mail back",
		setup: []string{
			"sed -i \"s/, Addr=127.0.0.1')/')/; /^DAEMON_OPTIONS.*MSP-v4/d\" /etc/mail/sendmail.mc",
			"sed -i \"/^DAEMON_OPTIONS.*MTA-v4/aDAEMON_OPTIONS(\\`Family=inet, Name=IN-v4, Port=10025')dnl\\nFEATURE(\\`accept_unresolvable_domains')dnl\" /etc/mail/sendmail.mc",
			"make -C /etc/mail",
			"install -d -o smmta -g smmsp /run/sendmail /run/sendmail/mta /run/sendmail/msp /run/sendmail/stampdir",
			"echo 'alice:x:1999:1999::/nonexistent:/bin/sh' >>/etc/passwd",
		},
		units: []unit{
			{name: "sendmail", start: "exec /usr/sbin/sendmail -L sm-mta -bD -q10m", port: 25},
		},
		listen: []int{25, 10025},
		queue:  "mailq | grep -v -e ' is empty$' -e 'Total requests: 0$' -e ' Queue status...$' || :",
	},
	{
		name: "fix-esmtpd", n: 48, ownPackages: true,
		about: "Courier with a second listener, as a filter needs it to hand mail back",
		setup: []string{
			"sed -i 's/^PORT=smtp/PORT=smtp,10025/; s/^MAXPERIP=.*/MAXPERIP=40/; s/^MAXPERC=.*/MAXPERC=40/; s/^BOFHCHECKDNS=.*/BOFHCHECKDNS=0/' /etc/courier/esmtpd",
			"echo fix-esmtpd.e2e.invalid >/etc/courier/me",
			"printf 'localhost\nfix-esmtpd.e2e.invalid\n' >/etc/courier/locals",
			"install -d -o courier -g courier /run/courier /run/courier/authdaemon",
			"echo 'alice:x:1999:1999::/home/alice:/bin/sh' >>/etc/passwd && install -d -o 1999 -g 1999 /home/alice",
			"setpriv --reuid=1999 --regid=1999 --clear-groups maildirmake.courier /home/alice/Maildir",
			"makealiases; makesmtpaccess",
		},
		units: []unit{
			{name: "courier-authdaemon", start: "exec /usr/sbin/authdaemond start"},
			{name: "courier", start: "exec /usr/sbin/courier start", stop: "/usr/sbin/courier stop"},
			{name: "courier-mta", start: "exec /usr/sbin/esmtpd start", stop: "/usr/sbin/esmtpd stop", port: 25},
		},
		listen: []int{25, 10025},
		boxes:  "/home/alice/Maildir",
		queue:  "find /var/lib/courier/msgs -type f",
	},
	{
		name: "fix-sogo", n: 52, ownPackages: true,
		about: "SOGo as packaged, reached past the web server",
		setup: []string{
			"sed -i '/^{/a  WOPort = 0.0.0.0:20000;' /etc/sogo/sogo.conf",
			"install -d -o sogo -g sogo /run/sogo /var/log/sogo",
		},
		units: []unit{
			{name: "sogo", start: "exec setpriv --reuid=sogo --regid=sogo --init-groups /usr/sbin/sogod -WOWorkersCount 3 -WOPidFile /run/sogo/sogo.pid -WOLogFile /var/log/sogo/sogo.log", port: 20000},
		},
		listen: []int{20000},
	},
}

// asList runs mailman as its unit does.
const asList = "setpriv --reuid=list --regid=list --init-groups /usr/bin/mailman -C /etc/mailman3/mailman.cfg "

// filterProofs are the proofs on filterHosts.
var filterProofs = []proof{
	{fix: "clamsmtp-bind", rule: "MXS1005", host: "fix-virus", port: 10026, product: "clamsmtp", pkg: "clamsmtp"},

	{fix: "postfix-no-relay", rule: "MXS1003", host: "fix-trust", port: 10025, product: "Postfix", pkg: "postfix"},
	{fix: "postfix-tls-auth-only", rule: "MXS1403", host: "fix-trust", port: 587, product: "Postfix", pkg: "postfix"},

	{fix: "mimedefang-bind", rule: "MXS1203", host: "fix-milters", port: 8890, product: "MIMEDefang", pkg: "mimedefang"},
	{fix: "dkimpy-bind", rule: "MXS1204", host: "fix-milters", port: 8892, product: "dkimpy-milter", pkg: "dkimpy-milter"},
	{fix: "pyspf-bind", rule: "MXS1203", host: "fix-milters", port: 8894, product: "pyspf-milter", pkg: "pyspf-milter"},

	{fix: "mailman-lmtp", rule: "MXS1105", host: "fix-lists", port: 8024, product: "Mailman", pkg: "mailman3"},
	{fix: "mailman-rest", rule: "MXS1305", host: "fix-lists", port: 8001, product: "Mailman", pkg: "mailman3"},

	{fix: "sendmail-daemon", rule: "MXS1002", host: "fix-sendmail", port: 10025, product: "Sendmail", pkg: "sendmail-bin"},
	{fix: "courier-esmtpd-port", rule: "MXS1002", host: "fix-esmtpd", port: 10025, product: "Courier ESMTP", pkg: "courier-mta"},
	{fix: "sogo-port", rule: "MXS1302", host: "fix-sogo", port: 20000, product: "SOGo", pkg: "sogo"},
}
