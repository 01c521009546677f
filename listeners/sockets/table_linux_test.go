package sockets

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
)

// tcpTable and tcp6Table are of Linux 6.18 on amd64, shortened.
const tcpTable = `  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:2729 00000000:0000 0A 00000000:00000000 00:00000000 00000000   101        0 4711 1 0000000000000000 100 0 0 10 0
   1: 00000000:0019 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 100 0 0 10 0
   2: 0100007F:2729 0100007F:D9F2 01 00000000:00000000 00:00000000 00000000   101        0 4713 1 0000000000000000 20 4 30 10 -1
   3: 0100007F:D9F2 0100007F:2729 06 00000000:00000000 03:00000353 00000000     0        0 0 3 0000000000000000
`

const tcp6Table = `  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 00000000000000000000000000000000:008F 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4714 1 0000000000000000 100 0 0 10 0
   1: B80D0120000000000000000001000000:03E1 00000000000000000000000000000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4715 1 0000000000000000 100 0 0 10 0
`

func TestParseTable(t *testing.T) {
	if binary.NativeEndian.Uint16([]byte{1, 0}) != 1 {
		t.Skip("the table has the byte order of the machine")
	}
	got, err := parseTable(strings.NewReader(tcpTable+tcp6Table), maxTable)
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for i := range got {
		list = append(list, fmt.Sprintf("%s uid %d inode %d dual %d", &got[i], got[i].UID, got[i].Inode, got[i].Dual))
	}
	want := []string{
		"127.0.0.1:10025 uid 101 inode 4711 dual 1", "0.0.0.0:25 uid 0 inode 4712 dual 1",
		"[::]:143 uid 0 inode 4714 dual 0", "[2001:db8::1]:993 uid 0 inode 4715 dual 0",
	}
	if !slices.Equal(list, want) {
		t.Errorf("got  %q\nwant %q", list, want)
	}
}

// Limits hold for the size of the table, the length of a line and the number of sockets.
func TestTableLimits(t *testing.T) {
	rows := strings.Split(tcpTable, "\n")
	if got, err := parseTable(strings.NewReader(tcpTable), int64(len(rows[0])+len(rows[1])+2)); err != nil || len(got) != 1 {
		t.Errorf("after two lines: %d sockets, %v", len(got), err)
	}
	if _, err := parseTable(strings.NewReader(strings.Repeat("x", 5000)), maxTable); err == nil {
		t.Error("a line of 5000 bytes is no error")
	}
	got, err := parseTable(strings.NewReader(strings.Repeat(rows[1]+"\n", maxSockets+1)), maxTable)
	if !errors.Is(err, errTooMany) || len(got) != maxSockets {
		t.Errorf("%d sockets, %v", len(got), err)
	}
}

func FuzzParseTable(f *testing.F) {
	f.Add([]byte(tcpTable))
	f.Add([]byte(tcp6Table))
	f.Fuzz(func(t *testing.T, text []byte) {
		got, _ := parseTable(bytes.NewReader(text), 1<<20)
		for _, s := range got {
			if !s.Address.IsValid() || s.Port == 0 || s.UID < 0 {
				t.Errorf("%+v", s)
			}
		}
	})
}
