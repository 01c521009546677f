package query

import (
	"context"
	"fmt"
	"testing"

	"github.com/miekg/dns"
)

// A tally counts questions by name.
type tally map[string]int

func (c tally) Ask(_ context.Context, name string, qtype uint16) (*Answer, error) {
	c[name]++
	return &Answer{Name: name, Type: qtype, Outcome: NoData}, nil
}

// TestCacheRoom: a cache keeps the answers that were used last, and no more than it has room for.
func TestCacheRoom(t *testing.T) {
	asked := tally{}
	c := NewCache(asked, 1)
	c.room = 10
	ask := func(name string) {
		t.Helper()
		if a, err := c.Ask(t.Context(), name, dns.TypeA); err != nil || a.Name != name {
			t.Fatalf("%+v, %v", a, err)
		}
	}
	for i := range 100 {
		ask("shared.example.")
		ask(fmt.Sprintf("d%d.example.", i))
	}
	if asked["shared.example."] != 1 || len(c.entries) != 10 || c.recent.Len() != 10 {
		t.Errorf("shared asked %d times, %d entries, %d in the list", asked["shared.example."], len(c.entries), c.recent.Len())
	}
	ask("d99.example.")
	ask("d0.example.")
	if asked["d99.example."] != 1 || asked["d0.example."] != 2 {
		t.Errorf("d99 asked %d times, d0 %d times", asked["d99.example."], asked["d0.example."])
	}
}
