//go:build !linux

package scan

// newWire returns the wire of this platform, for at most n connections.
func newWire(int) (wire, error) { return newDialWire(nil), nil }
