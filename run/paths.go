package run

import (
	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/mailpath"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/signatures"
)

// mailPaths returns how mail flows through the hosts of the open ports, which are sorted by
// address, as far as that is known.
func mailPaths(open []exposure.Subject, known *signatures.Ports) []result.Path {
	var paths []result.Path
	var ports []result.Port // of one host at a time: a run may have very many
	for i := range open {
		ports = append(ports, open[i].Port())
		if i+1 < len(open) && open[i+1].Target.Addr() == open[i].Target.Addr() {
			continue
		}
		paths = append(paths, mailpath.OfPorts(ports, known)...)
		if clear(ports); len(paths) == mailpath.MaxPaths {
			break
		}
		ports = ports[:0]
	}
	return paths
}
