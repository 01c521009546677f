"""Mail transfer agents: Postfix with amavisd, and others."""
from .daemons import LOOPBACK, REINJECT, amavis, opendkim, postfix, postgrey
from .host import host


@host('classic-open')
def classic_open(h):
    postfix(h, '25 inet n - n - - smtpd\n587 inet n - n - - smtpd\n  -o syslog_name=postfix/submission\n'
            '  -o smtpd_tls_security_level=encrypt\n' + REINJECT % ('10025', 'no', LOOPBACK),
            {'content_filter': 'smtp-amavis:[127.0.0.1]:10024', 'smtpd_milters': 'inet:127.0.0.1:8891',
             'milter_default_action': 'accept',
             'smtpd_recipient_restrictions': 'reject_unauth_destination check_policy_service inet:127.0.0.1:10023'})
    amavis(h, ports='10024, 10026, 9998', extra='''
$interface_policy{'10026'} = 'ORIGINATING';
$policy_bank{'ORIGINATING'} = { originating => 1, forward_method => 'smtp:[127.0.0.1]:10027' };
$interface_policy{'9998'} = 'AM.PDP-INET';
$policy_bank{'AM.PDP-INET'} = { protocol => 'AM.PDP', inet_acl => [qw(0.0.0.0/0 ::/0)] };
''')
    opendkim(h, 'inet:8891@0.0.0.0')
    postgrey(h, '0.0.0.0:10023')


@host('classic-closed')
def classic_closed(h):
    postfix(h, '25 inet n - n - - smtpd\n587 inet n - n - - smtpd\n  -o smtpd_tls_security_level=encrypt\n'
            + REINJECT % ('127.0.0.1:10025', 'no', LOOPBACK),
            {'content_filter': 'smtp-amavis:[127.0.0.1]:10024', 'smtpd_milters': 'inet:127.0.0.1:8891',
             'milter_default_action': 'accept',
             'smtpd_recipient_restrictions': 'reject_unauth_destination check_policy_service inet:127.0.0.1:10023'})
    amavis(h, bind="'127.0.0.1'", acl=None, children=2)
    opendkim(h, 'inet:8891@127.0.0.1')
    postgrey(h, '127.0.0.1:10023')


@host('classic-acl')
def classic_acl(h):
    postfix(h, '25 inet n - n - 1 postscreen\n' + REINJECT % ('10025', 'yes', LOOPBACK) +
            '10029 inet n - n - - smtpd\n  -o smtpd_upstream_proxy_protocol=haproxy\n'
            '10030 inet n - n - 1 postscreen\n  -o postscreen_upstream_proxy_protocol=haproxy\n'
            '10465 inet n - n - - smtpd\n  -o smtpd_tls_wrappermode=yes\n'
            '628 inet n - n - - qmqpd\n',
            {'postscreen_greet_action': 'enforce', 'postscreen_cache_map': 'btree:$data_directory/psc_$process_id',
             'qmqpd_authorized_clients': '127.0.0.1'})
    amavis(h, bind="'0.0.0.0'", acl=None, ports='10024, 10028', children=2, extra='''
$interface_policy{'10028'} = 'LMTPB';
$policy_bank{'LMTPB'} = { protocol => 'LMTP', inet_acl => [qw(0.0.0.0/0 ::/0)] };
''')


# A server of LMTP in a few lines; aiosmtpd's own command speaks SMTP alone.
AIO_LMTP = '''
import asyncio, sys
from aiosmtpd.lmtp import LMTP
from aiosmtpd.handlers import Sink
async def main():
    loop = asyncio.get_running_loop()
    s = await loop.create_server(lambda: LMTP(Sink(), enable_SMTPUTF8=True), '0.0.0.0', int(sys.argv[1]))
    await s.serve_forever()
asyncio.run(main())
'''


