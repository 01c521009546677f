package daemons

import (
	"regexp"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// netServerLine is a line of a configuration file of Net::Server (Net/Server.pm,
// _read_conf): a name, perhaps with -- before it, then =, : or blanks, and the rest.
var netServerLine = regexp.MustCompile(`^\s*(?:--)?(\w+)(?:\s*[=:]\s*|\s+)(.+)$`)

// DKIMproxy reads dkimproxy_in.conf or dkimproxy_out.conf. The daemon does not start
// without listen; a port without an address is on all of them.
func DKIMproxy(_ *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	for start, line := range f.Lines() {
		m := netServerLine.FindStringSubmatchIndex(uncommented(line))
		if m == nil {
			continue
		}
		value := strings.TrimRight(line[m[4]:m[5]], " \t")
		at := f.Anchor(start+m[4], start+m[4]+len(value))
		e, ok := endpoint.Parse(value)
		switch name := line[m[2]:m[3]]; {
		case name != "listen" && name != "relay":
		case !ok:
			from := len(c.Doubts)
			if c.AddDoubt(name+" has no port", at); name == "relay" {
				c.OnlyEdges(from)
			}
		case name == "listen":
			l := listeners.Listener{
				Port: e.Port, Protocol: "smtp", Product: "DKIMproxy", Role: result.RoleSigningProxy,
				Service: "listen " + value, At: at,
			}
			l.Bind(e.Host)
			if e.Host == "" || e.Host == "*" {
				l.Causes = []listeners.Cause{{Why: "listen has no address; DKIMproxy then listens on all of them", At: &at}}
			}
			c.AddListener(&l)
		default:
			c.AddEdge(listeners.Edge{File: at.File, Kind: listeners.EdgeRelay, Host: e.Host, Port: e.Port, At: at})
		}
	}
	return c
}

// uncommented returns a line without its comment: from a # on that has no \ before it.
func uncommented(line string) string {
	for i := range len(line) {
		if line[i] == '#' && (i == 0 || line[i-1] != '\\') {
			return line[:i]
		}
	}
	return line
}
