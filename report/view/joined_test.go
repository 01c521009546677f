package view

import (
	"net/netip"
	"testing"

	"github.com/mxsweep/mxsweep/result"
)

// A sentence names each port that a scan does not show once, with the addresses where others
// have been probed.
func TestUnknownJoined(t *testing.T) {
	rows := func(ports int, addresses ...string) (list []*result.Joined) {
		for port := range ports {
			for _, a := range addresses {
				list = append(list, &result.Joined{IP: netip.MustParseAddr(a), Port: uint16(25 + port), State: result.JoinUnknown})
			}
		}
		return list
	}
	for want, c := range map[string]struct{ list, shown []*result.Joined }{
		"":                                   {},
		"not shown by the scan: the port 25": {rows(1, "192.0.2.1"), rows(3, "192.0.2.1")},
		"not shown by the scan: the ports 25, 26":                                                                {rows(2, "192.0.2.1"), nil},
		"not shown by the scan: the ports 25, 26 of 10.8.0.1 and fd00::1":                                        {rows(2, "10.8.0.1", "fd00::1"), rows(3, "192.0.2.1")},
		"not shown by the scan: the port 25 of 10.8.0.1; the ports 25, 26 of 10.9.0.1":                           {append(rows(1, "10.8.0.1"), rows(2, "10.9.0.1")...), rows(3, "192.0.2.1")},
		"not shown by the scan: the ports 25, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36 and 2 more of 10.8.0.1": {rows(14, "10.8.0.1"), rows(1, "192.0.2.1")},
	} {
		if got := UnknownJoined(c.list, c.shown); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}
