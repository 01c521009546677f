package html

import "github.com/mxsweep/mxsweep/report/view"

// An htmlJoined is a row of what a scan and a machine, or its files, show together.
type htmlJoined struct{ State, Place, Host, Text string }

// joined returns the rows of the table, and what the scan does not show.
func joined(v *view.View) (rows []htmlJoined, unknown string) {
	shown, rest := v.Joined()
	for _, j := range shown {
		rows = append(rows, htmlJoined{string(j.State), view.Place(j.IP, j.Port), j.Host, view.JoinedText(j)})
	}
	return rows, view.UnknownJoined(rest, shown)
}
