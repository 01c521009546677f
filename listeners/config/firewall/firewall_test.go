package firewall

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// shown writes rules, one text each.
func shown(c listeners.Config) (list []string) {
	for _, f := range c.Filters {
		list = append(list, fmt.Sprintf("%d:%d-%d %s %s %d-%d", f.At.Line, f.At.Column, f.At.EndColumn, f.Chain, f.Stage, f.First, f.Last))
	}
	return list
}

func TestIptables(t *testing.T) {
	for _, tt := range []struct {
		rule string
		want []string
	}{
		{"-A INPUT -p tcp -m tcp --dport 10025 -j DROP", []string{"1:32-37 INPUT input 10025-10025"}},
		{"-A ufw-user-input -p tcp --dport 10025 -j REJECT", []string{"1:34-39 ufw-user-input input 10025-10025"}},
		{"-A ufw6-user-input -p tcp -m multiport --dports 25,10024:10027 -j DROP", []string{"1:49-51 ufw6-user-input input 25-25", "1:52-63 ufw6-user-input input 10024-10027"}},
		{"-I DOCKER-USER -i eth0 -p tcp -m conntrack --ctorigdstport 10025 -j DROP", []string{"1:60-65 DOCKER-USER forward 10025-10025"}},
		{"-A INPUT ! -s 10.0.0.0/8 -p tcp --dport 10025 -j DROP", []string{"1:41-46 INPUT input 10025-10025"}},
		{"-A INPUT -s 192.0.2.1/32 -p tcp --dport 10025 -j DROP", nil},
		{"-A INPUT -i lo -p tcp --dport 10025 -j DROP", nil},
		{"-A INPUT -p tcp --dport 10025 -j ACCEPT", nil},
		{"-A INPUT -p udp --dport 10025 -j DROP", nil},
		{"-A INPUT -p tcp ! --dport 10025 -j DROP", nil},
		{"-A OUTPUT -p tcp --dport 25 -j DROP", nil},
		{"-A INPUT -p tcp --dport x -j DROP", nil},
		{"-A INPUT -p tcp --dport 25 -m state --state NEW -m recent --update --seconds 60 --hitcount 4 -j DROP", nil},
		{"-A INPUT -p tcp --dport 25 -m connlimit --connlimit-above 20 -j REJECT", nil},
		{"-A INPUT -p tcp --dport 25 -m set --match-set blocked src -j DROP", nil},
		{"-A INPUT -p tcp --dport 25 -m set ! --match-set allowed src -j DROP", []string{"1:25-27 INPUT input 25-25"}},
		{"-A INPUT -p tcp --dport 25 -m conntrack --ctstate INVALID -j DROP", nil},
		{"-A INPUT -p tcp --dport 25 -m conntrack --ctstate NEW,INVALID -j DROP", []string{"1:25-27 INPUT input 25-25"}},
		{"-A INPUT -p tcp --dport 25 ! --syn -m state --state NEW -j DROP", nil},
		{"-A INPUT -p tcp --sport 20 --dport 25 -j DROP", nil},
		{"### tuple ### deny tcp 10025 0.0.0.0/0 any 0.0.0.0/0 in", nil},
	} {
		if got := shown(Iptables(nil, source.NewFile("rules.v4", "rules.v4", tt.rule+"\n"))); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.rule, got, tt.want)
		}
	}
	nat := Iptables(nil, source.NewFile("rules.v4", "rules.v4", "*nat\n-A INPUT -p tcp --dport 1 -j DROP\nCOMMIT\n*filter\n-A INPUT -p tcp --dport 2 -j DROP\nCOMMIT\n"))
	if got := shown(nat); !slices.Equal(got, []string{"5:25-26 INPUT input 2-2"}) {
		t.Errorf("tables: %q", got)
	}
}

func TestNftables(t *testing.T) {
	const base = "table inet filter {\n chain in {\n  type filter hook input priority 0; policy accept;\n  %s\n }\n}\n"
	for _, tt := range []struct {
		rule string
		want []string
	}{
		{"tcp dport 10025 drop", []string{"4:13-18 in input 10025-10025"}},
		{"tcp dport { 25, 10024-10027 } counter reject with tcp reset", []string{"4:15-17 in input 25-25", "4:19-30 in input 10024-10027"}},
		{"tcp dport {25,\n 26} drop # 27", []string{"4:14-16 in input 25-25", "5:2-4 in input 26-26"}},
		{"ip saddr != 10.0.0.0/8 tcp dport 10025 drop; tcp dport 26 drop", []string{"4:36-41 in input 10025-10025", "4:58-60 in input 26-26"}},
		{"meta l4proto tcp th dport 10025 drop", []string{"4:29-34 in input 10025-10025"}},
		{"ip saddr 192.0.2.1 tcp dport 10025 drop", nil},
		{"iif lo tcp dport 10025 drop", nil},
		{"tcp dport 10025 accept", nil},
		{"tcp dport != 10025 drop", nil},
		{"udp dport 10025 drop", nil},
		{"tcp dport @closed drop", nil},
		{"tcp dport 25 limit rate over 10/minute drop", nil},
		{"tcp dport 25 ct count over 20 reject", nil},
		{"tcp dport 25 ct state invalid drop", nil},
		{"tcp dport 25 ct state { new, invalid } drop", []string{"4:13-15 in input 25-25"}},
		{"tcp dport 25 log prefix \"we drop nothing\" accept", nil},
		{"iifname \"lo\" tcp dport 25 drop", nil},
		{"tcp dport 25 drop comment \"closed", []string{"4:13-15 in input 25-25"}},
	} {
		if got := shown(Nftables(nil, source.NewFile("x.nft", "x.nft", fmt.Sprintf(base, tt.rule)))); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.rule, got, tt.want)
		}
	}
	for hook, want := range map[string][]string{"forward": {"4:13-18 in forward 10025-10025"}, "output": nil} {
		text := strings.Replace(fmt.Sprintf(base, "tcp dport 10025 drop"), "input", hook, 1)
		if got := shown(Nftables(nil, source.NewFile("x.nft", "x.nft", text))); !slices.Equal(got, want) {
			t.Errorf("hook %s: got %q, want %q", hook, got, want)
		}
	}
}

func FuzzFilters(f *testing.F) {
	f.Add("-A INPUT -p tcp -m multiport --dports 25,26:27 -j DROP\n")
	f.Add("table inet a { chain b { type filter hook input priority 0; tcp dport { 1, 2-3 } drop } }")
	f.Fuzz(func(t *testing.T, text string) {
		file := source.NewFile("x", "x", text)
		for _, c := range []listeners.Config{Iptables(nil, file), Nftables(nil, file)} {
			for _, r := range c.Filters {
				if r.First == 0 || r.First > r.Last || r.At.Line < 1 || r.Stage == "" {
					t.Errorf("%q: %+v", text, r)
				}
			}
		}
	})
}
