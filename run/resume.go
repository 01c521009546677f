package run

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/gob"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"iter"
	"net/netip"
	"os"
	"path"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/internal/engine"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/journal"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/scan/syn"
	"github.com/mxsweep/mxsweep/signatures"
)

// A resumption is the open journal of --resume. The nil resumption has no earlier
// run and writes nothing.
type resumption struct {
	*journal.File
	found bool // the file existed before this run
	ended bool
}

// A resumeNote is what the journal stores about an open port besides its state,
// so that it needs no second dialogue.
type resumeNote struct {
	// Service is the service, nil if it is not known.
	Service *fingerprint.Identification

	// SkippedBusyHost is set if there was no dialogue because the host has too
	// many open ports.
	SkippedBusyHost bool
}

// openResumption opens the journal of --resume, if there is one, and uses its
// order of the sweep.
func (p *Plan) openResumption(ctx context.Context) error {
	name := p.opts.Resume
	if name == "" {
		return nil
	}
	build, err := p.resumeBuild()
	if err != nil {
		return fault.As(fault.Usage, err)
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	_, absent := os.Lstat(name)
	j, err := journal.Open(name, journal.Key{Space: p.space, Options: p.resumeOptions(), Build: build, Seed: p.seed, AnySeed: p.opts.Seed == nil})
	if err != nil {
		return err
	}
	p.resumed, p.seed = &resumption{File: j, found: absent == nil}, j.Seed()
	return nil
}

// resumeOptions returns all options that affect the meaning of a result, except
// for the pairs.
func (p *Plan) resumeOptions() string {
	f := &p.opts
	return fmt.Sprintf("scope=%s mode=%s retries=%d timeout=%s greeting=%s identify=%t intrusive=%t",
		p.scopeSHA256, f.Mode, f.retries, f.Timeout, f.GreetingTimeout, !f.NoIdentify, f.Intrusive)
}

// resumeBuild identifies what assesses results: the program and its signatures.
func (p *Plan) resumeBuild() (string, error) {
	h := sha256.New()
	sources := []signatures.Source{signatures.Builtin()}
	for _, dir := range p.opts.Signatures {
		sources = append(sources, signatures.Source{Name: dir, FS: os.DirFS(dir)})
	}
	if p.opts.NoIdentify {
		sources = nil
	}
	for _, s := range sources {
		if err := hashFiles(h, s.FS); err != nil {
			return "", fmt.Errorf("reading signatures %q: %w", s.Name, fault.WithoutPath(err))
		}
	}
	return p.opts.Version + " " + hex.EncodeToString(h.Sum(nil)), nil
}

// hashFiles hashes names and contents of files that may be signatures.
func hashFiles(h hash.Hash, files fs.FS) error {
	return fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.Type().IsRegular() || path.Ext(name) != ".yaml" {
			return nil
		}
		f, err := files.Open(name)
		if err != nil {
			return err
		}
		defer f.Close()
		fmt.Fprintf(h, "%q\n", name)
		_, err = io.Copy(h, f)
		return err
	})
}

// skip returns scan.Config.Skip for the space of the sweep, or a part of it: nil
// if there is nothing to skip.
func (r *resumption) skip(space *scope.Space) func(place uint64) bool {
	if r == nil || r.Done() == 0 {
		return nil
	}
	return r.SkipIn(space)
}

// earlier yields the results of earlier runs: nil if there are none.
func (r *resumption) earlier() iter.Seq[scan.Result] {
	if r == nil || r.Done() == 0 {
		return nil
	}
	return func(yield func(scan.Result) bool) {
		errLeft := errors.New("enough")
		// The file was read before without an error; a result that cannot be read
		// now is probed again, and its new result is not recorded.
		_ = r.Earlier(func(r scan.Result, _ []byte) error {
			if !yield(r) {
				return errLeft
			}
			return nil
		})
	}
}

// unproven yields the pairs that earlier runs found silent before the host was
// known to be up, if up reports that it is up now: no control has shown that the
// host was there to answer.
func (r *resumption) unproven(up func(netip.Addr) bool) iter.Seq[netip.AddrPort] {
	return func(yield func(netip.AddrPort) bool) {
		earlier := r.earlier()
		if earlier == nil {
			return
		}
		heard := map[netip.Addr]bool{}
		for e := range earlier {
			switch addr := e.Target.Addr(); {
			case e.FromTarget():
				heard[addr] = true
			case e.State == result.StateFiltered && !heard[addr] && up(addr) && !yield(e.Target):
				return
			}
		}
	}
}

