"""What happens inside of a host: its first process, its files, its daemons.

The first process of a host has namespaces of its own for processes, mounts, names, IPC and the
network. Once it ends, the kernel ends all that the host runs.
"""
import ctypes
import grp
import os
import pwd
import signal
import socket
import stat
import subprocess
import sys
import threading
import time

from .host import HOSTS
from .settings import NET4, NET6, ROOTS, SCANNER_NUMBER

CLONE_NEWNS, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWPID, CLONE_NEWNET = \
    0x20000, 0x4000000, 0x8000000, 0x20000000, 0x40000000  # clone(2)
MOST_STARTS = 6  # of a daemon that ends by itself

libc = ctypes.CDLL(None, use_errno=True)


def enter(namespace):
    """Enters a network namespace, and makes the others for the processes that follow."""
    fd = os.open('/run/netns/' + namespace, os.O_RDONLY)
    must(libc.setns(fd, CLONE_NEWNET))
    must(libc.unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWPID))


def must(result):
    if result:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def first_process(host, logs):
    """Sets the host up, starts its daemons, and starts again what ends."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    lay_out(host, logs)
    threading.Thread(target=syslog, args=('/var/log/mxlab/syslog.log',), daemon=True).start()
    host.setup(host)
    live = {spawn(d): d for d in host.daemons}
    waiting = []  # of (time, daemon)
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            pid = 0
        if pid == 0:
            time.sleep(0.25)
        elif pid in live:
            d = live.pop(pid)
            d['ended'] += 1
            print(f'{time.strftime("%H:%M:%S")} {d["name"]} ended with status {status}, {d["ended"]} times', flush=True)
            if d['restart'] and d['ended'] < MOST_STARTS:
                waiting.append((time.time() + 2, d))
        due = [w for w in waiting if w[0] <= time.time()]
        waiting = [w for w in waiting if w not in due]
        live.update((spawn(d), d) for _, d in due)


def mount(*args):
    subprocess.run(['mount', *args], check=True)


def lay_out(host, logs):
    """Gives the host files of its own: overlays over the machine's, with the upper layers in memory."""
    mount('--make-rprivate', '/')
    mount('-t', 'proc', 'proc', '/proc')
    mount('-t', 'tmpfs', '-o', 'mode=755', 'run', '/run')
    for top in ('usr', 'etc', 'var'):
        lowers = [os.path.join(ROOTS, root, top) for root in host.roots]
        lowers = [lower for lower in lowers if os.path.isdir(lower)] + ['/' + top]
        upper, work = f'/run/.overlay/{top}/upper', f'/run/.overlay/{top}/work'
        os.makedirs(upper)
        os.makedirs(work)
        mount('-t', 'overlay', 'overlay', '-o', f'lowerdir={":".join(lowers)},upperdir={upper},workdir={work}', '/' + top)
    os.makedirs('/run/lock', exist_ok=True)
    os.chmod('/run/lock', 0o1777)
    devices()
    os.makedirs('/var/log/mxlab', exist_ok=True)
    mount('--bind', logs, '/var/log/mxlab')
    mount('-t', 'tmpfs', '-o', 'mode=1777', 'tmp', '/tmp')
    for folder in ('/root', '/home'):
        mount('-t', 'tmpfs', '-o', 'mode=755', 'none', folder)
    mount('-o', 'remount,bind,ro', '/')  # no daemon writes to the machine's own files
    names(host)


def devices():
    """Mounts a /dev that has what daemons need."""
    dev = '/run/.dev'
    os.makedirs(dev)
    mount('-t', 'tmpfs', '-o', 'mode=755', 'dev', dev)
    for name, major, minor in (('null', 1, 3), ('zero', 1, 5), ('full', 1, 7), ('random', 1, 8), ('urandom', 1, 9), ('tty', 5, 0)):
        os.mknod(f'{dev}/{name}', 0o666 | stat.S_IFCHR, os.makedev(major, minor))
        os.chmod(f'{dev}/{name}', 0o666)
    for link, target in (('fd', '/proc/self/fd'), ('stdin', 'fd/0'), ('stdout', 'fd/1'), ('stderr', 'fd/2'), ('ptmx', 'pts/ptmx')):
        os.symlink(target, f'{dev}/{link}')
    os.mkdir(dev + '/pts')
    os.mkdir(dev + '/shm')
    mount('-t', 'devpts', '-o', 'newinstance,ptmxmode=0666', 'devpts', dev + '/pts')
    mount('-t', 'tmpfs', '-o', 'mode=1777', 'shm', dev + '/shm')
    mount('--move', dev, '/dev')


def names(host):
    """Tells the host its name and those of the others; no name leads anywhere else."""
    lines = ['127.0.0.1 localhost', '::1 localhost ip6-localhost']
    for other in HOSTS.values():
        lines += [f'{ip} {other.fqdn} {other.name}' for ip in (other.ip4, other.ip6)]
    lines += [f'{net}{SCANNER_NUMBER} scanner.lab.invalid scanner' for net in (NET4, NET6)]
    host.file('/etc/hosts', '\n'.join(lines) + '\n')
    host.file('/etc/resolv.conf', 'nameserver 127.0.0.1\noptions timeout:1 attempts:1\n')
    host.file('/etc/hostname', host.fqdn + '\n')
    host.file('/etc/mailname', host.fqdn + '\n')
    host.file('/etc/nsswitch.conf', 'passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n'
              'networks: files\nprotocols: files\nservices: files\n')
    open('/var/log/mail.log', 'a').close()
    socket.sethostname(host.fqdn)


def syslog(path):
    """Writes what the daemons log to a file."""
    s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    s.bind('/dev/log')
    os.chmod('/dev/log', 0o666)
    with open(path, 'ab', buffering=0) as f:
        while True:
            f.write(s.recv(8192).rstrip(b'\n\0') + b'\n')


def listening(port):
    """Reports whether a TCP port listens on this host, on whatever address."""
    for table in ('/proc/net/tcp', '/proc/net/tcp6'):
        with open(table) as f:
            for line in f.read().splitlines()[1:]:
                fields = line.split()
                if fields[3] == '0A' and fields[1].endswith(f':{port:04X}'):
                    return True
    return False


def spawn(daemon):
    """Starts a daemon and returns its process id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        become(daemon)
    except BaseException as e:  # whatever it is, this copy of the first process must end
        print('lab:', daemon['name'], e, file=sys.stderr, flush=True)
    os._exit(127)


def become(daemon):
    """Turns this process into a daemon."""
    os.setsid()
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    log = os.open(f'/var/log/mxlab/{daemon["name"]}.log', os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.fchmod(log, 0o666)
    for fd, to in ((os.open('/dev/null', os.O_RDWR), 0), (log, 1), (log, 2)):
        os.dup2(fd, to)
    end = time.time() + 40
    while daemon['after'] and not listening(daemon['after']) and time.time() < end:
        time.sleep(0.2)
    if 'call' in daemon:
        daemon['call'](*daemon['args'])
        os._exit(0)
    os.chdir('/')
    os.umask(0o022)
    if daemon['user']:
        group = grp.getgrnam(daemon['group'] or daemon['user']).gr_gid
        os.setgroups([group])
        os.setgid(group)
        os.setuid(pwd.getpwnam(daemon['user']).pw_uid)
    env = {'PATH': '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'LANG': 'C', 'HOME': '/root', 'TZ': 'UTC'}
    os.execve(daemon['argv'][0], daemon['argv'], {**env, **daemon['env']})
