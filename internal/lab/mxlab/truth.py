"""Reads truth.json, which says what each host is to listen on."""
import json
import os

from .settings import NET4, NET6

FILE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'truth.json')


def load():
    """Returns the hosts of truth.json by name, in its order."""
    with open(FILE) as f:
        return {h['name']: h for h in json.load(f)['hosts']}


def families(bind):
    """Returns the wildcard addresses that an address to listen on stands for."""
    return {'0.0.0.0', '[::]'} if bind == '*' else {bind}


def differences(host, listeners):
    """Compares a host with what listens in it, pairs of address and port.

    Returns the ports that are missing, and a line for each further difference.
    """
    want, have = {}, {}
    for p in host['ports']:
        want.setdefault(p['port'], set()).update(families(p['bind']))
    for address, port in listeners:
        have.setdefault(port, set()).update(families(address))
    missing = sorted(set(want) - set(have))
    others = [f'{p} also listens, on {" ".join(sorted(have[p]))}' for p in sorted(set(have) - set(want))]
    others += [f'{p} listens on {" ".join(sorted(have[p]))}, not on {" ".join(sorted(want[p]))}'
               for p in sorted(set(have) & set(want)) if have[p] != want[p]]
    return missing, others


def addresses(host):
    """Returns the addresses of a host, IPv4 first."""
    return [f'{NET4}{host["number"]}', f'{NET6}{host["number"]}']


def exposed(host):
    """Returns a pair of address and port record for each listener that the scanner can reach."""
    four, six = addresses(host)
    reach = {'0.0.0.0': [four], '[::]': [six], '*': [four, six]}
    return [(a, p) for p in host['ports'] for a in reach.get(p['bind'], [])]
