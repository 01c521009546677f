package dialer

import (
	"errors"

	"golang.org/x/sys/windows"
)

// errnoOutcome returns what the error number in err's chain means for an attempt to
// connect, once it has begun.
func errnoOutcome(err error) (Outcome, bool) {
	var n windows.Errno
	if !errors.As(err, &n) {
		return 0, false
	}
	switch n {
	case windows.WSAECONNREFUSED:
		return Refused, true
	case windows.WSAECONNRESET, windows.WSAECONNABORTED:
		return Connected, true
	case windows.WSAEHOSTUNREACH, windows.WSAEHOSTDOWN:
		return HostUnreachable, true
	case windows.WSAENETUNREACH, windows.WSAENETDOWN:
		return NetUnreachable, true
	case windows.WSAEACCES:
		return Prohibited, true
	case windows.WSAETIMEDOUT:
		return Silent, true
	case windows.WSAEMFILE, windows.WSAENOBUFS, windows.WSAEADDRNOTAVAIL, windows.WSAEADDRINUSE:
		return ResourceExhausted, true
	}
	return LocalFailure, true
}
