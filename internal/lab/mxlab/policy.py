"""Policy daemons that Postfix asks, and a table that it looks things up in."""
import re

from .daemons import IMAP_PORTS, dovecot, postfix, postgrey
from .host import host


@host('policy-a')
def policy_a(h):
    h.mkdir('/run/policyd-weight', 'polw:polw', 0o700)
    h.file('/etc/policyd-weight.conf', '''$BIND_ADDRESS = 'all';
$TCP_PORT = 12525;
$LOCKPATH = '/run/policyd-weight/';
$PIDFILE = '/run/policyd-weight.pid';
$DNS_RETRIES = 1;
$DNS_RETRY_IVAL = 1;
1;
''')
    h.start('policyd-weight', ['/usr/sbin/policyd-weight', '-D', '-f', '/etc/policyd-weight.conf', 'start'])
    h.file('/etc/postfix/postfwd.cf', 'id=R01; recipient==nobody@lab.invalid; action=REJECT no such luck\n')
    h.mkdir('/run/postfwd', 'nobody:nogroup')
    h.start('postfwd1', ['/usr/sbin/postfwd1', '--file=/etc/postfix/postfwd.cf', '--interface=0.0.0.0', '--port=10040',
                         '--user=nobody', '--group=nogroup', '--nodns', '--daemon', '--pidfile=/run/postfwd1.pid'], restart=False)
    h.start('postfwd2', ['/usr/sbin/postfwd2', '--file=/etc/postfix/postfwd.cf', '--interface=0.0.0.0', '--port=10031',
                         '--user=nobody', '--group=nogroup', '--nodns', '--pidfile=/run/postfwd/postfwd2.pid'], restart=False)
    h.mkdir('/var/lib/policyd-rate-limit', 'policyd-rate-limit:policyd-rate-limit')
    h.mkdir('/run/policyd-rate-limit', 'policyd-rate-limit:policyd-rate-limit')
    with open('/etc/policyd-rate-limit.yaml') as f:
        text = f.read()
    for key, value in (('SOCKET', '["0.0.0.0", 8552]'), ('backend', '0'), ('limit_by_ip', 'True')):
        text = re.sub(f'(?m)^{key}:.*$', f'{key}: {value}', text)
    h.file('/etc/policyd-rate-limit.yaml', text)
    h.start('policyd-rate-limit', ['/usr/bin/policyd-rate-limit'])
    postfix(h, '25 inet n - n - - smtpd\n10032 inet n n n - 0 spawn user=policyd-spf argv=/usr/bin/policyd-spf\n')
    h.user('policyd-spf')
    h.start('spf-perl', ['/usr/bin/socat', 'TCP4-LISTEN:10033,fork,reuseaddr',
                         'EXEC:/usr/sbin/postfix-policyd-spf-perl,su=nobody'])


@host('policy-b')
def policy_b(h):
    postgrey(h, '0.0.0.0:10031')
    h.mkdir('/var/lib/sqlgrey', 'sqlgrey:sqlgrey')
    h.file('/etc/sqlgrey/sqlgrey.conf', 'loglevel = 3\nuser = sqlgrey\ngroup = sqlgrey\nconfdir = /etc/sqlgrey\n'
           'inet = 0.0.0.0:2501\npidfile = /run/sqlgrey.pid\ndb_type = SQLite\ndb_name = /var/lib/sqlgrey/sqlgrey.db\n'
           'admin_mail =\nprepend = 1\n')
    h.start('sqlgrey', ['/usr/sbin/sqlgrey'])
    h.file('/etc/postfix/postfwd.cf', 'id=R01; recipient==nobody@lab.invalid; action=REJECT no such luck\n')
    h.start('postfwd1', ['/usr/sbin/postfwd1', '--file=/etc/postfix/postfwd.cf', '--interface=0.0.0.0', '--port=10023',
                         '--user=nobody', '--group=nogroup', '--nodns', '--daemon', '--pidfile=/run/postfwd1.pid'], restart=False)
    dovecot(h, 'imap', '''mail_plugins = quota
plugin {
  quota = maildir:User quota
  quota_grace = 10%
  quota_status_success = DUNNO
  quota_status_nouser = DUNNO
  quota_status_overquota = "552 5.2.2 Mailbox is full"
}
service quota-status {
  executable = quota-status -p postfix
  inet_listener {
    port = 12340
  }
  client_limit = 1
}
''' + IMAP_PORTS % (0, 993))
    h.file('/etc/postsrsd.secret', 'labsecretlabsecret\n')
    h.start('postsrsd', ['/usr/sbin/postsrsd', '-dlab.invalid', '-s/etc/postsrsd.secret', '-l0.0.0.0', '-f10001', '-r10002', '-unobody'])
