package sockets

import (
	"encoding/hex"
	"net/netip"
	"slices"
	"strings"
)

// readAddresses returns the addresses of the interfaces of a namespace, from its
// /proc/net/fib_trie and if_inet6 in dir, without loopback ones; nil if they cannot be
// read.
func readAddresses(dir string) []netip.Addr {
	list := append(localIPv4(readHead(dir+"/fib_trie", 1<<20)), localIPv6(readHead(dir+"/if_inet6", 1<<20))...)
	list = slices.DeleteFunc(list, netip.Addr.IsLoopback)
	slices.SortFunc(list, netip.Addr.Compare)
	return slices.Compact(list)
}

// localIPv4 returns the local addresses of a routing table in the format of
// /proc/net/fib_trie: an address on a line of its own, and below it what it is.
func localIPv4(text string) []netip.Addr {
	var list []netip.Addr
	var last netip.Addr
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) == 2 && words[0] == "|--" {
			last, _ = netip.ParseAddr(words[1])
		}
		if len(words) == 3 && words[0] == "/32" && words[1] == "host" && words[2] == "LOCAL" && last.IsValid() {
			list = append(list, last)
		}
	}
	return list
}

// localIPv6 returns the addresses of /proc/net/if_inet6: 32 hex digits at the beginning
// of each line.
func localIPv6(text string) []netip.Addr {
	var list []netip.Addr
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) < 6 || len(words[0]) != 32 {
			continue
		}
		if raw, err := hex.DecodeString(words[0]); err == nil {
			list = append(list, netip.AddrFrom16([16]byte(raw)))
		}
	}
	return list
}
