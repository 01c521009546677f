package fingerprint

import (
	"context"
	"time"
)

// pace waits until one more connection may be opened, and records how long that took.
func (s *session) pace(ctx context.Context) error {
	if s.id.Pace == nil {
		return nil
	}
	begun := time.Now()
	err := s.id.Pace(ctx)
	s.paced.Add(int64(time.Since(begun)))
	return err
}

// time returns the time limit of the dialogue.
func (s *session) time() time.Duration {
	left := max(time.Duration(s.left.time.Load()), orDefault(s.least, leastTime))
	return min(orDefault(s.most, left), left)
}

// timeLeft returns how long the dialogue that began at a time may continue before it
// is checked again, and zero if it may not.
func (s *session) timeLeft(most time.Duration, begun time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	took := time.Since(begun) - time.Duration(s.paced.Load()) - s.turn.waited()
	left := most - took
	switch short := s.greetingTimeout(); {
	case took < short:
		return min(left, short-took)
	case s.hasShortTime():
		s.shortened = true
		return 0
	}
	return min(left, detachSooner)
}

// bounded returns a context that is done after most, not counting the time that
// connections waited for the rate and the port for its turn. Its cause is then
// [context.DeadlineExceeded].
func (s *session) bounded(parent context.Context, most time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	begun := time.Now()
	var timer *time.Timer
	armed := make(chan struct{})
	timer = time.AfterFunc(min(most, s.greetingTimeout()), func() {
		<-armed
		if left := s.timeLeft(most, begun); left > 0 {
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
