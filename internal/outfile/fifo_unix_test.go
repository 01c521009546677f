//go:build unix

package outfile

import "syscall"

// mkfifo creates a FIFO.
func mkfifo(name string) error { return syscall.Mkfifo(name, 0o600) }
