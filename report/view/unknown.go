package view

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// causes describes why a port could not be assessed: the reasons of unknown
// ports, and why a dialogue did not identify the service.
var causes = map[string]string{
	string(result.ReasonBlocked):              "the host stopped answering during the scan",
	string(result.ReasonZeroWindow):           "it accepts a connection but no data",
	string(result.ReasonNoResponse):           "nothing answered",
	string(result.InconclusiveNoReply):        "it did not reply",
	string(result.InconclusiveNoConnection):   "no connection for a dialogue was possible",
	string(result.InconclusiveRefused):        "it temporarily refused service",
	string(result.InconclusiveCutOff):         "the dialogue was cut off",
	string(result.InconclusiveHandshake):      "it speaks TLS, but the handshake failed",
	string(result.InconclusiveUnfinished):     "it was still replying at the time limit",
	string(result.InconclusiveUnacknowledged): "the data sent was never acknowledged",
	string(result.InconclusiveHostTimeout):    "the time limit of its host was reached",
	string(result.InconclusiveSkipped):        skipped,
}

// unassessedSkipped is the cause for open ports without a dialogue.
const (
	skipped           = "no dialogue took place"
	unassessedSkipped = "open, but " + skipped
)

// Cause describes a known reason, and returns any other as it is.
func Cause(word string) string { return cmp.Or(causes[word], word) }

// Inconclusive says why the dialogue did not identify the service, with the
// daemon's reply; "" if it did.
func Inconclusive(s *result.Service) string {
	if s == nil || s.Inconclusive == "" {
		return ""
	}
	text := "inconclusive: " + Cause(string(s.Inconclusive))
	if s.Refusal != "" {
		text += ` ("` + words.Shorten(strings.TrimSpace(s.Refusal), 60) + `")`
	}
	return text
}

// An unassessed lists the ports that could not be assessed for one cause.
type unassessed struct {
	ports    int
	hosts    []string
	unrouted bool // this machine has no route to the hosts
}

// add counts a port. The ports of a host must be consecutive.
func (u *unassessed) add(p *result.Port) {
	u.ports++
	if n, ip := len(u.hosts), p.IP.String(); n == 0 || u.hosts[n-1] != ip {
		u.hosts = append(u.hosts, ip)
	}
}

// String returns the number of ports and their hosts, at most three by name.
func (u *unassessed) String() string {
	s := wording.Plural(u.ports, "port") + " of " + strings.Join(u.hosts[:min(len(u.hosts), 3)], ", ")
	if more := len(u.hosts) - 3; more > 0 {
		s += fmt.Sprintf(" and %s", wording.Plural(more, "more host"))
	}
	return s
}

// countUnassessed counts a port that could not be assessed by its cause. Of an error
// that is the last part, because the parts before it name the port.
func (v *View) countUnassessed(p *result.Port) {
	why := Cause(string(p.Reason))
	switch {
	case p.State == result.StateOpen:
		why = "open, but " + Cause(string(p.Service.Inconclusive))
	case p.Error != nil:
		why = p.Error.Message[strings.LastIndex(p.Error.Message, ": ")+1:]
	}
	why = cmp.Or(strings.TrimSpace(why), "cause unknown")
	u := v.unassessed[why]
	if u == nil {
		u = new(unassessed)
		v.unassessed[why] = u
	}
	u.add(p)
	u.unrouted = u.unrouted || p.State == result.StateUnknown && p.Reason == result.ReasonNetUnreach
}

// FirstUnidentified returns the first open port that answered and that no signature
// identifies; nil if there is none.
func (v *View) FirstUnidentified() (*HostEntry, *PortEntry) {
	for i := range v.Hosts {
		for j := range v.Hosts[i].Ports {
			p := &v.Hosts[i].Ports[j]
			if p.Port != nil && p.Port.Service != nil && p.Port.Service.Label() == "" && Inconclusive(p.Port.Service) == "" {
				return &v.Hosts[i], p
			}
		}
	}
	return nil, nil
}
