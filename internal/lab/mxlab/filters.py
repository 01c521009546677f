"""Filters: spamd, ClamAV, milters, Rspamd, and SMTP proxies that hand on to a Postfix."""
from .daemons import ANYBODY, REINJECT, clamd, opendkim, postfix
from .host import host


@host('antispam-a')
def antispam_a(h):
    h.user('spamd')
    for port, allow in ((783, '10.77.0.0/24,127.0.0.1'), (10783, '127.0.0.1')):
        h.start(f'spamd{port}', ['/usr/sbin/spamd', '-L', '-x', '-m', '2', '--min-children=1', '--listen', f'0.0.0.0:{port}', '-A', allow,
                                 '-u', 'nobody', '-s', 'stderr', '--pidfile', f'/run/spamd{port}.pid'])
    clamd(h)
    h.file('/etc/clamav/clamav-milter.conf', 'MilterSocket inet:7357@0.0.0.0\nClamdSocket tcp:127.0.0.1:3310\nForeground yes\n'
           'User clamav\nLogSyslog yes\nFixStaleSocket yes\n')
    h.start('clamav-milter', ['/usr/sbin/clamav-milter', '-c', '/etc/clamav/clamav-milter.conf'], after=3310)
    h.mkdir('/var/cache/spampd', 'spampd:spampd')
    for port, relay in ((10025, 10026), (10027, 9)):
        h.start(f'spampd{port}', ['/usr/sbin/spampd', f'--host=0.0.0.0:{port}', f'--relayhost=127.0.0.1:{relay}', '--nodetach',
                                  '--local-only', '--children=2', '--user=spampd', '--group=spampd', f'--pid=/run/spampd{port}.pid'])
    postfix(h, '25 inet n - n - - smtpd\n' + REINJECT % ('10026', 'yes', ANYBODY), {'content_filter': 'smtp:[127.0.0.1]:10025'})
    h.mkdir('/run/spamass', 'nobody:nogroup')
    h.start('spamass-milter', ['/usr/sbin/spamass-milter', '-p', 'inet:8890@0.0.0.0'])


@host('antispam-b')
def antispam_b(h):
    clamd(h, bind='127.0.0.1')
    h.mkdir('/run/clamsmtp', 'clamsmtp:clamsmtp')
    h.mkdir('/var/spool/clamsmtp', 'clamsmtp:clamsmtp')
    for port, relay in ((10025, 10026), (10027, 9)):
        h.file(f'/etc/clamsmtpd{port}.conf', f'OutAddress: 127.0.0.1:{relay}\nListen: 0.0.0.0:{port}\nClamAddress: /run/clamav/clamd.ctl\n'
               f'TempDirectory: /var/spool/clamsmtp\nPidFile: /run/clamsmtp/c{port}.pid\nUser: clamsmtp\n')
        h.start(f'clamsmtp{port}', ['/usr/sbin/clamsmtpd', '-f', f'/etc/clamsmtpd{port}.conf', '-d', '2'])
    postfix(h, '25 inet n - n - - smtpd\n' + REINJECT % ('10026', 'yes', ANYBODY), {'content_filter': 'smtp:[127.0.0.1]:10025'})
    h.file('/etc/opendmarc.conf', f'Socket inet:8893@0.0.0.0\nAuthservID {h.fqdn}\nSyslog true\nUserID opendmarc\nPidFile /run/opendmarc.pid\n')
    h.mkdir('/run/opendmarc', 'opendmarc:opendmarc')
    h.start('opendmarc', ['/usr/sbin/opendmarc', '-f', '-c', '/etc/opendmarc.conf'])
    opendkim(h, 'inet:10024@0.0.0.0', 'sv')
    h.mkdir('/run/dkimpy-milter', 'dkimpy-milter:dkimpy-milter')
    h.file('/etc/dkimpy-milter/dkimpy-milter.conf', 'Syslog yes\nUMask 007\nSocket inet:8892@0.0.0.0\nPidFile /run/dkimpy-milter/m.pid\n'
           'UserID dkimpy-milter\nMode v\n')
    h.start('dkimpy-milter', ['/usr/bin/dkimpy-milter', '/etc/dkimpy-milter/dkimpy-milter.conf'])
    h.mkdir('/run/pyspf-milter', 'pyspf-milter:pyspf-milter')
    h.file('/etc/pyspf-milter/pyspf-milter.conf', 'Socket = inet:8894@0.0.0.0\nUserID = pyspf-milter\nPidFile = /run/pyspf-milter/m.pid\n')
    h.start('pyspf-milter', ['/usr/bin/pyspf-milter', '/etc/pyspf-milter/pyspf-milter.conf'])
    for d in ('/var/spool/MIMEDefang', '/run/md', '/run/mdmx'):
        h.mkdir(d, 'defang:defang', 0o750)
    h.start('mimedefang-mx', ['/usr/bin/mimedefang-multiplexor', '-D', '-U', 'defang', '-m', '1', '-x', '2', '-s', '/var/spool/MIMEDefang/mx.sock',
                              '-p', '/run/mdmx/pid', '-o', '/run/mdmx/lock'])
    h.start('mimedefang', ['/usr/bin/mimedefang', '-D', '-U', 'defang', '-m', '/var/spool/MIMEDefang/mx.sock', '-P', '/run/md/pid', '-o', '/run/md/lock',
                           '-p', 'inet:10030@0.0.0.0'])


@host('rspamd')
def rspamd(h):
    for f, body in (('worker-normal', 'bind_socket = "0.0.0.0:11333";\n'),
                    ('worker-proxy', 'bind_socket = "0.0.0.0:11332";\n'),
                    ('worker-controller', 'bind_socket = "0.0.0.0:11334";\nsecure_ip = null;\npassword = "labsecret";\n'),
                    ('worker-fuzzy', 'bind_socket = "0.0.0.0:11335";\ncount = 1;\n')):
        h.file(f'/etc/rspamd/local.d/{f}.inc', body)
    h.mkdir('/run/rspamd', '_rspamd:_rspamd')
    h.mkdir('/var/lib/rspamd', '_rspamd:_rspamd')
    h.mkdir('/var/log/rspamd', '_rspamd:_rspamd')
    h.start('rspamd', ['/usr/bin/rspamd', '-f', '-i', '-u', '_rspamd', '-g', '_rspamd', '-c', '/etc/rspamd/rspamd.conf'])
