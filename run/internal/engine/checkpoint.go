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

// Checkpoints returns what tells how far the engine is, once a second, and
// whether there is anything to tell. What was asked less than an answer's time
// ago does not count: its answers are still under way.
func (e *Engine) Checkpoints(timeout time.Duration) func() ([]byte, bool) {
	var ahead []checkpoint
	return func() ([]byte, bool) {
		if e.syn == nil {
			return nil, false // connects have a result for each pair in its time
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

// Unproven is the checkpoint of an engine that could not show that silence means
// anything, and whether it is one.
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

// ReadCheckpoint is how far an engine was: nowhere if mark is no checkpoint.
func ReadCheckpoint(mark []byte) syn.Progress {
	var p syn.Progress
	if json.Unmarshal(mark, &p) != nil {
		return syn.Progress{}
	}
	return p
}
