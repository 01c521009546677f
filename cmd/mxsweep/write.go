package main

import (
	"errors"
	"io/fs"
	"os"
	"runtime"
	"strings"
	"syscall"
)

// readerGone reports whether err says that nobody reads standard output any
// more, as behind "| head". The user knows, so that nothing is printed; the exit
// code stays that of an output which could not be written.
func readerGone(err error) bool {
	var p *fs.PathError
	onStdout := strings.Contains(err.Error(), "writing "+standardOutput) || errors.As(err, &p) && p.Path == os.Stdout.Name()
	return onStdout && brokenPipe(err)
}

// brokenPipe reports whether err is that of a pipe whose reader is gone.
func brokenPipe(err error) bool {
	const brokenPipe, noData = syscall.Errno(109), syscall.Errno(232) // Windows: ERROR_BROKEN_PIPE, ERROR_NO_DATA
	return errors.Is(err, syscall.EPIPE) || runtime.GOOS == "windows" && (errors.Is(err, brokenPipe) || errors.Is(err, noData))
}
