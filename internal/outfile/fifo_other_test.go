//go:build !unix

package outfile

import "errors"

// mkfifo is not supported on this system.
func mkfifo(string) error { return errors.ErrUnsupported }
