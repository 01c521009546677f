package policy

import (
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/exposuretest"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// acceptEntry returns one entry of accept, on a line.
func acceptEntry(id int, rule, target, ports string) string {
	return fmt.Sprintf("  - {id: AR-%d, rule: %q, target: %q, port: %q, reason: \"a lab that goes away\", owner: ops, expires: 2027-01-31}\n", id, rule, target, ports)
}

// expectEntry returns one entry of expect or must_be_closed, on a line.
func expectEntry(target, ports string) string {
	return fmt.Sprintf("  - {target: %q, ports: %q}\n", target, ports)
}

func TestWidePermits(t *testing.T) {
	all := func(target, ports string) string {
		var b strings.Builder
		for i, r := range exposuretest.Rules(t).All() {
			b.WriteString(acceptEntry(i, r.ID, target, ports))
		}
		return "accept:\n" + b.String()
	}
	for _, tt := range []struct{ name, text, want string }{
		{"a /16", "expect:\n" + expectEntry("10.0.0.0/16", "25"), ""},
		{"a /15", "expect:\n" + expectEntry("10.0.0.0/15", "25"), "cover more than 65536 IPv4 addresses"},
		{"all hosts", "expect:\n" + expectEntry("*", "25"), "cover more than 65536"},
		{"two /16", "expect:\n" + expectEntry("10.0.0.0/16", "25") + expectEntry("10.9.0.0/16", "25"), "p.yaml:4:3: the expected services cover"},
		{"a range beside a /16", "expect:\n" + expectEntry("10.0.0.0/16", "25") + expectEntry("10.1.0.0-10.1.0.0", "143"), "p.yaml:4:3"},
		{"the same /16 twice", "expect:\n" + expectEntry("10.0.0.0/16", "25") + expectEntry("10.0.0.0-10.0.255.255", "143"), ""},
		{"half by expect, half by accept", "expect:\n" + expectEntry("10.0.0.0/16", "25") + "accept:\n" + acceptEntry(1, "*", "10.1.0.0/24", "25"), "p.yaml:5:3: the accepted risks cover"},
		{"a /48", "expect:\n" + expectEntry("2001:db8:1::/48", "25"), ""},
		{"a /47", "expect:\n" + expectEntry("2001:db8:2::/47", "25"), "an IPv6 /48"},
		{"a /47 as two /48", "expect:\n" + expectEntry("2001:db8:2::/48", "25") + expectEntry("2001:db8:3::/48", "25"), "an IPv6 /48"},
		{"1,024 ports", "expect:\n" + expectEntry("192.0.2.1", "1-1024"), ""},
		{"1,025 ports", "expect:\n" + expectEntry("192.0.2.1", "1-1025"), "cover more than 1024 ports"},
		{"1,025 ports in two entries", "expect:\n" + expectEntry("192.0.2.1", "1-1024") + expectEntry("192.0.2.2", "2000"), "p.yaml:4:3: the expected services cover more than 1024 ports"},
		{"all ports of one host", "accept:\n" + acceptEntry(1, "*", "192.0.2.1", "*"), "cover more than 1024 ports"},
		{"one rule, all ports of one host", "accept:\n" + acceptEntry(1, "MXS1002", "192.0.2.1", "*"), ""},
		{"one rule, 16 ports, all hosts", "accept:\n" + acceptEntry(1, "MXS1002", "*", "1-16"), ""},
		{"one rule, 17 ports, all hosts", "accept:\n" + acceptEntry(1, "MXS1002", "*", "1-17"), "MXS1002 is accepted on more than 16 ports of more than 65536 hosts"},
		{"one rule, all ports, all hosts", "accept:\n" + acceptEntry(1, "MXS1002", "*", "*"), "MXS1002 is accepted on more than 16 ports of more than 65536 hosts"},
		{"one rule, 17 ports in two entries", "accept:\n" + acceptEntry(1, "MXS1002", "*", "1-16") + acceptEntry(2, "MXS1002", "0.0.0.0/0", "17"), "MXS1002 is accepted on more than 16 ports of more than 65536 hosts"},
		{"one rule, all hosts by halves", "accept:\n" + acceptEntry(1, "MXS1002", "0.0.0.0/1", "1-20") + acceptEntry(2, "MXS1002", "128.0.0.0/1", "1-20"), "MXS1002 is accepted on more than 16 ports of more than 65536 hosts"},
		{"one rule, wide up to a port, narrow from the next", "accept:\n" + acceptEntry(1, "MXS1002", "*", "1-10") + acceptEntry(2, "MXS1002", "192.0.2.1", "11-60"), ""},
		{"two rules, 16 ports each", "accept:\n" + acceptEntry(1, "MXS1002", "*", "1-16") + acceptEntry(2, "MXS1001", "*", "17-32"), ""},
		{"one rule, wide on a port, narrow on many", "accept:\n" + acceptEntry(1, "MXS1002", "*", "25") + acceptEntry(2, "MXS1002", "192.0.2.1", "1-100"), ""},
		{"every rule by its id", all("*", "10025"), "every rule is accepted on port 10025"},
		{"every rule by its id on one host", all("192.0.2.1", "10025"), ""},
		{"closed everywhere", "must_be_closed:\n" + expectEntry("*", "*"), ""},
	} {
		_, err := Load("p.yaml", []byte("version: 1\n"+tt.text), Context{Rules: exposuretest.Rules(t)})
		if got := fmt.Sprint(err); tt.want == "" && err != nil || !strings.Contains(got, tt.want) {
			t.Errorf("%s: got %v, want %q", tt.name, err, tt.want)
		}
	}
}

func TestWideAcceptanceIsReported(t *testing.T) {
	p, err := Load("p.yaml", []byte("version: 1\naccept:\n"+acceptEntry(1, "MXS1002", "*", "25")+acceptEntry(2, "MXS1002", "192.0.2.1", "26")), Context{})
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, notice := range p.Notices(nil, nil, exposuretest.Time) {
		if notice.Code == exposure.NoticeWideAcceptance {
			n++
		}
	}
	if n != 1 {
		t.Errorf("%d notices of wide acceptances", n)
	}
}

// TestWidthIsCountedByValue checks that it makes no difference how a set of hosts
// is split into entries.
func TestWidthIsCountedByValue(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for range 200 {
		size := uint32(maxPermitIPv4 - 2 + r.IntN(5))
		first := r.Uint32N(1 << 31)
		var list []*AcceptedRisk
		for from := uint32(0); from < size; {
			n := min(1+r.Uint32N(20000), size-from)
			overlap := min(from, r.Uint32N(100))
			list = append(list, &AcceptedRisk{Hosts: Selector{hosts: &hostSet{ranges: []netipx.IPRange{netipx.IPRangeFrom(ipv4(first+from-overlap), ipv4(first+from+n-1))}}}})
			from += n
		}
		r.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		if got, want := wideHosts(list), size > maxPermitIPv4; got != want {
			t.Fatalf("%d addresses in %d entries: wide %v", size, len(list), got)
		}
	}
}

// ipv4 returns the address with that number.
func ipv4(n uint32) netip.Addr {
	b := big.NewInt(int64(n)).FillBytes(make([]byte, 4))
	return netip.AddrFrom4([4]byte(b))
}

// TestManyPortsOfARule checks that entries with different ports are not all
// compared with each port, which would take minutes here.
func TestManyPortsOfARule(t *testing.T) {
	var list []*AcceptedRisk
	for i := range 200_000 {
		ports, err := ParsePortSelector(fmt.Sprint(1+i%60_000), nil)
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, &AcceptedRisk{Hosts: Selector{v4: 10<<24 + uint32(i)}, Ports: ports})
	}
	several := *list[0]
	several.Hosts, several.Ports = mustSelect(t, "10.0.0.0/8"), PortSelector{&portList{ports: mustPorts(t, "7,9-11")}}
	if got := widePorts(append(list, &several)); fmt.Sprint(got) != "[7 9 10 11]" {
		t.Errorf("wide on %v", got)
	}
}

// mustPorts parses a list of ports.
func mustPorts(t *testing.T, text string) scope.PortSet {
	t.Helper()
	s, err := scope.ParsePortSet(text, nil)
	if err != nil {
		t.Fatal(err)
	}
	return s
}
