"""Where mail is kept and fetched: IMAP, POP3, LMTP and sieve servers, and the proxies before them."""
from .daemons import IMAP_PORTS, dovecot, haproxy
from .host import HOSTS, host

ALL_OF_DOVECOT = '''
service imap-login {
  inet_listener imap {
    port = 10143
  }
  inet_listener imaps {
    port = 10993
    ssl = yes
  }
  inet_listener imap_proxy {
    port = 10144
    haproxy = yes
  }
}
service pop3-login {
  inet_listener pop3 {
    port = 10110
  }
  inet_listener pop3s {
    port = 10995
    ssl = yes
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
  inet_listener http {
    port = 24246
  }
}
doveadm_password = labsecret
haproxy_trusted_networks = 10.77.0.0/24 127.0.0.0/8
haproxy_timeout = 3s
service managesieve-login {
  inet_listener sieve {
    port = 4190
  }
}
service submission-login {
  inet_listener submission {
    port = 10587
  }
  inet_listener submissions {
    port = 0
  }
}
submission_relay_host = 127.0.0.1
submission_relay_port = 10025
service stats {
  inet_listener http {
    port = 9900
  }
}
'''


@host('dovecot')
def dovecot_full(h):
    dovecot(h, 'imap pop3 lmtp sieve submission', ALL_OF_DOVECOT)
    haproxy(h, '''listen imap
  bind *:143
  server b 127.0.0.1:10144 send-proxy-v2
listen imapplain
  bind *:1143
  server b 127.0.0.1:10143
''')


@host('proxied-imap')
def proxied_imap(h):
    dovecot(h, 'imap lmtp', '''
service imap-login {
  inet_listener imap {
    port = 10143
    haproxy = yes
  }
  inet_listener imaps {
    port = 0
  }
}
service lmtp {
  inet_listener lmtp {
    port = 10024
  }
}
haproxy_trusted_networks = 127.0.0.1
haproxy_timeout = 3s
login_greeting = Ready.
''')
    h.certificate()
    haproxy(h, '''listen imap
  bind *:143
  server b 127.0.0.1:10143 send-proxy
listen imaps
  bind *:993 ssl crt /etc/ssl/lab.both
  server b 127.0.0.1:10143 send-proxy
''')


# Begins the scripts that start Courier's daemons with their settings.
COURIER_SCRIPT = '#!/bin/sh\nset -a\nprefix=/usr exec_prefix=/usr sbindir=/usr/sbin bindir=/usr/bin\n'


@host('courier', roots=['courier'])
def courier(h):
    h.user('courier')
    for d in ('/run/courier', '/var/lib/courier'):
        h.mkdir(d, 'courier:courier')
    for d in ('msgs', 'msgq', 'tmp', 'track', 'allfilters', 'filters', 'faxtmp'):
        h.mkdir('/var/lib/courier/' + d, 'courier:courier')
    h.mkdir('/etc/courier')
    h.run('chown', '-R', 'courier:courier', '/etc/courier')
    h.file('/etc/courier/me', h.fqdn + '\n')
    h.file('/etc/courier/locals', 'localhost\n' + h.fqdn + '\n')
    h.run('/usr/sbin/makeimapaccess')
    h.run('/usr/sbin/makesmtpaccess')
    h.run('/usr/sbin/makeacceptmailfor')
    h.run('/usr/sbin/makealiases')
    h.certificate()
    h.run('cp', '/etc/ssl/lab.both', '/etc/courier/imapd.pem')
    tcpd = '/usr/sbin/couriertcpd -address=0 -maxprocs=40 -maxperip=40 -nodnslookup -noidentlookup '
    h.file('/usr/local/sbin/c-imap', COURIER_SCRIPT +
           '. /etc/courier/imapd\n. /etc/courier/imapd-ssl\nIMAP_STARTTLS=NO\n'
           f'exec {tcpd} -access=/etc/courier/imapaccess.dat 10143 /usr/lib/courier/courier/imaplogin /usr/bin/imapd Maildir\n', 0o755)
    h.file('/usr/local/sbin/c-pop', COURIER_SCRIPT +
           '. /etc/courier/pop3d\n. /etc/courier/pop3d-ssl\nPOP3_STARTTLS=NO\n'
           f'exec {tcpd} 10110 /usr/lib/courier/courier/courierpop3login /usr/lib/courier/courier/courierpop3d Maildir\n', 0o755)
    h.start('imapd', ['/usr/local/sbin/c-imap'])
    h.start('pop3d', ['/usr/local/sbin/c-pop'])
    h.file('/usr/local/sbin/c-esmtp', COURIER_SCRIPT +
           '. /etc/courier/esmtpd\ncd /var/lib/courier\nTCPREMOTEHOST= \n'
           f'exec {tcpd} -user=courier -group=courier -access=/etc/courier/smtpaccess.dat -accesslocal $1 /usr/lib/courier/courier/modules/esmtp/courieresmtpd\n', 0o755)
    h.start('esmtpd', ['/usr/local/sbin/c-esmtp', '25'])
    h.start('esmtpd2', ['/usr/local/sbin/c-esmtp', '10025'])


