//go:build !unix

package main

import (
	"errors"
	"os"
)

// canRedirect says that redirect works.
const canRedirect = false

// redirect is not asked for here.
func redirect(_, _ *os.File) error { return errors.ErrUnsupported }
