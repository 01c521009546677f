package journal

import (
	"bytes"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope/scopetest"
)

// TestLongJournal reads long journals, which have no bound of size: they are read piece
// by piece, so that memory depends on the pairs that are missing in between and on those
// that were taken back, and not on the length of the file.
func TestLongJournal(t *testing.T) {
	space := scopetest.Space(t, scopetest.Set(t, "10.0.0.0/10"), 25, 143)
	closed := scan.Result{State: result.StateClosed, Reason: result.ReasonReset, Attempts: 1, RTT: time.Millisecond, Time: time.Unix(1764000000, 0)}
	open := closed
	open.State, open.Reason = result.StateOpen, result.ReasonSynAck
	retracted := scan.Result{State: result.StateUnknown, Reason: result.ReasonUnknown}
	note := bytes.Repeat([]byte("note"), 512)
	for name, c := range map[string]struct {
		length int // of the file, at least
		record func(frame []byte, i uint64) []byte
		most   uint64 // bytes of memory
	}{
		"results":    {64 << 20, func(frame []byte, i uint64) []byte { return appendRecord(frame, i, closed, nil) }, 16 << 20},
		"open ports": {64 << 20, func(frame []byte, i uint64) []byte { return appendRecord(frame, i, open, note) }, 16 << 20},
		"in any order": {16 << 20, func(frame []byte, i uint64) []byte {
			return appendRecord(frame, i*7919%space.Len(), closed, nil)
		}, 16 << 20},
		"taken back": {16 << 20, func(frame []byte, i uint64) []byte {
			return appendRecord(appendRecord(frame, i, closed, nil), i, retracted, nil)
		}, 48 << 20},
	} {
		t.Run(name, func(t *testing.T) {
			file, key := filepath.Join(t.TempDir(), "progress"), Key{Space: space, Options: "connect", Seed: 7}
			records := writeLong(t, file, key, c.length, c.record)
			before := heap()
			j := mustOpen(t, file, key)
			defer j.Close()
			most, n := max(heap(), before)-before, uint64(0)
			if err := j.Earlier(func(scan.Result, []byte) error {
				if n++; n == records/2 {
					most = max(most, max(heap(), before)-before)
				}
				return nil
			}); err != nil {
				t.Fatal(err)
			}
			if most > c.most {
				t.Errorf("%d records take %d bytes, want at most %d", records, most, c.most)
			}
			if n != j.Done() || n != records && name != "taken back" {
				t.Errorf("%d of %d results were read, %d are done", n, records, j.Done())
			}
			t.Logf("%d records take %d KiB", records, most>>10)
		})
	}
}

// heap returns how much memory is in use.
func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

// writeLong writes a journal of at least so many bytes, and returns how many records
// were asked for.
func writeLong(t *testing.T, name string, key Key, length int, record func(frame []byte, i uint64) []byte) (n uint64) {
	t.Helper()
	j := mustOpen(t, name, key)
	if err := j.Flush(); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for length > 0 {
		var frame []byte
		for len(frame) < 64<<10 {
			frame = record(frame, n)
			n++
		}
		if _, err := f.Write(sealFrame(frame)); err != nil {
			t.Fatal(err)
		}
		length -= len(frame)
	}
	return n
}