@host('cyrus', roots=['cyrus'])
def cyrus(h):
    h.user('cyrus', '/var/spool/cyrus')
    h.run('groupadd', '-f', 'mail')
    h.run('usermod', '-g', 'mail', 'cyrus')
    h.certificate()
    for d in ('/var/lib/cyrus', '/var/lib/cyrus/db', '/var/lib/cyrus/socket', '/var/lib/cyrus/proc', '/var/lib/cyrus/log',
              '/var/lib/cyrus/msg', '/var/lib/cyrus/user', '/var/lib/cyrus/quota', '/var/lib/cyrus/ptclient',
              '/var/lib/cyrus/lock', '/var/lib/cyrus/rpm', '/var/spool/cyrus', '/var/spool/cyrus/mail',
              '/var/spool/cyrus/mail/stage.', '/var/spool/sieve', '/run/cyrus', '/run/cyrus/socket', '/run/cyrus/proc', '/run/cyrus/lock'):
        h.mkdir(d, 'cyrus:mail')
    h.file('/etc/imapd.conf', f'''configdirectory: /var/lib/cyrus
proc_path: /run/cyrus/proc
mboxname_lockpath: /run/cyrus/lock
defaultpartition: default
partition-default: /var/spool/cyrus/mail
sievedir: /var/spool/sieve
admins: cyrus
servername: {h.fqdn}
allowplaintext: yes
sasl_pwcheck_method: saslauthd
sasl_mech_list: PLAIN
lmtpsocket: /run/cyrus/socket/lmtp
notifysocket: /run/cyrus/socket/notify
syslog_prefix: cyrus
''')
    h.file('/etc/cyrus.conf', '''START {
  recover cmd="/usr/lib/cyrus/bin/ctl_cyrusdb -r"
}
SERVICES {
  imap   cmd="imapd -U 30" listen="10143" prefork=0 maxchild=50
  pop3   cmd="pop3d -U 30" listen="10110" prefork=0 maxchild=50
  lmtp   cmd="lmtpd" listen="2003" prefork=0 maxchild=20
  lmtpa  cmd="lmtpd -a" listen="10024" prefork=0 maxchild=20
  sieve  cmd="timsieved" listen="4190" prefork=0 maxchild=20
  sieve2 cmd="timsieved" listen="2000" prefork=0 maxchild=20
  sync   cmd="sync_server" listen="2005" prefork=0 maxchild=20
}
EVENTS {
}
''')
    h.start('cyrus', ['/usr/sbin/cyrmaster', '-C', '/etc/imapd.conf', '-M', '/etc/cyrus.conf', '-D', '-p', '/run/cyrus-master.pid'])


@host('perdition')
def perdition(h):
    h.file('/etc/perdition/perdition.conf', '')
    h.certificate()
    for name, protocol, port in (('imap4', 'IMAP4', 10143), ('pop3', 'POP3', 10110), ('managesieve', 'MANAGESIEVE', 4190)):
        h.start('perdition-' + name, [
            '/usr/sbin/perdition.' + name, '--no_daemon', '--protocol', protocol, '--bind_address', '0.0.0.0',
            '--listen_port', str(port), '--outgoing_server', HOSTS['dovecot'].ip4, '--outgoing_port', str(port),
            '--no_lookup', '--ssl_mode', 'none', '--map_library', '', '--pid_file', f'/run/perdition.{name}.pid'])


@host('imapproxy')
def imapproxy(h):
    dovecot(h, 'imap', IMAP_PORTS % (143, 0) + '\nlisten = 127.0.0.1\n', ssl='no')
    h.mkdir('/var/lib/imapproxy/chroot')
    h.file('/etc/imapproxy.conf', '''server_hostname 127.0.0.1
connect_retries 10
connect_delay 2
cache_size 3072
listen_port 10143
listen_address 0.0.0.0
server_port 143
cache_expiration_time 300
proc_username nobody
proc_groupname nogroup
stat_filename /run/pimpstats
protocol_log_filename /var/log/imapproxy_protocol.log
syslog_facility LOG_MAIL
send_tcp_keepalives no
enable_select_cache no
foreground_mode yes
force_tls no
chroot_directory /var/lib/imapproxy/chroot
enable_admin_commands no
''')
    h.start('imapproxyd', ['/usr/sbin/imapproxyd', '-f', '/etc/imapproxy.conf'], after=143)


@host('nginx-mail')
def nginx_mail(h):
    h.mkdir('/var/lib/nginx', 'www-data:www-data')
    h.certificate()
    h.file('/etc/nginx/nginx.conf', f'''load_module /usr/lib/nginx/modules/ngx_mail_module.so;
user www-data;
worker_processes 1;
daemon off;
pid /run/nginx.pid;
error_log /var/log/nginx/error.log;
events {{ worker_connections 200; }}
http {{ access_log off; server {{ listen 10080; location / {{ return 200 "ok"; }} }} }}
mail {{
  server_name {h.fqdn};
  auth_http 127.0.0.1:9/auth;
  ssl_certificate /etc/ssl/lab.pem;
  ssl_certificate_key /etc/ssl/lab.key;
  server {{ listen 143; protocol imap; starttls on; imap_capabilities IMAP4rev1 UIDPLUS; }}
  server {{ listen 10143; protocol imap; }}
  server {{ listen 10144 proxy_protocol; protocol imap; }}
  server {{ listen 110; protocol pop3; starttls on; }}
  server {{ listen 10110; protocol pop3; }}
  server {{ listen 25; protocol smtp; smtp_auth login plain; }}
  server {{ listen 10025; protocol smtp; smtp_auth none; }}
  server {{ listen 993 ssl; protocol imap; }}
}}
''')
    h.mkdir('/var/log/nginx', 'www-data:adm')
    h.start('nginx', ['/usr/sbin/nginx'])
