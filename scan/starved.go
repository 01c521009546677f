package scan

// Starved reports whether err says that this machine, and nothing on the way
// or at the target, kept a connection from coming about: no file, no port or
// no memory was left for it. Such an attempt says nothing about the target.
func Starved(err error) bool {
	o, ok := errnoOutcome(err)
	return ok && o == starved
}
