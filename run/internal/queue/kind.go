package queue

import (
	"hash/fnv"

	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/signatures"
)

// A Kind says whether the open ports of a host speak for themselves.
type Kind int

const (
	// Ordinary is a host whose ports are what they look like.
	Ordinary Kind = iota
	// RespondsEverywhere has every port open that was asked for, and
	// nearly all give the same reply: one thing answers for all of them.
	RespondsEverywhere
	// RepliesNowhere accepts connections on many ports and replies to
	// nothing on nearly all of them, like a tarpit or a SYN proxy.
	RepliesNowhere
)

// When a host is no longer taken for an ordinary one. A share of 9 in 10
// leaves room for a real daemon or two behind the same address.
const (
	minEverywhere = 30 // open ports of a range or profile, all that were asked
	minNowhere    = 8  // open ports
	sampleReplies = 10 // dialogues after which replies are compared
	sampleSilent  = 8  // dialogues that are awaited where none brought a reply
	sampleMany    = 4  // of a host with minEverywhere open ports and more
)

func nearlyAll(part, whole int) bool { return 10*part >= 9*whole }

// hostReplies counts what the dialogues with one host brought.
type hostReplies struct {
	open    int            // open ports
	listed  int            // of those, the ones that were asked as part of a range or profile
	ended   int            // dialogues that have ended
	silent  int            // of those, the ones in which nothing was replied
	replies map[uint64]int // of the others, how many by what was replied first
	most    int            // the largest of replies
}

// add counts the end of a dialogue.
func (h *hostReplies) add(s *fingerprint.Identification) {
	h.ended++
	key, replied := firstReply(s)
	if !replied {
		h.silent++
		return
	}
	if h.replies == nil {
		h.replies = make(map[uint64]int)
	}
	h.replies[key]++
	h.most = max(h.most, h.replies[key])
}

// kind says what the replies come to. Asked is how many ports of a range or
// profile were asked at the host.
func (h *hostReplies) kind(asked int) Kind {
	switch {
	case h.open >= minNowhere && h.sampled() && nearlyAll(h.silent, h.ended):
		return RepliesNowhere
	case h.alike() && h.listed == asked:
		return RespondsEverywhere
	}
	return Ordinary
}

// sampled reports whether enough dialogues have ended to tell that none brings a
// reply.
func (h *hostReplies) sampled() bool { return h.ended >= h.sample() }

// sample is how many dialogues that takes: fewer where very many ports are open, for
// they would take long, and the others are still listened to.
func (h *hostReplies) sample() int {
	if h.open >= minEverywhere {
		return sampleMany
	}
	return sampleSilent
}

// alike reports whether so many ports are open and give the same reply that
// the host responds on every port, if the others are open too.
func (h *hostReplies) alike() bool {
	return h.listed >= minEverywhere && h.ended >= sampleReplies && nearlyAll(h.most, h.ended)
}

// firstReply returns a number for what a port replied first: equal for equal
// replies, apart from the digits in them, which are times and counters. It
// reports false if the port replied to nothing. To hang up is a reply.
func firstReply(s *fingerprint.Identification) (key uint64, replied bool) {
	h := fnv.New64a()
	switch {
	case s == nil:
		return 0, false
	case len(s.Banner) > 0:
		return plainReply(s.Banner), true
	case s.TLS != nil:
		h.Write([]byte(s.TLS.CertSHA256))
		return h.Sum64(), true
	case s.Transcript == nil:
		return 0, false
	}
	for i := range s.Transcript.Exchanges {
		switch ex := &s.Transcript.Exchanges[i]; {
		case len(ex.Reply) > 0:
			return plainReply(ex.Reply), true
		case ex.End == signatures.EndClosed || ex.End == signatures.EndReset:
			h.Write([]byte(ex.Probe + ex.End))
			return h.Sum64(), true
		}
	}
	return 0, false
}

// plainReply is a number for a reply without its digits.
func plainReply(reply []byte) uint64 {
	h := fnv.New64a()
	for _, c := range reply {
		if c < '0' || c > '9' {
			h.Write([]byte{c})
		}
	}
	return h.Sum64()
}
