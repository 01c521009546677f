package syn

import (
	"testing"

	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

// TestManyRoutes: of a long list, the routes of addresses that are routed alike
// are asked for once, also in front of all that the routing table names.
func TestManyRoutes(t *testing.T) {
	n, err := rawnet.OpenNetlink()
	if err != nil {
		t.Skip(err)
	}
	defer n.Close()
	p, err := newPlanner(n, &Config{})
	if err != nil {
		t.Fatal(err)
	}
	for _, prefix := range []string{"1.2.0.0/16", "127.1.0.0/18", "2001:db8::/114"} {
		targets, err := new(scope.Parser).Targets(t.Context(), []string{prefix})
		if err != nil {
			t.Fatal(err)
		}
		r := targets[0].Ranges[0]
		parts, err := p.split(r)
		if err != nil {
			t.Fatal(err)
		}
		if len(parts) > 1 {
			t.Skipf("%s is routed in several parts here", prefix)
		}
		want, wantErr := n.Route(r.From(), 0)
		a := r.From()
		for range maxRoutes + 100 {
			got, err := p.route(a)
			if got.Type != want.Type || got.Link != want.Link || got.Gateway != want.Gateway || (err == nil) != (wantErr == nil) {
				t.Fatalf("%v is routed %+v, %v, want %+v, %v", a, got, err, want, wantErr)
			}
			a = a.Next()
		}
	}
	if len(p.known) > 3 {
		t.Errorf("%d routes were asked for, and there are 3", len(p.known))
	}
}
