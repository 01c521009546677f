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

// large answers each question with a number of records.
type large int

func (n large) Ask(_ context.Context, name string, qtype uint16) (*Answer, error) {
	a := &Answer{Name: name, Type: qtype, Outcome: Found}
	for range n {
		a.Records = append(a.Records, &dns.TXT{Hdr: dns.RR_Header{Name: name, Rrtype: qtype}, Txt: []string{"text"}})
	}
	return a, nil
}

// TestCacheBytes: large answers make room sooner than others, and one that is too large is kept alone.
func TestCacheBytes(t *testing.T) {
	one, _ := large(1000).Ask(t.Context(), "d0.example.", dns.TypeTXT)
	c := NewCache(large(1000), 1)
	c.most = 3*one.size() + 1000
	kept := func(want int) {
		t.Helper()
		sum := 0
		for e := c.recent.Front(); e != nil; e = e.Next() {
			sum += e.Value.(*entry).answer.size()
		}
		if len(c.entries) != want || c.recent.Len() != want || c.size != sum {
			t.Errorf("%d entries, %d in the list, %d bytes of %d; want %d entries", len(c.entries), c.recent.Len(), c.size, sum, want)
		}
	}
	for i := range 10 {
		if a, err := c.Ask(t.Context(), fmt.Sprintf("d%d.example.", i), dns.TypeTXT); err != nil || len(a.Records) != 1000 {
			t.Fatalf("%d records, %v", len(a.Records), err)
		}
	}
	kept(3)
	c.most = 100
	if a, err := c.Ask(t.Context(), "d10.example.", dns.TypeTXT); err != nil || len(a.Records) != 1000 {
		t.Fatalf("%+v, %v", a, err)
	}
	kept(1)
}

// silentBelow answers no question about some names.
type silentBelow struct {
	tally
	dead []string
}

func (s silentBelow) Ask(ctx context.Context, name string, qtype uint16) (*Answer, error) {
	a, err := s.tally.Ask(ctx, name, qtype)
	for _, zone := range s.dead {
		if dns.IsSubDomain(zone, name) {
			a.Outcome = Timeout
		}
	}
	return a, err
}

// TestBudgetSilence: after three questions without a reply, no further ones are asked about names of the
// same zone; names of others, and of one from which there was a reply, are.
func TestBudgetSilence(t *testing.T) {
	asked := silentBelow{tally{}, []string{"dead.example.net."}}
	b := &Budget{Asker: asked, Most: 100}
	ask := func(name string, want Outcome, told bool) {
		t.Helper()
		before := asked.tally[name]
		a, err := b.Ask(t.Context(), name, dns.TypeA)
		if err != nil || a.Outcome != want || a.Name != name || (asked.tally[name] > before) != told || (a.Detail == "") != told {
			t.Errorf("%s: %+v, %v, asked %t", name, a, err, asked.tally[name] > before)
		}
	}
	ask("example.net.", NoData, true)
	for i := range maxSilent {
		ask(fmt.Sprintf("mx%d.dead.example.net.", i), Timeout, true)
	}
	ask("mx9.dead.example.net.", Timeout, false)
	ask("_25._tcp.mx9.dead.example.net.", Timeout, false)
	ask("dead.example.net.", Timeout, false)
	ask("alive.example.net.", NoData, true)
	ask("a.example.org.", NoData, true)
	for i := range maxSilent + 1 {
		ask(fmt.Sprintf("d%d.example.com.", i), NoData, true)
		ask(fmt.Sprintf("_%d.example.org.", i), NoData, true)
	}
	if n := b.Asked(); n != len(asked.tally) {
		t.Errorf("%d questions were asked, %d counted", len(asked.tally), n)
	}
}
