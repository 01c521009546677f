package engine

import (
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// blockedHosts are notices about hosts that stopped answering during the sweep.
func blockedHosts(st scan.Stats) []result.Notice {
	var notices []result.Notice
	for _, b := range st.Blocked {
		if b.Resets {
			notices = append(notices, exposure.NewNotice(exposure.NoticeBlocked, b.Addr.String(), nil,
				"From %s on, resets of %s came with another TTL, as a firewall's do: %d of its ports that were refused since stay unknown.",
				b.Since.UTC().Format(time.RFC3339), b.Addr, b.Pairs))
			continue
		}
		notices = append(notices, exposure.NewNotice(exposure.NoticeBlocked, b.Addr.String(), nil,
			"%s stopped answering at %s, on a port too that it had answered on: %d of its ports stay unknown.",
			b.Addr, b.Since.UTC().Format(time.RFC3339), b.Pairs))
	}
	if more := st.BlockedHosts - min(st.BlockedHosts, uint64(len(st.Blocked))); more > 0 {
		notices = append(notices, exposure.NewNotice(exposure.NoticeBlocked, "", nil,
			"%d further hosts stopped answering during the sweep.", more))
	}
	return notices
}
