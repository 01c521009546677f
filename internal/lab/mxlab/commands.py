"""The commands of "lab". Each returns the exit code."""
import contextlib
import fcntl
import os
import sys
import time

from . import filters, mta, network, noise, packages, policy, running, stores, truth  # noqa: F401
from .host import HOSTS
from .settings import BRIDGE, HOME, PREFIX, SCANNER

# How long the daemons may take to listen: amavisd loads SpamAssassin first.
START_LIMIT = 90


def lack(what):
    """Ends the program where this machine lacks something."""
    print('lab:', what, file=sys.stderr)
    sys.exit(77)


def chosen(names):
    unknown = [n for n in names if n not in HOSTS]
    if unknown:
        sys.exit(f'lab: no host {", ".join(unknown)}; there are {" ".join(HOSTS)}')
    return [HOSTS[n] for n in names] or list(HOSTS.values())


def differences(host):
    return truth.differences(host.record, network.listeners(host.namespace))


def show(host, what):
    missing, others = differences(host)
    if missing:
        others.insert(0, 'nothing listens on ' + ' '.join(map(str, missing)))
    print(f'{host.name:15} {host.ip4:12} {what}' + ''.join('; ' + o for o in others))
    return bool(others)


@contextlib.contextmanager
def alone():
    """Waits until no other program starts or stops hosts."""
    os.makedirs(HOME, exist_ok=True)
    with open(os.path.join(HOME, 'lock'), 'w') as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


def install(_):
    with alone():
        packages.install()
    return 0


@alone()
def up(names):
    began = time.time()
    hosts = chosen(names)
    missing = packages.missing()
    if missing:
        lack(f'not installed: {" ".join(missing)} ("lab install" does it)')
    network.make()
    fresh = [h for h in hosts if running.start(h)]
    waiting = list(hosts)
    while waiting and time.time() - began < START_LIMIT:
        waiting = [h for h in waiting if differences(h)[0]]
        if waiting:
            time.sleep(0.5)
    for h in hosts:
        show(h, 'did not come up' if h in waiting else 'up' if h in fresh else 'was up')
    print(f'lab: {len(hosts)} hosts in {time.time() - began:.1f} s')
    return 1 if waiting else 0


@alone()
def down(names):
    hosts = chosen(names)
    running.stop(hosts)
    network.remove(h.namespace for h in hosts)
    if not {n for n in network.namespaces() if n.startswith(PREFIX)} - {BRIDGE, SCANNER}:
        network.remove([SCANNER, BRIDGE])
    print('lab: down')
    return 0


def status(names):
    wrong = False
    for h in chosen(names):
        if running.lives(running.recorded(h)):
            wrong |= show(h, 'up')
        else:
            print(f'{h.name:15} {h.ip4:12} down')
    return 1 if wrong else 0


def addresses(_):
    for h in HOSTS.values():
        print(h.ip4, h.ip6, sep='\n')
    return 0


def ports(_):
    print(','.join(map(str, sorted({p['port'] for h in HOSTS.values() for p in h.record['ports']}))))
    return 0


def check(_):
    """Needs no right: all that can be told without starting anything."""
    faults = [f'host {h.name}: nothing sets it up' for h in HOSTS.values() if not h.setup]
    known = set(packages.INSTALLED).union(*packages.UNPACKED.values(), ['python3'])
    for h in HOSTS.values():
        faults += [f'host {h.name}: root {r} is not unpacked' for r in h.roots if r not in packages.UNPACKED]
        faults += [f'host {h.name}: package {p["package"]} is not installed'
                   for p in h.record['ports'] if p.get('package', 'python3') not in known]
    for f in faults:
        print('lab:', f)
    return 1 if faults else 0
