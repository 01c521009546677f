//go:build race

package gate

// Race says that the race detector is on.
const Race = true
