"""Installs the daemons: Debian packages, and unpacked ones where packages conflict."""
import glob
import os
import shutil
import subprocess
import sys

from .settings import DEBS, ROOTS

INSTALLED = '''
postfix postfix-policyd-spf-python postfix-policyd-spf-perl amavisd-new opendkim opendkim-tools
postgrey policyd-weight postfwd policyd-rate-limit sqlgrey
dovecot-core dovecot-imapd dovecot-pop3d dovecot-lmtpd dovecot-managesieved dovecot-sieve
dovecot-submissiond haproxy perdition imapproxy nginx-light libnginx-mod-mail
spamassassin spamd clamav-daemon clamav-milter rspamd spampd clamsmtp opendmarc spamass-milter
dkimpy-milter pyspf-milter mimedefang qpsmtpd postsrsd
mailman3 python3-aiosmtpd openssh-server socat openssl iproute2 m4 sqlite3 gawk db-util
courier-authdaemon courier-authlib courier-authlib-userdb libcourier-unicode4 libgamin0
libnet-cidr-perl libical3 libxapian30 libzephyr4 libclamav12 liblockfile1 libwrap0
libmail-dkim-perl libnet-server-perl libdbd-sqlite3-perl libcache-fastmmap-perl
libconfig-inifiles-perl
libgnutls-dane0 libevent-2.1-7 libidn12 libidn2-0 libldap-2.5-0 libperl5.36 libpq5 libdb5.3 libgdbm6
libsasl2-modules libio-socket-inet6-perl libpcre3 libjansson4
'''.split()

# Packages that conflict with those above: unpacked into a folder that only the
# hosts which name it see.
UNPACKED = {
    'cyrus': ['cyrus-common', 'cyrus-imapd', 'cyrus-pop3d', 'cyrus-replication', 'cyrus-murder'],
    'courier': ['courier-base', 'courier-imap', 'courier-pop', 'courier-mta'],
    'exim': ['exim4-base', 'exim4-config', 'exim4-daemon-light'],
    'opensmtpd': ['opensmtpd'],
}

# Without these answers the packages ask, or set up a service of their own.
ANSWERS = '''
postfix postfix/main_mailer_type select No configuration
opendmarc opendmarc/dbconfig-install boolean false
policyd-rate-limit policyd-rate-limit/dbconfig-install boolean false
mailman3 mailman3/database-type select sqlite3
'''

# The file that is written into a folder of ROOTS when all is in it.
COMPLETE = '.complete'

# While this is there, no package starts a daemon.
FORBID = '/usr/sbin/policy-rc.d'


def install():
    """Installs what is missing, starts nothing, and prints what could not be had."""
    if not shutil.which('apt-get'):
        print('lab: the daemons come from Debian packages, and there is no apt-get here', file=sys.stderr)
        sys.exit(77)
    if not missing():
        return
    wanted = sorted(set(INSTALLED) - installed())
    if wanted:
        without_daemons(lambda: install_packages(wanted))
    for root, packages in UNPACKED.items():
        if not unpacked(root):
            unpack(root, packages)
    for line in missing_libraries():
        print('lab:', line)


def missing():
    """Returns what install would install or unpack."""
    return sorted(set(INSTALLED) - installed()) + [r for r in UNPACKED if not unpacked(r)]


def unpacked(root):
    return os.path.exists(os.path.join(ROOTS, root, COMPLETE))


def installed():
    """Returns the names of the installed packages."""
    lines = subprocess.run(['dpkg-query', '-W', '-f', '${db:Status-Status} ${Package}\n'],
                           stdout=subprocess.PIPE, text=True, check=True).stdout.splitlines()
    return {line.split()[1] for line in lines if line.startswith('installed ')}


def without_daemons(do):
    """Calls do while no package may start a daemon."""
    made = not os.path.exists(FORBID)
    if made:
        with open(FORBID, 'w') as f:
            f.write('#!/bin/sh\nexit 101\n')
        os.chmod(FORBID, 0o755)
    else:
        with open(FORBID) as f:
            if 'exit 101' not in f.read():
                sys.exit(f'lab: {FORBID} lets packages start daemons; remove it, or make it exit with 101')
    try:
        do()
    finally:
        if made:
            os.unlink(FORBID)


def install_packages(packages):
    env = dict(os.environ, DEBIAN_FRONTEND='noninteractive')
    subprocess.run(['apt-get', 'update', '-q'], env=env, stdout=subprocess.DEVNULL, check=True)
    subprocess.run(['debconf-set-selections'], input=ANSWERS, text=True, check=True)
    subprocess.run(['apt-get', '-y', '-q', 'install', '--no-install-recommends', '--no-upgrade',
                    '-o', 'Dpkg::Options::=--force-confold', *packages], env=env, check=True)


def unpack(root, packages):
    """Unpacks packages into a folder of ROOTS."""
    folder = os.path.join(ROOTS, root)
    shutil.rmtree(folder, ignore_errors=True)
    os.makedirs(folder)
    os.makedirs(DEBS, exist_ok=True)
    for package in packages:
        pattern = os.path.join(DEBS, package + '_*.deb')
        if not glob.glob(pattern):
            subprocess.run(['apt-get', '-q', '-o', 'APT::Sandbox::User=root', 'download', package], cwd=DEBS, check=True)
        subprocess.run(['dpkg', '-x', glob.glob(pattern)[0], folder], check=True)
    open(os.path.join(folder, COMPLETE), 'w').close()


def missing_libraries():
    """Returns a line for each library that an unpacked program lacks."""
    missing = set()
    for root in UNPACKED:
        folder = os.path.join(ROOTS, root)
        env = dict(os.environ, LD_LIBRARY_PATH=os.path.join(folder, 'usr/lib/x86_64-linux-gnu'))
        for programs in ('usr/sbin', 'usr/bin', 'usr/lib/cyrus/bin', 'usr/lib/courier/courier'):
            for name in glob.glob(os.path.join(folder, programs, '*')):
                if os.path.isfile(name):
                    text = subprocess.run(['ldd', name], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                          text=True, env=env).stdout
                    missing |= {f'{root} lacks the library {line.split()[0]}'
                                for line in text.splitlines() if 'not found' in line}
    return sorted(missing)
