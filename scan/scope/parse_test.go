package scope

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
)

// zone is a Resolver with a fixed table.
type zone map[string][]string

func (z zone) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	texts, ok := z[host]
	if !ok {
		return nil, errors.New("no such host")
	}
	var out []netip.Addr
	for _, t := range texts {
		out = append(out, netip.MustParseAddr(t))
	}
	return out, nil
}

var testZone = zone{
	"mx1.example.net": {"2001:db8::25", "192.0.2.25", "192.0.2.25", "::ffff:192.0.2.26"},
	"lo.example.net":  {"0.0.0.0", "ff02::1"},
}

// show writes targets in one canonical line each.
func show(targets []Target) []string {
	var out []string
	for _, t := range targets {
		var b strings.Builder
		if t.Name != "" {
			b.WriteString(t.Name + "=")
		}
		for i, r := range t.Ranges {
			if i > 0 {
				b.WriteByte(' ')
			}
			b.WriteString(r.String())
		}
		if t.Zone != "" {
			b.WriteString("%" + t.Zone)
		}
		if !t.Ports.Empty() {
			b.WriteString(" :" + t.Ports.String())
		}
		if t.Err != nil {
			b.WriteString("unresolved")
		}
		out = append(out, b.String())
	}
	return out
}

func TestTargets(t *testing.T) {
	for text, want := range map[string]string{
		"192.0.2.1":                    "192.0.2.1-192.0.2.1",
		" 192.0.2.1 ":                  "192.0.2.1-192.0.2.1",
		"192.0.2.1:10025":              "192.0.2.1-192.0.2.1 :10025",
		"192.0.2.0/24":                 "192.0.2.0-192.0.2.255",
		"192.0.2.77/24":                "192.0.2.0-192.0.2.255",
		"192.0.2.0/24:10024-10026":     "192.0.2.0-192.0.2.255 :10024-10026",
		"192.0.2.1-9":                  "192.0.2.1-192.0.2.9",
		"192.0.2.1-9:143":              "192.0.2.1-192.0.2.9 :143",
		"192.0.2.1-192.0.3.9":          "192.0.2.1-192.0.3.9",
		"2001:db8::1":                  "2001:db8::1-2001:db8::1",
		"2001:DB8::1-2001:db8::9":      "2001:db8::1-2001:db8::9",
		"2001:db8::1:25":               "2001:db8::1:25-2001:db8::1:25",
		"[2001:db8::1]":                "2001:db8::1-2001:db8::1",
		"[2001:db8::1]:25":             "2001:db8::1-2001:db8::1 :25",
		"[2001:db8::/127]:25":          "2001:db8::-2001:db8::1 :25",
		"[2001:db8::1-2001:db8::2]:25": "2001:db8::1-2001:db8::2 :25",
		"::ffff:192.0.2.1":             "192.0.2.1-192.0.2.1",
		"[::ffff:192.0.2.1]:25":        "192.0.2.1-192.0.2.1 :25",
		"::ffff:192.0.2.0/120":         "192.0.2.0-192.0.2.255",
		"::ffff:c000:201-192.0.2.4":    "192.0.2.1-192.0.2.4",
		"0.0.0.0/0":                    "0.0.0.0-255.255.255.255",
		"fe80::1%eth0":                 "fe80::1-fe80::1%eth0",
		"[fe80::1%65535]:25":           "fe80::1-fe80::1%65535 :25",
		"mx1.example.net":              "mx1.example.net=192.0.2.25-192.0.2.25 192.0.2.26-192.0.2.26 2001:db8::25-2001:db8::25",
		"MX1.Example.NET.:10025":       "mx1.example.net=192.0.2.25-192.0.2.25 192.0.2.26-192.0.2.26 2001:db8::25-2001:db8::25 :10025",
		"gone.example.net":             "gone.example.net=unresolved",
		"lo.example.net":               "lo.example.net=unresolved",
	} {
		p := Parser{Resolver: testZone}
		got, err := p.Targets(t.Context(), []string{text})
		if err != nil {
			t.Errorf("%q: %v", text, err)
		} else if s := show(got); len(s) != 1 || s[0] != want {
			t.Errorf("%q: got %q, want %q", text, s, want)
		}
	}
}

