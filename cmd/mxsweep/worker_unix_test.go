//go:build unix

package main

import (
	"os"

	"golang.org/x/sys/unix"
)

// canRedirect reports whether redirect works.
const canRedirect = true

// redirect makes the descriptor of f a duplicate of from.
func redirect(from, f *os.File) error { return unix.Dup2(int(from.Fd()), int(f.Fd())) }
