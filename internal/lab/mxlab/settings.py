"""Where the laboratory keeps its files, and its addresses."""
import os
import tempfile

# Not below /var: each host has an overlay over that, and the layers of an overlay
# must not lie within each other.
HOME = os.environ.get('MXLAB_HOME') or os.path.join(tempfile.gettempdir(), 'mxlab')
ROOTS, DEBS, STATE, LOGS = (os.path.join(HOME, d) for d in ('roots', 'debs', 'state', 'logs'))

NET4, NET6 = '10.77.0.', 'fd77::'
PREFIX = 'mxlab-'  # of every namespace
BRIDGE = PREFIX + 'net'
SCANNER = PREFIX + 'scanner'
SCANNER_NUMBER = 250
