package fingerprint

import (
	"testing"

	"github.com/mxsweep/mxsweep/signatures"
)

// FuzzReply checks that no reply crashes the detection of its end, and that a
// reply that is complete has a reason to be.
func FuzzReply(f *testing.F) {
	for _, s := range []string{
		"", "220 mx\r\n", "220-mx\r\n220 mx\r\n", "250", "* OK ready\r\n", "+OK\r\n.\r\n", "-ERR\r\n",
		"\"IMPLEMENTATION\" \"x\"\r\nOK\r\n", "a1 OK done\r\n", "action=DUNNO\n\n", "\x00\x00\x00\x0dO", "\r\n", "\n\n",
	} {
		f.Add([]byte(s), []byte("a1 CAPABILITY\r\n"))
	}
	words := []string{"line", "reply", "tagged", "dot", "blank", "bytes", "close"}
	f.Fuzz(func(t *testing.T, reply, sent []byte) {
		for _, word := range words {
			if v := until(word, sent)(reply); v == done && len(reply) == 0 {
				t.Errorf("%s: nothing is a complete reply", word)
			}
		}
		if v := greeting(reply); v == done && reply[len(reply)-1] != '\n' {
			t.Errorf("the greeting %q is complete without an end of line", reply)
		}
		likeGreeting(reply)
		positive(reply, sent)
		ex := &Exchange{Probe: signatures.Greeting, Sent: sent, Reply: reply, End: signatures.EndReply}
		observed(ex)
		ex.Echo()
	})
}
