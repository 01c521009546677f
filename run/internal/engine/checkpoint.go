package engine

import (
	"encoding/json"
	"time"

	"github.com/mxsweep/mxsweep/scan/syn"
)

// A checkpoint is where a sweep was, and when.
type checkpoint struct {
	at       time.Time
	progress syn.Progress
}

// Checkpoints returns a function that reports how far the engine is, once a second,
// and whether there is progress. Pairs probed less than the timeout ago do not count:
// their answers may still come.
func (e *Engine) Checkpoints(timeout time.Duration) func() ([]byte, bool) {
	var ahead []checkpoint
	return func() ([]byte, bool) {
		if e.syn == nil {
			return nil, false // connects have a result for each pair in time
		}
		now := time.Now()
		if n := len(ahead); n == 0 || now.Sub(ahead[n-1].at) >= time.Second {
			ahead = append(ahead, checkpoint{now, e.syn.Progress()})
		}
		if now.Sub(ahead[0].at) < timeout {
			return nil, false
		}
		mark, err := json.Marshal(ahead[0].progress)
		ahead = ahead[1:]
		return mark, err == nil
	}
}

// Unproven returns the checkpoint of an engine for which silence proved nothing, and
// whether it is one.
func (e *Engine) Unproven() ([]byte, bool) {
	if e.syn == nil {
		return nil, false
	}
	p := e.syn.Progress()
	if p.Pass != 0 || p.Asked != 0 {
		return nil, false
	}
	mark, err := json.Marshal(p)
	return mark, err == nil
}

// ReadCheckpoint returns how far an engine was: at the beginning if mark is no
// checkpoint.
func ReadCheckpoint(mark []byte) syn.Progress {
	var p syn.Progress
	if json.Unmarshal(mark, &p) != nil {
		return syn.Progress{}
	}
	return p
}
