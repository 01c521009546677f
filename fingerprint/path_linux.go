package fingerprint

import (
	"net"

	"golang.org/x/sys/unix"
)

// kernelPath reads TCP_INFO (tcp(7)).
func kernelPath(c *net.TCPConn) (path, bool) {
	raw, err := c.SyscallConn()
	if err != nil {
		return path{}, false
	}
	var info *unix.TCPInfo
	if raw.Control(func(fd uintptr) { info, err = unix.GetsockoptTCPInfo(int(fd), unix.IPPROTO_TCP, unix.TCP_INFO) }) != nil || err != nil {
		return path{}, false
	}
	resent := int(info.Total_retrans)
	return path{
		unacked: info.Unacked > 0 || info.Notsent_bytes > 0,
		sent:    max(int(info.Data_segs_out)+1-resent, 1), // including the SYN
		resent:  resent,
		twice:   min(int(info.Dsack_dups), resent),
		hungUp:  info.State == unix.BPF_TCP_CLOSE_WAIT || info.State == unix.BPF_TCP_CLOSE,
		reset:   info.State == unix.BPF_TCP_CLOSE,
	}, true
}

// kernelUrgent sends one byte as urgent data (RFC 9293, Section 3.8.5). It reports
// whether that was sent.
func kernelUrgent(c *net.TCPConn, b byte) bool {
	raw, err := c.SyscallConn()
	if err != nil {
		return false
	}
	sent := false
	if raw.Write(func(fd uintptr) bool {
		n, err := unix.SendmsgN(int(fd), []byte{b}, nil, nil, unix.MSG_OOB|unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
		sent = n == 1 && err == nil
		return true // a full buffer is not waited for
	}) != nil {
		return false
	}
	return sent
}
