package main

import (
	"encoding/json"
	"time"

	"github.com/mxsweep/mxsweep/scan/syn"
)

// A milestone is where a sweep was, and when.
type milestone struct {
	at       time.Time
	progress syn.Progress
}

// progress returns what tells how far the engine is, once a second, and
// whether there is anything to tell. What was asked less than an answer's time
// ago does not count: its answers are still under way.
func (e *engine) progress(timeout time.Duration) func() ([]byte, bool) {
	var ahead []milestone
	return func() ([]byte, bool) {
		if e.syn == nil {
			return nil, false // connects have a result for each pair in its time
		}
		now := time.Now()
		if n := len(ahead); n == 0 || now.Sub(ahead[n-1].at) >= time.Second {
			ahead = append(ahead, milestone{now, e.syn.Progress()})
		}
		if now.Sub(ahead[0].at) < timeout {
			return nil, false
		}
		mark, err := json.Marshal(ahead[0].progress)
		ahead = ahead[1:]
		return mark, err == nil
	}
}

// beginAnew has a later run ask again what stayed silent, if this one could not
// show that its silence means anything: marks that were noted before do not
// count.
func (r *resumption) beginAnew(e *engine) {
	if r == nil || e.syn == nil {
		return
	}
	if p := e.syn.Progress(); p.Pass == 0 && p.Asked == 0 {
		if mark, err := json.Marshal(p); err == nil {
			_ = r.Mark(mark) // the journal keeps its error for the end
		}
	}
}

// begin is how far the SYN engine of earlier runs was: nowhere if there is
// nothing of that kind.
func (r *resumption) begin() syn.Progress {
	var p syn.Progress
	if r == nil || json.Unmarshal(r.Marked(), &p) != nil {
		return syn.Progress{}
	}
	return p
}
