"""Starts and stops the first processes of hosts, and remembers them."""
import glob
import json
import os
import signal
import sys
import time

from . import inside, network
from .settings import LOGS, STATE


def state_file(host):
    return os.path.join(STATE, host.name + '.json')


def start_time(pid):
    """Returns when a process started, in clock ticks since boot, or None: ids are used again."""
    try:
        with open(f'/proc/{pid}/stat') as f:
            return f.read().rsplit(')', 1)[1].split()[19]
    except OSError:
        return None


def recorded(host):
    """Returns what is remembered of a host's first process, or None."""
    try:
        with open(state_file(host)) as f:
            return json.load(f)
    except (OSError, ValueError):
        return None


def lives(state):
    return state is not None and start_time(state['pid']) == state['start']


def start(host):
    """Starts a host that does not run; reports whether it did."""
    if lives(recorded(host)):
        return False
    logs = os.path.join(LOGS, host.name)
    os.makedirs(STATE, exist_ok=True)
    os.makedirs(logs, exist_ok=True)
    network.join(host.namespace, host.number)
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        detach(host, logs, writer)
    os.close(writer)
    pid = os.read(reader, 32)
    os.close(reader)
    os.waitpid(child, 0)
    if not pid:
        print(f'lab: {host.name} did not start; {logs}/init.log tells more')
        return False
    with open(state_file(host), 'w') as f:
        json.dump({'host': host.name, 'pid': int(pid), 'start': start_time(int(pid))}, f)
    return True


def detach(host, logs, writer):
    """Turns this process into the parent of a host's first one, whose id it writes, and ends."""
    try:
        os.setsid()
        for old in glob.glob(logs + '/*'):
            os.unlink(old)
        log = os.open(os.path.join(logs, 'init.log'), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        for fd, to in ((os.open('/dev/null', os.O_RDONLY), 0), (log, 1), (log, 2)):
            os.dup2(fd, to)
        # A host outlives who started it, and must not keep the locks that those files hold.
        os.closerange(3, writer)
        os.closerange(writer + 1, os.sysconf('SC_OPEN_MAX'))
        inside.enter(host.namespace)
        pid = os.fork()
        if pid == 0:
            os.close(writer)
            inside.first_process(host, logs)
        os.write(writer, str(pid).encode())
    except BaseException as e:  # whatever it is, this copy of the program must end
        print('lab:', e, file=sys.stderr, flush=True)
    os._exit(0)


def stop(hosts):
    """Stops hosts, each with all that runs in it."""
    states = {h.name: recorded(h) for h in hosts}
    for state in states.values():
        if lives(state):
            os.kill(state['pid'], signal.SIGKILL)
    for h in hosts:
        end = time.time() + 10
        while lives(states[h.name]) and time.time() < end:
            time.sleep(0.05)
        if os.path.exists(state_file(h)):
            os.unlink(state_file(h))
