package rawnet

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"net"
	"net/netip"
	"os"
	"strings"
	"testing"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"golang.org/x/net/bpf"
)

// captured reads testdata/answers.txt: packets as they came from a Linux host
// and router, by name, in hexadecimal.
func captured(t testing.TB) map[string][]byte {
	t.Helper()
	text, err := os.ReadFile("testdata/answers.txt")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for line := range strings.Lines(string(text)) {
		name, digits, ok := strings.Cut(strings.TrimSpace(line), " ")
		if !ok || strings.HasPrefix(name, "#") {
			continue
		}
		b, err := hex.DecodeString(strings.TrimSpace(digits))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		out[name] = b
	}
	return out
}

// etherType is what the link would say of a packet.
func etherType(b []byte) uint16 {
	if len(b) > 0 && b[0]>>4 == 6 {
		return etherIPv6
	}
	return etherIPv4
}

func TestDecode(t *testing.T) {
	host4, host6 := netip.MustParseAddr("10.91.16.5"), netip.MustParseAddr("fd91:16::5")
	us4, us6 := netip.MustParseAddr("10.91.0.1"), netip.MustParseAddr("fd91::1")
	router4, router6 := netip.MustParseAddr("10.91.0.2"), netip.MustParseAddr("fd91::2")
	want := map[string]Answer{
		"syn4":         {},
		"syn6":         {},
		"syn-ack4":     {Kind: KindSynAck, Remote: host4, Local: us4, Port: 26, LocalPort: 0xf4f3, Ack: 0x4e66ed5d, TTL: 63},
		"reset4":       {Kind: KindReset, Remote: host4, Local: us4, Port: 27, LocalPort: 0xf4f3, Ack: 0x950f15f9, TTL: 63},
		"prohibited4":  {Kind: KindICMP, Remote: host4, From: router4, Local: us4, Port: 25, LocalPort: 0xf4f3, Ack: 0x30f2cbaa, ICMP: ICMPError{Type: 3, Code: 13}},
		"syn-ack6":     {Kind: KindSynAck, Remote: host6, Local: us6, Port: 26, LocalPort: 0xf4f3, Ack: 0xe4b118d1, TTL: 63},
		"reset6":       {Kind: KindReset, Remote: host6, Local: us6, Port: 27, LocalPort: 0xf4f3, Ack: 0x59245508, TTL: 63},
		"unreachable6": {Kind: KindICMP, Remote: host6, From: router6, Local: us6, Port: 25, LocalPort: 0xf4f3, Ack: 0xe3557b2f, ICMP: ICMPError{Type: 1, Code: 3, V6: true}},
	}
	packets := captured(t)
	for name, a := range want {
		b := packets[name]
		if got := Decode(etherType(b), b); got != a {
			t.Errorf("%s: %+v, want %+v", name, got, a)
		}
		// With a tag that the card left on, and with two.
		tagged := append([]byte{0x00, 0x05, byte(etherType(b) >> 8), byte(etherType(b))}, b...)
		if got := Decode(etherVLAN, tagged); got != a {
			t.Errorf("%s, tagged: %+v, want %+v", name, got, a)
		}
		twice := append([]byte{0x00, 0x07, 0x81, 0x00}, tagged...)
		if got := Decode(etherQinQ, twice); got != a {
			t.Errorf("%s, tagged twice: %+v, want %+v", name, got, a)
		}
		// With the padding of a short frame.
		if got := Decode(etherType(b), append(bytes.Clone(b), 0, 0, 0, 0, 0, 0)); got != a {
			t.Errorf("%s, padded: %+v, want %+v", name, got, a)
		}
	}
}

// TestDecodeTruncated cuts the captured packets short at every length.
func TestDecodeTruncated(t *testing.T) {
	need := map[string]int{ // where the last byte that is needed stands
		"syn-ack4": 40, "reset4": 40, "syn-ack6": 60, "reset6": 60,
		"prohibited4": 20 + 8 + 20 + 8, "unreachable6": 40 + 8 + 40 + 8,
	}
	for name, b := range captured(t) {
		for n := range b {
			got := Decode(etherType(b), b[:n])
			if (got.Kind != KindNone) != (need[name] > 0 && n >= need[name]) {
				t.Errorf("%s cut to %d bytes: %+v", name, n, got)
			}
		}
	}
}

