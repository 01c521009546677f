"""Daemons that several hosts have, with what their configurations share."""

# The services of a Postfix that do not listen on the network.
MASTER = '''
pickup    unix  n - n 60 1 pickup
cleanup   unix  n - n - 0 cleanup
qmgr      unix  n - n 300 1 qmgr
tlsmgr    unix  - - n 1000? 1 tlsmgr
rewrite   unix  - - n - - trivial-rewrite
bounce    unix  - - n - 0 bounce
defer     unix  - - n - 0 bounce
trace     unix  - - n - 0 bounce
verify    unix  - - n - 1 verify
flush     unix  n - n 1000? 0 flush
proxymap  unix  - - n - - proxymap
proxywrite unix - - n - 1 proxymap
smtp      unix  - - n - - smtp
relay     unix  - - n - - smtp
showq     unix  n - n - - showq
error     unix  - - n - - error
retry     unix  - - n - - error
discard   unix  - - n - - discard
local     unix  - n n - - local
virtual   unix  - n n - - virtual
lmtp      unix  - - n - - lmtp
anvil     unix  - - n - 1 anvil
scache    unix  - - n - 1 scache
postlog   unix-dgram n - n - 1 postlogd
smtp-amavis unix - - n - 2 smtp
  -o smtp_data_done_timeout=1200
  -o disable_dns_lookups=yes
dnsblog   unix  - - n - 0 dnsblog
tlsproxy  unix  - - n - 0 tlsproxy
smtpd     pass  - - n - - smtpd
'''


def postfix(h, services, main=None):
    """Postfix with services, lines of master.cf, and further settings of main.cf."""
    h.certificate()
    conf = dict(compatibility_level='3.6', myhostname=h.fqdn, mydestination='$myhostname, localhost',
                inet_interfaces='all', inet_protocols='all', mynetworks='127.0.0.0/8 [::1]/128',
                smtpd_banner='$myhostname ESMTP $mail_name (Debian/GNU)', biff='no',
                maillog_file='/var/log/mail.log', smtpd_tls_cert_file='/etc/ssl/lab.pem',
                smtpd_tls_key_file='/etc/ssl/lab.key', smtpd_tls_security_level='may',
                smtpd_relay_restrictions='permit_mynetworks permit_sasl_authenticated defer_unauth_destination',
                alias_maps='', alias_database='', local_recipient_maps='', smtpd_peername_lookup='no')
    conf.update(main or {})
    h.file('/etc/postfix/main.cf', ''.join(f'{k} = {v}\n' for k, v in conf.items()))
    h.file('/etc/postfix/master.cf', MASTER + services)
    h.start('postfix', ['/usr/sbin/postfix', 'start-fg'])


# Takes back what a content filter has seen: where it listens, smtpd_delay_reject, and whom it trusts.
REINJECT = '''
%s inet n - n - - smtpd
  -o content_filter=
  -o smtpd_milters=
  -o local_recipient_maps=
  -o smtpd_delay_reject=%s
  -o smtpd_client_restrictions=permit_mynetworks,reject
  -o smtpd_helo_restrictions=
  -o smtpd_sender_restrictions=
  -o smtpd_recipient_restrictions=permit_mynetworks,reject
  -o mynetworks=%s
  -o strict_rfc821_envelopes=yes
  -o smtpd_error_sleep_time=0
'''
LOOPBACK = '127.0.0.0/8'
ANYBODY = '0.0.0.0/0,[::]/0'


def amavis(h, bind="'0.0.0.0'", ports='10024', acl='qw(0.0.0.0/0 ::/0)', extra='', children=10):
    """amavisd with Debian's own conf.d; without acl it takes connections from loopback alone.

    It has children processes, 2 in Debian: one connection more than that is accepted by the
    kernel and stays silent until a child is free.
    """
    h.file('/etc/amavis/conf.d/50-user', f'''use strict;
$myhostname = '{h.fqdn}';
$mydomain = 'lab.invalid';
$inet_socket_bind = [{bind}];
$inet_socket_port = [{ports}];
{'@inet_acl = ' + acl + ';' if acl else ''}
@bypass_virus_checks_maps = (1);
@bypass_spam_checks_maps = (1);
$sa_local_tests_only = 1;
$max_servers = {children};
$enable_db = 0;
$enable_global_cache = 0;
$DO_SYSLOG = 0;
$LOGFILE = '/var/log/amavis.log';
$log_level = 2;
{extra}
1;
''')
    h.file('/var/log/amavis.log', '', 0o644, 'amavis:amavis')
    h.mkdir('/run/amavis', 'amavis:amavis')
    h.mkdir('/var/lib/amavis/tmp', 'amavis:amavis', 0o750)
    h.start('amavisd', ['/usr/sbin/amavisd', '-u', 'amavis', '-g', 'amavis', 'foreground'])


