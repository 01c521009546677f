package policy

import (
	"context"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// oneAddress is a names.Resolver that returns 192.0.2.9 for each name.
type oneAddress struct{}

func (oneAddress) LookupNetIP(_ context.Context, network, _ string) ([]netip.Addr, error) {
	if network == "ip6" {
		return nil, nil
	}
	return []netip.Addr{netip.MustParseAddr("192.0.2.9")}, nil
}

// TestUnscannedEntriesAreReported checks that an entry of must_be_closed that
// matches no pair of the run is reported, with its position.
func TestUnscannedEntriesAreReported(t *testing.T) {
	parser := scope.Parser{Resolver: oneAddress{}}
	targets, err := parser.Targets(t.Context(), []string{"192.0.2.0/29", "192.0.2.6-192.0.2.12:993", "MX.example.org", "2001:db8::/126", "fe80::1%lo"})
	if err != nil {
		t.Fatal(err)
	}
	set, err := scope.New(scope.Bounds{Targets: targets})
	if err != nil {
		t.Fatal(err)
	}
	space, err := scope.NewSpace(set, []uint16{25, 10025})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		target, ports string
		asked         bool
	}{
		{"*", "*", true}, {"*", "25", true}, {"*", "993", true}, {"*", "26", false}, {"0.0.0.0/0", "26-9999", true}, {"::/0", "993", false},
		{"192.0.2.3", "10025", true}, {"192.0.2.3", "993", false}, {"192.0.2.7", "993", true}, {"192.0.2.12", "993", true},
		{"192.0.2.12", "25", false}, {"192.0.2.13", "*", false}, {"192.0.1.0-192.0.1.255", "*", false}, {"192.0.1.0-192.0.2.0", "25", true},
		{"192.0.2.13-192.0.2.255", "*", false}, {"192.0.2.12-192.0.2.255", "*", true}, {"2001:db8::3", "25", true}, {"2001:db8::4", "25", false},
		{"mx.example.org", "25", true}, {"mx.example.org", "993", true}, {"mx.example.org", "26", false}, {"gone.example.org", "*", false},
		{"fe80::1%lo", "25", true}, {"fe80::1%eth9", "25", false}, {"fe80::/64", "25", true},
	} {
		p := loadPolicy(t, fmt.Sprintf("version: 1\nmust_be_closed: [{target: \"%s\", ports: \"%s\"}]\n", c.target, c.ports))
		notices := p.NeverAsked(space, set)
		if (len(notices) == 0) != c.asked {
			t.Errorf("%s port %s: %d notices, asked: %t", c.target, c.ports, len(notices), c.asked)
		}
		for _, n := range notices {
			if n.Code != exposure.NoticeExpectedMissing || n.Anchor == nil || n.Anchor.Line != 2 || !strings.Contains(n.Message, c.target+" port "+c.ports+" names no host") {
				t.Errorf("%s port %s: %+v", c.target, c.ports, n)
			}
		}
	}
	many := loadPolicy(t, "version: 1\nmust_be_closed:\n"+strings.Repeat("- {target: gone.example.org, ports: 25}\n", 500))
	notices := many.NeverAsked(space, set)
	if n := len(notices); n != maxUnscanned+1 || !strings.HasPrefix(notices[n-1].Message, "More entries") {
		t.Errorf("%d notices of 500 entries", n)
	}
	if (*Policy)(nil).NeverAsked(space, set) != nil {
		t.Error("a nil policy has notices")
	}
}
