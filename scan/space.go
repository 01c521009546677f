package scan

// A Space is the set of address and port pairs of a run.
type Space struct{}
