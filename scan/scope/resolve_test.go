package scope

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/names"
)

// answers is a Resolver with a fixed outcome for each network and name: an
// error or addresses. It notes what it is asked.
type answers struct {
	outcomes map[string]any

	mu    sync.Mutex
	asked []string
}

func (r *answers) LookupNetIP(_ context.Context, network, host string) ([]netip.Addr, error) {
	key := network + " " + host
	r.mu.Lock()
	r.asked = append(r.asked, key)
	r.mu.Unlock()
	switch o := r.outcomes[key].(type) {
	case error:
		return nil, o
	case string:
		var out []netip.Addr
		for text := range strings.FieldsSeq(o) {
			out = append(out, netip.MustParseAddr(text))
		}
		return out, nil
	}
	return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
}

// TestFamiliesApart: anything but an answer, NXDOMAIN or NODATA is a failure,
// and what the other family answered is kept.
func TestFamiliesApart(t *testing.T) {
	servfail := &net.DNSError{Err: "server misbehaving", Name: "mx", IsTemporary: true}
	refused := &net.DNSError{Err: "server misbehaving", Name: "mx"}
	timeout := &net.DNSError{Err: "i/o timeout", Name: "mx", IsTimeout: true}
	notFound := &net.DNSError{Err: "no such host", Name: "mx", IsNotFound: true}
	nxdomain, nodata := &names.AbsentError{Err: notFound}, &names.AbsentError{Exists: true, Err: notFound}
	otherFamily := &net.AddrError{Err: "no suitable address", Addr: "mx"}
	for name, c := range map[string]struct {
		v4, v6 any
		family Family
		addrs  string
		reason string // "" for none
	}{
		"both":             {"192.0.2.1", "2001:db8::1", BothFamilies, "192.0.2.1 2001:db8::1", ""},
		"no AAAA":          {"192.0.2.1", nil, BothFamilies, "192.0.2.1", ""},
		"no A":             {nil, "2001:db8::1", BothFamilies, "2001:db8::1", ""},
		"hosts file":       {"192.0.2.1", otherFamily, BothFamilies, "192.0.2.1", ""},
		"empty answers":    {"", "", BothFamilies, "", "NXDOMAIN, or no A and no AAAA record"},
		"neither":          {nil, nil, BothFamilies, "", "NXDOMAIN, or no A and no AAAA record"},
		"AAAA fails":       {"192.0.2.1", servfail, BothFamilies, "192.0.2.1", "AAAA: SERVFAIL"},
		"A fails":          {servfail, "2001:db8::1", BothFamilies, "2001:db8::1", "A: SERVFAIL"},
		"AAAA times out":   {"192.0.2.1", timeout, BothFamilies, "192.0.2.1", "AAAA: timeout"},
		"both fail":        {servfail, servfail, BothFamilies, "", "A and AAAA: SERVFAIL"},
		"each in its way":  {refused, timeout, BothFamilies, "", "A: REFUSED, or another error of the server, AAAA: timeout"},
		"no A, AAAA fails": {nil, servfail, BothFamilies, "", "AAAA: SERVFAIL"},
		"IPv4 only":        {"192.0.2.1", servfail, IPv4Only, "192.0.2.1", ""},
		"IPv6 only":        {servfail, "2001:db8::1", IPv6Only, "2001:db8::1", ""},
		"IPv6 only, no":    {"192.0.2.1", nil, IPv6Only, "", "NXDOMAIN, or no AAAA record"},
		"NXDOMAIN":         {nxdomain, nxdomain, BothFamilies, "", "NXDOMAIN"},
		"NODATA":           {nodata, nodata, BothFamilies, "", "NODATA: the name exists, with no A and no AAAA record"},
		"NODATA, one":      {nodata, "2001:db8::1", BothFamilies, "2001:db8::1", ""},
		"NODATA, IPv4":     {nodata, nil, IPv4Only, "", "NODATA: the name exists, with no A record"},
		"one of each":      {nodata, nxdomain, BothFamilies, "", "A: NODATA, AAAA: NXDOMAIN"},
		"one not known":    {nodata, nil, BothFamilies, "", "NXDOMAIN, or no A and no AAAA record"},
		"wrong family":     {"2001:db8::1", "192.0.2.1", BothFamilies, "", "no usable address, A gives IPv6 addresses only, AAAA gives IPv4 addresses only"},
		"mapped AAAA":      {nil, "::ffff:192.0.2.1", BothFamilies, "", "no usable address, AAAA gives IPv4 addresses only"},
		"dropped by net":   {nil, otherFamily, BothFamilies, "", "no usable address, AAAA gives IPv4 addresses only"},
		"beside mapped":    {"192.0.2.1", "::ffff:192.0.2.1", BothFamilies, "192.0.2.1", ""},
		"beside no host's": {"192.0.2.1 0.0.0.0", "fe80::1", BothFamilies, "192.0.2.1", ""},
		"no host's":        {"0.0.0.0", nil, BothFamilies, "", "no usable address, only 0.0.0.0"},
		"something else":   {errors.New("odd"), nil, BothFamilies, "", "A: odd"},
	} {
		t.Run(name, func(t *testing.T) {
			r := &answers{outcomes: map[string]any{"ip4 mx": c.v4, "ip6 mx": c.v6}}
			p := Parser{Resolver: r, Family: c.family}
			targets, err := p.Targets(t.Context(), []string{"mx"})
			if err != nil {
				t.Fatal(err)
			}
			var addrs []string
			for _, r := range targets[0].Ranges {
				addrs = append(addrs, r.From().String())
			}
			if got := strings.Join(addrs, " "); got != c.addrs {
				t.Errorf("addresses %q, want %q", got, c.addrs)
			}
			reason := ""
			if lookup := new(names.Error); errors.As(targets[0].Err, &lookup) {
				reason = lookup.Reason
			}
			if reason != c.reason {
				t.Errorf("reason %q, want %q", reason, c.reason)
			}
			_, err = p.Excludes(t.Context(), "mx")
			if (err != nil) != (c.reason != "") {
				t.Errorf("excluded: error %v, want one: %t", err, c.reason != "")
			}
			want := []string{"ip4 mx", "ip6 mx"}
			switch c.family {
			case IPv4Only:
				want = want[:1]
			case IPv6Only:
				want = want[1:]
			}
			slices.Sort(r.asked)
			if !slices.Equal(r.asked, want) {
				t.Errorf("asked %q, want %q, once for both lists", r.asked, want)
			}
		})
	}
}

