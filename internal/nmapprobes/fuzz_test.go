package nmapprobes

import (
	"bytes"
	"testing"

	"github.com/mxsweep/mxsweep/signatures"
)

// FuzzRead sees to it that no file upsets the reader, and that what it reads
// can be matched with anything.
func FuzzRead(f *testing.F) {
	f.Add([]byte(made), []byte("220 mx.example.org ESMTP Sparrowd 1.2\r\n"))
	f.Add([]byte("Probe TCP NULL q||\nmatch smtp m|^(a)?(?<n>b)|is p/$1$2$I(1,\">\")/ cpe:/a:$1:$2/a\n"), []byte("b"))
	f.Fuzz(func(t *testing.T, file, reply []byte) {
		set, err := Read(bytes.NewReader(file), "fuzz")
		if err != nil {
			return
		}
		g := set.Guess(&signatures.Transcript{Exchanges: []signatures.Exchange{
			{Probe: signatures.Greeting, Reply: reply},
			{Probe: "ehlo", Sent: []byte("EHLO x\r\n"), Reply: reply},
			{Probe: "help", Sent: []byte("HELP\r\n"), Greeting: reply, Reply: reply},
		}})
		if g != nil && (g.Protocol == "" || g.Product == "" || g.Confidence < 1 || g.Confidence > matchConfidence) {
			t.Errorf("the guess %+v breaks its promise", g)
		}
	})
}
