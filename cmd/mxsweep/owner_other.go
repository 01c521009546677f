//go:build !unix

package main

import "os"

// foreign reports whether the directory of a file belongs to somebody else;
// only on Unix does that matter.
func foreign(string) bool { return false }

// lockFile does nothing where files cannot be locked.
func lockFile(*os.File) error { return nil }
