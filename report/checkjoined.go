package report

import (
	"github.com/mxsweep/mxsweep/exposure/join"
	"github.com/mxsweep/mxsweep/result"
)

// checkJoined checks what a run says of a scan and a machine together.
func checkJoined(list []result.Joined) error {
	if len(list) > join.MaxRows {
		return badValue("joined", len(list), "more than a run has")
	}
	for i := range list {
		j := &list[i]
		if !j.IP.IsValid() || j.Port == 0 {
			return badValue("joined", i, "without an address and a port")
		}
		if err := first(
			inTable("join", &j.State, result.ParseJoinState),
			checkOutside(j.Outside),
			checkAnchor(j.Anchor, "anchor"),
		); err != nil {
			return err
		}
	}
	return nil
}

// checkOutside checks the state of a port that a scan may have seen.
func checkOutside(s result.State) error {
	if s == "" {
		return nil
	}
	return inTable("outside", &s, result.ParseState)
}
