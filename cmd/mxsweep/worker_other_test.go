//go:build !unix

package main

import (
	"errors"
	"os"
)

// canRedirect reports whether redirect works.
const canRedirect = false

// redirect is not used here.
func redirect(_, _ *os.File) error { return errors.ErrUnsupported }
