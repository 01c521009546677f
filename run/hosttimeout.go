package run

import (
	"context"
	"errors"
	"maps"
	"net/netip"
	"slices"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/hosts"
)

// maxTimedHosts is how many hosts may be swept with --host-timeout, because their
// times are stored.
const maxTimedHosts = 1 << 20

// checkHostTimes refuses --host-timeout for too many hosts.
func (p *Plan) checkHostTimes() error {
	if n := p.space.Hosts(); p.opts.HostTimeout > 0 && n > maxTimedHosts {
		return fault.Usagef("omit --host-timeout, or scan them in parts with --shard",
			"combining --host-timeout with %d addresses: at most %d are possible", n, maxTimedHosts)
	}
	return nil
}

// talk holds the dialogue with an open port, in the time that its host has left.
func (w *sweep) talk(ctx context.Context, r scan.Result) (*fingerprint.Identification, error) {
	clock, addr := w.plan.hosts, r.Target.Addr()
	end, ok := clock.End(addr)
	if !ok {
		return w.identifier.Identify(ctx, r)
	}
	if clock.Refuses(addr) {
		if r.Conn != nil {
			_ = r.Conn.Close() // nothing was sent
		}
		return &fingerprint.Identification{Service: result.Service{Role: "unknown", Inconclusive: result.InconclusiveHostTimeout}}, nil
	}
	ctx, cancel := context.WithDeadlineCause(ctx, end, clock.Err())
	defer cancel()
	service, err := w.identifier.Identify(ctx, r)
	if errors.As(context.Cause(ctx), new(*hosts.TimeoutError)) && service.Inconclusive != "" && clock.Refuses(addr) {
		service.Inconclusive, err = result.InconclusiveHostTimeout, nil
	}
	return service, err
}

// hostTimeouts count the unfinished pairs of the hosts whose time was over.
type hostTimeouts map[netip.Addr]*hostTimeout

type hostTimeout struct {
	unfinished uint64 // pairs that were not asked, or not proven
	unassessed uint64 // open ports whose dialogue did not end, or begin
}

// of returns the counts of a host.
func (t hostTimeouts) of(a netip.Addr) *hostTimeout {
	if t[a] == nil {
		t[a] = &hostTimeout{}
	}
	return t[a]
}

// add counts a result, if its host was not finished in its time.
func (t hostTimeouts) add(r scan.Result) {
	if r.Reason == result.ReasonHostTimeout {
		t.of(r.Target.Addr()).unfinished++
	}
}

// unfinished counts an open port of a host that was short of time.
func (t hostTimeouts) unfinished(a netip.Addr) { t.of(a).unassessed++ }

// timeoutNotices returns a notice for the hosts that were not finished in their time.
func (w *sweep) timeoutNotices() []result.Notice {
	var notices []result.Notice
	progress := ""
	if file := w.plan.opts.Resume; file != "" && len(w.timeouts) > 0 {
		progress = " With --resume " + file + " the same command continues with them."
	}
	for i, a := range slices.SortedFunc(maps.Keys(w.timeouts), netip.Addr.Compare) {
		if i == maxNamed {
			notices = append(notices, exposure.NewNotice(exposure.NoticeHostTimeout, "", nil,
				"%s not finished in %s.%s", wording.Amount(len(w.timeouts)-i, "more host was", "more hosts were"), w.plan.opts.HostTimeout, progress))
			break
		}
		t := w.timeouts[a]
		n := exposure.NewNotice(exposure.NoticeHostTimeout, a.String(), nil,
			"%s was not finished in %s: ports without a proven state %d, open ports without a finished dialogue %d.%s",
			wording.Named(a, w.plan.scope.Name(a)), w.plan.opts.HostTimeout, t.unfinished, t.unassessed, progress)
		n.Names = w.plan.scope.Names(a)
		notices = append(notices, n)
	}
	return notices
}
