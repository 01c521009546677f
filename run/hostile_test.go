package run

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/run/output"
)

// hostile are listeners that make a dialogue take as long as it may.
var hostile = []mailtest.Handler{
	mailtest.Silent{},
	mailtest.Flood{Text: "220-welcome\r\n"},
	mailtest.Drip{Text: "220 mx.example.net ESMTP\r\n", Every: 300 * time.Millisecond},
	mailtest.HandlerFunc(func(c *mailtest.Conn) { // a greeting without an end
		for c.Say("220-mx.example.net ESMTP please wait\r\n") && c.Wait(200*time.Millisecond) {
		}
	}),
	mailtest.HandlerFunc(func(c *mailtest.Conn) { // a greeting that comes late, and nothing more
		if c.Wait(5 * time.Second) {
			c.Say("220 mx.example.net ESMTP\r\n")
			c.Swallow()
		}
	}),
	mailtest.HandlerFunc(func(c *mailtest.Conn) { // half a line
		c.Say("220 mx.example.net ES")
		c.Swallow()
	}),
	mailtest.HandlerFunc(func(c *mailtest.Conn) { // slow in all, and cut off in the end
		for _, b := range "220 mx.example.net ESMTP\r\n250-mx.example.net\r\n250-SI" {
			if !c.Wait(400*time.Millisecond) || !c.Say(string(b)) {
				return
			}
		}
	}),
}

// friendly are played daemons that answer as real ones do.
var friendly = []string{"postfix", "postfix-reinjection", "exim", "dovecot-imap", "dovecot-lmtp", "zimbra-pop3", "sendmail"}

// BenchmarkHostileListeners compares a run over 356 friendly listeners with one
// in which 300 of them are hostile, and holds the names of the friendly ones.
// The ports are of one host, of one with a few each, and of as many hosts.
//
// The ratio that is bounded, by 2, is that to a run in which one of the 356 is
// silent: a port that replied to nothing is listened to for the greeting timeout
// of 12 s, and all such ports at the same time, so that one of them makes a run
// as long as 300 do. What hostile listeners cost beyond that is their own bound
// of 23 s for all conversations with a port.
func BenchmarkHostileListeners(b *testing.B) {
	for _, perHost := range []int{1, 4, 400} {
		b.Run(fmt.Sprintf("%d_a_host", perHost), func(b *testing.B) {
			for range b.N {
				plain, names := sweepListeners(b, perHost, 356, hostile)
				silent, _ := sweepListeners(b, perHost, 355, []mailtest.Handler{mailtest.Silent{}})
				mixed, mixedNames := sweepListeners(b, perHost, 56, hostile)
				for target, name := range mixedNames {
					if names[target] != name {
						b.Errorf("%s is called %q beside hostile listeners, %q else", target, name, names[target])
					}
				}
				b.ReportMetric(plain.Seconds(), "friendly-s")
				b.ReportMetric(silent.Seconds(), "one-silent-s")
				b.ReportMetric(mixed.Seconds(), "hostile-s")
				b.ReportMetric(mixed.Seconds()/silent.Seconds(), "ratio")
			}
		})
	}
}

// sweepListeners runs mxsweep over 356 listeners of which the first so many are
// friendly, and returns how long it took and what those are called.
func sweepListeners(b *testing.B, perHost, good int, others []mailtest.Handler) (time.Duration, map[string]string) {
	var targets []string
	kept := map[string]bool{}
	for i := range 356 {
		address := fmt.Sprintf("127.77.%d.%d:%d", i/perHost/250, 1+i/perHost%250, 10025+i%perHost)
		h := others[i%len(others)]
		if i < good {
			daemon, err := mailtest.Daemon(friendly[i%len(friendly)])
			if err != nil {
				b.Fatal(err)
			}
			h, kept[address] = daemon, i < 56
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
	if len(names) != 56 {
		b.Fatalf("%d of 56 friendly listeners are in the report", len(names))
	}
	return took, names
}
