package fingerprint

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/signatures"
)

// quietTrips is the number of round trips that the probes of a silent port take
// in total: each takes one to connect and one for the reply, and two run at the
// same time.
const quietTrips = 14

// quietRounds is how many probes of a silent port run one after the other, where
// each waits for retransmissions.
const quietRounds = 3

// certain is the minimum confidence with which no further probes are sent to
// identify a daemon.
const certain = 9

// plain is the minimum confidence with which a port that sends no greeting gets
// no further probes.
const plain = 8

// plan returns the probes to start now, and when to call it again: 0 if only
// events matter, negative if nothing is left to find out.
func (s *session) plan(ctx context.Context) (launch []*signatures.Probe, wake time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if ctx.Err() != nil || s.inner != nil {
		return nil, -1
	}
	if !s.asked[signatures.Greeting] {
		listen := s.id.Signatures.Probe(signatures.Greeting)
		s.begin(listen)
		return []*signatures.Probe{listen}, time.Millisecond
	}
	if !s.second && s.host.slow() > 0 && s.mayAskQuiet() {
		s.retryEarly(s.leads()) // the greeting was waited for long enough
	}
	if s.askSkipped(); s.skipped {
		wake = detachAfter
	}
	s.decide()
	s.cutShort()
	if len(s.wanted) == 0 || s.unresponsive() {
		return nil, -1
	}
	if s.entering > 0 {
		return nil, 0 // probes sent now would be wasted
	}
	quiet := false // there are probes left for silent ports
	leads := s.leads()
	kept := s.unasked(leads)
	openers, keptForLayers := s.openers()
	turn := s.underWay(leads)
	for _, p := range s.candidates(leads) {
		rank := s.rankOf(p, leads)
		if p.Quiet > 0 && rank > turn && !s.id.Record {
			wake = sooner(wake, rankLook) // the host may turn out to be slow meanwhile
			continue
		}
		if kept := s.reserved(!leads[p.ID]); s.left.conns.Load() <= kept {
			s.spared = s.spared || kept > 0
			break
		}
		if left := s.left.conns.Load(); !leads[p.ID] && (left <= kept || left <= keptForLayers && p.Enters == nil && !openers[p.ID]) {
			continue
		}
		quiet = quiet || p.Quiet > 0 && s.turn.held > 0
		if p.Quiet > 0 {
			turn = rank
		}
		if wait := s.untilQuiet(p); wait > 0 {
			wake = sooner(wake, wait)
			continue
		}
		if p.Quiet > 0 {
			if quiet = true; s.proving != "" || !s.wantTurn(ctx) {
				continue
			}
		}
		if s.running >= s.perPort || s.running > 0 && s.greeted() && s.host.crowded() {
			break
		}
		s.begin(p)
		if s.unproven(p) {
			s.proving = p.ID
		}
		launch = append(launch, p)
		if s.entering > 0 {
			break
		}
	}
	if !quiet && s.asking == 0 {
		s.leaveTurn()
	}
	if wake = s.wakeFor(wake); launch == nil && s.running == 0 && wake == 0 {
		return nil, -1
	}
	return launch, wake
}

// wakeFor returns when to plan again, given what the probes left wait for.
func (s *session) wakeFor(wake time.Duration) time.Duration {
	if s.turn.cancel != nil {
		wake = sooner(wake, turnLook)
	}
	if over := s.untilQuietOver(); over > 0 {
		wake = sooner(wake, over)
	}
	return wake
}

// begin records that a probe is running on a connection of its own.
func (s *session) begin(p *signatures.Probe) {
	s.asked[p.ID] = true
	s.running++
	if p.Quiet > 0 {
		s.asking++
		s.questions[p.ID] = time.Now()
	}
	if followsHeader(p) {
		s.entering++
	}
	if p.ID != signatures.Greeting || s.wire == nil {
		s.left.conns.Add(-1)
	}
}

// followsHeader reports whether the probe goes on behind a PROXY header that was waited
// on in silence, so that it most likely enters.
func followsHeader(p *signatures.Probe) bool {
	return p.Enters != nil && p.Enters.Layer == signatures.LayerTLS && len(p.Send) > 0
}

func sooner(a, b time.Duration) time.Duration {
	if a == 0 {
		return b
	}
	return min(a, b)
}

