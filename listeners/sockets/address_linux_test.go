package sockets

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"testing"
)

// The kernel names the same addresses as the tables in /proc and the standard library.
func TestDumpLinks(t *testing.T) {
	links, err := dumpLinks()
	if err != nil {
		t.Fatal(err)
	}
	got, _ := addressesOf(links)
	if read := readAddresses("/proc/self/net"); !slices.Equal(got, read) {
		t.Errorf("the kernel names %v, /proc %v", got, read)
	}
	known, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range known {
		a, ok := netip.AddrFromSlice(k.(*net.IPNet).IP)
		if a = a.Unmap(); ok && !a.IsLoopback() && !slices.Contains(got, a) {
			t.Errorf("%s is not one of %v", a, got)
		}
	}
}

// Only a bridge whose members are all pairs of virtual interfaces leads nowhere but into
// namespaces.
func TestAddressesOf(t *testing.T) {
	t.Parallel()
	at := func(text string) []netip.Addr { return []netip.Addr{netip.MustParseAddr(text)} }
	all, inside := addressesOf([]link{
		{index: 1, addresses: at("127.0.0.1")},
		{index: 1, addresses: at("192.0.2.53")}, // an address on lo that is not loopback
		{index: 2, addresses: at("192.0.2.1")},
		{index: 3, kind: "bridge", addresses: at("172.17.0.1")},
		{index: 4, kind: "veth", master: 3},
		{index: 5, kind: "bridge", addresses: at("10.0.0.1")},
		{index: 6, kind: "veth", master: 5},
		{index: 7, kind: "tun", master: 5},
		{index: 8, kind: "bridge", addresses: at("172.18.0.1")},
		{index: 9, kind: "veth", addresses: at("10.1.0.1")},
		{index: 10, kind: "wireguard", addresses: at("10.8.0.1")},
		{index: 11, kind: "bridge", addresses: at("10.2.0.1")},
		{index: 12, master: 11},
	})
	if got, want := fmt.Sprint(all, inside), "[10.0.0.1 10.1.0.1 10.2.0.1 10.8.0.1 172.17.0.1 172.18.0.1 192.0.2.1 192.0.2.53] [172.17.0.1 172.18.0.1]"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// FuzzLinks: what the kernel would never send is refused, or read without a panic.
func FuzzLinks(f *testing.F) {
	f.Add([]byte("\x00\x00\x01\x00\x02\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x08\x00\x0a\x00\x03\x00\x00\x00\x10\x00\x12\x00\x09\x00\x01\x00veth\x00\x00\x00\x00"))
	f.Add([]byte("\x02\x18\x80\x00\x02\x00\x00\x00\x08\x00\x01\x00\x0a\x00\x00\x01\x08\x00\x02\x00\x0a\x00\x00\x02"))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, _ := parseLink(b)
		a, index, ok := parseAddress(b)
		if ok != a.IsValid() {
			t.Errorf("%q is the address %s", b, a)
		}
		addressesOf([]link{l, {index: index, addresses: []netip.Addr{a}}})
	})
}
