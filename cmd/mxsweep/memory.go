package main

import (
	"os"
	"runtime/debug"
)

// boundMemory has garbage collected late while a run is prepared, but more often
// than its size needs once long lists and saved runs take up much memory: what is
// read once leaves as much behind as it keeps. It returns what undoes it.
func boundMemory() (undo func()) {
	const most, late = 160 << 20, 400
	limit, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(late)
	if limit <= most || percent != 100 { // the user knows better
		debug.SetGCPercent(percent)
	}
	if limit <= most {
		return func() {}
	}
	debug.SetMemoryLimit(most)
	return func() {
		debug.SetMemoryLimit(limit)
		debug.SetGCPercent(percent)
	}
}

// boundPolicy has garbage collected less often than boundMemory while a policy is
// read: a long one takes as much as that allows, with next to no garbage beside it.
// It returns what undoes it.
func boundPolicy() (undo func()) {
	const most = 196 << 20
	limit := debug.SetMemoryLimit(-1)
	if limit < most {
		debug.SetMemoryLimit(most)
	}
	return func() { debug.SetMemoryLimit(limit) }
}

// boundRun has garbage collected early in all of a run over long lists, which take
// half of what it may.
func boundRun() {
	const most = 200 << 20
	if debug.SetMemoryLimit(-1) > most {
		debug.SetMemoryLimit(most)
	}
}

// tuneGC has the garbage of single SYNs collected early, and returns what undoes
// it and collectEarlier. The heap would else be let grow by as much as the
// program's tables take, which are larger than all that such a sweep keeps.
func (w *sweep) tuneGC() (undo func()) {
	before := debug.SetGCPercent(25)
	if w.engine.syn == nil || w.identifier != nil || os.Getenv("GOGC") != "" { // the user knows better
		debug.SetGCPercent(before)
	}
	if w.engine.syn != nil {
		// What reading the rules and the targets took is not needed again.
		debug.FreeOSMemory()
	}
	return func() { debug.SetGCPercent(before) }
}

// manyTalks is how many ports are talked to at once before memory counts for
// more than speed.
const manyTalks = 512

// collectEarlier has garbage collected earlier: dialogues leave much behind
// that is soon useless, and thousands of open ports take a quarter less memory
// for it.
func collectEarlier() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}
