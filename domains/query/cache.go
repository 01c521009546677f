package query

import (
	"context"
	"sync"

	"github.com/miekg/dns"
)

// An Asker answers questions; [Client], [Cache] and [Budget] are some.
type Asker interface {
	// Ask returns the answer, or the cause of the end of ctx.
	Ask(ctx context.Context, name string, qtype uint16) (*Answer, error)
}

// A Cache asks each question once in a run, however many ask for it, and asks no more than
// Most questions at once. Answers are kept for as long as the cache is: a run is to see one
// state of the DNS.
type Cache struct {
	asker   Asker
	slots   chan struct{}
	mu      sync.Mutex
	answers map[question]*entry
}

// A question is a name in canonical form and a type.
type question struct {
	name  string
	qtype uint16
}

// An entry is an answer that is there once ready is closed.
type entry struct {
	ready  chan struct{}
	answer *Answer
	err    error
}

// NewCache returns an empty cache before asker. Most is at least 1.
func NewCache(asker Asker, most int) *Cache {
	return &Cache{asker: asker, slots: make(chan struct{}, most), answers: map[question]*entry{}}
}

// Ask implements [Asker].
func (c *Cache) Ask(ctx context.Context, name string, qtype uint16) (*Answer, error) {
	q := question{dns.CanonicalName(name), qtype}
	for {
		c.mu.Lock()
		e, asked := c.answers[q]
		if !asked {
			e = &entry{ready: make(chan struct{})}
			c.answers[q] = e
		}
		c.mu.Unlock()
		if !asked {
			c.fill(ctx, q, e)
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

// fill asks the question for e. A question that was not answered because ctx ended is forgotten.
func (c *Cache) fill(ctx context.Context, q question, e *entry) {
	defer close(e.ready)
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
		e.answer, e.err = c.asker.Ask(ctx, q.name, q.qtype)
	case <-ctx.Done():
		e.err = context.Cause(ctx)
	}
	if e.err != nil {
		c.mu.Lock()
		delete(c.answers, q)
		c.mu.Unlock()
	}
}

// A Budget limits the questions of one domain, and keeps their answers: asking again is free. One
// goroutine at a time may use it.
type Budget struct {
	Asker   Asker
	Most    int // questions; further ones are answered with [Limit]
	answers map[question]*Answer
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
	a, err := b.Asker.Ask(ctx, name, qtype)
	if err != nil {
		return nil, err
	}
	if b.answers == nil {
		b.answers = map[question]*Answer{}
	}
	b.answers[q] = a
	return a, nil
}

// Asked returns how many different questions were asked.
func (b *Budget) Asked() int { return len(b.answers) }
