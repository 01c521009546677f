// Package journal keeps a file of the pairs that a run has finished, so that a later
// run of the same sweep continues from there.
package journal

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net/netip"
	"os"
	"sync"
	"time"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/outfile"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// A File is where a run records each finished pair and its result, so that a later run
// of the same sweep continues from there.
//
// A pair is in the file completely or not at all, even if the process is killed:
// recorded pairs are kept, all others are probed again. Its methods may be called from
// several goroutines at once.
type File struct {
	name  string
	space *scope.Space
	order scope.Order
	head  header
	at    int64 // offset of the first frame

	mu      sync.Mutex
	file    *os.File
	end     int64 // offset of the next frame; 0 if the header is not written yet
	ready   bool  // the incomplete end is cut off, and the header is written
	done    placeSet
	undone  map[uint64]bool // places in done whose result was taken back and not added again
	stale   map[uint64]bool // places whose closed result was taken back by earlier runs
	mark    []byte          // the last one that was read
	earlier uint64
	frame   []byte    // records that are not written yet
	since   time.Time // when the first of them was added
	failed  error
}

// Open opens the journal of a sweep, or creates it if the file does not exist or is
// empty. It is a usage error if the file belongs to another sweep, is not a
// journal, or is in use by another process. The file does not change before the first
// Add, Mark or Flush, which also removes an incomplete end that a killed run left.
func Open(name string, key Key) (*File, error) {
	j := &File{name: name, space: key.Space}
	build := sha256.Sum256([]byte(key.Build))
	j.head = header{Key: key.hash(), Build: hex.EncodeToString(build[:]), Seed: key.Seed, Pairs: key.Space.Len(), Began: time.Now().UTC().Truncate(time.Second)}
	// Other files cannot be rewound, and opening some of them blocks forever.
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() {
		return nil, wrongFile(name, "use a regular file", "not a regular file")
	}
	var err error
	if j.file, err = os.OpenFile(name, os.O_RDWR|os.O_CREATE, 0o600); err != nil {
		return nil, failed(name, "choose a writable file", "cannot open", err)
	}
	if err := j.open(key); err != nil {
		j.file.Close() // the first error matters
		return nil, err
	}
	return j, nil
}

// open reads the file, or creates it.
func (j *File) open(key Key) error {
	// The lock of a process that was just killed may remain for a moment.
	for begun := time.Now(); outfile.TryLock(j.file) == outfile.ErrLocked; time.Sleep(20 * time.Millisecond) {
		if time.Since(begun) < time.Second {
			continue
		}
		return wrongFile(j.name, "wait for that run, or choose another file", "another run is using it")
	}
	info, err := j.file.Stat()
	if err != nil {
		return j.trouble("cannot read", err)
	}
	if info.Size() == 0 {
		j.order = scope.NewOrder(j.head.Pairs, j.head.Seed)
		return nil
	}
	if err := j.readHead(key); err != nil {
		return err
	}
	end := j.at
	err = j.frames(func(payload []byte, next int64) error {
		end = next
		return j.records(payload, func(r record) {
			if r.place == j.head.Pairs {
				j.mark = bytes.Clone(r.note)
				return
			}
			if j.done.add(r.place); r.state == result.StateUnknown {
				j.undo(r.place)
				j.stale[r.place] = true
				return
			}
			delete(j.undone, r.place)
		})
	})
	if err != nil {
		return err
	}
	j.earlier = j.done.count - uint64(len(j.undone))
	j.end = end
	return nil
}

// trouble returns an error of the file system.
func (j *File) trouble(problem string, err error) error {
	return failed(j.name, "check the disk and the permissions of the file", problem, err)
}

// Damaged is the error of a journal whose content no run has written; err is the
// cause.
func (j *File) Damaged(err error) error {
	return failed(j.name, "delete it and start over", "the file is damaged", err)
}

// wrongFile is the error of a file that the run cannot be resumed from.
func wrongFile(name, hint, format string, args ...any) error {
	return fault.Usagef(hint, "resuming from %q: %s", name, fmt.Sprintf(format, args...))
}

// failed is the error of an operation on the file.
func failed(name, hint, problem string, err error) error {
	return fault.Hintf(hint, "resuming from %q: %s: %w", name, problem, fault.WithoutPath(err))
}

// errForeign is the error for a pair that is not in the space of the journal.
var errForeign = errors.New("not part of the sweep")

// Seed returns the order of the run, for [scan.Config].Seed.
func (j *File) Seed() uint64 { return j.head.Seed }

// Began returns when the first run of the sweep began.
func (j *File) Began() time.Time { return j.head.Began }

// Done returns how many pairs earlier runs have finished.
func (j *File) Done() uint64 { return j.earlier }

// Skip reports whether the pair at a place of the order was finished by this run or an
// earlier one: [scan.Config].Skip.
func (j *File) Skip(place uint64) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.done.has(place) && !j.undone[place]
}

// SkipIn is Skip for a run over a part of the pairs, which has an order of its own
// from the same seed.
func (j *File) SkipIn(part *scope.Space) func(place uint64) bool {
	if part == j.space {
		return j.Skip
	}
	order := scope.NewOrder(part.Len(), j.head.Seed)
	return func(place uint64) bool {
		number, ok := j.space.Index(part.At(order.At(place)))
		return ok && j.Skip(j.order.Place(number))
	}
}

