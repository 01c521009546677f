//go:build !unix

package dialer

// FreeFiles returns how many more files this process may open.
func FreeFiles() int { return 8192 }
