package main

import (
	"fmt"
	"net"
	"net/netip"
	"sync"
	"testing"

	"mxsweep/scan"
)

func result(addr string, port uint16) scan.Result {
	return scan.Result{Target: netip.AddrPortFrom(netip.MustParseAddr(addr), port), State: scan.StateOpen}
}

// A host with very many open ports must not make the others wait.
func TestQueueLetsHostsTakeTurns(t *testing.T) {
	q := newQueue(2)
	for port := range uint16(100) {
		q.put(result("192.0.2.1", port+1))
	}
	q.put(result("192.0.2.2", 25))
	var taken []netip.Addr
	for range 3 {
		r, ok := q.next()
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
	q := newQueue(perHost)
	for port := range uint16(200) {
		q.put(result("192.0.2.1", port+1))
		q.put(result("2001:db8::1", port+1))
	}
	q.close()
	var mu sync.Mutex
	active := map[netip.Addr]int{}
	done := map[netip.AddrPort]bool{}
	var wg sync.WaitGroup
	for range workers {
		wg.Go(func() {
			for {
				r, ok := q.next()
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
				q.done(r, true)
			}
		})
	}
	wg.Wait()
	if len(done) != 400 {
		t.Errorf("%d ports were handed out, want 400", len(done))
	}
}

// Connections that wait for their dialogue must not eat up all files.
func TestQueueGivesUpConnectionsBeyondItsLimit(t *testing.T) {
	q := newQueue(8)
	kept := 0
	for port := range uint16(maxHeld + 10) {
		client, server := net.Pipe()
		defer server.Close()
		r := result(fmt.Sprintf("192.0.2.%d", port%100), port+1)
		r.Conn = client
		q.put(r)
	}
	q.close()
	for {
		r, ok := q.next()
		if !ok {
			break
		}
		if r.Conn != nil {
			kept++
			r.Conn.Close()
		}
		q.done(r, true)
	}
	if kept != maxHeld {
		t.Errorf("%d connections were kept, want %d", kept, maxHeld)
	}
}

// Connections that wait have places at their host, of which some must be left
// to those that are talked to; and what has one comes first.
func TestQueueKeepsPlacesFree(t *testing.T) {
	q := newQueue(3)
	for port := range uint16(10) {
		r := result("192.0.2.1", port+1)
		if port > 3 {
			client, server := net.Pipe()
			defer server.Close()
			r.Conn = client
		}
		q.put(r)
	}
	q.close()
	for n := range 10 {
		r, ok := q.next()
		if want := n < 3; !ok || (r.Conn != nil) != want {
			t.Errorf("port %d of those taken: %t, with a connection: %t, want %t", n, ok, r.Conn != nil, want)
		}
		q.done(r, true)
	}
}

// A host on which everything is open must not cost a dialogue for every port.
func TestQueueGivesUpOnCrowdedHosts(t *testing.T) {
	mute, chatty := netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("192.0.2.2")
	q := newQueue(8)
	for port := range uint16(2000) {
		q.put(result(mute.String(), port+1))
		q.put(result(chatty.String(), port+1))
	}
	q.close()
	talks, handed := map[netip.Addr]int{}, 0
	for {
		r, ok := q.next()
		if !ok {
			break
		}
		addr := r.Target.Addr()
		handed++
		if q.worth(addr) {
			talks[addr]++
		}
		q.done(r, addr == chatty)
	}
	if handed != 4000 {
		t.Errorf("%d ports were handed out, want 4000: none may get lost", handed)
	}
	if talks[mute] != maxMute || talks[chatty] != maxTalks {
		t.Errorf("%d and %d ports were talked to, want %d and %d", talks[mute], talks[chatty], maxMute, maxTalks)
	}
}
