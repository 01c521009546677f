package hosts

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"testing/synctest"
	"time"
)

// limited is the address of the tests.
var limited = netip.MustParseAddr("192.0.2.1")

// dialoguesOf is how many dialogues have a slot at the address of the tests.
func dialoguesOf(l *Slots) int {
	_, n := l.InUse(limited)
	return n
}

// TestSlotsOfProbesAndDialogues: probes and dialogues have as many slots each as was
// asked for, and together a quarter more.
func TestSlotsOfProbesAndDialogues(t *testing.T) {
	l := NewSlots(8)
	for i := range 8 {
		if !l.AcquireProbe(limited) {
			t.Fatalf("probe %d has no slot", i+1)
		}
	}
	if l.AcquireProbe(limited) {
		t.Error("a ninth probe has a slot")
	}
	for range 2 {
		if err := l.Acquire(t.Context(), limited); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancelCause(t.Context())
	why := errors.New("enough")
	cancel(why)
	if err := l.Acquire(ctx, limited); err != why {
		t.Errorf("the eleventh connection: %v, want %v", err, why)
	}
	if !NewSlots(8).AcquireProbe(limited) || dialoguesOf(l) != 2 {
		t.Errorf("%d dialogues have a slot, want 2", dialoguesOf(l))
	}
}

// TestDialoguesGetSlotsFirst: who waits comes first, the sweep is told of the slot
// that it had lacked, and an address that nobody is connected to is forgotten.
func TestDialoguesGetSlotsFirst(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewSlots(1) // and one slot more together
		told := 0
		l.OnFree(func(netip.Addr) { told++ })
		if !l.AcquireProbe(limited) || l.Acquire(t.Context(), limited) != nil {
			t.Fatal("no slot for the first of each")
		}
		entered := make(chan error, 1)
		go func() { entered <- l.Acquire(t.Context(), limited) }()
		synctest.Wait()
		if l.AcquireProbe(limited) {
			t.Error("a second probe has a slot")
		}
		select {
		case <-entered:
			t.Error("a second dialogue has a slot")
		default:
		}
		l.Release(limited)
		if err := <-entered; err != nil || told != 1 {
			t.Errorf("the next dialogue: %v, the sweep was told %d times, want 1", err, told)
		}
		l.ReleaseProbe(limited)
		l.Release(limited)
		if len(l.hosts) != 0 {
			t.Errorf("%d addresses are remembered", len(l.hosts))
		}
	})
}

// TestSweepKeepsReservedSlots: the sweep goes on beside dialogues that wait, with the
// slots that are not for them.
func TestSweepKeepsReservedSlots(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l := NewSlots(4)
		ctx, cancel := context.WithCancel(t.Context())
		for range 4 {
			l.Acquire(ctx, limited)
		}
		go l.Acquire(ctx, limited)
		synctest.Wait()
		if !l.AcquireProbe(limited) || l.AcquireProbe(limited) {
			t.Error("the sweep has not just the one slot that is left to it")
		}
		if l.Transfer(limited) {
			t.Error("a connection that was found took the turn of who waits")
		}
		cancel()
		synctest.Wait()
		if g := l.hosts[limited]; len(g.waiting) != 0 || g.dialogues != 4 {
			t.Errorf("%d wait, %d talk, want 0 and 4", len(g.waiting), g.dialogues)
		}
	})
}

// TestDetach: a connection that gave its slot back stays open, and
// closing it takes no other's slot.
func TestDetach(t *testing.T) {
	l := NewSlots(8)
	near, far := net.Pipe()
	defer far.Close()
	for range 2 {
		if err := l.Acquire(t.Context(), limited); err != nil {
			t.Fatal(err)
		}
	}
	c := l.Wrap(limited, near)
	l.Detach(c)
	l.Detach(c)
	l.Detach(far) // which has none
	if n := dialoguesOf(l); n != 1 {
		t.Errorf("%d slots are taken after it was detached, want 1", n)
	}
	if err := c.SetReadDeadline(time.Now().Add(time.Hour)); err != nil {
		t.Errorf("the connection is closed: %v", err)
	}
	c.Close()
	if n := dialoguesOf(l); n != 1 {
		t.Errorf("%d slots are taken at the end, want 1", n)
	}
}

// TestNoClock sets no bound.
func TestNoClock(t *testing.T) {
	c, a := NewClock(0), netip.MustParseAddr("192.0.2.1")
	if _, ok := c.End(a); ok || c.Over(a) || c.Short(a) || c.AnyShort() {
		t.Error("a bound where none was set")
	}
}
