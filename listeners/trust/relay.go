package trust

import (
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
)

// restrictions are the lists of smtpd, in the order in which it evaluates them until the
// first recipient (SMTPD_ACCESS_README of Postfix).
var restrictions = []string{
	"smtpd_client_restrictions", "smtpd_helo_restrictions", "smtpd_sender_restrictions", "smtpd_relay_restrictions", "smtpd_recipient_restrictions",
}

// relays reports whether smtpd relays for clients in mynetworks: no list of restrictions
// rejects their mail to other domains, and one of the last two admits them.
func (f *finder) relays(l *listeners.Listener) bool {
	admitted := false
	for _, name := range restrictions {
		s, _ := l.Setting(name)
		switch f.admits(s.Value) {
		case rejects:
			return false
		case permits:
			admitted = admitted || slices.Contains(restrictions[3:], name)
		}
	}
	return admitted
}

// A verdict is what a list of restrictions decides.
type verdict int

// The verdicts.
const (
	undecided verdict = iota
	permits
	rejects
)

// admits is the function admits for a list that other listeners may have, too.
func (f *finder) admits(list string) verdict {
	v, ok := f.verdicts[list]
	if !ok {
		v = admits(list)
		f.verdicts[list] = v
	}
	return v
}

// admits returns what a list decides about a client in mynetworks without a login, for
// recipients of other domains. Tables and tests of single properties do not decide it.
func admits(list string) verdict {
	for word := range strings.FieldsFuncSeq(list, func(c rune) bool { return strings.ContainsRune(", \t\r\n", c) }) {
		switch word {
		case "permit_mynetworks", "permit":
			return permits
		case "reject", "defer", "reject_unauth_destination", "defer_unauth_destination":
			return rejects
		}
	}
	return undecided
}
