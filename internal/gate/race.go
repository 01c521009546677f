//go:build race

package gate

// race says that the race detector is on.
const race = true