@host('odd-smtp')
def odd_smtp(h):
    h.file('/etc/qpsmtpd/me', h.fqdn + '\n')
    h.mkdir('/var/spool/qpsmtpd', 'qpsmtpd:qpsmtpd', 0o700)
    h.mkdir('/run/qpsmtpd', 'qpsmtpd:qpsmtpd')
    h.start('qpsmtpd', ['/usr/bin/qpsmtpd-forkserver', '-p', '10025', '-l', '0.0.0.0', '-u', 'qpsmtpd', '-c', '20', '-m', '20'],
            env={'QPSMTPD_CONFIG': '/etc/qpsmtpd'})
    h.start('aiosmtpd', ['/usr/bin/aiosmtpd', '-n', '-l', '0.0.0.0:10024', '-c', 'aiosmtpd.handlers.Sink'])
    h.file('/usr/local/bin/aiolmtp', AIO_LMTP)
    h.start('aiolmtp', ['/usr/bin/python3', '/usr/local/bin/aiolmtp', '10026'])
    h.start('smtpd.py', ['/usr/bin/python3', '-W', 'ignore', '-m', 'smtpd', '-n', '-c', 'DebuggingServer', '0.0.0.0:10027'])
    h.start('smtp-sink', ['/usr/sbin/smtp-sink', '-u', 'nobody', '0.0.0.0:10028', '100'])


@host('mailman')
def mailman(h):
    h.mkdir('/var/lib/mailman3', 'list:list')
    h.mkdir('/var/log/mailman3', 'list:list')
    h.mkdir('/run/mailman3', 'list:list')
    h.file('/etc/mailman3/mailman.cfg', '''[mailman]
site_owner: root@lab.invalid
layout: debian
[paths.debian]
var_dir: /var/lib/mailman3
bin_dir: /usr/lib/mailman3/bin
log_dir: /var/log/mailman3
lock_dir: /var/lib/mailman3/locks
pid_file: /run/mailman3/master.pid
[database]
class: mailman.database.sqlite.SQLiteDatabase
url: sqlite:////var/lib/mailman3/mailman.db
[webservice]
hostname: 0.0.0.0
port: 8001
admin_user: restadmin
admin_pass: labsecret
[mta]
incoming: mailman.mta.null.NullMTA
lmtp_host: 0.0.0.0
lmtp_port: 8024
''')
    h.start('mailman', ['/usr/lib/mailman3/bin/master', '-C', '/etc/mailman3/mailman.cfg', '--force'], user='list', group='list')


@host('exim', roots=['exim'])
def exim(h):
    h.user('Debian-exim', '/var/spool/exim4')
    for d in ('/var/spool/exim4', '/var/log/exim4', '/run/exim4'):
        h.mkdir(d, 'Debian-exim:Debian-exim')
    h.certificate()
    h.file('/etc/exim4/exim4.conf', f'''primary_hostname = {h.fqdn}
daemon_smtp_ports = 25 : 10025 : 10026 : 10465
tls_on_connect_ports = 10465
local_interfaces = <; 0.0.0.0 ; ::0
tls_advertise_hosts = *
tls_certificate = /etc/ssl/lab.pem
tls_privatekey = /etc/ssl/lab.key
host_lookup =
rfc1413_hosts =
never_users = root
acl_smtp_rcpt = acl_rcpt
acl_smtp_connect = acl_conn
begin acl
acl_conn:
  deny condition = ${{if eq{{$interface_port}}{{10026}}}}
       hosts = !127.0.0.1
       message = go away
  accept
acl_rcpt:
  deny message = no
begin routers
begin transports
begin retry
begin rewrite
begin authenticators
''')
    h.start('exim', ['/usr/sbin/exim4', '-bdf', '-q30m'])


@host('opensmtpd', roots=['opensmtpd'])
def opensmtpd(h):
    h.user('opensmtpd', '/var/lib/opensmtpd/empty')
    h.user('opensmtpq')
    h.mkdir('/var/lib/opensmtpd/empty')
    h.mkdir('/var/spool/smtpd', mode=0o711)
    h.mkdir('/var/empty')
    h.file('/etc/smtpd.conf', f'''listen on 0.0.0.0 port 25 hostname {h.fqdn}
listen on 0.0.0.0 port 10025 hostname {h.fqdn}
listen on 0.0.0.0 port 10028 tag DKIM_OUT hostname {h.fqdn}
action "local" mbox
match for local action "local"
''')
    h.file('/etc/aliases', 'root: nobody\n')
    h.start('smtpd', ['/usr/sbin/smtpd', '-d', '-f', '/etc/smtpd.conf'])
