//go:build !unix

package outfile

import "errors"

// mkfifo cannot make a FIFO.
func mkfifo(string) error { return errors.ErrUnsupported }
