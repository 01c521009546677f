package fingerprint

import (
	"context"
	"time"
)

// pace waits until one more connection may leave, and notes how long that took.
func (s *session) pace(ctx context.Context) error {
	if s.id.Pace == nil {
		return nil
	}
	begun := time.Now()
	err := s.id.Pace(ctx)
	s.paced.Add(int64(time.Since(begun)))
	return err
}

// time is how long the conversation may take.
func (s *session) time() time.Duration {
	left := max(time.Duration(s.left.time.Load()), orDefault(s.least, leastTime))
	return min(orDefault(s.most, left), left)
}

// bounded returns a context that is done after most, apart from the time that
// connections waited for their pace. Its cause is then
// [context.DeadlineExceeded].
func (s *session) bounded(parent context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	begun := time.Now()
	var timer *time.Timer
	armed := make(chan struct{})
	timer = time.AfterFunc(most, func() {
		<-armed
		if left := most + time.Duration(s.paced.Load()) - time.Since(begun); left > 0 {
			timer.Reset(left)
			return
		}
		cancel(context.DeadlineExceeded)
	})
	close(armed)
	return ctx, func() {
		timer.Stop()
		cancel(context.Canceled)
	}
}
