//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// canRedirect says that redirect works.
const canRedirect = true

// redirect makes the descriptor of f another one for what from is.
func redirect(from, f *os.File) error { return unix.Dup2(int(from.Fd()), int(f.Fd())) }
