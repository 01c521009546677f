//go:build !unix

package scan

// freeFiles returns how many more files this process may open.
func freeFiles() int { return 8192 }
