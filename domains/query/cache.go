package query

import (
	"container/list"
	"context"
	"sync"

	"github.com/miekg/dns"
)

// An Asker answers questions; [Client], [Cache] and [Budget] are some.
type Asker interface {
	// Ask returns the answer, or the cause of the end of ctx.
	Ask(ctx context.Context, name string, qtype uint16) (*Answer, error)
}

// A Cache asks each question once, however many ask for it at the same time, and asks no more than
// a number of questions at once. It keeps the answers that were used last: a run is to see one state
// of the DNS, and its memory is to have a bound, however many domains there are.
type Cache struct {
	asker   Asker
	slots   chan struct{}
	room    int // for answers
	most    int // bytes of all answers, about; a larger one is kept alone
	mu      sync.Mutex
	entries map[question]*list.Element
	recent  *list.List // of *entry, the one that was used last in front
	size    int        // of the answers
}

// A question is a name in canonical form and a type.
type question struct {
	name  string
	qtype uint16
}

// An entry is an answer that is there once ready is closed.
type entry struct {
	question question
	ready    chan struct{}
	answer   *Answer
	err      error
	size     int // that Cache.size has of it
}

// What is kept of answers: the usual one has less than a kilobyte, but one over TCP can have thousands
// of records.
const (
	cacheRoom = 50_000
	cacheMost = 128 << 20
)

// NewCache returns an empty cache before asker, which asks at most most questions at once; most is at
// least 1.
func NewCache(asker Asker, most int) *Cache {
	return &Cache{asker: asker, slots: make(chan struct{}, most), room: cacheRoom, most: cacheMost, entries: map[question]*list.Element{}, recent: list.New()}
}

// Ask implements [Asker].
func (c *Cache) Ask(ctx context.Context, name string, qtype uint16) (*Answer, error) {
	q := question{dns.CanonicalName(name), qtype}
	for {
		e, asked := c.entry(q)
		if !asked {
			c.fill(ctx, e)
		}
		select {
		case <-e.ready:
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
		if e.err == nil || !asked {
			return e.answer, e.err
		}
		// The one who asked was stopped; its error is not that of this caller.
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
	}
}

// entry returns the entry of a question, and whether somebody has asked it. The entry that was not
// used for the longest time makes room for a new one; who waits for it gets its answer all the same.
func (c *Cache) entry(q question) (e *entry, asked bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if at, ok := c.entries[q]; ok {
		c.recent.MoveToFront(at)
		return at.Value.(*entry), true
	}
	e = &entry{question: q, ready: make(chan struct{})}
	c.entries[q] = c.recent.PushFront(e)
	if c.recent.Len() > c.room {
		c.drop(c.recent.Back())
	}
	return e, false
}

// drop forgets an entry.
func (c *Cache) drop(at *list.Element) {
	e := at.Value.(*entry)
	delete(c.entries, e.question)
	c.recent.Remove(at)
	c.size -= e.size
}

// fill asks the question of e. A question that was not answered because ctx ended is forgotten.
func (c *Cache) fill(ctx context.Context, e *entry) {
	defer close(e.ready)
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
		e.answer, e.err = c.asker.Ask(ctx, e.question.name, e.question.qtype)
	case <-ctx.Done():
		e.err = context.Cause(ctx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	at, ok := c.entries[e.question]
	if !ok || at.Value.(*entry) != e {
		return // it made room meanwhile
	}
	if e.err != nil {
		c.drop(at)
		return
	}
	e.size = e.answer.size()
	for c.size += e.size; c.size > c.most && c.recent.Len() > 1; {
		c.drop(c.recent.Back())
	}
}

// A Budget limits the questions of one domain, and keeps their answers: asking again is free. Names in
// a zone whose servers do not reply are not asked any longer. One goroutine at a time may use it.
type Budget struct {
	Asker   Asker
	Most    int // questions; further ones are answered with [Limit]
	answers map[question]*Answer
	silence silence
}

// Ask implements [Asker].
func (b *Budget) Ask(ctx context.Context, name string, qtype uint16) (*Answer, error) {
	if ctx.Err() != nil { // answers that are there already must not keep a walk going
		return nil, context.Cause(ctx)
	}
	q := question{dns.CanonicalName(name), qtype}
	if a, ok := b.answers[q]; ok {
		return a, nil
	}
	if len(b.answers) >= b.Most {
		return &Answer{Name: q.name, Type: qtype, Outcome: Limit}, nil
	}
	if zone := b.silence.zone(q.name); zone != "" {
		return &Answer{Name: q.name, Type: qtype, Outcome: Timeout, Detail: "not asked, as no question about names of " + zone + " had a reply"}, nil
	}
	a, err := b.Asker.Ask(ctx, name, qtype)
	if err != nil {
		return nil, err
	}
	if b.answers == nil {
		b.answers, b.silence = map[question]*Answer{}, silence{}
	}
	b.answers[q] = a
	b.silence.note(a)
	return a, nil
}

// Asked returns how many different questions were asked.
func (b *Budget) Asked() int { return len(b.answers) }
