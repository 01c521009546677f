package syn

import (
	"reflect"
	"slices"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/scan/syn/rawnet"
)

// sink makes a scanner whose frames are thrown away at the other end of the
// wire, for what the transmitter can do at most.
func sink(b *testing.B, threads int) (sunk, *scope.Space) {
	l := newLab(b)
	l.space("s", "d")
	l.sh(`
		ip link add sd netns @s type veth peer name ds netns @d address 02:00:00:91:00:02
		ip -n @s addr add 10.91.0.1/24 dev sd
		ip -n @s link set sd up
		ip -n @d link set ds up
		ip -n @s neigh replace 10.91.0.2 lladdr 02:00:00:91:00:02 dev sd nud permanent
		ip -n @s route add default via 10.91.0.2
	`)
	l.nft("d", "table netdev f { chain in { type filter hook ingress device ds priority 0; policy accept; drop; }; }")
	scope, space := spaceOf(b, ninePorts, "10.96.0.0/14")
	var s *Scanner
	var err error
	l.in("s", func() {
		s, err = Open(b.Context(), space, Config{Scope: scope, Threads: threads, Retries: -1, Timeout: time.Nanosecond})
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(s.Close)
	return sunk{s, l}, space
}

// A sunk is a Scanner and the lab that it is in.
type sunk struct {
	*Scanner
	lab *lab
}

// BenchmarkBare sends the same frames over and over: what the kernel allows.
func BenchmarkBare(b *testing.B) {
	s, _ := sink(b, 1)
	bare := func(b *testing.B, snd rawnet.Sender) {
		b.ResetTimer()
		cpu := processor()
		s.bare(b, snd, b.N)
		report(b, b.N, cpu)
	}
	var packet rawnet.Sender
	var err error
	s.lab.in("s", func() { packet, err = rawnet.OpenPacketSender(s.outs[0]) })
	if err != nil {
		b.Fatal(err)
	}
	defer packet.Close()
	b.Run("xdp", func(b *testing.B) {
		if reflect.TypeOf(s.senders[0][0]) == reflect.TypeOf(packet) {
			b.Skip("no AF_XDP here")
		}
		bare(b, s.senders[0][0])
	})
	b.Run("packet", func(b *testing.B) {
		bare(b, packet)
	})
}

// bare sends the same frames over and over, until there were n.
func (s sunk) bare(b *testing.B, snd rawnet.Sender, n int) {
	t := s.view.ranges[0].hop.template
	for i := 0; i < n; i += rawnet.BatchSize {
		for k := range uint32(rawnet.BatchSize) {
			t.Write4(snd.Next(t), 0x0a600000+k, 61000, 10025, k)
		}
		for done := false; !done; {
			var err error
			if done, err = snd.Flush(); err != nil && err != unix.ENOBUFS && err != unix.EAGAIN {
				b.Fatal(err)
			}
		}
		snd.Clear()
	}
}

// BenchmarkSweepOfBare takes turns between the two, so that what else the
// machine does meets both, and reports the share of the bare loop's rate that
// a sweep has: the median of all turns.
func BenchmarkSweepOfBare(b *testing.B) {
	s, space := sink(b, 1)
	var shares, bares, sweeps []float64
	for turn := 0; turn < 9 || b.Elapsed() < 10*time.Second; turn++ {
		begun := time.Now()
		s.bare(b, s.senders[0][0], int(space.Len()))
		bare := time.Since(begun).Seconds()
		sweep := s.onePass(b).Seconds()
		n := float64(space.Len())
		shares, bares, sweeps = append(shares, bare/sweep), append(bares, n/bare), append(sweeps, n/sweep)
	}
	b.ReportMetric(median(shares), "share")
	b.ReportMetric(median(bares)/1e3, "bare-kpps")
	b.ReportMetric(median(sweeps)/1e3, "sweep-kpps")
	b.ReportMetric(0, "ns/op")
}

func median(all []float64) float64 {
	slices.Sort(all)
	return all[len(all)/2]
}

// onePass sends the first pass of a sweep, while all else that belongs to one
// is at work, and returns how long the sending took.
func (s sunk) onePass(b *testing.B) time.Duration {
	r, err := newRun(b.Context(), s.Scanner)
	if err != nil {
		b.Fatal(err)
	}
	go r.receive()
	go r.watch()
	r.onePass(0, 0)
	took := time.Duration(r.pass.lastTx.Load() - r.pass.starts[0].Load())
	r.over.Store(true)
	for range r.hits {
		b.Fatal("an answer")
	}
	<-r.watched
	r.close()
	if s.Err() != nil {
		b.Fatal(s.Err())
	}
	return took
}

// BenchmarkSweep sends first passes, while all else that belongs to a sweep is at
// work.
func BenchmarkSweep(b *testing.B) {
	for _, threads := range []int{1, 2} {
		b.Run(map[int]string{1: "one", 2: "two"}[threads], func(b *testing.B) {
			s, _ := sink(b, threads)
			b.ResetTimer()
			cpu := processor()
			for b.N > int(s.counts.sent.Load()) {
				s.onePass(b)
			}
			report(b, int(s.counts.sent.Load()), cpu)
		})
	}
}

// processor is the time that the process has had on any processor.
func processor() time.Duration {
	var u unix.Rusage
	_ = unix.Getrusage(unix.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// report reports a rate, and what a frame costs: that is the same on a machine
// that has other things to do.
func report(b *testing.B, frames int, since time.Duration) {
	b.ReportMetric(float64(frames)/b.Elapsed().Seconds()/1e3, "kpps")
	b.ReportMetric(float64(processor()-since)/float64(frames), "cpu-ns/frame")
}
