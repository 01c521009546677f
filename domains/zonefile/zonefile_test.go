package zonefile

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/miekg/dns"

	"github.com/mxsweep/mxsweep/domains/query"
)

// zone is a zone file with all that moves lines: comments, directives, records over several lines.
const zone = `; example.org
$TTL 1h
@	IN	SOA	ns.example.org. hostmaster.example.org. (
		2026113001 ; serial
		1h 15m 30d 1h )
	NS	ns.example.net.

@	MX	10 mx1
	MX	20 mx2.filter.example.
@	TXT	( "v=spf1 a:relay.example.org"
		" -all" ) ; two strings
$ORIGIN hosts.example.org.
a	A	192.0.2.1
$GENERATE 1-3 h$ A 192.0.2.1$
$ORIGIN example.org.
www	CNAME	a.hosts
out	CNAME	out.example.net.
loop	CNAME	loop
*.wild	A	192.0.2.7
sub	NS	ns.sub
old	DNAME	hosts
away	DNAME	out.example.net.
outside.example.net. A 192.0.2.9
`

// behind answers what the zone does not have.
type behind struct{}

func (behind) Ask(_ context.Context, name string, qtype uint16) (*query.Answer, error) {
	return &query.Answer{Name: name, Type: qtype, Outcome: query.ServFail, Authenticated: true}, nil
}

// asker reads the zone.
func asker(t testing.TB, text string) *Asker {
	t.Helper()
	z, err := parse("zones/example.org.zone", []byte(text), "example.org")
	if err != nil {
		t.Fatal(err)
	}
	return &Asker{Zones: []*Zone{z}, Next: behind{}}
}

