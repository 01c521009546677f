package queue

import (
	"hash/fnv"

	"github.com/mxsweep/mxsweep/fingerprint"
)

// A Kind says whether the open ports of a host are individual services.
type Kind int

const (
	// Ordinary is a host whose open ports are services of their own.
	Ordinary Kind = iota
	// RespondsEverywhere is a host on which every probed port is open, and nearly
	// all give the same reply: one program answers for all of them.
	RespondsEverywhere
	// RepliesNowhere is a host that accepts connections on many ports but replies
	// on hardly any, like a tarpit or a SYN proxy.
	RepliesNowhere
)

// The thresholds for hosts that are not ordinary. "Nearly all" is 9 in 10, which
// allows for a real daemon or two at the same address.
const (
	minEverywhere = 30 // open ports, all that were probed as part of a range or profile
	minNowhere    = 8  // open ports
	sampleReplies = 10 // dialogues after which replies are compared
	sampleSilent  = 8  // dialogues that must end without a reply
	sampleMany    = 4  // the same for a host with minEverywhere or more open ports
)

func nearlyAll(part, whole int) bool { return 10*part >= 9*whole }

// hostReplies counts the results of the dialogues with one host.
type hostReplies struct {
	open    int            // open ports
	listed  int            // of those, the ones probed as part of a range or profile
	ended   int            // dialogues that have ended
	silent  int            // of those, the ones without a reply
	replies map[uint64]int // of the others, the number for each first reply
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

// kind returns the kind of the host. asked is how many of its ports were probed
// as part of a range or profile.
func (h *hostReplies) kind(asked int) Kind {
	switch {
	case h.open >= minNowhere && h.sampled() && nearlyAll(h.silent, h.ended):
		return RepliesNowhere
	case h.alike() && h.listed == asked:
		return RespondsEverywhere
	}
	return Ordinary
}

// sampled reports whether enough dialogues have ended to know that the host does
// not reply.
func (h *hostReplies) sampled() bool { return h.ended >= h.sample() }

// sample returns how many dialogues that takes: fewer if very many ports are
// open, because they would take long, and the other ports are still listened to.
func (h *hostReplies) sample() int {
	if h.open >= minEverywhere {
		return sampleMany
	}
	return sampleSilent
}

// alike reports whether so many ports are open and give the same reply that the
// host is of kind RespondsEverywhere, if its other ports are open too.
func (h *hostReplies) alike() bool {
	return h.listed >= minEverywhere && h.ended >= sampleReplies && nearlyAll(h.most, h.ended)
}

// firstReply returns a key for the first reply of a port. It is equal for replies
// that differ only in digits, which are times and counters. It reports false if
// the port did not reply; ending the connection before we do is a reply.
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
		case ex.HungUp():
			h.Write([]byte(ex.Probe + ex.End))
			return h.Sum64(), true
		}
	}
	return 0, false
}

// plainReply returns the hash of a reply without its digits.
func plainReply(reply []byte) uint64 {
	h := fnv.New64a()
	for _, c := range reply {
		if c < '0' || c > '9' {
			h.Write([]byte{c})
		}
	}
	return h.Sum64()
}
