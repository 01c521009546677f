package names

import (
	"testing"

	"golang.org/x/net/dns/dnsmessage"
)

// dnsReply is a reply with one AAAA record, packed.
func dnsReply(t testing.TB, code dnsmessage.RCode, aaaa [16]byte) []byte {
	t.Helper()
	name := dnsmessage.MustNewName("mx.example.org.")
	m := dnsmessage.Message{Header: dnsmessage.Header{Response: true, RCode: code},
		Questions: []dnsmessage.Question{{Name: name, Type: dnsmessage.TypeAAAA, Class: dnsmessage.ClassINET}},
		Answers: []dnsmessage.Resource{{Header: dnsmessage.ResourceHeader{Name: name, Class: dnsmessage.ClassINET},
			Body: &dnsmessage.AAAAResource{AAAA: aaaa}}}}
	b, err := m.Pack()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// mappedBytes is ::ffff:192.0.2.1.
var mappedBytes = [16]byte{10: 0xff, 11: 0xff, 12: 192, 14: 2, 15: 1}

// TestDNSReplies: what a reply shows of the name.
func TestDNSReplies(t *testing.T) {
	for name, c := range map[string]struct {
		message          []byte
		exists, nxdomain bool
		mapped           int
	}{
		"mapped":   {dnsReply(t, dnsmessage.RCodeSuccess, mappedBytes), true, false, 1},
		"IPv6":     {dnsReply(t, dnsmessage.RCodeSuccess, [16]byte{0x20, 1, 15: 1}), true, false, 0},
		"NXDOMAIN": {dnsReply(t, dnsmessage.RCodeNameError, [16]byte{15: 1}), false, true, 0},
		"SERVFAIL": {dnsReply(t, dnsmessage.RCodeServerFailure, [16]byte{15: 1}), false, false, 0},
		"cut":      {dnsReply(t, dnsmessage.RCodeSuccess, mappedBytes)[:40], true, false, 0},
		"none":     {nil, false, false, 0},
	} {
		var r dnsReplies
		r.note(c.message)
		if r.exists != c.exists || r.nxdomain != c.nxdomain || len(r.mapped) != c.mapped {
			t.Errorf("%s: exists %t, NXDOMAIN %t, mapped %v", name, r.exists, r.nxdomain, r.mapped)
		}
	}
}

// FuzzDNSReplies: whatever a server sends, no more is noted than there may be.
func FuzzDNSReplies(f *testing.F) {
	f.Add(dnsReply(f, dnsmessage.RCodeSuccess, mappedBytes))
	f.Add(dnsReply(f, dnsmessage.RCodeNameError, mappedBytes)[:30])
	f.Fuzz(func(t *testing.T, message []byte) {
		var r dnsReplies
		r.note(message)
		if r.exists && r.nxdomain || len(r.mapped) > maxMapped {
			t.Errorf("exists %t, NXDOMAIN %t, %d mapped", r.exists, r.nxdomain, len(r.mapped))
		}
		for _, a := range r.mapped {
			if !a.Is4In6() {
				t.Errorf("%v is not mapped", a)
			}
		}
	})
}
