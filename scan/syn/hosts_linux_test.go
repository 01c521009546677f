package syn

import (
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

// TestControlChoice asks a host on a closed pair if it has one, else on one that
// it rejects by ICMP, at most once a second, else on an open one.
func TestControlChoice(t *testing.T) {
	const second = int64(time.Second)
	for name, c := range map[string]struct {
		answers map[uint32]rawnet.Kind // by place, from 0 on
		at      int64                  // since the last ICMP error was asked for
		want    uint32
		ok      bool
		missed  uint8
	}{
		"missed, another":        {map[uint32]rawnet.Kind{3: rawnet.KindSynAck, 5: rawnet.KindReset, 6: rawnet.KindReset}, second, 6, true, 1},
		"missed, an open one":    {map[uint32]rawnet.Kind{3: rawnet.KindSynAck, 5: rawnet.KindReset}, second, 3, true, 1},
		"missed, and the other":  {map[uint32]rawnet.Kind{5: rawnet.KindReset, 6: rawnet.KindReset}, second, 5, true, 2},
		"missed, no other there": {map[uint32]rawnet.Kind{5: rawnet.KindReset}, second, 5, true, 1},

		"nothing":               {nil, second, noPlace, false, 0},
		"open":                  {map[uint32]rawnet.Kind{3: rawnet.KindSynAck}, second, 3, true, 0},
		"no room for data":      {map[uint32]rawnet.Kind{3: rawnet.KindZeroWindow}, second, 3, true, 0},
		"closed before open":    {map[uint32]rawnet.Kind{3: rawnet.KindSynAck, 5: rawnet.KindReset}, second, 5, true, 0},
		"open before ICMP":      {map[uint32]rawnet.Kind{3: rawnet.KindSynAck, 7: rawnet.KindICMP}, second, 3, true, 0},
		"only ICMP":             {map[uint32]rawnet.Kind{7: rawnet.KindICMP}, second, 7, true, 0},
		"closed before ICMP":    {map[uint32]rawnet.Kind{5: rawnet.KindReset, 7: rawnet.KindICMP}, second, 5, true, 0},
		"only ICMP, asked late": {map[uint32]rawnet.Kind{7: rawnet.KindICMP}, second - 1, noPlace, false, 0},
	} {
		table := newHostTable(false)
		h, _ := table.add(100, 50)
		for place := range uint32(10) {
			switch k, ok := c.answers[place]; {
			case !ok:
			case k == rawnet.KindICMP:
				h.rejects(place, rawnet.ICMPError{Type: 3, Code: 13})
			default:
				h.answers(place, k)
			}
		}
		h.icmp, h.missed = 5*second, c.missed
		got, ok := h.control(h.icmp + c.at)
		if ok != c.ok || ok && got != c.want {
			t.Errorf("%s: place %d, %t; want %d, %t", name, got, ok, c.want, c.ok)
		}
	}
}

// TestHostSilence follows what is known of one host while its controls and
// validation probes are answered or not.
func TestHostSilence(t *testing.T) {
	const slack = time.Millisecond
	table := newHostTable(false)
	h, fresh := table.add(0, 100)
	if again, twice := table.add(0, 100); !fresh || twice || again != h || table.find(0) != h || table.find(100) != nil {
		t.Fatal("a host is not found by its first pair")
	}
	if !table.unknown(100) || table.unknown(0) {
		t.Error("the filter does not know who is in the table")
	}
	h.answers(4, rawnet.KindReset)
	ms := func(n int64) int64 { return n * int64(time.Millisecond) }
	ask := func(at int64) { h.ask(4, at, 1) }

	ask(ms(100))
	table.expire(h, ms(100), 3, false)
	if h.asked == 0 || table.passes[1] != (tally{}) {
		t.Error("a control expires before its time")
	}
	// The port's clock tells the time by ticks: a little too early.
	table.answered(h, ms(100)-int64(slack)/2, slack)
	if h.asked != 0 || h.proof != ms(100) || table.latest != ms(100) || table.passes[1] != (tally{asked: 1}) {
		t.Errorf("behind an answer: %+v, %+v", *h, table.passes[1])
	}
	ask(ms(200))
	table.answered(h, ms(150), slack) // to another probe, that left earlier
	if h.asked != ms(200) || h.proof != ms(150) {
		t.Errorf("an earlier probe answers a control: %+v", *h)
	}
	table.expire(h, ms(300), 3, false)
	table.miss(h, ms(140), 3, true) // it answered a later one
	table.miss(h, ms(250), 3, true)
	if h.missed != 2 || h.suspect || table.gone != 0 || table.passes[1] != (tally{asked: 2, lost: 1}) {
		t.Errorf("two are lost: %+v, %+v", *h, table.passes[1])
	}
	table.miss(h, ms(350), 3, true)
	if !h.suspect || table.gone != 2 || h.step != firstStep {
		t.Errorf("three are lost: %+v, %d", *h, table.gone)
	}
	table.answered(h, ms(340), slack)
	if h.missed == 0 {
		t.Error("an answer to an earlier probe ends a silence")
	}
	table.answered(h, ms(400), slack)
	if h.missed != 0 || h.lost != 0 || table.gone != 0 || !h.suspect {
		t.Errorf("it is back, and what was asked meanwhile is in doubt: %+v, %d", *h, table.gone)
	}

	// An ICMP error may have been held back; unless nothing else was asked.
	only, _ := table.add(200, 10)
	only.rejects(2, rawnet.ICMPError{Type: 3, Code: 13})
	only.ask(2, ms(1000), 2)
	table.expire(only, ms(2000), 3, false)
	if only.missed != 0 || only.asked != 0 {
		t.Errorf("an ICMP error is missed: %+v", *only)
	}
	only.ask(2, ms(3000), 2)
	table.expire(only, ms(4000), 3, true)
	if only.missed != 1 {
		t.Errorf("an ICMP error is not missed: %+v", *only)
	}
}

// TestControlPlan has the controls of hosts come when so many silent pairs of each are
// asked, in the order of a walk, and further apart each time.
func TestControlPlan(t *testing.T) {
	const length = 1 << 20
	table := newHostTable(false)
	for id, silent := range []uint64{10, 32, 33, 1000, 60000} {
		table.add(uint64(id)*65536, 65535)
		table.plan(uint32(id), silent, 0, length)
	}
	asked := map[uint32][]uint64{}
	last := uint64(0)
	for count := uint64(0); count < length; count += 64 {
		id, ok := table.next(count)
		if !ok {
			continue
		}
		if count < last {
			t.Fatalf("a control at %d behind one at %d", count, last)
		}
		last = count
		h := &table.all[id]
		silent := []uint64{10, 32, 33, 1000, 60000}[id]
		asked[id] = append(asked[id], count*silent/length)
		h.step = min(2*h.step, lastStep)
		table.plan(id, silent, count, length)
	}
	if len(asked[0]) != 0 || len(asked[1]) != 0 || len(asked[2]) != 1 {
		t.Errorf("few silent pairs: %v, %v, %v", asked[0], asked[1], asked[2])
	}
	for k, want := range []uint64{32, 96, 224, 480, 992} {
		if len(asked[3]) != 5 || asked[3][k] > want+1 || asked[3][k] < want {
			t.Errorf("of 1000 silent pairs, controls behind %v", asked[3])
			break
		}
	}
	if n := len(asked[4]); n < 119 || n > 121 { // 60000/512, and the first few
		t.Errorf("%d controls of 60000 silent pairs", n)
	}
}

// TestSilence looks at how many probes show that nothing answers.
func TestSilence(t *testing.T) {
	for _, c := range []struct {
		loss    float64
		silence uint8
		repeats int
		dead    uint64 // probes of a pass that must all be lost
	}{{0, 3, 1, 1}, {0.01, 3, 2, 1}, {0.1, 3, 3, 2}, {0.36, 7, 7, 4}, {0.64, 16, 10, 9}, {1, 20, 10, 0}} {
		if got := silence(c.loss); got != c.silence {
			t.Errorf("silence(%v) = %d, want %d", c.loss, got, c.silence)
		}
		if got := repeats(c.loss); got != c.repeats {
			t.Errorf("repeats(%v) = %d, want %d", c.loss, got, c.repeats)
		}
		if c.dead == 0 {
			continue
		}
		all := tally{asked: c.dead, lost: c.dead}
		fewer := tally{asked: c.dead - 1, lost: c.dead - 1}
		one := tally{asked: c.dead + 1, lost: c.dead}
		if !all.dead(c.loss) || fewer.dead(c.loss) || one.dead(c.loss) {
			t.Errorf("dead at %v: %t, %t, %t", c.loss, all.dead(c.loss), fewer.dead(c.loss), one.dead(c.loss))
		}
	}
}

// TestUnset counts bits across words.
func TestUnset(t *testing.T) {
	b, err := newBitmap(1000)
	if err != nil {
		t.Fatal(err)
	}
	defer b.close()
	for i := range uint64(1000) {
		if i%3 == 0 {
			b.set(i)
		}
	}
	for _, c := range [][2]uint64{{0, 1}, {1, 1}, {0, 64}, {63, 2}, {5, 300}, {0, 1000}, {999, 1}, {128, 0}} {
		want := uint64(0)
		for i := c[0]; i < c[0]+c[1]; i++ {
			if i%3 != 0 {
				want++
			}
		}
		if got := b.unset(c[0], c[1]); got != want {
			t.Errorf("unset(%d, %d) = %d, want %d", c[0], c[1], got, want)
		}
		next, end := c[0]+c[1], c[0]+c[1]
		for i := end; i > c[0]; i-- {
			if (i-1)%3 == 0 {
				next = i - 1
			}
		}
		if got := b.next(c[0], end); got != next {
			t.Errorf("next(%d, %d) = %d, want %d", c[0], end, got, next)
		}
	}
}

// TestViewHost finds the pairs of a host, also of one that is divided between
// shards.
func TestViewHost(t *testing.T) {
	ports := []uint16{25, 26, 27}
	_, whole := spaceOf(t, ports, "10.91.16.0/29")
	for i := range uint64(5) {
		space, err := whole.Shard(i+1, 5)
		if err != nil {
			t.Fatal(err)
		}
		v := newViewer(space)
		for r, ports := range space.Ranges() {
			if err := v.add(r, ports, func() (*hop, error) { return &hop{}, nil }); err != nil {
				t.Fatal(err)
			}
		}
		for k := range space.Len() {
			first, pairs := v.host(k, v.find(k))
			if k < first || k >= first+uint64(pairs) || first+uint64(pairs) > space.Len() {
				t.Fatalf("shard %d, pair %d: %d pairs from %d on", i+1, k, pairs, first)
			}
			for p := range space.Len() {
				in := p >= first && p < first+uint64(pairs)
				if in != (space.At(p).Addr() == space.At(k).Addr()) {
					t.Errorf("shard %d: pair %d is of the host of %d: %t", i+1, p, k, in)
				}
			}
		}
	}
}
