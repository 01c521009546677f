package outfile

import (
	"errors"
	"io"
	"time"
)

// StopWait is how long a reader may take nothing of what is written to it once the run
// was stopped.
const StopWait = 5 * time.Second

// maxPiece is how much is written at a time: a reader that takes less than this in
// StopWait counts as one that does not read.
const maxPiece = 4 << 10

// ErrStalled is the error of a reader that took nothing once the run was stopped.
var ErrStalled = errors.New("the run was stopped, and the reader has not read for " + StopWait.String())

// Stoppable returns a writer to something that blocks while nobody reads it, such as a
// pipe or a terminal. Once done is closed, its writes fail with [ErrStalled] after
// StopWait in which nothing was read; the last one goes on until w is closed. Nil never
// is.
func Stoppable(w io.Writer, done <-chan struct{}) io.Writer {
	if done == nil {
		return w
	}
	return &stoppable{w: w, done: done}
}

type stoppable struct {
	w     io.Writer
	done  <-chan struct{}
	piece []byte // what is being written: callers may change theirs once Write has returned
	err   error  // the first
}

// Write implements [io.Writer].
func (s *stoppable) Write(p []byte) (n int, err error) {
	for s.err == nil && n < len(p) {
		s.piece = append(s.piece[:0], p[n:min(len(p), n+maxPiece)]...)
		written, err := s.writePiece()
		n, s.err = n+written, err
	}
	return n, s.err
}

// writePiece writes the piece, in the time that there is for it.
func (s *stoppable) writePiece() (n int, err error) {
	type outcome struct {
		n   int
		err error
	}
	ended := make(chan outcome, 1)
	go func() {
		n, err := s.w.Write(s.piece)
		ended <- outcome{n, err}
	}()
	select {
	case o := <-ended:
		return o.n, o.err
	case <-s.done:
	}
	select {
	case o := <-ended:
		return o.n, o.err
	case <-time.After(StopWait):
		return 0, ErrStalled
	}
}
