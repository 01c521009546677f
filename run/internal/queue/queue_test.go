package queue

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"

	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

func scanResult(addr string, port uint16) scan.Result {
	return scan.Result{Target: netip.AddrPortFrom(netip.MustParseAddr(addr), port), State: result.StateOpen}
}

// TestQueueLetsHostsTakeTurns checks that a host with very many open ports does
// not delay the others.
func TestQueueLetsHostsTakeTurns(t *testing.T) {
	q := New(2)
	for port := range uint16(100) {
		q.Put(scanResult("192.0.2.1", port+1))
	}
	q.Put(scanResult("192.0.2.2", 25))
	var taken []netip.Addr
	for range 3 {
		r, ok := q.Next()
		if !ok {
			t.Fatal("the queue is empty")
		}
		taken = append(taken, r.Target.Addr())
	}
	other := netip.MustParseAddr("192.0.2.2")
	if taken[1] != other && taken[2] != other {
		t.Errorf("the second host waits behind the first: %v", taken)
	}
}

func TestQueueKeepsToThePortsPerHost(t *testing.T) {
	const perHost, workers = 3, 16
	q := New(perHost)
	for port := range uint16(200) {
		q.Put(scanResult("192.0.2.1", port+1))
		q.Put(scanResult("2001:db8::1", port+1))
	}
	q.Close()
	var mu sync.Mutex
	active := map[netip.Addr]int{}
	done := map[netip.AddrPort]bool{}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				r, ok := q.Next()
				if !ok {
					return
				}
				mu.Lock()
				addr := r.Target.Addr()
				if active[addr]++; active[addr] > perHost {
					t.Errorf("%d ports of %s at once", active[addr], addr)
				}
				if done[r.Target] {
					t.Errorf("%s was handed out twice", r.Target)
				}
				done[r.Target] = true
				active[addr]--
				mu.Unlock()
				q.Done(r, said)
			}
		})
	}
	wg.Wait()
	if len(done) != 400 {
		t.Errorf("%d ports were handed out, want 400", len(done))
	}
}

// TestQueueGivesUpConnectionsBeyondItsLimit checks that waiting connections do
// not use up all file descriptors.
func TestQueueGivesUpConnectionsBeyondItsLimit(t *testing.T) {
	q := New(8)
	kept := 0
	for port := range uint16(maxHeld + 10) {
		client, server := net.Pipe()
		defer server.Close()
		r := scanResult(fmt.Sprintf("192.0.2.%d", port%100), port+1)
		r.Conn = client
		q.Put(r)
	}
	q.Close()
	for {
		r, ok := q.Next()
		if !ok {
			break
		}
		if r.Conn != nil {
			kept++
			r.Conn.Close()
		}
		q.Done(r, said)
	}
	if kept != maxHeld {
		t.Errorf("%d connections were kept, want %d", kept, maxHeld)
	}
}

// TestQueueKeepsSlotsFree checks that waiting connections leave some slots of
// their host to dialogues, and that ports with a connection are first.
func TestQueueKeepsSlotsFree(t *testing.T) {
	q := New(3)
	for port := range uint16(10) {
		r := scanResult("192.0.2.1", port+1)
		if port > 3 {
			client, server := net.Pipe()
			defer server.Close()
			r.Conn = client
		}
		q.Put(r)
	}
	q.Close()
	for n := range 10 {
		r, ok := q.Next()
		if want := n < 3; !ok || (r.Conn != nil) != want {
			t.Errorf("port %d of those taken: %t, with a connection: %t, want %t", n, ok, r.Conn != nil, want)
		}
		q.Done(r, said)
	}
}

// said is a service that replied.
var said = &fingerprint.Identification{Banner: []byte("220 mx.example.org ESMTP\r\n")}

// drain takes all ports of a queue, talks to those that are worth it with
// answer, and counts them by host.
func drain(q *Queue, answer func(netip.AddrPort) *fingerprint.Identification) (talks map[netip.Addr]int, handed int) {
	talks = map[netip.Addr]int{}
	for {
		r, ok := q.Next()
		if !ok {
			return talks, handed
		}
		handed++
		if q.Worth(r.Target.Addr()) {
			talks[r.Target.Addr()]++
			q.Done(r, answer(r.Target))
		} else {
			q.Done(r, nil)
		}
	}
}

// TestQueueGivesUpOnHostsWithTooManyPorts checks that a host on which everything
// is open does not cost a dialogue for every port.
func TestQueueGivesUpOnHostsWithTooManyPorts(t *testing.T) {
	silent, chatty := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	q := New(8)
	for port := range uint16(2000) {
		q.Put(scanResult(silent.String(), port+1))
		q.Put(scanResult(chatty.String(), port+1))
	}
	q.Close()
	talks, handed := drain(q, func(p netip.AddrPort) *fingerprint.Identification {
		if p.Addr() == chatty {
			return said
		}
		return &fingerprint.Identification{}
	})
	if handed != 4000 {
		t.Errorf("%d ports were handed out, want 4000: none may get lost", handed)
	}
	if talks[silent] != sampleMany || talks[chatty] != maxTalks {
		t.Errorf("%d and %d ports were talked to, want %d and %d", talks[silent], talks[chatty], sampleMany, maxTalks)
	}
	if q.Kind(silent) != RepliesNowhere || q.Kind(chatty) != Ordinary {
		t.Errorf("the hosts are of kind %d and %d", q.Kind(silent), q.Kind(chatty))
	}
}

