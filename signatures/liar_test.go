package signatures

import (
	"bytes"
	"slices"
	"testing"

	"github.com/mxsweep/mxsweep/internal/fault"
)

// fixedGreeting lists signatures of daemons whose greeting cannot be configured,
// or is part of their behavior.
var fixedGreeting = []string{"nginx-smtp", "nginx-imap", "nginx-pop3", "postfix-postscreen-teaser", "mailman-lmtp", "aiosmtpd-lmtp", "qmail-popup", "wildduck-imap", "mailfront-pop3-terse"}

// TestGreetingsLie gives the daemon of each example the greeting of every other
// one: if it is known by its behavior, it must still be identified by that, and
// not by the greeting.
func TestGreetingsLie(t *testing.T) {
	set, err := Default()
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	tried := 0
	for _, sig := range set.Signatures {
		if sig.Product == "" || len(sig.Behind) > 0 || slices.Contains(fixedGreeting, sig.ID) {
			continue
		}
		for i := range sig.Examples {
			seen := &sig.Examples[i].Seen
			if sig.wordsOnly(seen) {
				continue
			}
			for _, liar := range set.Signatures {
				if liar.Protocol != sig.Protocol || !liar.Contradicts(sig) || len(liar.Behind) > 0 {
					continue
				}
				for j := range liar.Examples {
					if lie := greetAs(seen, &liar.Examples[j].Seen); lie != nil {
						tried++
						checkLie(t, set, sig, liar, lie)
					}
				}
			}
		}
	}
	if tried < 500 {
		t.Errorf("%d lies were told, want more", tried)
	}
}

// greetAs returns a transcript with the greeting of another one, nil if one has
// none or they are equal.
func greetAs(seen, other *Transcript) *Transcript {
	mine, theirs := seen.Find(Greeting), other.Find(Greeting)
	if mine == nil || theirs == nil || len(mine.Reply) == 0 || len(theirs.Reply) == 0 || mine.Reply[0] != theirs.Reply[0] ||
		bytes.Equal(mine.Reply, theirs.Reply) || len(seen.Exchanges) < 2 {
		return nil
	}
	lie := &Transcript{slices.Clone(seen.Exchanges)}
	lie.Find(Greeting).Reply = theirs.Reply
	return lie
}

// checkLie checks that no product is identified by a greeting if another one
// shows by behavior.
func checkLie(t *testing.T, set *Set, sig, liar *Signature, lie *Transcript) {
	t.Helper()
	got := best(set, lie)
	if got == nil || got.Product == "" || !got.Contradicts(sig) || slices.Contains(got.Alternatives, sig.Product) {
		return
	}
	if got.Confidence > 5 && sig.Confidence >= LeastBehavior {
		t.Errorf("%s that greets as %s is called %s with confidence %d", sig.ID, liar.ID, got.ID, got.Confidence)
	}
}
