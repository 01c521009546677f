package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
)

// writing says what could not be written; nil stays nil. It asks for exitError.
func writing(name string, err error) error {
	if err == nil {
		return nil
	}
	return coded(exitError, fmt.Errorf("writing %s: %w", name, bare(err)))
}

// bare takes the operation and path off an error of package os, for messages
// that name both themselves.
func bare(err error) error {
	var p *fs.PathError
	var l *os.LinkError
	switch {
	case errors.As(err, &p):
		return p.Err
	case errors.As(err, &l):
		return l.Err
	default:
		return err
	}
}