// TestDecodeVariants changes captured packets in ways that others send them.
func TestDecodeVariants(t *testing.T) {
	packets := captured(t)
	options := func(name string) []byte { // IPv4 options: router alert and padding
		b := packets[name]
		out := append(bytes.Clone(b[:20]), 0x94, 4, 0, 0, 0, 0, 0, 0)
		out[0] = 0x47
		binary.BigEndian.PutUint16(out[2:], uint16(len(b)+8))
		return append(out, b[20:]...)
	}
	fragment4 := func(bits uint16) []byte {
		b := bytes.Clone(packets["syn-ack4"])
		binary.BigEndian.PutUint16(b[6:], bits)
		return b
	}
	extended := func(next byte, header ...byte) []byte { // an IPv6 extension header
		b := packets["syn-ack6"]
		out := append(bytes.Clone(b[:40]), header...)
		out[40], out[6] = b[6], next
		binary.BigEndian.PutUint16(out[4:], uint16(len(out)-40+len(b)-40))
		return append(out, b[40:]...)
	}
	flags := func(f byte) []byte {
		b := bytes.Clone(packets["syn-ack4"])
		b[33] = f
		return b
	}
	for name, c := range map[string]struct {
		packet []byte
		want   Kind
	}{
		"options":               {options("syn-ack4"), KindSynAck},
		"options, ICMP":         {options("prohibited4"), KindICMP},
		"first fragment":        {fragment4(0x2000), KindSynAck},
		"later fragment":        {fragment4(0x2001), KindNone},
		"last fragment":         {fragment4(0x0005), KindNone},
		"hop by hop":            {extended(protoHopByHop, 0, 0, 1, 4, 0, 0, 0, 0), KindSynAck},
		"destination options":   {extended(protoDestOpts, 0, 0, 1, 4, 0, 0, 0, 0), KindSynAck},
		"first fragment, IPv6":  {extended(protoFragment, 0, 0, 0, 1, 1, 2, 3, 4), KindSynAck},
		"later fragment, IPv6":  {extended(protoFragment, 0, 0, 0, 8, 1, 2, 3, 4), KindNone},
		"header beyond the end": {extended(protoRouting, 0, 255, 0, 0, 0, 0, 0, 0), KindNone},
		"SYN":                   {flags(0x02), KindNone},
		"ACK":                   {flags(0x10), KindNone},
		"FIN ACK":               {flags(0x11), KindNone},
		"SYN ACK FIN":           {flags(0x13), KindNone},
		"RST":                   {flags(0x04), KindReset},
		"SYN ACK ECE":           {flags(0x52), KindSynAck}, // RFC 3168, Section 6.1.1
		"SYN RST ACK":           {flags(0x16), KindNone},
	} {
		if got := Decode(etherType(c.packet), c.packet); got.Kind != c.want {
			t.Errorf("%s: kind %d, want %d", name, got.Kind, c.want)
		}
	}
}

// TestFilter runs the kernel's program over what Decode understands, which it
// must keep, and over other traffic, which it must not.
func TestFilter(t *testing.T) {
	raw, err := AnswerFilter(0xf000, 0xffff, 32768, 60999)
	if err != nil {
		t.Fatal(err)
	}
	// The interpreter of x/net/bpf knows no protocol extension: what the
	// kernel would say is put in its place.
	vm := func(proto uint16) *bpf.VM {
		prog, _ := bpf.Disassemble(raw)
		prog[0] = bpf.LoadConstant{Dst: bpf.RegA, Val: uint32(proto)}
		m, err := bpf.NewVM(prog)
		if err != nil {
			t.Fatal(err)
		}
		return m
	}
	ports := func(b []byte, at int, port uint16) []byte {
		b = bytes.Clone(b)
		binary.BigEndian.PutUint16(b[at:], port)
		return b
	}
	p := captured(t)
	for name, c := range map[string]struct {
		packet []byte
		keep   bool
	}{
		"syn-ack4": {p["syn-ack4"], true}, "reset4": {p["reset4"], true}, "prohibited4": {p["prohibited4"], true},
		"syn-ack6": {p["syn-ack6"], true}, "reset6": {p["reset6"], true}, "unreachable6": {p["unreachable6"], true},
		"ephemeral":    {ports(p["syn-ack4"], 22, 40000), false},
		"ephemeral 6":  {ports(p["syn-ack6"], 42, 32768), false},
		"other port":   {ports(p["syn-ack4"], 22, 80), true},
		"data":         {append(bytes.Clone(p["syn-ack4"][:33]), append([]byte{0x18}, p["syn-ack4"][34:]...)...), false},
		"UDP":          {append(bytes.Clone(p["syn-ack4"][:9]), append([]byte{17}, p["syn-ack4"][10:]...)...), false},
		"echo":         {append(bytes.Clone(p["prohibited4"][:20]), 8, 0, 0, 0, 0, 0, 0, 0), false},
		"solicitation": {append(bytes.Clone(p["unreachable6"][:40]), 135, 0, 0, 0, 0, 0, 0, 0), false},
		"fragment":     {ports(p["syn-ack4"], 6, 1), false},
	} {
		n, err := vm(etherType(c.packet)).Run(c.packet)
		if err != nil || (n > 0) != c.keep {
			t.Errorf("%s: keeps %d bytes, %v", name, n, err)
		}
	}
	if n, _ := vm(0x0806).Run(p["syn-ack4"]); n > 0 {
		t.Error("keeps ARP")
	}
}