func TestTargetErrors(t *testing.T) {
	for text, want := range map[string]string{
		"":                        "an empty entry",
		"10.0.0/8":                `"10.0.0/8": not an address prefix`,
		"10.0.0.0/33":             `"10.0.0.0/33": not an address prefix`,
		"10.0.0.0/":               `"10.0.0.0/": not an address prefix`,
		"mx1.example.net/24":      `"mx1.example.net/24": not an address prefix`,
		"10.0.0":                  `"10.0.0": not an IP address`,
		"2001:db8::1:10025":       `"2001:db8::1:10025": not an IPv6 address`,
		"300.1.1.1":               `"300.1.1.1": not an IP address`,
		"10.0.0.1-300":            `"10.0.0.1-300": not an IP address`,
		"10.0.0.9-1":              "a range that ends before it starts",
		"10.0.0.9-2001:db8::1":    "mixes IPv4 and IPv6",
		"10.0.0.1:0":              `"0": port 0 is reserved`,
		"10.0.0.1:70000":          `"70000": no such port`,
		"10.0.0.1:":               "no port after the colon",
		"10.0.0.1:smtp":           `"smtp": no such port profile`,
		"[2001:db8::1":            "a bracket is not closed",
		"[2001:db8::1]25":         "text other than a port after the bracket",
		"[10.0.0.1]:25":           "brackets without an IPv6 address in them",
		"fe80::1":                 "a link-local address without its zone",
		"[fe80::1]:25":            "a link-local address without its zone",
		"2001:db8::1%eth0":        "an IPv6 zone is allowed only after",
		"fe80::/64%eth0":          "an IPv6 zone is allowed only after",
		"fe80::1-fe80::2%eth0":    "an IPv6 zone is allowed only after",
		"0.0.0.0":                 "not the address of one host",
		"::":                      "not the address of one host",
		"224.0.0.1":               "not the address of one host",
		"255.255.255.255":         "not the address of one host",
		"-mx.example.net":         "not a host name",
		"mx..example.net":         "not a host name",
		"mx1.example.net:0":       "port 0 is reserved",
		"m$.example.net":          "not a host name",
		"bücher.example":          "non-ASCII letters",
		"http://mx1.example.net":  "a URL",
		"a b":                     "more than one entry",
		"!10.0.0.1":               "an exclude is not allowed in a list of targets",
		"@include x":              "an include",
		strings.Repeat("a.", 200): "longer than 253",
	} {
		p := Parser{Resolver: testZone}
		got, err := p.Targets(t.Context(), []string{text})
		var input *InputError
		switch {
		case err == nil:
			t.Errorf("%q: read as %q", text, show(got))
		case !errors.As(err, &input):
			t.Errorf("%q: error is a %T", text, err)
		case !strings.Contains(err.Error(), want):
			t.Errorf("%q: error %q, want %q", text, err, want)
		case input.ErrorHint() == "":
			t.Errorf("%q: error %q has no hint", text, err)
		}
	}
}

func TestExcludes(t *testing.T) {
	p := Parser{Resolver: testZone}
	got, err := p.Excludes(t.Context(), "10.0.0.0/8, mx1.example.net,192.0.2.1-9")
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"10.0.0.0-10.255.255.255",
		"mx1.example.net=192.0.2.25-192.0.2.25 192.0.2.26-192.0.2.26 2001:db8::25-2001:db8::25", "192.0.2.1-192.0.2.9"}
	if s := show(got); !slices.Equal(s, want) {
		t.Errorf("got %q, want %q", s, want)
	}
	for list, want := range map[string]string{
		"10.0.0.1,":           "an empty entry",
		"gone.example.net":    "the excluded name does not resolve",
		"192.0.2.1:25":        "a port is not allowed here",
		"192.0.2.1,!10.0.0.1": "an exclude is not allowed in a list of targets",
	} {
		if _, err := p.Excludes(t.Context(), list); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: error %v, want %q", list, err, want)
		}
	}
}

