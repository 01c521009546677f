//go:build !race

package gate

// Race reports whether the race detector is on.
const Race = false