// TestTemplate compares patched frames with the same ones built from scratch
// by gopacket, checksums included.
func TestTemplate(t *testing.T) {
	local, next := net.HardwareAddr{2, 0, 0, 0, 0, 1}, net.HardwareAddr{2, 0, 0, 0, 0, 2}
	for _, c := range []struct {
		src, dst string
		mac      net.HardwareAddr
	}{
		{"192.0.2.1", "198.51.100.77", local}, {"192.0.2.1", "255.255.255.254", nil}, {"0.0.0.1", "1.0.0.0", nil},
		{"2001:db8::1", "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff", local}, {"2001:db8::1", "2001:db8::2", nil},
	} {
		src, dst := netip.MustParseAddr(c.src), netip.MustParseAddr(c.dst)
		tmpl, err := NewTemplate(src, c.mac, next)
		if err != nil {
			t.Fatal(err)
		}
		for _, seq := range []uint32{0, 1, 0xffff, 0x10000, 0xdeadbeef, 0xffffffff} {
			var f Frame
			if src.Is4() {
				tmpl.Write4(&f, binary.BigEndian.Uint32(dst.AsSlice()), 61234, 10143, seq)
			} else {
				d := dst.As16()
				tmpl.Write6(&f, &d, 61234, 10143, seq)
			}
			got := f[tmpl.ip:tmpl.length]
			if want := rebuilt(t, got, dst, seq); !bytes.Equal(got, want) {
				t.Errorf("%s to %s, %#x:\n got %x\nwant %x", c.src, c.dst, seq, got, want)
			}
			if c.mac != nil && (!bytes.Equal(f[:6], next) || !bytes.Equal(f[6:12], local)) {
				t.Errorf("Ethernet header %x", f[:14])
			}
		}
	}
}

// rebuilt decodes a SYN, checks what it says, and encodes it again.
func rebuilt(t *testing.T, b []byte, dst netip.Addr, seq uint32) []byte {
	t.Helper()
	first := layers.LayerTypeIPv4
	if dst.Is6() {
		first = layers.LayerTypeIPv6
	}
	p := gopacket.NewPacket(b, first, gopacket.Default)
	if e := p.ErrorLayer(); e != nil {
		t.Fatal(e.Error())
	}
	tcp := p.Layer(layers.LayerTypeTCP).(*layers.TCP)
	if !tcp.SYN || tcp.ACK || tcp.Seq != seq || tcp.SrcPort != 61234 || tcp.DstPort != 10143 || len(tcp.Options) != 1 {
		t.Fatalf("%+v", tcp)
	}
	net := p.NetworkLayer()
	if got, _ := netip.AddrFromSlice(net.NetworkFlow().Dst().Raw()); got != dst {
		t.Fatalf("to %v, want %v", got, dst)
	}
	if err := tcp.SetNetworkLayerForChecksum(net); err != nil {
		t.Fatal(err)
	}
	buf := gopacket.NewSerializeBuffer()
	if err := gopacket.SerializeLayers(buf, gopacket.SerializeOptions{FixLengths: true, ComputeChecksums: true},
		net.(gopacket.SerializableLayer), tcp); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes()
}

func BenchmarkPatch(b *testing.B) {
	mac := net.HardwareAddr{2, 0, 0, 0, 0, 1}
	t, err := NewTemplate(netip.MustParseAddr("10.87.0.1"), mac, mac)
	if err != nil {
		b.Fatal(err)
	}
	var f Frame
	for i := 0; b.Loop(); i++ {
		t.Write4(&f, uint32(i), 6000, 10025, uint32(i))
	}
}

func BenchmarkDecode(b *testing.B) {
	p := captured(b)["syn-ack4"]
	for b.Loop() {
		if Decode(etherIPv4, p).Kind != KindSynAck {
			b.Fatal("not understood")
		}
	}
}
