package scan

import (
	"errors"

	"golang.org/x/sys/windows"
)

// errnoOutcome says what the error number in err's chain means for an attempt
// to connect, once it has begun.
func errnoOutcome(err error) (outcome, bool) {
	var n windows.Errno
	if !errors.As(err, &n) {
		return 0, false
	}
	switch n {
	case windows.WSAECONNREFUSED:
		return refused, true
	case windows.WSAECONNRESET, windows.WSAECONNABORTED:
		return connected, true
	case windows.WSAEHOSTUNREACH, windows.WSAEHOSTDOWN:
		return hostUnreachable, true
	case windows.WSAENETUNREACH, windows.WSAENETDOWN:
		return netUnreachable, true
	case windows.WSAEACCES:
		return prohibited, true
	case windows.WSAETIMEDOUT:
		return silent, true
	case windows.WSAEMFILE, windows.WSAENOBUFS, windows.WSAEADDRNOTAVAIL, windows.WSAEADDRINUSE:
		return starved, true
	}
	return impossible, true
}
