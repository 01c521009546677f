package listening

import (
	"context"
	"sync"
	"time"

	"github.com/mxsweep/mxsweep/listeners/sockets"
	"github.com/mxsweep/mxsweep/run/configured"
)

// A Survey is what listens on a machine and what its configuration files say, while it is
// read.
type Survey struct {
	start    time.Time
	reading  sync.WaitGroup
	snapshot *sockets.Snapshot
	files    *configured.Audit // nil if no path was named

	errSockets, errFiles error
}

// Begin begins to list what listens, and to read the configuration files that the paths name
// and contain, at the same time: both take about as long as reading the built-in rules.
func Begin(ctx context.Context, o sockets.Options, paths []string) *Survey {
	s := &Survey{start: time.Now()}
	if len(paths) > 0 {
		s.files = &configured.Audit{}
		s.reading.Go(func() { s.errFiles = s.files.Read(paths) })
	}
	s.reading.Go(func() { s.snapshot, s.errSockets = sockets.List(ctx, o) })
	return s
}

// Look waits for what was begun to be read. The error is a usage error for a path that does
// not exist.
func (a *Audit) Look(s *Survey) error {
	s.reading.Wait()
	if s.errFiles != nil {
		return s.errFiles
	}
	if a.files = s.files; a.files != nil {
		a.files.Ports = a.Ports
	}
	a.start, a.snapshot = s.start, s.snapshot
	return s.errSockets
}
