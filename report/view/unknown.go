package view

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// causes words what keeps a port from being judged: the reasons of ports that
// are unknown, and why a dialogue did not settle what answers.
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

// unjudgedSkipped is the cause of open ports that were not talked to.
const (
	skipped         = "no dialogue took place"
	unjudgedSkipped = "open, but " + skipped
)

// Cause words a reason that is known, and gives another as it is.
func Cause(word string) string { return cmp.Or(causes[word], word) }

// Inconclusive says why the dialogue did not settle what answers, with the words
// of the daemon; "" if it did.
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

// An unjudged is a cause for which ports could not be judged, and where.
type unjudged struct {
	ports    int
	hosts    []string
	unrouted bool // this machine has no route to them
}

// add counts a port. The ports of a host come one after the other.
func (u *unjudged) add(p *result.Port) {
	u.ports++
	if n, ip := len(u.hosts), p.IP.String(); n == 0 || u.hosts[n-1] != ip {
		u.hosts = append(u.hosts, ip)
	}
}

// String says how many ports and which hosts, at most three by name.
func (u *unjudged) String() string {
	s := wording.Plural(u.ports, "port") + " of " + strings.Join(u.hosts[:min(len(u.hosts), 3)], ", ")
	if more := len(u.hosts) - 3; more > 0 {
		s += fmt.Sprintf(" and %s", wording.Plural(more, "more host"))
	}
	return s
}

// unjudgedFor counts a port that could not be judged by its cause. Of an error
// that is the last part, since what comes before names the port.
func (v *View) unjudgedFor(p *result.Port) {
	why := Cause(string(p.Reason))
	switch {
	case p.State == result.StateOpen:
		why = "open, but " + Cause(string(p.Service.Inconclusive))
	case p.Error != nil:
		why = p.Error.Message[strings.LastIndex(p.Error.Message, ": ")+1:]
	}
	why = cmp.Or(strings.TrimSpace(why), "cause unknown")
	u := v.unjudged[why]
	if u == nil {
		u = new(unjudged)
		v.unjudged[why] = u
	}
	u.add(p)
	u.unrouted = u.unrouted || p.State == result.StateUnknown && p.Reason == result.ReasonNetUnreach
}

// Nameless is the first open port that answered and that no signature names;
// nil if there is none.
func (v *View) Nameless() (*HostEntry, *PortEntry) {
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
