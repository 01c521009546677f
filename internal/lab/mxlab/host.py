"""A host: how its files are laid out and its daemons are started."""
import os
import pwd
import shutil
import subprocess

from . import truth
from .settings import PREFIX

# The hosts by name, in the order of truth.json; "host" fills in how each is set up.
HOSTS = {}


class Host:
    """A host of truth.json.

    Its methods are for the function that sets it up, which runs in the first process of the
    host: there /etc and /var are copies that nobody else sees.
    """

    def __init__(self, record):
        self.record = record
        self.name, self.number = record['name'], record['number']
        self.namespace = PREFIX + self.name
        self.ip4, self.ip6 = truth.addresses(record)
        self.fqdn = self.name + '.lab.invalid'
        self.setup = None
        self.roots = ()
        self.daemons = []

    def file(self, path, text, mode=0o644, owner=None):
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.islink(path):
            os.unlink(path)
        with open(path, 'w') as f:
            f.write(text)
        os.chmod(path, mode)
        if owner:
            shutil.chown(path, *owner.split(':'))

    def mkdir(self, path, owner=None, mode=0o755):
        os.makedirs(path, exist_ok=True)
        os.chmod(path, mode)
        if owner:
            shutil.chown(path, *owner.split(':'))

    def run(self, *argv):
        """Runs a command to its end; what it prints, and that it failed, is in setup.log."""
        with open('/var/log/mxlab/setup.log', 'ab') as f:
            f.write(('+ ' + ' '.join(argv) + '\n').encode())
            f.flush()
            code = subprocess.run(argv, stdout=f, stderr=f, stdin=subprocess.DEVNULL).returncode
            if code:
                f.write(f'  exit {code}\n'.encode())

    def user(self, name, home='/nonexistent'):
        try:
            pwd.getpwnam(name)
        except KeyError:
            self.run('useradd', '--system', '--user-group', '--home-dir', home, '--shell', '/usr/sbin/nologin', name)

    def start(self, name, argv, user=None, group=None, env=None, restart=True, after=None):
        """Starts a daemon once the host is set up, and once a local port named by after listens."""
        self.daemons.append(dict(name=name, argv=argv, user=user, group=group, env=env or {},
                                 restart=restart, after=after, ended=0))

    def call(self, name, function, *args):
        """Calls a function in a process of its own, as start does with a program."""
        self.daemons.append(dict(name=name, call=function, args=args, restart=True, after=None, ended=0))

    def certificate(self):
        """Makes a self-signed certificate: /etc/ssl/lab.pem, .key, and .both for both."""
        path = '/etc/ssl/lab'
        if os.path.exists(path + '.pem'):
            return
        self.run('openssl', 'req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '3650', '-subj', '/CN=' + self.fqdn,
                 '-addext', 'subjectAltName=DNS:' + self.fqdn, '-keyout', path + '.key', '-out', path + '.pem')
        with open(path + '.both', 'w') as both:
            for part in ('.pem', '.key'):
                with open(path + part) as f:
                    both.write(f.read())
        os.chmod(path + '.key', 0o644)


def host(name, roots=()):
    """Says how the host of that name is set up, over which unpacked packages."""
    def register(setup):
        HOSTS[name].setup, HOSTS[name].roots = setup, roots
        return setup
    return register


HOSTS.update((name, Host(record)) for name, record in truth.load().items())
