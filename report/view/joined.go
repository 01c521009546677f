package view

import (
	"cmp"
	"fmt"
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

// How many ports of an address, and how many addresses, a sentence names.
const (
	maxUnknownPorts     = 12
	maxUnknownAddresses = 6
)

// UnknownJoined says in one sentence, without a full stop, which ports a scan does not show,
// and of which addresses if those of others are shown; "" if there are none.
func UnknownJoined(list, shown []*result.Joined) string {
	var sets []string // of ports
	addresses := map[string][]string{}
	only := true // one address
	for len(list) > 0 {
		at := list[0].IP
		of := func(j *result.Joined) bool { return j.IP == at }
		var ports []string
		for _, j := range list {
			if of(j) {
				ports = append(ports, strconv.Itoa(int(j.Port)))
			}
		}
		only = only && !slices.ContainsFunc(slices.Concat(list, shown), func(j *result.Joined) bool { return !of(j) })
		list = slices.DeleteFunc(slices.Clone(list), of)
		set := "the " + wording.Ports(strings.Join(ports, ",")) + " " + strings.Join(ports[:min(len(ports), maxUnknownPorts)], ", ")
		if more := len(ports) - maxUnknownPorts; more > 0 {
			set += fmt.Sprintf(" and %d more", more)
		}
		if addresses[set] == nil {
			sets = append(sets, set)
		}
		addresses[set] = append(addresses[set], at.String())
	}
	if sets == nil {
		return ""
	}
	for i, set := range sets {
		if !only {
			sets[i] += " of " + wording.First(addresses[set], maxUnknownAddresses)
		}
	}
	return "not shown by the scan: " + strings.Join(sets, "; ")
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
