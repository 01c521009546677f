//go:build unix

package scan

import (
	"errors"
	"syscall"
)

// errnoOutcome says what the error number in err's chain means for an attempt
// to connect, once it has begun.
func errnoOutcome(err error) (outcome, bool) {
	var n syscall.Errno
	if !errors.As(err, &n) {
		return 0, false
	}
	switch n {
	case syscall.ECONNREFUSED:
		return refused, true
	case syscall.ECONNRESET, syscall.EPIPE:
		// The RST of a port that refuses gives ECONNREFUSED. This one came
		// after the handshake: somebody accepted, then hung up.
		return connected, true
	case syscall.EHOSTUNREACH, syscall.EHOSTDOWN:
		return hostUnreachable, true
	case syscall.ENETUNREACH, syscall.ENETDOWN:
		return netUnreachable, true
	case syscall.EACCES, syscall.EPERM:
		return prohibited, true
	case syscall.ETIMEDOUT:
		return silent, true
	case syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.EADDRNOTAVAIL, syscall.EADDRINUSE, syscall.EAGAIN, syscall.EINTR:
		return starved, true
	}
	return impossible, true
}