// TestAsk: what a zone answers, and what it passes on.
func TestAsk(t *testing.T) {
	a := asker(t, zone)
	for question, want := range map[string]string{
		"example.org MX": "found 2 []", "EXAMPLE.org. TXT": "found 1 []", "a.hosts.example.org A": "found 1 []", "h2.hosts.example.org A": "found 1 []",
		"www.example.org A": "found 1 [a.hosts.example.org.]", "www.example.org AAAA": "NODATA 0 [a.hosts.example.org.]",
		"hosts.example.org A": "NODATA 0 []", "nosuch.example.org A": "NXDOMAIN 0 []", "x.wild.example.org A": "found 1 []", "x.y.wild.example.org A": "found 1 []",
		"out.example.org A": "SERVFAIL 0 [out.example.net.]", "x.sub.example.org A": "SERVFAIL 0 []", "outside.example.net A": "SERVFAIL 0 []",
		"a.old.example.org A": "found 1 [a.hosts.example.org.]", "old.example.org A": "NODATA 0 []", "x.old.example.org A": "NXDOMAIN 0 [x.hosts.example.org.]", "_imaps._tcp.away.example.org SRV": "SERVFAIL 0 [_imaps._tcp.out.example.net.]", "example.net A": "SERVFAIL 0 []",
		"loop.example.org CNAME": "found 1 []",
	} {
		name, kind, _ := strings.Cut(question, " ")
		got, err := a.Ask(t.Context(), name, dns.StringToType[kind])
		if err != nil {
			t.Fatal(err)
		}
		if text := fmt.Sprintf("%v %d %v", got.Outcome, len(got.Records), got.Aliases); text != want {
			t.Errorf("%s: %s, want %s", question, text, want)
		}
		if len(got.Aliases) > 0 && got.Authenticated {
			t.Errorf("%s: authenticated", question)
		}
	}
	if got, _ := a.Ask(t.Context(), "loop.example.org", dns.TypeA); got.Outcome != query.Loop {
		t.Errorf("loop: %v", got.Outcome)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := a.Ask(ctx, "example.org", dns.TypeMX); err == nil {
		t.Error("no error after the end")
	}
}

// TestFind: on which line a record begins.
func TestFind(t *testing.T) {
	a := asker(t, zone)
	for record, want := range map[string]string{
		"example.org SOA ": "3 @	IN	SOA", "example.org NS ": "6 NS", "example.org MX mx1.example.org": "8 @	MX", "example.org MX MX2.filter.example": "9 MX	20",
		"example.org MX other": "8 @	MX", "example.org TXT v=spf1": "10 @	TXT", "a.hosts.example.org A ": "13 a", "h1.hosts.example.org A ": "14 $GENERATE", "h3.hosts.example.org A ": "14 $GENERATE",
		"www.example.org CNAME ": "16 www", "x.wild.example.org A ": "19 *.wild", "nosuch.example.org A ": "", "outside.example.net A ": "", "example.org AAAA ": "",
	} {
		words := strings.SplitN(record, " ", 3)
		at := a.Find(words[0], words[1], words[2])
		got := ""
		if at != nil {
			got = fmt.Sprintf("%d %s", at.Line, at.Text)
			if at.File != "zones/example.org.zone" || at.Column < 1 || at.EndColumn <= at.Column {
				t.Errorf("%s: %+v", record, at)
			}
		}
		if !strings.HasPrefix(got, want) || (want == "") != (got == "") {
			t.Errorf("%s: %q, want %q", record, got, want)
		}
	}
	if (*Asker)(nil).Find("example.org", "MX", "") != nil {
		t.Error("no zone has a line")
	}
}

// TestMistakes: a file that is no zone is refused with its line, and reads no other file.
func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	secret := filepath.Join(dir, "secret")
	if err := os.WriteFile(secret, []byte("root:x:0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"@ MX ten mx\n":                   "x.zone:1: ",
		"@ A 192.0.2.1\n\n@ A 192.0.2.\n": "x.zone:3: ",
		"; nothing\n":                     "the file contains no records",
		"$INCLUDE " + secret + "\n":       "x.zone:1: ",
	} {
		file := filepath.Join(dir, "x.zone")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		_, err := Read(file, "example.org")
		if err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "root") {
			t.Errorf("%q: %v, want %q", text, err, want)
		}
	}
	if _, err := parse("x.zone", []byte(strings.Repeat("$GENERATE 1-65535 h$ A 192.0.2.1\n", 10)), "example.org"); err == nil || !strings.Contains(err.Error(), "more than 500000 records") {
		t.Errorf("ten times 65,535 records: %v", err)
	}
	for _, c := range []struct {
		arg, want string
		names     []string
	}{
		{"x.zone", "of which of several domains", []string{"a.example", "b.example"}},
		{"a b=x.zone", "not a domain name", []string{"a.example"}},
		{filepath.Join(dir, "none"), "opening zone file", []string{"a.example"}},
	} {
		if _, err := ReadAll([]string{c.arg}, c.names, behind{}); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: %v, want %q", c.arg, err, c.want)
		}
	}
}

// FuzzZone: whatever a file contains, reading it ends, and each record is on a line of it.
func FuzzZone(f *testing.F) {
	f.Add([]byte(zone))
	f.Add([]byte("$ORIGIN .\n@ A 192.0.2.1\n$GENERATE 0-9/3 $ CNAME x$\n"))
	f.Add([]byte("a ( \n ) A ( 192.0.2.1 \n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		if len(data) > 4096 || strings.Count(string(data), "$GENERATE") > 2 {
			return // $GENERATE makes up to 65,535 records of each line
		}
		z, err := parse("x.zone", data, "example.org")
		if err != nil {
			return
		}
		a := &Asker{Zones: []*Zone{z}, Next: behind{}}
		for owner, records := range z.records {
			for _, r := range records {
				if r.Line < 1 || r.Line > len(z.lines) {
					t.Fatalf("%s is on line %d of %d", owner, r.Line, len(z.lines))
				}
				if at := a.Find(owner, dns.TypeToString[r.Header().Rrtype], ""); at == nil && !z.delegates(owner) && dns.TypeToString[r.Header().Rrtype] != "" {
					t.Fatalf("%s has no line", owner)
				}
			}
			if _, err := a.Ask(t.Context(), owner, dns.TypeA); err != nil {
				t.Fatal(err)
			}
		}
	})
}