// decide removes refuted signatures and determines the probes that may still
// change the result.
func (s *session) decide() {
	clear(s.pending)
	s.alive = slices.DeleteFunc(s.alive, func(sig *signatures.Signature) bool { return sig.Match(s) == signatures.False })
	s.observations = slices.DeleteFunc(s.observations, func(o *signatures.Observation) bool {
		return signatures.All(o.When, s) == signatures.False
	})
	clear(s.wanted)
	if s.id.Record {
		for _, p := range s.id.Signatures.Probes {
			s.want(p.ID)
		}
		return
	}
	best := s.best()
	for _, sig := range s.alive {
		if best == nil || (sig.Confidence > best.Confidence || sig.Outranks(best, s)) && (!s.enough(best) || s.namesBetter(sig, best)) {
			signatures.Needs(sig.When, s, s.want)
		}
	}
	if best != nil {
		signatures.Needs(best.Extract, s, s.want)
		for _, p := range best.Behind {
			s.want(p)
		}
	}
	certainly := best != nil && s.answeredAlone(best)
	if best == nil || best.Confidence < certain && !certainly {
		s.wantLayers()
	}
	protocol := ""
	if best != nil {
		protocol = best.Protocol
	}
	for _, o := range s.observations {
		if !o.Idle && o.Speaks(protocol) && (!certainly || concerns(o, best)) {
			signatures.Needs(o.When, s, s.want)
		}
	}
	if !certainly {
		s.wantProxies(best)
	}
}

// enough reports whether a port without a greeting has replied so clearly that no
// further unusual probe is justified.
func (s *session) enough(best *signatures.Signature) bool {
	return !s.greetingBegun && (best.Confidence >= plain && best.Product != "" || s.answeredAlone(best))
}

// wantLayers adds the probes that open a layer: the service inside it is the
// result, whatever the outside looks like.
func (s *session) wantLayers() {
	for _, p := range s.id.Signatures.Probes {
		if p.Enters != nil {
			s.want(p.ID)
		}
	}
}

// best returns the most specific signature of those that match, or nil.
func (s *session) best() *signatures.Signature {
	s.held = s.held[:0]
	for _, sig := range s.alive {
		if sig.Match(s) == signatures.True {
			s.held = append(s.held, sig)
		}
	}
	return signatures.Best(s.held, s)
}

// want adds a probe that may still have an exchange, with the probes on which it
// depends.
func (s *session) want(id string) {
	if s.wanted[id] {
		return
	}
	if ex, pending := s.Exchange(id); ex != nil || !pending {
		return
	}
	s.wanted[id] = true
	p := s.id.Signatures.Probe(id)
	signatures.Needs(p.After, s, s.want)
	switch p.Connection {
	case signatures.OwnConnection:
	case signatures.FirstConnection:
		s.want(signatures.Greeting)
	default:
		s.want(p.Connection)
	}
}

// Exchange implements signatures.Seen for a session.
func (s *session) Exchange(id string) (*Exchange, bool) {
	if ex := s.exchanges[id]; ex != nil && s.timedOutEarly(ex) {
		return &Exchange{Probe: id, Sent: ex.Sent, End: ex.End, TLS: ex.TLS, Proxied: ex.Proxied, Remote: ex.Remote, Incomplete: true}, false
	} else if ex != nil {
		return ex, false
	}
	p, known := s.pending[id]
	if !known {
		s.pending[id] = false // for circular dependencies
		if probe := s.id.Signatures.Probe(id); probe != nil && s.lost {
			p = s.couldHaveCome(probe)
		} else if probe != nil {
			p = s.mayCome(probe)
		}
		s.pending[id] = p
	}
	return nil, p
}

// timedOutEarly reports whether a silence means nothing, because the same port,
// or another one of a slow host, took about as long to reply to another probe. The
// caller holds the lock.
func (s *session) timedOutEarly(ex *Exchange) bool {
	return ex.End == signatures.EndSilence && len(ex.Reply) == 0 &&
		ex.Probe != signatures.Greeting && ex.Took < min(earlyFactor*max(s.slowest, s.hostSlow()), maxSlowPort)
}

// earlyFactor is how many times longer than the slowest reply a silence must last
// to count.
const earlyFactor = 2

