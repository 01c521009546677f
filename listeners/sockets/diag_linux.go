package sockets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Sizes and numbers of linux/inet_diag.h and linux/sock_diag.h.
const (
	sizeofDiagRequest = 56 // struct inet_diag_req_v2
	sizeofDiagMessage = 72 // struct inet_diag_msg

	diagV6Only  = 11 // INET_DIAG_SKV6ONLY
	diagCgroup  = 21 // INET_DIAG_CGROUP_ID
	diagPort    = 4  // offset of idiag_sport
	diagAddress = 8  // offset of idiag_src
	diagDevice  = 40 // offset of idiag_if
	diagUID     = 64 // offset of idiag_uid
	diagInode   = 68 // offset of idiag_inode
)

// A diagSocket is a socket as the kernel describes it.
type diagSocket struct {
	Socket
	device uint32 // the index of the interface to which it is bound; 0 for none
	cgroup uint64 // the id of the control group in which it was created; 0 if not known
}

// dumpSockets asks the kernel for the listening TCP sockets of a network namespace, given
// by an open file, or of that of this thread if it is nil (sock_diag(7)). It needs the
// module tcp_diag, and for another namespace CAP_SYS_ADMIN: the socket with which the
// kernel is asked is opened in it.
func dumpSockets(namespace *os.File) ([]diagSocket, error) {
	var config netlink.Config
	if namespace != nil {
		config.NetNS = int(namespace.Fd())
	}
	conn, err := netlink.Dial(unix.NETLINK_SOCK_DIAG, &config)
	if err != nil {
		return nil, fmt.Errorf("opening a netlink socket: %w", err)
	}
	defer func() { _ = conn.Close() }()
	// The kernel answers immediately; this prevents a hang.
	if err := conn.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		return nil, err
	}
	var all []diagSocket
	for _, family := range []byte{unix.AF_INET, unix.AF_INET6} {
		messages, err := conn.Execute(netlink.Message{
			Header: netlink.Header{Type: unix.SOCK_DIAG_BY_FAMILY, Flags: netlink.Request | netlink.Dump},
			Data:   diagRequest(family),
		})
		if family == unix.AF_INET6 && errors.Is(err, unix.ENOENT) && len(all) > 0 {
			break // the kernel has no IPv6
		}
		if err != nil {
			return nil, fmt.Errorf("asking the kernel for the listening sockets: %w", err)
		}
		for _, m := range messages {
			s, ok := parseDiag(m.Data)
			if !ok {
				continue
			}
			if len(all) == maxSockets {
				return all, errTooMany
			}
			all = append(all, s)
		}
	}
	nameInterfaces(all, namespace == nil)
	return all, nil
}

// diagRequest returns an inet_diag_req_v2 for the listening TCP sockets of a family.
func diagRequest(family byte) []byte {
	b := make([]byte, sizeofDiagRequest)
	b[0], b[1] = family, unix.IPPROTO_TCP
	binary.NativeEndian.PutUint32(b[4:], 1<<stateListen)
	return b
}

// parseDiag reads an inet_diag_msg and its attributes. It reports whether that is a
// listening socket.
func parseDiag(b []byte) (diagSocket, bool) {
	if len(b) < sizeofDiagMessage || b[1] != stateListen {
		return diagSocket{}, false
	}
	s := diagSocket{device: binary.NativeEndian.Uint32(b[diagDevice:])}
	s.Port = binary.BigEndian.Uint16(b[diagPort:])
	s.UID = int(binary.NativeEndian.Uint32(b[diagUID:]))
	s.Inode = uint64(binary.NativeEndian.Uint32(b[diagInode:]))
	switch b[0] {
	case unix.AF_INET:
		s.Address, s.Dual = netip.AddrFrom4([4]byte(b[diagAddress:])), DualNo
	case unix.AF_INET6:
		s.Address = netip.AddrFrom16([16]byte(b[diagAddress:]))
	default:
		return diagSocket{}, false
	}
	if s.Port == 0 {
		return diagSocket{}, false
	}
	attributes, err := netlink.NewAttributeDecoder(b[sizeofDiagMessage:])
	if err != nil {
		return s, true // the fixed part is complete
	}
	for attributes.Next() {
		switch value := attributes.Bytes(); {
		case attributes.Type() == diagV6Only && len(value) == 1 && b[0] == unix.AF_INET6:
			s.Dual = DualYes
			if value[0] != 0 {
				s.Dual = DualNo
			}
		case attributes.Type() == diagCgroup && len(value) == 8:
			s.cgroup = binary.NativeEndian.Uint64(value)
		}
	}
	return s, true
}

// nameInterfaces sets the names of the interfaces of sockets. In another namespace than
// that of this process, only the name of the loopback interface is known, which is always
// the first.
func nameInterfaces(list []diagSocket, own bool) {
	names := map[uint32]string{}
	if !own {
		names[1] = "lo"
	}
	for i := range list {
		device := list[i].device
		if device == 0 {
			continue
		}
		if _, known := names[device]; !known {
			names[device] = fmt.Sprintf("if%d", device) // as ss(8) has it
			if found, err := net.InterfaceByIndex(int(device)); own && err == nil {
				names[device] = found.Name
			}
		}
		list[i].Interface = names[device]
	}
}