// add records a result that is reported. The journal returns its errors at the
// end, so that they do not affect the results.
func (r *resumption) add(result scan.Result, note *resumeNote) {
	if r == nil {
		return
	}
	var b bytes.Buffer
	if note != nil {
		// JSON is not used because its strings cannot hold bytes that are not
		// UTF-8.
		if err := gob.NewEncoder(&b).Encode(note); err != nil {
			return // it is probed again
		}
	}
	_ = r.Add(result, b.Bytes())
	if note != nil {
		// Flushed at once: a port with a dialogue is about to be reported, and is
		// the most expensive to repeat. Flush keeps its error for the end.
		_ = r.Flush()
	}
}

// takeBack records that a pair that was added as closed is not closed. The
// journal returns its errors at the end.
func (r *resumption) takeBack(pair netip.AddrPort) {
	if r != nil {
		_ = r.TakeBack(pair)
	}
}

// keep flushes the journal, with the progress of the engine, periodically and
// when ctx is done, because a second signal may leave no time, until stop is
// called.
func (r *resumption) keep(ctx context.Context, progress func() ([]byte, bool)) (stop func()) {
	if r == nil {
		return func() {}
	}
	const moment = 200 * time.Millisecond
	ticker := time.NewTicker(moment)
	over, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		stopped := ctx.Done()
		for {
			_ = r.Flush() // the journal keeps its error for the end
			if mark, ok := progress(); ok {
				_ = r.Mark(mark) // likewise
			}
			select {
			case <-ticker.C:
			case <-stopped:
				stopped = nil
			case <-over:
				return
			}
		}
	}()
	return func() {
		ticker.Stop()
		close(over)
		<-done
	}
}

// end closes the journal, and removes it if the run has probed everything and
// written all results.
func (r *resumption) end(complete bool) error {
	if r == nil || r.ended {
		return nil
	}
	r.ended = true
	if complete {
		return fault.As(fault.Failed, r.Remove())
	}
	return fault.As(fault.Failed, r.Close())
}

// drop closes the journal if the run did not begin. That of an earlier run stays.
func (r *resumption) drop() {
	if r != nil {
		_ = r.end(!r.found) // the reason why it did not begin matters more
	}
}

// notices returns a notice if results are older than the run.
func (r *resumption) notices(all uint64) []result.Notice {
	if r == nil || r.Done() == 0 {
		return nil
	}
	return []result.Notice{exposure.NewNotice(exposure.NoticeResumed, "", nil,
		"The run resumed one that started %s and had finished %d of %d ports.", r.Began().Format(time.RFC3339), r.Done(), all)}
}

// errNote reports an invalid note; the messages of package gob are not for users.
var errNote = errors.New("a record of a port cannot be read")

// replay reports the results of earlier runs of the same sweep again.
func (w *sweep) replay(ctx context.Context) error {
	if w.plan.resumed == nil {
		return nil
	}
	return w.plan.resumed.Earlier(func(r scan.Result, data []byte) error {
		w.see(ctx, r)
		if r.State == result.StateOpen && !w.engine.Recalls(r.Target) {
			w.resumedUncounted.Add(1)
		}
		if r.State != result.StateOpen || w.identifier == nil {
			return w.state(r)
		}
		var note resumeNote
		if err := gob.NewDecoder(bytes.NewReader(data)).Decode(&note); err != nil {
			return w.plan.resumed.Damaged(errNote)
		}
		w.queue.Recall(r.Target, note.Service)
		if note.SkippedBusyHost {
			w.skippedBusyHost.Add(1)
		}
		w.resumedOpen.Add(1)
		return w.name(r, note.Service)
	})
}

// beginAnew makes a later run probe silent pairs again, if this one could not
// show that their silence is meaningful: the progress recorded before does not
// count.
func (r *resumption) beginAnew(e *engine.Engine) {
	if r == nil {
		return
	}
	if mark, ok := e.Unproven(); ok {
		_ = r.Mark(mark) // the journal keeps its error for the end
	}
}

// begin returns the progress of the SYN engine in earlier runs: the zero Progress
// if there is none.
func (r *resumption) begin() syn.Progress {
	if r == nil {
		return syn.Progress{}
	}
	return engine.ReadCheckpoint(r.Marked())
}
