"""Other scanners that are asked what listens on the open ports: peers.json, their input, and their answers."""
import json
import os

from . import truth

FILE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), 'peers.json')


def load():
    """Returns the entries of peers.json by name: what is built, what zgrab2 asks, and their words for our protocols."""
    with open(FILE) as f:
        return json.load(f)


def places(name):
    """Returns each pair of address and port that a peer is asked about; nerva and fingerprintx take no IPv6 addresses."""
    every = [(a, p['port']) for host in truth.load().values() for a, p in truth.exposed(host)]
    return every if name == 'zgrab2' else [(a, p) for a, p in every if ':' not in a]


def targets(name):
    """Returns the lines of a peer's list of targets. For zgrab2 the tag of an address starts the modules of that port."""
    return [f'{a},,{p}' if name == 'zgrab2' else f'{a}:{p}' for a, p in places(name)]


def sections():
    """Returns the lines of the file for "zgrab2 multiple", which asks all questions at each port."""
    lines, questions = [], load()['zgrab2']['questions']
    for port in sorted({p for _, p in places('zgrab2')}):
        for number, question in enumerate(questions):
            module = question['module']
            lines += [f'[{module}]', f'name="{module}-{number}-{port}"', f'port={port}', f'trigger="{port}"']
            lines += [f'{option}="{value}"' for option, value in question.items() if option != 'module']
    return lines


def answers(name, path):
    """Yields what a peer says of each pair, as score takes it."""
    words = load()[name]['protocols']
    told = (read_zgrab2 if name == 'zgrab2' else read_fingerprintx)(path)
    for place in places(name):
        protocols, product = told.get(place, ([], ''))
        yield (*place, 'open', ' '.join(sorted({words.get(p, p) for p in protocols})), product, 0, [], '')


def records(path):
    """Yields the JSON values of a file, one a line. A run that was cut short may have left half a line."""
    with open(path) as f:
        for line in f:
            try:
                yield json.loads(line)
            except ValueError:
                continue


def read_zgrab2(path):
    """Returns the modules that succeeded, by address and port. zgrab2 names no product.

    Those that read a banner succeed at every port that accepts the connection: without one it counts as no answer.
    """
    told = {}
    for record in records(path):
        for name, answer in record.get('data', {}).items():
            if answer['status'] == 'success' and answer.get('result'):
                module, _, port = name.split('-')
                told.setdefault((record['ip'], int(port)), ([], ''))[0].append(module)
    return told


def read_fingerprintx(path):
    """Returns protocol and product, by address and port; nerva writes the same."""
    return {(r['ip'], r['port']): ([r['protocol']], (r.get('metadata') or {}).get('product') or '') for r in records(path)}
