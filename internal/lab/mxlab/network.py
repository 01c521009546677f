"""The network: a bridge in a namespace of its own, one namespace for each host, one for the scanner.

Nothing has a route out of it.
"""
import subprocess

from .settings import BRIDGE, NET4, NET6, SCANNER, SCANNER_NUMBER


def ip(*args):
    subprocess.run(['ip', *args], check=True)


def output(*argv):
    return subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout


def namespaces():
    return {line.split()[0] for line in output('ip', 'netns', 'list').splitlines() if line.strip()}


def make():
    """Makes the bridge and the scanner's namespace, as far as they are missing."""
    if BRIDGE not in namespaces():
        ip('netns', 'add', BRIDGE)
    if 'br0' not in output('ip', '-n', BRIDGE, 'link', 'show'):
        ip('-n', BRIDGE, 'link', 'add', 'br0', 'type', 'bridge')
    ip('-n', BRIDGE, 'link', 'set', 'br0', 'up')
    join(SCANNER, SCANNER_NUMBER)


def join(name, number):
    """Makes a namespace with the addresses of a number on the bridge, unless it is there."""
    if name not in namespaces():
        ip('netns', 'add', name)
    if 'eth0' in output('ip', '-n', name, 'link', 'show'):
        return
    ip('-n', BRIDGE, 'link', 'add', f'v{number}', 'type', 'veth', 'peer', 'name', 'eth0', 'netns', name)
    ip('-n', BRIDGE, 'link', 'set', f'v{number}', 'master', 'br0', 'up')
    # Always the same hardware address, so that no neighbor table holds an old one.
    ip('-n', name, 'link', 'set', 'eth0', 'address', f'02:4d:58:00:00:{number:02x}')
    ip('-n', name, 'link', 'set', 'lo', 'up')
    ip('-n', name, 'addr', 'add', f'{NET4}{number}/24', 'dev', 'eth0')
    ip('-n', name, 'addr', 'add', f'{NET6}{number}/64', 'dev', 'eth0', 'nodad')
    ip('-n', name, 'link', 'set', 'eth0', 'up')


def remove(names):
    """Removes namespaces, as far as they are there."""
    for name in sorted(namespaces() & set(names)):
        ip('netns', 'del', name)


def listeners(namespace):
    """Returns the pairs of address and port that listen in a namespace."""
    pairs = set()
    for line in output('ip', 'netns', 'exec', namespace, 'ss', '-ltnH').splitlines():
        address, _, port = line.split()[3].rpartition(':')
        pairs.add((address, int(port)))
    return pairs
