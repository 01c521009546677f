package outfile

import (
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"
)

// TestStoppable writes more than a pipe takes to readers of several kinds, and stops the
// run after a minute. Only then is a reader that does not read given up.
func TestStoppable(t *testing.T) {
	text := make([]byte, 10*maxPiece+1)
	for name, c := range map[string]struct {
		every time.Duration // after which the reader takes the next piece; 0: never
		took  time.Duration
		err   error
	}{
		"reads nothing":                   {0, time.Minute + StopWait, ErrStalled},
		"reads slowly":                    {4 * time.Second, 11 * 4 * time.Second, nil},
		"reads slowly when the run stops": {9 * time.Second, 0, ErrStalled},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, w := io.Pipe()
				done := make(chan struct{})
				time.AfterFunc(time.Minute, func() { close(done) })
				reader := make(chan struct{})
				go func() {
					defer close(reader)
					for c.every > 0 {
						time.Sleep(c.every)
						if _, err := io.ReadFull(r, make([]byte, maxPiece)); err != nil {
							return
						}
					}
				}()
				begun := time.Now()
				s := Stoppable(w, done)
				n, err := s.Write(text)
				if took := time.Since(begun); !errors.Is(err, c.err) || c.took > 0 && took != c.took || err == nil && n != len(text) {
					t.Errorf("%d of %d bytes in %v, error %v, want %v and %v", n, len(text), took, err, c.took, c.err)
				}
				if _, again := s.Write(text); err != nil && !errors.Is(again, err) {
					t.Errorf("the next write: %v", again)
				}
				r.Close()
				w.Close()
				<-reader
			})
		})
	}
}
