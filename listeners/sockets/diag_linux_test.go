package sockets

import (
	"encoding/binary"
	"net/netip"
	"testing"

	"golang.org/x/sys/unix"
)

// diagMessage returns an inet_diag_msg as Linux 6.18 sends it, with the attributes
// INET_DIAG_SHUTDOWN, INET_DIAG_SKV6ONLY and INET_DIAG_CGROUP_ID.
func diagMessage(family byte, address string, port uint16, v6only byte) []byte {
	b := make([]byte, sizeofDiagMessage)
	b[0], b[1] = family, stateListen
	binary.BigEndian.PutUint16(b[diagPort:], port)
	copy(b[diagAddress:], netip.MustParseAddr(address).AsSlice())
	binary.NativeEndian.PutUint32(b[diagUID:], 101)
	binary.NativeEndian.PutUint32(b[diagInode:], 4711)
	attribute := func(kind uint16, value ...byte) {
		b = binary.NativeEndian.AppendUint16(b, uint16(4+len(value)))
		b = binary.NativeEndian.AppendUint16(b, kind)
		b = append(b, value...)
		for len(b)%4 != 0 {
			b = append(b, 0)
		}
	}
	attribute(8, 0)
	if family == unix.AF_INET6 {
		attribute(diagV6Only, v6only)
	}
	attribute(diagCgroup, binary.NativeEndian.AppendUint64(nil, 77)...)
	return b
}

func TestParseDiag(t *testing.T) {
	for _, c := range []struct {
		message []byte
		want    string
		dual    Dual
	}{
		{diagMessage(unix.AF_INET, "127.0.0.1", 10025, 0), "127.0.0.1:10025", DualNo},
		{diagMessage(unix.AF_INET, "0.0.0.0", 25, 0), "0.0.0.0:25", DualNo},
		{diagMessage(unix.AF_INET6, "::", 25, 0), "*:25", DualYes},
		{diagMessage(unix.AF_INET6, "::", 25, 1), "[::]:25", DualNo},
		{diagMessage(unix.AF_INET6, "2001:db8::1", 993, 0), "[2001:db8::1]:993", DualYes},
	} {
		s, ok := parseDiag(c.message)
		if !ok || s.String() != c.want || s.Dual != c.dual || s.UID != 101 || s.Inode != 4711 || s.cgroup != 77 {
			t.Errorf("%s: got %+v, %v", c.want, s, ok)
		}
	}
	// A kernel before 5.7 says nothing of the control group; an attribute that is cut
	// off loses only itself.
	m := diagMessage(unix.AF_INET6, "::", 25, 0)
	for _, cut := range []int{sizeofDiagMessage, sizeofDiagMessage + 3, sizeofDiagMessage + 8} {
		if s, ok := parseDiag(m[:cut]); !ok || s.Port != 25 || s.Dual != DualUnknown || s.cgroup != 0 {
			t.Errorf("cut at %d: %+v, %v", cut, s, ok)
		}
	}
	if _, ok := parseDiag(m[:sizeofDiagMessage-1]); ok {
		t.Error("a message that is too short is a socket")
	}
	m[1] = 1 // TCP_ESTABLISHED
	if _, ok := parseDiag(m); ok {
		t.Error("a connection is a listening socket")
	}
}

func FuzzParseDiag(f *testing.F) {
	f.Add(diagMessage(unix.AF_INET, "127.0.0.1", 10025, 0))
	f.Add(diagMessage(unix.AF_INET6, "::", 25, 1))
	f.Add(diagMessage(unix.AF_INET6, "::", 25, 1)[:75])
	f.Fuzz(func(t *testing.T, b []byte) {
		s, ok := parseDiag(b)
		if !ok {
			return
		}
		if !s.Address.IsValid() || s.Port == 0 || s.Address.Is4() && s.Dual != DualNo {
			t.Errorf("%x: %+v", b, s)
		}
	})
}
