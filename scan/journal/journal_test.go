package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/scan/scope/scopetest"
)

// mustOpen opens a journal.
func mustOpen(t *testing.T, name string, key Key) *File {
	t.Helper()
	j, err := Open(name, key)
	if err != nil {
		t.Fatal(err)
	}
	return j
}

// earlierOf lists what a journal holds.
func earlierOf(t *testing.T, j *File) map[netip.AddrPort]string {
	t.Helper()
	got := map[netip.AddrPort]string{}
	if err := j.Earlier(func(r scan.Result, note []byte) error {
		if _, twice := got[r.Target]; twice {
			t.Errorf("%v comes twice", r.Target)
		}
		got[r.Target] = fmt.Sprintf("%s %s %d %v %v %s", r.State, r.Reason, r.Attempts, r.RTT, r.Err, note)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestJournal(t *testing.T) {
	name := filepath.Join(t.TempDir(), "progress")
	space := scopetest.Space(t, scopetest.Set(t, "10.0.0.0/28", "2001:db8::/126"), 25, 143)
	key := Key{Space: space, Options: "connect", Seed: 7}
	j := mustOpen(t, name, key)
	now := time.Date(2026, 11, 23, 9, 0, 0, 123000, time.UTC)
	want := map[netip.AddrPort]string{}
	for i, r := range []scan.Result{
		{State: result.StateOpen, Reason: result.ReasonSynAck, RTT: 1500 * time.Microsecond, Attempts: 2},
		{State: result.StateClosed, Reason: result.ReasonConnRefused, RTT: 1, Attempts: 1},
		{State: result.StateFiltered, Reason: result.ReasonNoResponse, Attempts: 3},
		{State: result.StateSkipped, Reason: result.ReasonOutOfScope, Err: errors.New("is outside the scope")},
		{State: result.StateUnknown, Reason: result.ReasonUnknown, Err: errors.New("asked again")},
	} {
		r.Target, r.Time = space.At(uint64(i*7)), now
		note := ""
		if r.State == result.StateOpen {
			note = `{"service":"smtp"}`
		}
		if r.State != result.StateUnknown {
			want[r.Target] = fmt.Sprintf("%s %s %d %v %v %s", r.State, r.Reason, r.Attempts, r.RTT, r.Err, note)
		}
		for range 2 { // the second time does nothing
			if err := j.Add(r, []byte(note)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := j.Add(scan.Result{Target: netip.MustParseAddrPort("10.9.9.9:25"), State: result.StateOpen}, nil); err == nil {
		t.Error("a pair of another sweep is taken")
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}

	key.Seed, key.AnySeed = 8, true
	j = mustOpen(t, name, key)
	if j.Seed() != 7 || j.Done() != 4 || time.Since(j.Began()) > time.Minute {
		t.Errorf("seed %d, %d done, begun %v", j.Seed(), j.Done(), j.Began())
	}
	if got := earlierOf(t, j); !maps.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	order := scope.NewOrder(space.Len(), j.Seed())
	for place := range space.Len() {
		_, done := want[space.At(order.At(place))]
		if j.Skip(place) != done {
			t.Errorf("place %d: %v", place, !done)
		}
	}
	var some netipx.IPSetBuilder
	for _, prefix := range []string{"10.0.0.3/32", "10.0.0.7/32", "2001:db8::2/127"} {
		some.AddPrefix(netip.MustParsePrefix(prefix))
	}
	set, err := some.IPSet()
	if err != nil {
		t.Fatal(err)
	}
	in, _, err := space.Split(set)
	if err != nil {
		t.Fatal(err)
	}
	order, skip := scope.NewOrder(in.Len(), j.Seed()), j.SkipIn(in)
	for place := range in.Len() {
		_, done := want[in.At(order.At(place))]
		if skip(place) != done {
			t.Errorf("place %d of a part: %v", place, !done)
		}
	}
	if _, err := Open(name, key); err == nil || !strings.Contains(err.Error(), "another run is using it") {
		t.Errorf("opened twice: %v", err)
	}
	if err := j.Add(scan.Result{Target: space.At(1), State: result.StateClosed, Reason: result.ReasonReset, Time: now}, nil); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = mustOpen(t, name, key)
	if j.Done() != 5 || len(earlierOf(t, j)) != 5 {
		t.Errorf("after going on: %d done", j.Done())
	}
	if err := j.Remove(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(name); err == nil {
		t.Error("the file is still there")
	}
}

// TestTakenBack takes a closed pair back: it is asked again until another
// result is added, and that one alone is told.
func TestTakenBack(t *testing.T) {
	name := filepath.Join(t.TempDir(), "progress")
	space := scopetest.Space(t, scopetest.Set(t, "10.0.0.0/30"), 25)
	key := Key{Space: space, Options: "connect", Seed: 7}
	j := mustOpen(t, name, key)
	add := func(i uint64, state result.State, note string) {
		t.Helper()
		if err := j.Add(scan.Result{Target: space.At(i), State: state, Reason: result.ReasonReset, Time: time.Now()}, []byte(note)); err != nil {
			t.Fatal(err)
		}
	}
	reopen := func() {
		t.Helper()
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		j = mustOpen(t, name, key)
	}
	asked := func() (list []uint64) {
		order := scope.NewOrder(space.Len(), j.Seed())
		for place := range space.Len() {
			if !j.Skip(place) {
				list = append(list, order.At(place))
			}
		}
		slices.Sort(list)
		return list
	}
	for i := range uint64(3) {
		add(i, result.StateClosed, "")
	}
	for _, i := range []uint64{1, 1, 3} { // twice does nothing, nor does what was never added
		if err := j.TakeBack(space.At(i)); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 {
		if got := asked(); !slices.Equal(got, []uint64{1, 3}) {
			t.Errorf("to be asked: %d", got)
		}
		reopen()
	}
	if got := earlierOf(t, j); len(got) != 2 || j.Done() != 2 || got[space.At(1)] != "" {
		t.Errorf("done with %d: %v", j.Done(), got)
	}
	add(1, result.StateOpen, "smtp")
	for range 2 {
		if got := asked(); !slices.Equal(got, []uint64{3}) {
			t.Errorf("to be asked: %d", got)
		}
		reopen()
	}
	if got := earlierOf(t, j); len(got) != 3 || !strings.HasPrefix(got[space.At(1)], "open ") || !strings.HasSuffix(got[space.At(1)], " smtp") {
		t.Errorf("done with: %v", got)
	}
	if err := j.TakeBack(netip.MustParseAddrPort("10.9.9.9:25")); err == nil {
		t.Error("a pair of another sweep is taken back")
	}
}

func TestErrors(t *testing.T) {
	dir := t.TempDir()
	space := scopetest.Space(t, scopetest.Set(t, "10.0.0.0/28"), 25)
	key := Key{Space: space, Options: "connect", Seed: 7}
	name := filepath.Join(dir, "progress")
	begun := mustOpen(t, name, key)
	if err := errors.Join(begun.Flush(), begun.Close()); err != nil {
		t.Fatal(err)
	}
	older := filepath.Join(dir, "older")
	if err := os.WriteFile(older, []byte("mxsweep resume 1\n{\"key\":\"ab\"}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	foreign := filepath.Join(dir, "foreign")
	if err := os.WriteFile(foreign, []byte("dear diary\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	part, err := space.Shard(1, 2)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		file string
		key  Key
		want string
	}{
		{name, Key{Space: space, Options: "syn", Seed: 7}, "belongs to another sweep"},
		{name, Key{Space: part, Options: "connect", Seed: 7}, "belongs to another sweep"},
		{name, Key{Space: scopetest.Space(t, scopetest.Set(t, "10.0.0.0/28"), 26), Options: "connect", Seed: 7}, "belongs to another sweep"},
		{name, Key{Space: space, Options: "connect", Seed: 8}, "started with --seed 7"},
		{name, Key{Space: space, Options: "connect", Build: "another", Seed: 7}, "with another version of mxsweep, or other signatures"},
		{older, key, "another version of mxsweep, in format 1"},
		{foreign, key, "is not a resume file"},
		{os.DevNull, key, "not a regular file"},
		{filepath.Join(dir, "no", "such", "dir"), key, "cannot open"},
		{dir, key, "not a regular file"},
	} {
		_, err := Open(c.file, c.key)
		var f *fault.Error
		if !errors.As(err, &f) || !strings.Contains(err.Error(), c.want) || f.Hint == "" || (f.Kind == fault.Failed) != (c.want == "cannot open") {
			t.Errorf("error %v, want %q", err, c.want)
		}
	}
	if text, err := os.ReadFile(foreign); err != nil || string(text) != "dear diary\n" {
		t.Errorf("the foreign file is now %q, %v", text, err)
	}
}

// TestCutAnywhere cuts a journal at every byte, as a crash might: all
// frames in front of the cut are there, nothing else, and it goes on.
func TestCutAnywhere(t *testing.T) {
	dir := t.TempDir()
	space := scopetest.Space(t, scopetest.Set(t, "10.0.0.0/28"), 25)
	key := Key{Space: space, Seed: 7}
	name := filepath.Join(dir, "progress")
	j := mustOpen(t, name, key)
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	var ends []int64
	for i := range uint64(8) {
		if err := j.Add(scan.Result{Target: space.At(i), State: result.StateOpen, Reason: result.ReasonSynAck, Time: time.Now()}, []byte("note")); err != nil {
			t.Fatal(err)
		}
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		ends = append(ends, info.Size())
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	for cut := j.at; cut <= int64(len(whole)); cut++ {
		broken := bytes.Clone(whole[:cut])
		if cut%2 == 0 && cut < int64(len(whole)) {
			broken = append(broken, 0xff, 0, 0xff) // or other bytes in their place
		}
		if err := os.WriteFile(name, broken, 0o600); err != nil {
			t.Fatal(err)
		}
		want, found := slices.BinarySearch(ends, cut)
		if found {
			want++
		}
		j := mustOpen(t, name, key)
		if j.Done() != uint64(want) || len(earlierOf(t, j)) != want {
			t.Fatalf("cut at %d: %d done, want %d", cut, j.Done(), want)
		}
		if err := j.Add(scan.Result{Target: space.At(9), State: result.StateClosed, Reason: result.ReasonReset}, nil); err != nil {
			t.Fatal(err)
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
		j = mustOpen(t, name, key)
		if j.Done() != uint64(want)+1 {
			t.Fatalf("cut at %d and gone on: %d done", cut, j.Done())
		}
		if err := j.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestUntouched: a journal that is opened and closed by a run which does
// not begin stays byte for byte as it was, its torn end too.
func TestUntouched(t *testing.T) {
	name := filepath.Join(t.TempDir(), "progress")
	space := scopetest.Space(t, scopetest.Set(t, "10.0.0.0/28"), 25)
	key := Key{Space: space, Seed: 7}
	if err := mustOpen(t, name, key).Close(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(name); err != nil || info.Size() != 0 {
		t.Errorf("a run that did not begin wrote %v, %v", info, err)
	}
	j := mustOpen(t, name, key)
	if err := errors.Join(j.Add(scan.Result{Target: space.At(3), State: result.StateClosed, Reason: result.ReasonReset}, []byte("x")), j.Close()); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	torn := append(whole, 0, 0, 0)
	if err := os.WriteFile(name, torn, 0o600); err != nil {
		t.Fatal(err)
	}
	j = mustOpen(t, name, key)
	if len(earlierOf(t, j)) != 1 {
		t.Error("the earlier result is lost")
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if after, err := os.ReadFile(name); err != nil || !bytes.Equal(after, torn) {
		t.Errorf("it held %q and holds %q, %v", torn, after, err)
	}
}

// TestReasons: every state, reason and sender that a result can have
// comes back.
func TestReasons(t *testing.T) {
	name := filepath.Join(t.TempDir(), "progress")
	space := scopetest.Space(t, scopetest.Set(t, "10.0.0.0/24"), 25)
	key := Key{Space: space, Seed: 7}
	j := mustOpen(t, name, key)
	var want []scan.Result
	for i, reason := range []result.Reason{result.ReasonSynAck, result.ReasonConnRefused, result.ReasonReset, result.ReasonNoResponse, result.ReasonHostUnreach, result.ReasonNetUnreach,
		result.ReasonAdminProhibited, result.ReasonConnectionClosed, result.ReasonIOTimeout, result.ReasonHandshakeError, result.ReasonProtocolError,
		result.ReasonOutOfScope, result.ReasonRateLimited, result.ReasonBlocked, result.ReasonZeroWindow, result.ReasonUnacknowledged, result.ReasonHostTimeout, result.ReasonUnknown} {
		for k, from := range []netip.Addr{{}, netip.MustParseAddr("192.0.2.1"), netip.MustParseAddr("fe80::1%eth0")} {
			r := scan.Result{Target: space.At(uint64(3*i + k)), State: result.StateFiltered, Reason: reason, From: from, Attempts: 1, Time: time.Unix(1, 0).UTC()}
			want = append(want, r)
			if err := j.Add(r, nil); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	j = mustOpen(t, name, key)
	defer j.Close()
	var got []scan.Result
	if err := j.Earlier(func(r scan.Result, _ []byte) error {
		got = append(got, r)
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestPlaceSet(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 1))
	var s placeSet
	naive := map[uint64]bool{}
	const n = 5 * pageSize
	for range 3 * n {
		at := r.Uint64N(n)
		if s.add(at) == naive[at] {
			t.Fatalf("place %d: added %v", at, naive[at])
		}
		naive[at] = true
	}
	for at := range uint64(n) {
		if s.has(at) != naive[at] {
			t.Fatalf("place %d: %v", at, !naive[at])
		}
		s.add(at)
	}
	if s.count != n || len(s.pages) != 0 || s.full != 5 || s.has(n) {
		t.Errorf("a full set: %d places, %d pages", s.count, len(s.pages))
	}
}

const killed = "MXSWEEP_TEST_KILLED"

// TestKilledRuns kills a run at random moments, again and again, until it is
// through: together the runs report every pair, none is lost, and no more are
// repeated than were under way.
func TestKilledRuns(t *testing.T) {
	space := scopetest.Space(t, scopetest.Set(t, "10.0.0.0/20"), 25, 143)
	key := Key{Space: space, Seed: 7}
	if dir := os.Getenv(killed); dir != "" {
		runToBeKilled(t, dir, key)
		return
	}
	dir := t.TempDir()
	kills := 0
	for through := false; !through; kills++ {
		if kills > 500 {
			t.Fatal("it does not get on")
		}
		cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKilledRuns$")
		cmd.Env = append(os.Environ(), killed+"="+dir)
		out, err := cmd.CombinedOutput()
		if through = err == nil; !through && bytes.Contains(out, []byte("FAIL")) {
			t.Fatalf("%v\n%s", err, out)
		}
	}
	text, err := os.ReadFile(filepath.Join(dir, "report"))
	if err != nil {
		t.Fatal(err)
	}
	reported := map[string]int{}
	lines := 0
	for line := range strings.Lines(string(text)) {
		reported[line]++
		lines++
	}
	if uint64(len(reported)) != space.Len() {
		t.Errorf("%d of %d pairs are reported", len(reported), space.Len())
	}
	const underWay = 64 + 2048 // the concurrency, and what one frame holds
	if repeated := lines - len(reported); repeated > kills*underWay {
		t.Errorf("%d pairs are repeated after %d kills", repeated, kills)
	}
	j := mustOpen(t, filepath.Join(dir, "progress"), key)
	defer j.Close()
	if got := earlierOf(t, j); uint64(len(got)) != space.Len() {
		t.Errorf("the journal holds %d of %d pairs", len(got), space.Len())
	}
}

// runToBeKilled is TestKilledRuns in the process that is killed.
func runToBeKilled(t *testing.T, dir string, key Key) {
	j := mustOpen(t, filepath.Join(dir, "progress"), key)
	report, err := os.OpenFile(filepath.Join(dir, "report"), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	self, err := os.FindProcess(os.Getpid())
	if err != nil {
		t.Fatal(err)
	}
	var left atomic.Int64
	left.Store(rand.Int64N(int64(key.Space.Len() / 3)))
	c, err := scan.NewConnect(scan.Config{Scope: scopetest.Set(t, "10.0.0.0/20"), Seed: j.Seed(), Skip: j.Skip, Concurrency: 64,
		Dial: func(_ context.Context, to netip.AddrPort) (net.Conn, error) {
			if left.Add(-1) == 0 {
				self.Kill()
			}
			if to.Addr().As4()[3]%16 == 0 {
				return nil, syscall.ECONNRESET // open
			}
			return nil, syscall.ECONNREFUSED
		}})
	if err != nil {
		t.Fatal(err)
	}
	for r := range c.Scan(t.Context(), key.Space) {
		if _, err := fmt.Fprintln(report, r.Target, r.State); err != nil {
			t.Fatal(err)
		}
		var note []byte
		if r.State == result.StateOpen {
			note = []byte("what was found there")
		}
		if err := j.Add(r, note); err != nil {
			t.Fatal(err)
		}
	}
	if s := c.Stats(); s.Done != s.Planned {
		t.Errorf("done with %d of %d", s.Done, s.Planned)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
}

func FuzzJournal(f *testing.F) {
	space := scopetest.Space(f, scopetest.Set(f, "10.0.0.0/28"), 25)
	frame := appendRecord(nil, 3, scan.Result{State: result.StateOpen, Reason: result.ReasonSynAck, RTT: 5, Attempts: 1}, []byte("note"))
	f.Add(sealFrame(frame))
	f.Add([]byte{0, 0, 0, 1, 0, 0, 0, 0, 7})
	f.Fuzz(func(t *testing.T, data []byte) {
		j := &File{space: space, order: scope.NewOrder(space.Len(), 1), head: header{Pairs: space.Len()}}
		take := func(r record) { _ = j.result(r) }
		_ = readFrames(bytes.NewReader(data), 0, func(payload []byte, next int64) error {
			if next > int64(len(data)) {
				t.Fatalf("the next frame is at %d of %d", next, len(data))
			}
			return j.records(payload, take)
		})
		if err := j.records(data, take); err != nil && !errors.Is(err, errRecord) {
			t.Fatal(err)
		}
	})
}

// TestMarks keeps the last mark beside the results, whatever came
// between and behind it.
func TestMarks(t *testing.T) {
	name := filepath.Join(t.TempDir(), "progress")
	space := scopetest.Space(t, scopetest.Set(t, "10.0.0.0/28"), 25)
	key := Key{Space: space, Options: "syn", Seed: 7}
	j := mustOpen(t, name, key)
	if j.Marked() != nil {
		t.Errorf("a new journal has the mark %q", j.Marked())
	}
	for n, mark := range []string{"one", "two"} {
		r := scan.Result{Target: space.At(uint64(n)), State: result.StateClosed, Reason: result.ReasonReset, Attempts: 1, Time: time.Unix(1, 0)}
		if err := errors.Join(j.Add(r, nil), j.Mark([]byte(mark))); err != nil {
			t.Fatal(err)
		}
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	if err := j.Mark(nil); err == nil {
		t.Error("a closed journal takes a mark")
	}
	j = mustOpen(t, name, key)
	defer j.Close()
	if got := earlierOf(t, j); string(j.Marked()) != "two" || len(got) != 2 || j.Done() != 2 {
		t.Errorf("marked %q, %d results, %d done", j.Marked(), len(got), j.Done())
	}
}
