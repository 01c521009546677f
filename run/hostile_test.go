package run

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/run/output"
)

// holding are listeners that delay their clients.
var holding = map[string]mailtest.Handler{
	"silent": mailtest.Silent{},
	"drip":   mailtest.Drip{Text: "220 mx.example.net ESMTP\r\n", Every: 300 * time.Millisecond},
	"slower": mailtest.Drip{Text: "220 mx.example.net ESMTP\r\n", Every: time.Second},
	"flood":  mailtest.Flood{Text: "220-welcome\r\n"},
	"endless": mailtest.HandlerFunc(func(c *mailtest.Conn) { // a greeting without an end
		for c.Say("220-mx.example.net ESMTP please wait\r\n") && c.Wait(200*time.Millisecond) {
		}
	}),
	"late": mailtest.HandlerFunc(func(c *mailtest.Conn) { // a late greeting, and nothing more
		if c.Wait(5 * time.Second) {
			c.Say("220 mx.example.net ESMTP\r\n")
			c.Swallow()
		}
	}),
	"half": mailtest.HandlerFunc(func(c *mailtest.Conn) { // half a line
		c.Say("220 mx.example.net ES")
		c.Swallow()
	}),
	"cut": mailtest.HandlerFunc(func(c *mailtest.Conn) { // slow, and closed in the end
		for _, b := range "220 mx.example.net ESMTP\r\n250-mx.example.net\r\n250-SI" {
			if !c.Wait(400*time.Millisecond) || !c.Say(string(b)) {
				return
			}
		}
	}),
}

// friendly are simulated daemons that reply as real ones do.
var friendly = []string{"postfix", "postfix-reinjection", "exim", "dovecot-imap", "dovecot-lmtp", "zimbra-pop3", "sendmail"}

// A layout says how the listeners of BenchmarkHostileListeners are distributed.
type layout struct {
	perHost, ports int
	friendly       func(i int) bool // friendly in addition to the hostile ones
}

// BenchmarkHostileListeners compares a run over some 356 friendly listeners with one
// in which 300 of them are hostile, all in one way or each in another, and holds the
// names of the friendly ones. The ports are of as many hosts, of hosts with 18 each
// (15 hostile), and of one host.
//
// The ratio that is bounded, by 2, is that to a run in which one of the friendly is
// silent: a port that replied to nothing is listened to for the greeting timeout
// of 12 s, and all such ports at the same time, so that one of them makes a run
// as long as 300 do. What hostile listeners cost beyond that is their own bound
// of 23 s for all conversations with a port, or less where a host has many of them.
func BenchmarkHostileListeners(b *testing.B) {
	first56 := func(i int) bool { return i < 56 }
	for name, l := range map[string]layout{
		"hosts with one":  {1, 356, first56},
		"hosts with four": {4, 356, first56},
		"hosts with 18":   {18, 360, func(i int) bool { return i%18 < 3 }},
		"one host":        {356, 356, first56},
	} {
		b.Run(name, func(b *testing.B) {
			plain, names := sweepListeners(b, l, func(int) mailtest.Handler { return nil })
			silent, _ := sweepListeners(b, l, func(i int) mailtest.Handler {
				if i == l.ports-1 {
					return mailtest.Silent{}
				}
				return nil
			})
			kinds := slices.Sorted(maps.Keys(holding))
			for _, kind := range append(kinds, "mixed") {
				b.Run(kind, func(b *testing.B) {
					for range b.N {
						took, beside := sweepListeners(b, l, func(i int) mailtest.Handler {
							switch {
							case l.friendly(i):
								return nil
							case kind == "mixed":
								return holding[kinds[i%len(kinds)]]
							}
							return holding[kind]
						})
						for target, name := range beside {
							if names[target] != name {
								b.Errorf("%s is called %q beside hostile listeners, %q else", target, name, names[target])
							}
						}
						b.ReportMetric(plain.Seconds(), "friendly-s")
						b.ReportMetric(silent.Seconds(), "one-silent-s")
						b.ReportMetric(took.Seconds(), "hostile-s")
						b.ReportMetric(took.Seconds()/silent.Seconds(), "ratio")
					}
				})
			}
		})
	}
}

// sweepListeners runs mxsweep over listeners that are friendly where hostile returns
// nil, and returns how long it took and what those are called that always are.
func sweepListeners(b *testing.B, l layout, hostile func(i int) mailtest.Handler) (time.Duration, map[string]string) {
	var targets []string
	kept := map[string]bool{}
	for i := range l.ports {
		address := fmt.Sprintf("127.77.%d.%d:%d", i/l.perHost/250, 1+i/l.perHost%250, 10025+i%l.perHost)
		h := hostile(i)
		if h == nil {
			daemon, err := mailtest.Daemon(friendly[i%len(friendly)])
			if err != nil {
				b.Fatal(err)
			}
			h, kept[address] = daemon, l.friendly(i)
		}
		s, err := mailtest.Listen(address, h)
		if err != nil {
			b.Skip("cannot listen on loopback:", err)
		}
		defer s.Close()
		targets = append(targets, address)
	}
	var out bytes.Buffer
	begun := time.Now()
	if _, err := Scan(b.Context(), Options{Targets: targets, FailOn: "none", Outputs: []output.Spec{{Format: "json", Writer: &out}}}); err != nil {
		b.Fatal(err)
	}
	took := time.Since(begun)
	var doc struct {
		Ports []struct {
			IP      string
			Port    int
			Service struct{ Product string }
		}
	}
	if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
		b.Fatal(err)
	}
	names := map[string]string{}
	for _, p := range doc.Ports {
		names[fmt.Sprintf("%s:%d", p.IP, p.Port)] = p.Service.Product
	}
	maps.DeleteFunc(names, func(target, _ string) bool { return !kept[target] })
	return took, names
}