// mayCome reports whether a probe that has no exchange yet may get one.
func (s *session) mayCome(p *signatures.Probe) bool {
	switch {
	case p.ID == signatures.Greeting:
		return !s.greetingDecided
	case p.ID == signatures.Goodbye:
		return s.running > 0
	case p.Safety == signatures.Intrusive && !s.id.Intrusive,
		p.OnlyThere && !s.hints[p.ID],
		p.OnlyElsewhere && !s.unnamed(),
		p.Layer == signatures.LayerClear && (s.layer != layer{}),
		p.Layer == signatures.LayerProxy && s.layer.proxy == "",
		slices.Contains(p.Except, s.target.Port()),
		p.Layer == signatures.LayerTLS && !s.layer.tls:
		return false
	case p.Quiet > 0:
		return s.mayBeQuiet(p)
	case s.asked[p.ID] && p.Connection == signatures.OwnConnection:
		return s.running > 0
	case s.greetingDecided && !s.greeted():
		// There is no greeting, or only a part of it; only probes that depend on
		// the reply to another probe can continue.
		if g := s.exchanges[signatures.Greeting]; g == nil || len(g.Reply) > 0 || len(p.After) == 0 {
			return false
		}
	}
	if p.Connection != signatures.OwnConnection && !s.goesOn(p.Connection) {
		return false
	}
	return signatures.All(p.After, s) != signatures.False
}

// goesOn reports whether the connection of a probe is still open, or may still be
// opened.
func (s *session) goesOn(connection string) bool {
	if connection == signatures.FirstConnection {
		connection = signatures.Greeting
	}
	if s.exchanges[connection] != nil {
		return s.open[connection]
	}
	_, pending := s.Exchange(connection)
	return pending
}

// candidates returns the probes that can be started now on connections of their
// own, by rank, and in the order of the file.
func (s *session) candidates(leads map[string]bool) []*signatures.Probe {
	var list []*signatures.Probe
	for _, p := range s.id.Signatures.Probes {
		if !s.wanted[p.ID] || s.asked[p.ID] || p.Connection != signatures.OwnConnection ||
			!s.ready(p) || p.Quiet == 0 && !s.greetingDecided && s.greetingBegun {
			continue
		}
		list = append(list, p)
	}
	slices.SortStableFunc(list, func(p, o *signatures.Probe) int { return cmp.Compare(s.rankOf(p, leads), s.rankOf(o, leads)) })
	return list
}

// leads returns the probes suggested by the port number, with those whose result
// they wait for. On a slow host the time of a silent port could be over before
// these are sent, if others came first.
func (s *session) leads() map[string]bool {
	leads := make(map[string]bool)
	var add func(id string)
	add = func(id string) {
		if !leads[id] {
			leads[id] = true
			if p := s.id.Signatures.Probe(id); !s.asksAlone(p) {
				signatures.Needs(p.After, s, add)
			}
		}
	}
	for id := range s.hints {
		add(id)
	}
	for _, sig := range s.alive {
		if s.suggestedBy(sig) {
			signatures.Needs(sig.When, s, add)
		}
	}
	return leads
}

// openers returns the probes that decide whether a layer can be opened, and how many
// connections are kept for that: one to open it, and two for its inside.
func (s *session) openers() (probes map[string]bool, kept int64) {
	probes = make(map[string]bool)
	var add func(id string)
	add = func(id string) {
		if !probes[id] {
			probes[id] = true
			signatures.Needs(s.id.Signatures.Probe(id).After, s, add)
		}
	}
	for _, p := range s.id.Signatures.Probes {
		if p.Enters != nil && s.wanted[p.ID] && !s.asked[p.ID] && signatures.All(p.After, s) == signatures.Unknown {
			add(p.ID)
			kept = 3
		}
	}
	return probes, kept
}

// suggestedBy reports whether a question that the port number suggests had an outcome
// other than silence, and the one that the signature describes.
func (s *session) suggestedBy(sig *signatures.Signature) bool {
	return slices.ContainsFunc(sig.When, func(c signatures.Condition) bool {
		ex := s.exchanges[c.Probe]
		return ex != nil && s.hints[c.Probe] && ex.End != signatures.EndSilence && c.Match(s) == signatures.True
	})
}

// unasked is how many of the probes may still be asked, each on a connection of its
// own: what else is asked leaves as many.
func (s *session) unasked(probes map[string]bool) int64 {
	var n int64
	for id := range probes {
		if p := s.id.Signatures.Probe(id); s.wanted[id] && !s.asked[id] && p.Connection == signatures.OwnConnection {
			n++
		}
	}
	return n
}
