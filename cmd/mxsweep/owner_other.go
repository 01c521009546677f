//go:build !unix

package main

// foreign reports whether the directory of a file belongs to somebody else;
// only on Unix does that matter.
func foreign(string) bool { return false }
