package scan

import (
	"context"
	"fmt"

	"github.com/mxsweep/mxsweep/result"
)

// maxLate is how many pairs that were not probed in time are reported. In a larger
// sweep the others have no result.
const maxLate = 1 << 20

// late reports whether the authorization has ended.
func (s *sweep) late() bool { return !s.cfg.NotAfter.IsZero() && s.now >= s.end }

// refuse reports, until ctx is done, the pairs that were never drawn because the
// authorization ended.
func (s *sweep) refuse(ctx context.Context, cause error) {
	for n := 0; s.next < s.space.Len() && n < maxLate && ctx.Err() == nil; {
		for end := s.next + stride; s.room && s.next < min(end, s.space.Len()) && n < maxLate; n++ {
			if to, ok := s.advance(); ok {
				s.report(Result{Target: to, State: result.StateUnknown, Reason: result.ReasonUnknown, Time: s.start.Add(s.now),
					Err: fmt.Errorf("probing %v: %w", to, cause)})
			}
		}
		if s.flush(); !s.room {
			s.dialer.Wait(nil, -1) // until the results are taken
		}
	}
}
