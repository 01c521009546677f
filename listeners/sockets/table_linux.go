package sockets

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"strconv"
)

// Limits of what is read of one table: a busy server has a line of about 150 bytes for
// each of its connections.
const (
	maxTable   = 256 << 20
	maxSockets = 1 << 16 // listening ones, in one namespace
)

// errTooMany means that a limit was reached.
var errTooMany = errors.New("too many listening sockets")

// stateListen is TCP_LISTEN of the kernel's include/net/tcp_states.h.
const stateListen = 10

// readTables returns the listening sockets of a namespace from its /proc/net/tcp and
// tcp6 in dir. The second may be missing: the kernel then has no IPv6.
func readTables(dir string) ([]Socket, error) {
	var all []Socket
	for _, name := range []string{"tcp", "tcp6"} {
		f, err := os.Open(dir + "/" + name)
		if name == "tcp6" && errors.Is(err, os.ErrNotExist) {
			continue
		}
		if err != nil {
			return all, err
		}
		found, err := parseTable(f, maxTable)
		_ = f.Close()
		all = append(all, found...)
		if err != nil {
			return all, fmt.Errorf("reading %s/%s: %w", dir, name, err)
		}
	}
	return all, nil
}

// parseTable returns the listening sockets of a table in the format of proc_net_tcp(5).
// It ignores lines that it cannot read. The table does not say which IPv6 sockets accept
// IPv4 connections.
func parseTable(r io.Reader, limit int64) ([]Socket, error) {
	var list []Socket
	lines := bufio.NewScanner(io.LimitReader(r, limit))
	lines.Buffer(make([]byte, 0, 4096), 4096)
	for lines.Scan() {
		s, ok := parseRow(lines.Bytes())
		if !ok {
			continue
		}
		if len(list) == maxSockets {
			return list, errTooMany
		}
		list = append(list, s)
	}
	return list, lines.Err()
}

// parseRow reads a line of the table: number, local and remote address, state, queues,
// timer, retransmissions, user, timeout, inode.
func parseRow(line []byte) (Socket, bool) {
	fields := bytes.Fields(line)
	if len(fields) < 10 {
		return Socket{}, false
	}
	state, err := strconv.ParseUint(string(fields[3]), 16, 8)
	if err != nil || state != stateListen {
		return Socket{}, false
	}
	host, port, _ := bytes.Cut(fields[1], []byte(":"))
	address, ok := tableAddress(host)
	number, err := strconv.ParseUint(string(port), 16, 16)
	if !ok || err != nil || number == 0 {
		return Socket{}, false
	}
	uid, err := strconv.ParseUint(string(fields[7]), 10, 32)
	inode, inodeErr := strconv.ParseUint(string(fields[9]), 10, 64)
	if err != nil || inodeErr != nil {
		return Socket{}, false
	}
	s := Socket{Address: address, Port: uint16(number), UID: int(uid), Inode: inode}
	if address.Is4() {
		s.Dual = DualNo
	}
	return s, true
}

// tableAddress reads an address of the table: 32-bit words in the byte order of the
// machine.
func tableAddress(text []byte) (netip.Addr, bool) {
	var raw [16]byte
	if len(text) != 8 && len(text) != 32 {
		return netip.Addr{}, false
	}
	n, err := hex.Decode(raw[:], text)
	if err != nil {
		return netip.Addr{}, false
	}
	for i := 0; i < n; i += 4 {
		binary.BigEndian.PutUint32(raw[i:], binary.NativeEndian.Uint32(raw[i:]))
	}
	if n == 4 {
		return netip.AddrFrom4([4]byte(raw[:4])), true
	}
	return netip.AddrFrom16(raw), true
}
