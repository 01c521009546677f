//go:build unix

package dialer

import (
	"errors"
	"syscall"
)

// errnoOutcome returns what the error number in err's chain means for an attempt to
// connect, once it has begun.
func errnoOutcome(err error) (Outcome, bool) {
	var n syscall.Errno
	if !errors.As(err, &n) {
		return 0, false
	}
	switch n {
	case syscall.ECONNREFUSED:
		return Refused, true
	case syscall.ECONNRESET, syscall.EPIPE:
		// A port that refuses with RST gives ECONNREFUSED. This RST came after the
		// handshake: the connection was accepted, then closed.
		return Connected, true
	case syscall.EHOSTUNREACH, syscall.EHOSTDOWN:
		return HostUnreachable, true
	case syscall.ENETUNREACH, syscall.ENETDOWN:
		return NetUnreachable, true
	case syscall.EACCES, syscall.EPERM:
		return Prohibited, true
	case syscall.ETIMEDOUT:
		return Silent, true
	case syscall.EMFILE, syscall.ENFILE, syscall.ENOBUFS, syscall.ENOMEM,
		syscall.EADDRNOTAVAIL, syscall.EADDRINUSE, syscall.EAGAIN, syscall.EINTR:
		return ResourceExhausted, true
	}
	return LocalFailure, true
}
