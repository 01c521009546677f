package engine

import (
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// blockedHosts returns notices about hosts that stopped answering during the sweep.
func blockedHosts(st scan.Stats) []result.Notice {
	var notices []result.Notice
	for _, b := range st.Blocked {
		if b.Resets {
			notices = append(notices, exposure.NewNotice(exposure.NoticeBlocked, b.Addr.String(), nil,
				"Since %s, resets from %s have a different TTL, as if sent by a firewall: %s unknown.",
				b.Since.UTC().Format(time.RFC3339), b.Addr, wording.Amount(b.Pairs, "of its ports that refused since then is", "of its ports that refused since then are")))
			continue
		}
		notices = append(notices, exposure.NewNotice(exposure.NoticeBlocked, b.Addr.String(), nil,
			"%s stopped answering at %s, even on a port that had answered: %s unknown.",
			b.Addr, b.Since.UTC().Format(time.RFC3339), wording.Amount(b.Pairs, "of its ports is", "of its ports are")))
	}
	if more := st.BlockedHosts - min(st.BlockedHosts, uint64(len(st.Blocked))); more > 0 {
		notices = append(notices, exposure.NewNotice(exposure.NoticeBlocked, "", nil,
			"%s stopped answering during the sweep.", wording.Plural(more, "more host")))
	}
	return notices
}
