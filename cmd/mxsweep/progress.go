package main

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/schollz/progressbar/v3"

	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/run"
)

// A progressMode is how the progress of a run is shown on standard error.
type progressMode int

const (
	progressNone  progressMode = iota
	progressBar                // a bar that is redrawn, for people
	progressLines              // a plain line at intervals, for logs
)

// progressMode decides how to show progress: auto is a bar on a terminal and plain
// lines if the environment is that of a CI job.
func (s *session) progressMode(mode string, quiet bool) progressMode {
	terminal := s.isTerminal(s.stderr)
	switch {
	case mode == never || quiet:
		return progressNone
	case terminal:
		return progressBar
	case mode == always || s.env("CI") != "":
		return progressLines
	default:
		return progressNone
	}
}

// A progress shows how far a run is until it is stopped. The nil progress shows
// nothing.
type progress struct {
	w     io.Writer
	bar   *progressbar.ProgressBar // nil in line mode
	now   func() run.Progress
	line  func(t run.Progress, elapsed time.Duration) string
	width func() int // columns of the terminal, 0 if not known; nil in line mode
	start time.Time
	done  chan struct{}
	ended sync.WaitGroup
}

// How often progress is shown: a bar often enough to move, a line seldom enough not to
// fill a log.
const (
	barEvery  = 200 * time.Millisecond
	lineEvery = 30 * time.Second
)

// startProgress starts to show what now returns, in the words of line. width returns how
// many columns a bar may take.
func startProgress(w io.Writer, mode progressMode, color bool, width func() int, now func() run.Progress, line func(run.Progress, time.Duration) string) *progress {
	if mode == progressNone {
		return nil
	}
	p := &progress{w: w, now: now, line: line, width: width, start: time.Now(), done: make(chan struct{})}
	every := lineEvery
	if mode == progressBar {
		every = barEvery
		p.bar = progressbar.NewOptions64(1,
			progressbar.OptionSetWriter(w),
			progressbar.OptionEnableColorCodes(color),
			progressbar.OptionSetWidth(24),
			progressbar.OptionSetPredictTime(false),
			progressbar.OptionSetElapsedTime(false),
			progressbar.OptionThrottle(barEvery/2),
			progressbar.OptionClearOnFinish(),
		)
	}
	p.ended.Go(func() {
		tick := time.NewTicker(every)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
				p.show()
			case <-p.done:
				return
			}
		}
	})
	return p
}

// watch shows how far a run is, according to the flags.
func (s *session) watch(mode, color string, quiet bool) func(now func() run.Progress) (ended func()) {
	return func(now func() run.Progress) func() {
		return startProgress(s.stderr, s.progressMode(mode, quiet), s.color(color, s.stderr), func() int { return s.width(s.stderr) }, now, progressLine).stop
	}
}

// stop ends the display and clears the bar.
func (p *progress) stop() {
	if p == nil {
		return
	}
	close(p.done)
	p.ended.Wait()
	if p.bar != nil {
		// An error means that the terminal is gone.
		_ = p.bar.Finish()
	}
}

func (p *progress) show() {
	t := p.now()
	if p.bar == nil {
		fmt.Fprintf(p.w, "mxsweep: %.0f%%: %s\n", 100*t.Share, p.line(t, time.Since(p.start)))
		return
	}
	// The dialogues count as work too; the bar is full only when stop clears it.
	planned := int64(min(t.Planned, 1<<62))
	whole := planned + int64(t.Open) + 1
	p.bar.ChangeMax64(whole)
	p.bar.Describe(fitted(p.line(t, time.Since(p.start)), p.width()))
	_ = p.bar.Set64(min(int64(t.Share*float64(planned))+int64(t.Identified), whole-1))
}

// progressLine describes in one line how many ports are done, how many are open, how
// much gets lost, at what rate probes are sent, and the time left; once all ports are
// done, what the run waits for.
func progressLine(t run.Progress, elapsed time.Duration) string {
	line := fmt.Sprintf("%s of %s ports, %d open", shortCount(float64(t.Done)), shortCount(float64(t.Planned)), t.Open)
	if t.Planned > 0 && t.Done >= t.Planned {
		switch waiting := max(int64(t.Open)-int64(t.Identified), 0); {
		case waiting == 0:
		case t.Listen > 0:
			line += fmt.Sprintf(", waiting for %s to reply, up to %s", wording.Plural(int(waiting), "port"), wording.Duration(t.Listen))
		default:
			line += fmt.Sprintf(", trying %s again", wording.Plural(int(waiting), "port"))
		}
		return line
	}
	rate := t.Rate
	if rate == 0 && elapsed > 0 {
		rate = float64(t.Sent) / elapsed.Seconds()
	}
	if t.Measured {
		line += fmt.Sprintf(", %.1f%% lost", 100*t.Loss)
	}
	line += fmt.Sprintf(", %s probes/s", shortCount(rate))
	if t.Share > 0 && elapsed > 0 {
		if left := elapsed.Seconds()*(1-t.Share)/t.Share + t.Wait.Seconds(); left < 1e9 {
			line += fmt.Sprintf(", about %s left", wording.Duration(time.Duration(left*float64(time.Second))))
		}
	}
	return line
}

// domainLine describes in one line how many domains are done, and the time left.
func domainLine(t run.Progress, elapsed time.Duration) string {
	line := fmt.Sprintf("%d of %d domains", t.Done, t.Planned)
	if t.Share > 0 && t.Share < 1 && elapsed > 0 {
		line += fmt.Sprintf(", about %s left", wording.Duration(time.Duration(float64(elapsed)*(1-t.Share)/t.Share)))
	}
	return line
}

// shortCount is n in few digits.
func shortCount(n float64) string {
	switch {
	case n < 1e5:
		return fmt.Sprintf("%.0f", n)
	case n < 1e8:
		return fmt.Sprintf("%.0fk", n/1e3)
	default:
		return fmt.Sprintf("%.0fM", n/1e6)
	}
}

// besideLine is the minimum width of the bar without its line: " 99% ||" and the last
// column, at which some terminals wrap.
const besideLine = 9

// fitted drops the last parts of a line until it fits: a line that wraps cannot be
// redrawn and scrolls the terminal.
func fitted(line string, columns int) string {
	room := max(columns-besideLine, 0)
	for columns > 0 && len(line) > room {
		i := strings.LastIndex(line, ", ")
		if i < 0 {
			return line[:room]
		}
		line = line[:i]
	}
	return line
}