func TestPorts(t *testing.T) {
	profiles := map[string][]uint16{"internal": {783, 10025, 10024}, "public": {25}, "none": {}}
	for spec, want := range map[string]string{
		"25":                           "25",
		"10024-10031,10143":            "10024-10031,10143",
		"10143, 10024 - 10031":         "10024-10031,10143",
		"3,1,2,2":                      "1-3",
		"1,2,4":                        "1,2,4",
		"internal":                     "783,10024,10025",
		"internal,!783":                "10024,10025",
		"!783,internal":                "10024,10025",
		"internal,public,!10000-65535": "25,783",
		"1-10,!3-4":                    "1,2,5-10",
		"1-65535":                      "1-65535",
	} {
		got, err := ParsePorts(spec, profiles)
		if err != nil || FormatPorts(got) != want {
			t.Errorf("%q: got %q, %v, want %q", spec, FormatPorts(got), err, want)
		}
		again, err := ParsePorts(FormatPorts(got), nil)
		if err != nil || !slices.Equal(again, got) {
			t.Errorf("%q: the canonical form is read as %v, %v", spec, again, err)
		}
	}
	for spec, want := range map[string]string{
		"":                     "an empty entry",
		"25,,26":               "an empty entry",
		"0":                    `"0": port 0 is reserved`,
		"70000":                `"70000": no such port`,
		"0-10":                 "port 0 is reserved",
		"30-20":                "ends before it starts",
		"intern":               `"intern": no such port profile`,
		"25x":                  `"25x": not a port number`,
		"-25":                  `"-25": no such port profile`,
		"25-":                  `"25-": not a port number`,
		"1-70000":              "no such port",
		"!25":                  "no port is left",
		"25,!25":               "no port is left",
		"none":                 "no port is left",
		"99999999999999999999": "no such port",
		"25,0,26-x,intern":     "\"0\": port 0 is reserved\n\"26-x\": not a port number\n\"intern\": no such port profile",
	} {
		got, err := ParsePorts(spec, profiles)
		var input *InputError
		if !errors.As(err, &input) || !strings.Contains(fmt.Sprintf("%v %q", err, input.Text), want) {
			t.Errorf("%q: got %v, error %v, want %q", spec, got, err, want)
		} else if input.ErrorHint() == "" {
			t.Errorf("%q: error %q has no hint", spec, err)
		}
	}
}

func FuzzParseEntry(f *testing.F) {
	for _, s := range []string{"192.0.2.1-9:25", "[2001:db8::/120]:25,26", "mx1.example.net:10025", "::ffff:1.2.3.4/120", "[", "1:2:3", "-", "%"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		e, err := parseEntry(s)
		if err != nil {
			if err.ErrorHint() == "" || err.Error() == "" {
				t.Fatalf("%q: error %q without a hint", s, err)
			}
			return
		}
		if e.name == "" && !e.addrs.IsValid() || e.name != "" && e.addrs.IsValid() {
			t.Fatalf("%q: neither a name nor addresses, or both: %+v", s, e)
		}
		if e.name == "" && (e.zone != "" && !e.addrs.From().IsLinkLocalUnicast() || e.addrs.From() == e.addrs.To() && e.addrs.From().Is4In6()) {
			t.Fatalf("%q: zone or mapped address: %v", s, e.addrs)
		}
	})
}

// TestParseTarget parses single targets as Targets does, but looks up no name.
func TestParseTarget(t *testing.T) {
	asked := &Parser{Resolver: testZone}
	for _, text := range []string{"192.0.2.1", " 192.0.2.0/24:25", "192.0.2.1-9", "[2001:db8::1]:25", "fe80::1%eth0", "mx1.example.net", "mx1.example.net:25",
		"", "!192.0.2.1", "192.0.2.300", "@include x", "192.0.2.1:0"} {
		got, err := ParseTarget(text)
		all, wantErr := asked.Targets(t.Context(), []string{text})
		if err != nil || wantErr != nil {
			if fmt.Sprint(err) != fmt.Sprint(wantErr) {
				t.Errorf("%q: %v, and %v in a list", text, err, wantErr)
			}
			continue
		}
		if want := all[0]; got.Name != want.Name || got.Zone != want.Zone || got.Ports.String() != want.Ports.String() || got.Anchor != want.Anchor {
			t.Errorf("%q: %+v, and %+v in a list", text, got, want)
		} else if got.Name == "" && !slices.Equal(got.Ranges, want.Ranges) || got.Name != "" && got.Ranges != nil {
			t.Errorf("%q: ranges %v", text, got.Ranges)
		}
	}
}
