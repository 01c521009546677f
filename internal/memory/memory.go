// Package memory limits the memory of the program by tuning the garbage collector
// for each kind of work.
package memory

import (
	"os"
	"runtime/debug"
)

// BoundReading delays garbage collection while a run is prepared, until long
// lists and saved runs take up much memory: reading leaves as much garbage as
// data. undo restores the previous setting.
func BoundReading() (undo func()) {
	const most, late = 160 << 20, 400
	limit, percent := debug.SetMemoryLimit(-1), debug.SetGCPercent(late)
	if limit <= most || percent != 100 { // the user chose a setting
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

// BoundPolicy collects garbage less often than BoundReading while a policy is
// read: a long one takes as much as that allows, with little garbage. undo
// restores the previous setting.
func BoundPolicy() (undo func()) {
	const most = 196 << 20
	limit := debug.SetMemoryLimit(-1)
	if limit < most {
		debug.SetMemoryLimit(most)
	}
	return func() { debug.SetMemoryLimit(limit) }
}

// BoundRun collects garbage early during a run over long lists, which take half
// of the memory. undo restores the previous setting.
func BoundRun() (undo func()) {
	const most = 200 << 20
	limit := debug.SetMemoryLimit(-1)
	if limit > most {
		debug.SetMemoryLimit(most)
	}
	return func() { debug.SetMemoryLimit(limit) }
}

// CollectEarlier collects garbage earlier: dialogues leave much garbage, and
// thousands of open ports take a quarter less memory this way.
func CollectEarlier() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(50)
	}
}
