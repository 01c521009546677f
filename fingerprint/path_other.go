//go:build !linux

package fingerprint

import "net"

// kernelPath reports false: other systems have no common way to get these values.
func kernelPath(*net.TCPConn) (path, bool) { return path{}, false }

// kernelUrgent reports false: it is only of use with kernelPath.
func kernelUrgent(*net.TCPConn, byte) bool { return false }