// TestQueueHostKinds has hosts with many open ports, some of them part of a range
// and some with replies, equal or different.
func TestQueueHostKinds(t *testing.T) {
	for _, tt := range []struct {
		name                 string
		open, listed, asked  int
		silent               int  // every so-manieth port replies to nothing; 1 for all, 0 for none
		same                 bool // apart from the digits
		want                 Kind
		mostTalks, leastTalk int
	}{
		{name: "all open and alike", open: 118, listed: 118, asked: 118, same: true, want: RespondsEverywhere, mostTalks: 20, leastTalk: 10},
		{name: "all open, each with its own words", open: 118, listed: 118, asked: 118, want: Ordinary, mostTalks: 118, leastTalk: 118},
		{name: "one port closed", open: 117, listed: 117, asked: 118, same: true, want: Ordinary, mostTalks: 117, leastTalk: 117},
		{name: "too few ports", open: 29, listed: 29, asked: 29, same: true, want: Ordinary, mostTalks: 29, leastTalk: 29},
		{name: "listed singly", open: 40, listed: 0, asked: 0, same: true, want: Ordinary, mostTalks: 40, leastTalk: 40},
		{name: "nothing replies", open: 8, want: RepliesNowhere, silent: 1, mostTalks: 8, leastTalk: 8},
		{name: "nothing replies, seven ports", open: 7, want: Ordinary, silent: 1, mostTalks: 7, leastTalk: 7},
		{name: "every second port replies", open: 60, want: Ordinary, silent: 2, mostTalks: 60, leastTalk: 60},
	} {
		t.Run(tt.name, func(t *testing.T) {
			q := New(4)
			q.Listed = func(p netip.AddrPort) bool { return int(p.Port()) <= tt.listed }
			q.Asked = func(netip.Addr) int { return tt.asked }
			addr := netip.MustParseAddr("192.0.2.1")
			for port := range tt.open {
				q.Put(scanResult(addr.String(), uint16(port+1)))
			}
			q.Close()
			talks, handed := drain(q, func(p netip.AddrPort) *fingerprint.Identification {
				switch {
				case tt.silent > 0 && int(p.Port())%tt.silent == 0:
					return &fingerprint.Identification{}
				case tt.same:
					return &fingerprint.Identification{Banner: fmt.Appendf(nil, "220 mx ESMTP %d\r\n", p.Port())}
				}
				return &fingerprint.Identification{Banner: bytes.Repeat([]byte("x"), int(p.Port()))}
			})
			if got := q.Kind(addr); got != tt.want {
				t.Errorf("kind %d, want %d", got, tt.want)
			}
			if handed != tt.open || talks[addr] > tt.mostTalks || talks[addr] < tt.leastTalk {
				t.Errorf("%d ports handed out and %d talked to, want %d and %d to %d", handed, talks[addr], tt.open, tt.leastTalk, tt.mostTalks)
			}
		})
	}
}

// TestQueueIdle checks that ports that are only listened to leave their slots to
// others of the host.
func TestQueueIdle(t *testing.T) {
	q := New(1)
	for port := range uint16(3) {
		q.Put(scanResult("192.0.2.1", port+1))
	}
	q.Close()
	first, _ := q.Next()
	q.Idle(first.Target, true)
	q.Idle(first.Target, true) // once is enough
	second, ok := q.Next()
	if !ok || second.Target == first.Target {
		t.Fatalf("the second port is %v, %v", second.Target, ok)
	}
	q.Done(first, nil)
	if a := q.host(first.Target.Addr()).active; a != 1 {
		t.Errorf("%d ports are under way, want 1", a)
	}
	q.Done(second, nil)
	if third, ok := q.Next(); !ok || third.Target.Port() == first.Target.Port() {
		t.Errorf("the third port is %v, %v", third.Target, ok)
	}
}

// TestQueueAwaitsTheSample has ports that are only listened to: until one has
// ended, no more than the sample are handed out.
func TestQueueAwaitsTheSample(t *testing.T) {
	q := New(4)
	for port := range uint16(40) {
		q.Put(scanResult("192.0.2.1", port+1))
	}
	q.Close()
	var taken []scan.Result
	for range sampleMany {
		r, ok := q.Next()
		if !ok {
			t.Fatal("the queue is empty")
		}
		q.Idle(r.Target, true)
		taken = append(taken, r)
	}
	if n := len(q.turns); n > 0 {
		t.Errorf("a port more than the %d of the sample may be talked to", sampleMany)
	}
	for _, r := range taken {
		q.Done(r, &fingerprint.Identification{})
	}
	talks, handed := drain(q, func(netip.AddrPort) *fingerprint.Identification { return &fingerprint.Identification{} })
	if len(talks) > 0 || handed != 40-sampleMany {
		t.Errorf("%d ports were handed out and %v talked to after the sample", handed, talks)
	}
}