def opendkim(h, socket, mode='v'):
    h.file('/etc/opendkim.conf', f'Syslog yes\nMode {mode}\nSocket {socket}\nUserID opendkim\n'
           'Domain lab.invalid\nSelector lab\nKeyFile /etc/ssl/dkim.key\nRequireSafeKeys no\n')
    h.run('openssl', 'genrsa', '-out', '/etc/ssl/dkim.key', '2048')
    h.run('chmod', '644', '/etc/ssl/dkim.key')
    h.mkdir('/run/opendkim', 'opendkim:opendkim')
    h.start('opendkim-' + socket.split('@')[0].replace(':', ''), ['/usr/sbin/opendkim', '-f', '-x', '/etc/opendkim.conf'])


def postgrey(h, where):
    h.mkdir('/var/lib/postgrey', 'postgrey:postgrey')
    h.start('postgrey', ['/usr/sbin/postgrey', '--inet=' + where, '--user=postgrey', '--group=postgrey',
                         '--dbdir=/var/lib/postgrey', '--pidfile=/run/postgrey.pid'])


def dovecot(h, protocols, body, ssl='yes'):
    h.certificate()
    h.user('vmail', '/var/mail/v')
    h.mkdir('/var/mail/v', 'vmail:vmail')
    h.file('/etc/dovecot/users', 'probe@lab.invalid:{PLAIN}labsecret::::::\nprobe:{PLAIN}labsecret::::::\n')
    h.file('/etc/dovecot/dovecot.conf', f'''protocols = {protocols}
listen = *, ::
base_dir = /run/dovecot
log_path = /var/log/dovecot.log
ssl = {ssl}
ssl_cert = </etc/ssl/lab.pem
ssl_key = </etc/ssl/lab.key
disable_plaintext_auth = no
mail_location = maildir:/var/mail/v/%n
mail_uid = vmail
mail_gid = vmail
passdb {{
  driver = passwd-file
  args = /etc/dovecot/users
}}
userdb {{
  driver = passwd-file
  args = /etc/dovecot/users
}}
{body}
''')
    h.start('dovecot', ['/usr/sbin/dovecot', '-F', '-c', '/etc/dovecot/dovecot.conf'])


# The ports of a Dovecot's IMAP, without and with TLS; 0 is none.
IMAP_PORTS = '''
service imap-login {
  inet_listener imap {
    port = %s
  }
  inet_listener imaps {
    port = %s
  }
}
'''


def haproxy(h, body):
    h.file('/etc/haproxy/haproxy.cfg', '''global
  log /dev/log local0
  maxconn 200
defaults
  mode tcp
  log global
  timeout connect 3s
  timeout client 60s
  timeout server 60s
''' + body)
    h.start('haproxy', ['/usr/sbin/haproxy', '-db', '-f', '/etc/haproxy/haproxy.cfg'])


def clamd(h, bind='0.0.0.0', port=3310):
    h.mkdir('/var/lib/clamlab', 'clamav:clamav')
    # It does not start without a signature: this is the one of the EICAR test file.
    h.file('/var/lib/clamlab/lab.hdb', '44d88612fea8a8f36de82e1278abb02f:68:Eicar-Test-Signature\n')
    h.mkdir('/run/clamav', 'clamav:clamav')
    h.file('/etc/clamav/clamd.conf', f'''TCPSocket {port}
TCPAddr {bind}
LocalSocket /run/clamav/clamd.ctl
DatabaseDirectory /var/lib/clamlab
Foreground yes
User clamav
LogTime yes
MaxThreads 4
''')
    h.start('clamd', ['/usr/sbin/clamd', '-c', '/etc/clamav/clamd.conf'])
