//go:build !unix

package main

import "errors"

// mkfifo cannot make a FIFO.
func mkfifo(string) error { return errors.ErrUnsupported }
