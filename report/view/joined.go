package view

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
)

// Joined returns what a scan and a machine, or its files, show together, the most urgent
// first; those that the scan does not show are apart.
func (v *View) Joined() (shown, unknown []*result.Joined) {
	for i := range v.Run.Joined {
		j := &v.Run.Joined[i]
		if j.State == result.JoinUnknown {
			unknown = append(unknown, j)
		} else {
			shown = append(shown, j)
		}
	}
	order := result.JoinStates()
	slices.SortStableFunc(shown, func(a, b *result.Joined) int {
		return cmp.Compare(slices.Index(order, a.State), slices.Index(order, b.State))
	})
	return shown, unknown
}

// maxUnknownPorts is how many ports a sentence names.
const maxUnknownPorts = 12

// UnknownJoined says in one sentence, without a full stop, which ports a scan does not show;
// "" if there are none.
func UnknownJoined(list []*result.Joined) string {
	if len(list) == 0 {
		return ""
	}
	var ports []string
	for _, j := range list {
		if p := strconv.Itoa(int(j.Port)); !slices.Contains(ports, p) {
			ports = append(ports, p)
		}
	}
	more := ""
	if n := len(ports) - maxUnknownPorts; n > 0 {
		ports, more = ports[:maxUnknownPorts], " and "+wording.Plural(n, "more")
	}
	return "not shown by the scan: the " + wording.Ports(strings.Join(ports, ",")) + " " + strings.Join(ports, ", ") + more
}

// JoinedText says what is known of a port, in one line: the daemon, what the state means, and
// the line that opens it.
func JoinedText(j *result.Joined) string {
	text := j.Why
	if j.Product != "" {
		text = j.Product + ": " + text
	}
	if j.Anchor != nil {
		text += "; " + Where(j.Anchor)
	}
	return text
}
