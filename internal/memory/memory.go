// Package memory bounds how much memory the program takes, for the kinds of work
// that it does.
package memory

import (
	"os"
	"runtime/debug"
)

// BoundReading has garbage collected late while a run is prepared, but more often
// than its size needs once long lists and saved runs take up much memory: what is
// read once leaves as much behind as it keeps. It returns what undoes it.
func BoundReading() (undo func()) {
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

// BoundPolicy has garbage collected less often than BoundReading while a policy is
// read: a long one takes as much as that allows, with next to no garbage beside it.
// It returns what undoes it.
func BoundPolicy() (undo func()) {
	const most = 196 << 20
	limit := debug.SetMemoryLimit(-1)
	if limit < most {
		debug.SetMemoryLimit(most)
	}
	return func() { debug.SetMemoryLimit(limit) }
}

// BoundRun has garbage collected early in all of a run over long lists, which take
// half of what it may. It returns what undoes it.
func BoundRun() (undo func()) {
	const most = 200 << 20
	limit := debug.SetMemoryLimit(-1)
	if limit > most {
		debug.SetMemoryLimit(most)
	}
	return func() { debug.SetMemoryLimit(limit) }
}

// CollectEarlier has garbage collected earlier: dialogues leave much behind
// that is soon useless, and thousands of open ports take a quarter less memory
// for it.
func CollectEarlier() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}