// Earlier calls take with the results of earlier runs and their notes, in the order in
// which they were added. It stops at the first error and returns it. note is only
// valid during the call.
func (j *File) Earlier(take func(r scan.Result, note []byte) error) error {
	j.mu.Lock()
	left := j.earlier
	j.mu.Unlock()
	if left == 0 {
		return nil
	}
	var seen placeSet
	err := j.frames(func(payload []byte, _ int64) error {
		var failed error
		err := j.records(payload, func(r record) {
			if r.state == result.StateUnknown || r.state == result.StateClosed && j.stale[r.place] {
				return // taken back
			}
			if failed == nil && left > 0 && r.place < j.head.Pairs && seen.add(r.place) {
				left--
				failed = take(j.result(r), r.note)
			}
		})
		return errors.Join(err, failed)
	})
	return err
}

// Add records that a pair is finished, with the note that the caller needs to report
// it again. Results of StateUnknown are not recorded, so that they are probed again.
// After an error the file can no longer be written; all further calls return the error
// too.
//
// A result with a note is written at once; results without one are written together,
// within a moment, so that a killed run may probe a few of them again.
func (j *File) Add(r scan.Result, note []byte) error {
	if r.State == result.StateUnknown {
		return nil
	}
	number, ok := j.space.Index(r.Target)
	if !ok {
		return failed(j.name, "", r.Target.String(), errForeign)
	}
	if len(note) > maxFrame/2 {
		return failed(j.name, "", r.Target.String(), fmt.Errorf("a note of %d bytes is too long", len(note)))
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed != nil {
		return j.failed
	}
	place := j.order.Place(number)
	if !j.done.add(place) && !j.undone[place] {
		return nil
	}
	delete(j.undone, place)
	if len(j.frame) == 0 {
		j.since = time.Now()
	}
	j.frame = appendRecord(j.frame, place, r, note)
	const full, moment = 8 << 10, 50 * time.Millisecond
	if len(note) > 0 || len(j.frame) >= full || time.Since(j.since) >= moment {
		return j.write()
	}
	return nil
}

// TakeBack records that a result that was added as closed does not count: until another one
// is added, the pair is to be probed again. It does nothing for a pair without a
// result.
func (j *File) TakeBack(pair netip.AddrPort) error {
	number, ok := j.space.Index(pair)
	if !ok {
		return failed(j.name, "", pair.String(), errForeign)
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	place := j.order.Place(number)
	if j.failed != nil || !j.done.has(place) || j.undone[place] {
		return j.failed
	}
	j.undo(place)
	j.frame = appendRecord(j.frame, place, scan.Result{State: result.StateUnknown, Reason: result.ReasonUnknown}, nil)
	return j.write()
}

// undo records that the result at a place was taken back.
func (j *File) undo(place uint64) {
	if j.undone == nil {
		j.undone, j.stale = map[uint64]bool{}, map[uint64]bool{}
	}
	j.undone[place] = true
}

// Mark records how far the run is with pairs that have no result yet, in a form that
// only its engine understands. The last mark counts.
func (j *File) Mark(note []byte) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failed != nil {
		return j.failed
	}
	j.frame = appendRecord(j.frame, j.head.Pairs, scan.Result{State: result.StateUnknown, Reason: result.ReasonUnknown}, note)
	return j.write()
}

// Marked returns the last mark of earlier runs, nil if there is none.
func (j *File) Marked() []byte { return j.mark }

// Flush writes what has been added so far.
func (j *File) Flush() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.write()
}

// write writes the open frame in one call, so that a killed process has written all of
// it or nothing.
func (j *File) write() error {
	if j.failed != nil {
		return j.failed
	}
	if !j.ready {
		j.ready = true
		if j.failed = j.begin(); j.failed != nil {
			return j.failed
		}
	}
	if len(j.frame) == 0 {
		return nil
	}
	if _, err := j.file.Write(sealFrame(j.frame)); err != nil {
		j.failed = j.trouble("cannot write", err)
	}
	j.frame = j.frame[:0]
	return j.failed
}

// Close writes what has been added and closes the file, which stays. The file of a run
// that did not begin stays unchanged.
func (j *File) Close() error {
	j.mu.Lock()
	var err error
	if j.ready || len(j.frame) > 0 {
		err = j.write()
	}
	j.mu.Unlock()
	if err == nil {
		if err = j.file.Sync(); err != nil {
			err = j.trouble("cannot write", err)
		}
	}
	if e := j.file.Close(); e != nil && err == nil {
		err = j.trouble("cannot write", e)
	}
	return err
}

// Remove closes the journal of a sweep that is finished and reported, and deletes its
// file, or at least empties it, so that the next run starts from the beginning.
func (j *File) Remove() error {
	// Without the right to write to the directory the file can still be emptied, which
	// has the same effect on the next run.
	emptied := j.file.Truncate(0)
	j.file.Close() // its content is no longer needed
	if err := os.Remove(j.name); err != nil && !errors.Is(err, fs.ErrNotExist) && emptied != nil {
		return j.trouble("cannot delete", err)
	}
	return nil
}
