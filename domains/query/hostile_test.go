package query

import (
	"encoding/binary"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/miekg/dns"
)

// raw starts a server on loopback that replies over UDP and TCP with the bytes that reply makes of
// each question; nil is no reply.
func raw(t *testing.T, reply func(q []byte, tcp bool) [][]byte) netip.AddrPort {
	t.Helper()
	udp, tcp := listenBoth(t)
	t.Cleanup(func() { udp.Close(); tcp.Close() })
	go func() {
		buf := make([]byte, 4096)
		for {
			n, from, err := udp.ReadFrom(buf)
			if err != nil {
				return
			}
			for _, b := range reply(buf[:n:n], false) {
				_, _ = udp.WriteTo(b, from)
			}
		}
	}()
	go func() {
		for {
			conn, err := tcp.Accept()
			if err != nil {
				return
			}
			go overTCP(conn, reply)
		}
	}()
	return udp.LocalAddr().(*net.UDPAddr).AddrPort()
}

// overTCP replies to one question on a connection (RFC 1035, Section 4.2.2).
func overTCP(conn net.Conn, reply func(q []byte, tcp bool) [][]byte) {
	defer conn.Close()
	buf := make([]byte, 4096)
	n, err := conn.Read(buf)
	if err != nil || n < 2 {
		return
	}
	for _, b := range reply(buf[2:n], true) {
		_, _ = conn.Write(append(binary.BigEndian.AppendUint16(nil, uint16(len(b))), b...))
	}
}

// header is the beginning of a reply to the question q with a number of answers, and the question.
func header(q []byte, answers uint16) []byte {
	var m dns.Msg
	_ = m.Unpack(q) // this package packed it
	b := binary.BigEndian.AppendUint16(nil, m.Id)
	b = binary.BigEndian.AppendUint16(b, 0x8180) // a reply, with recursion
	for _, n := range [...]uint16{1, answers, 0, 0} {
		b = binary.BigEndian.AppendUint16(b, n)
	}
	question := make([]byte, 512)
	n, _ := dns.PackDomainName(m.Question[0].Name, question, 0, nil, false)
	b = append(b, question[:n]...)
	return append(binary.BigEndian.AppendUint16(b, m.Question[0].Qtype), 0, 1)
}

// record is a record of type with data, whose owner is the name of the question.
func record(qtype uint16, length int, data ...byte) []byte {
	b := binary.BigEndian.AppendUint16([]byte{0xc0, 12}, qtype)
	b = append(b, 0, 1, 0, 0, 0, 60)
	return append(binary.BigEndian.AppendUint16(b, uint16(length)), data...)
}

// TestHostileReplies: no reply of a server stops the client, keeps it for long, or passes for an answer
// that it is not.
func TestHostileReplies(t *testing.T) {
	one := func(b []byte) [][]byte { return [][]byte{b} }
	for name, c := range map[string]struct {
		reply   func(q []byte, tcp bool) [][]byte
		outcome Outcome
		records int
	}{
		"a name that points at itself": {func(q []byte, _ bool) [][]byte {
			b := header(q, 1)
			at := len(b)
			return one(append(b, 0xc0, byte(at), 0, 15, 0, 1, 0, 0, 0, 60, 0, 0))
		}, Invalid, 0},
		"an MX that points at itself": {func(q []byte, _ bool) [][]byte {
			b := header(q, 1)
			at := len(b) + 12 + 2
			return one(append(b, record(dns.TypeMX, 4, 0, 10, 0xc0, byte(at))...))
		}, Invalid, 0},
		"names that point at each other": {func(q []byte, _ bool) [][]byte {
			b := header(q, 1)
			at := len(b) + 12 + 2
			return one(append(b, record(dns.TypeMX, 6, 0, 10, 0xc0, byte(at+2), 0xc0, byte(at))...))
		}, Invalid, 0},
		"a pointer beyond the end": {func(q []byte, _ bool) [][]byte { return one(append(header(q, 1), 0xff, 0xff)) }, Invalid, 0},
		"more records than there are": {func(q []byte, _ bool) [][]byte {
			return one(append(header(q, 65535), record(dns.TypeMX, 4, 0, 10, 0xc0, 12)...))
		}, Invalid, 0},
		"a record longer than the reply": {func(q []byte, _ bool) [][]byte {
			return one(append(header(q, 1), record(dns.TypeMX, 65535, 0, 10, 0xc0, 12)...))
		}, Invalid, 0},
		"an MX without a name": {func(q []byte, _ bool) [][]byte {
			return one(append(header(q, 1), record(dns.TypeMX, 2, 0, 10)...))
		}, Invalid, 0},
		"an MX without data": {func(q []byte, _ bool) [][]byte { return one(append(header(q, 1), record(dns.TypeMX, 0)...)) }, Invalid, 0},
		"a truncated reply that ends within a record": {func(q []byte, tcp bool) [][]byte {
			b := append(header(q, 2), record(dns.TypeMX, 4, 0, 10, 0xc0, 12)...)
			if !tcp {
				b[2] |= 2
				return one(append(b, 0xc0))
			}
			return one(append(b, record(dns.TypeMX, 4, 0, 20, 0xc0, 12)...))
		}, Found, 2},
		"half a header": {func(q []byte, _ bool) [][]byte { return one(q[:6]) }, Invalid, 0},
		"nothing":       {func([]byte, bool) [][]byte { return [][]byte{{}} }, Invalid, 0},
		"the question":  {func(q []byte, _ bool) [][]byte { return one(q) }, Invalid, 0},
		"another id, then the reply": {func(q []byte, _ bool) [][]byte {
			wrong := append(header(q, 1), record(dns.TypeMX, 4, 0, 10, 0xc0, 12)...)
			wrong[0] ^= 0xff
			return [][]byte{wrong, wrong, header(q, 0)}
		}, NoData, 0},
		"only other ids": {func(q []byte, _ bool) [][]byte {
			wrong := header(q, 0)
			wrong[1] ^= 1
			return one(wrong)
		}, Timeout, 0},
		"the root with thousands of MX records over TCP": {func(q []byte, tcp bool) [][]byte {
			if !tcp {
				b := header(q, 0)
				b[2] |= 2 // truncated
				return one(b)
			}
			b := header(q, 4000)
			for i := range 4000 {
				b = append(b, record(dns.TypeMX, 4, byte(i>>8), byte(i), 0xc0, 12)...)
			}
			return one(b)
		}, Found, 4000},
		"TCP that ends within the reply": {func(q []byte, tcp bool) [][]byte {
			if !tcp {
				b := header(q, 0)
				b[2] |= 2
				return one(b)
			}
			return nil
		}, Invalid, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := &Client{Servers: []netip.AddrPort{raw(t, c.reply)}, Tries: 1, Timeout: 300 * time.Millisecond}
			if c.outcome != Timeout {
				client.Timeout = 0
			}
			a, err := client.Ask(t.Context(), "mx.example.org", dns.TypeMX)
			if err != nil || a.Outcome != c.outcome || len(a.Records) != c.records {
				t.Errorf("%v %d records %q, %v", a.Outcome, len(a.Records), a.Detail, err)
			}
			if len(a.Detail) > 1000 || strings.Contains(a.Detail, "\x1b") {
				t.Errorf("detail %q", a.Detail)
			}
		})
	}
}