// TestUnusable: what a name has beside usable addresses is kept.
func TestUnusable(t *testing.T) {
	p := Parser{Resolver: &answers{outcomes: map[string]any{"ip4 mx": "0.0.0.0 192.0.2.1 0.0.0.0 224.0.0.1", "ip6 mx": "::"}}}
	targets, err := p.Targets(t.Context(), []string{"mx", "192.0.2.2"})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(targets[0].Unusable); got != "[0.0.0.0 224.0.0.1 ::]" {
		t.Errorf("unusable: %s", got)
	}
	p = Parser{Resolver: &answers{outcomes: map[string]any{"ip4 mx": "192.0.2.2", "ip6 mx": "::ffff:192.0.2.1"}}}
	beside, err := p.Targets(t.Context(), []string{"mx"})
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(beside[0].Unusable, beside[0].Err); got != "[::ffff:192.0.2.1] <nil>" {
		t.Errorf("beside a mapped address: %s", got)
	}
	if len(targets[1].Unusable) > 0 {
		t.Errorf("unusable of an address: %v", targets[1].Unusable)
	}
}

// TestFamilyOfScope: addresses of the other family are never contacted,
// however they were named.
func TestFamilyOfScope(t *testing.T) {
	p := Parser{}
	targets, err := p.Targets(t.Context(), []string{"192.0.2.0/30", "2001:db8::/126", "2001:db8::9"})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		family  Family
		hosts   uint64
		emptied int
	}{{BothFamilies, 9, 0}, {IPv4Only, 4, 2}, {IPv6Only, 5, 1}} {
		s, err := New(Bounds{Targets: targets, Family: c.family})
		if err != nil {
			t.Fatal(err)
		}
		space := mustSpace(t, s, 25)
		if space.Hosts() != c.hosts || len(s.Emptied()) != c.emptied {
			t.Errorf("family %d: %d hosts, %d targets emptied", c.family, space.Hosts(), len(s.Emptied()))
		}
		for i := range space.Len() {
			a := space.At(i).Addr()
			if !s.Allows(a) || c.family == IPv4Only && !a.Is4() || c.family == IPv6Only && a.Is4() {
				t.Errorf("family %d: %v is swept", c.family, a)
			}
		}
		for _, text := range []string{"192.0.2.1", "2001:db8::1"} {
			a := netip.MustParseAddr(text)
			if want := c.family == BothFamilies || a.Is4() == (c.family == IPv4Only); s.Allows(a) != want {
				t.Errorf("family %d: Allows(%v) is %t", c.family, a, !want)
			}
		}
	}
}

// TestNames: all names of an address are kept, those of targets first.
func TestNames(t *testing.T) {
	r := &answers{outcomes: map[string]any{"ip4 a": "192.0.2.1 192.0.2.2", "ip4 b": "192.0.2.1", "ip4 c": "192.0.2.1"}}
	p := Parser{Resolver: r}
	allowed, _, err := p.ScopeLines(t.Context(), slices.Values([]result.Anchor{{Text: "c"}, {Text: "b"}, {Text: "a"}}), 3)
	if err != nil {
		t.Fatal(err)
	}
	targets, err := p.Targets(t.Context(), []string{"b", "a"})
	if err != nil {
		t.Fatal(err)
	}
	s, err := New(Bounds{Targets: targets, Allowed: allowed})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string][]string{"192.0.2.1": {"b", "a", "c"}, "192.0.2.2": {"a"}, "192.0.2.3": nil, "::ffff:192.0.2.2": {"a"}} {
		if got := s.Names(netip.MustParseAddr(text)); !slices.Equal(got, want) {
			t.Errorf("%s: names %q, want %q", text, got, want)
		}
	}
}
