package sockets

import (
	"encoding/binary"
	"errors"
	"fmt"
	"net"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/google/nftables/xt"
)

// TestTranslated: the ports that rules of nft(8) pass on.
func TestTranslated(t *testing.T) {
	if !inside(t, "nft") {
		return
	}
	cmd := exec.CommandContext(t.Context(), "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(`
table ip nat {
	set ports { type inet_service; elements = { 110, 143 }; }
	set span { type inet_service; flags interval; elements = { 4000-4002 }; }
	chain prerouting {
		type nat hook prerouting priority dstnat;
		fib daddr type local jump docker
		ip daddr 192.0.2.1 tcp dport 25 dnat to 172.17.0.2:2525
		tcp dport 8000-8002 dnat to 172.17.0.3
		tcp dport 587 redirect to :10587
		tcp dport { 465, 993 } dnat to 172.17.0.4
		tcp dport @ports dnat to 172.17.0.5
		tcp dport @span dnat to 172.17.0.6
		udp dport 53 dnat to 172.17.0.2:53
		dnat to tcp dport map { 2000 : 172.17.0.7, 2001 : 172.17.0.8 }
		ip saddr 10.0.0.0/8 dnat to 172.17.0.9
	}
	chain docker {
		iifname "docker0" return
		iifname != "docker0" meta l4proto tcp tcp dport 11334 counter dnat to 172.17.0.2:11334
	}
	chain postrouting { type nat hook postrouting priority srcnat; masquerade; }
}
table ip6 nat6 {
	chain pre { type nat hook prerouting priority dstnat; tcp dport 25 dnat to [fd00::2]:25; }
}
table inet both {
	chain pre { type nat hook prerouting priority dstnat; tcp dport 26 dnat ip to 172.17.0.2:26; }
}
table ip filter {
	chain input { type filter hook input priority 0; tcp dport 22 accept; }
}`)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("nft: %v\n%s", err, out)
	}
	list, undecided, err := translated()
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(list, compareForwards)
	want := []string{
		"invalid IP:25 [fd00::2]:25", "192.0.2.1:25 172.17.0.2:2525", "invalid IP:26 172.17.0.2:26",
		"invalid IP:110 172.17.0.5:110", "invalid IP:143 172.17.0.5:143", "invalid IP:465 172.17.0.4:465",
		"invalid IP:587 invalid AddrPort", "invalid IP:993 172.17.0.4:993",
		"invalid IP:2000 172.17.0.7:2000", "invalid IP:2001 172.17.0.8:2001",
		"invalid IP:4000 172.17.0.6:4000", "invalid IP:4001 172.17.0.6:4001", "invalid IP:4002 172.17.0.6:4002",
		"invalid IP:8000 172.17.0.3:8000", "invalid IP:8001 172.17.0.3:8001", "invalid IP:8002 172.17.0.3:8002",
		"invalid IP:11334 172.17.0.2:11334",
	}
	if got := forwardTexts(list); !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if undecided != 1 {
		t.Errorf("%d rules are undecided, want the one without a port", undecided)
	}
}

func forwardTexts(list []Forward) []string {
	var texts []string
	for _, f := range list {
		texts = append(texts, fmt.Sprintf("%s:%d %s", f.Address, f.Port, f.To))
	}
	return texts
}

// TestRules: rules of iptables, which nft does not make, and rules that cannot be read.
func TestRules(t *testing.T) {
	tcp := &expr.Match{Name: "tcp", Info: &xt.Tcp{SrcPorts: [2]uint16{0, 0xffff}, DstPorts: [2]uint16{25, 25}}}
	target := &expr.Target{Name: "DNAT", Info: &xt.NatRange2{NatRange: xt.NatRange{MinIP: net.IPv4(172, 17, 0, 2), MinPort: 2525}}}
	dport := &expr.Payload{DestRegister: 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2}
	port := binary.BigEndian.AppendUint16(nil, 25)
	failing := func(string, uint32) ([]nftables.SetElement, error) { return nil, errors.New("gone") }
	for name, c := range map[string]struct {
		rule    []expr.Any
		want    []string
		decided bool
	}{
		"nothing":        {nil, nil, true},
		"accept":         {[]expr.Any{tcp, &expr.Verdict{Kind: expr.VerdictAccept}}, nil, true},
		"iptables":       {[]expr.Any{tcp, target}, []string{"invalid IP:25 172.17.0.2:2525"}, true},
		"redirect":       {[]expr.Any{tcp, &expr.Target{Name: "REDIRECT", Info: &xt.NatIPv4MultiRangeCompat{{MinPort: 26}}}}, []string{"invalid IP:25 invalid AddrPort"}, true},
		"no port":        {[]expr.Any{target}, nil, false},
		"udp":            {[]expr.Any{&expr.Match{Name: "udp"}, target}, nil, true},
		"unknown target": {[]expr.Any{tcp, &expr.Target{Name: "DNAT", Info: &xt.Unknown{}}}, nil, false},
		"not 25":         {[]expr.Any{dport, &expr.Cmp{Op: expr.CmpOpNeq, Register: 1, Data: port}, target}, nil, false},
		"set is gone":    {[]expr.Any{dport, &expr.Lookup{SourceRegister: 1, SetName: "s"}, target}, nil, false},
		"short address": {[]expr.Any{dport, &expr.Cmp{Op: expr.CmpOpEq, Register: 1, Data: port}, &expr.Immediate{Register: 2, Data: []byte{1}},
			&expr.NAT{Type: expr.NATTypeDestNAT, RegAddrMin: 2}}, []string{"invalid IP:25 invalid AddrPort"}, true},
		"32-bit registers": {[]expr.Any{&expr.Payload{DestRegister: 8, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
			&expr.Cmp{Op: expr.CmpOpEq, Register: 8, Data: port}, target}, []string{"invalid IP:25 172.17.0.2:2525"}, true},
	} {
		list, ok := readRule(c.rule, failing)
		if got := forwardTexts(list); !slices.Equal(got, c.want) || ok != c.decided {
			t.Errorf("%s: %q, %v; want %q, %v", name, got, ok, c.want, c.decided)
		}
	}
	// All ports of a rule without a limit would be 65,535 forwards.
	all := &expr.Range{Op: expr.CmpOpEq, Register: 1, FromData: []byte{0, 0}, ToData: []byte{0xff, 0xff}}
	if list, ok := readRule([]expr.Any{dport, all, target}, failing); ok || len(list) != maxPorts {
		t.Errorf("all ports: %d forwards, %v", len(list), ok)
	}
}
