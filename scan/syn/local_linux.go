package syn

import (
	"go4.org/netipx"

	"mxsweep/scan"
	"mxsweep/scan/syn/rawnet"
)

// Local returns the addresses of space that are this machine's own, which a
// Scanner refuses and a connect scan asks.
func Local(space *scan.Space) (*netipx.IPSet, error) {
	n, err := rawnet.OpenNetlink()
	if err != nil {
		return nil, err
	}
	defer n.Close()
	p, err := newPlanner(n, &Config{})
	if err != nil {
		return nil, err
	}
	for r := range space.Spans() {
		parts, err := p.split(r)
		if err != nil {
			return nil, err
		}
		for _, part := range parts {
			if err := p.isLocal(part); err != nil {
				return nil, err
			}
		}
	}
	return p.local.IPSet()
}
