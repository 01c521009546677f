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

// A resumption is the journal of --resume while a run lasts. The nil resumption
// knows of no earlier run and writes nothing.
type resumption struct {
	*journal.File
	found bool // the file was there before this run
	ended bool
}

// A resumeNote is what the journal keeps of an open port besides its state, so
// that it need not be talked to again.
type resumeNote struct {
	// Service is what answers, nil if nothing is known of it.
	Service *fingerprint.Identification

	// SkippedBusyHost is set if the port was not talked to because its host has too
	// many.
	SkippedBusyHost bool
}

// openResumption opens the journal of --resume, if there is one, and takes the
// order of the sweep from it.
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

// resumeOptions is all that the user says which decides what a result means,
// the pairs apart.
func (p *Plan) resumeOptions() string {
	f := &p.opts
	return fmt.Sprintf("scope=%s mode=%s retries=%d timeout=%s greeting=%s identify=%t intrusive=%t",
		p.scopeSHA256, f.Mode, f.retries, f.Timeout, f.GreetingTimeout, !f.NoIdentify, f.Intrusive)
}

// resumeBuild is what judges results: the program and its signatures.
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

// hashFiles adds names and contents of the files that may hold signatures.
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

// skip is scan.Config.Skip for the pairs of the sweep, or a part of them: nil
// if there is nothing to skip.
func (r *resumption) skip(space *scope.Space) func(place uint64) bool {
	if r == nil || r.Done() == 0 {
		return nil
	}
	return r.SkipIn(space)
}

// earlier are the results of earlier runs: nil if there are none.
func (r *resumption) earlier() iter.Seq[scan.Result] {
	if r == nil || r.Done() == 0 {
		return nil
	}
	return func(yield func(scan.Result) bool) {
		errLeft := errors.New("enough")
		// The file was read once without an error; what cannot be read now is
		// asked again, and its second answer is not noted.
		_ = r.Earlier(func(r scan.Result, _ []byte) error {
			if !yield(r) {
				return errLeft
			}
			return nil
		})
	}
}

// unproven yields the pairs that earlier runs found silent before they had heard
// of the host, if up says that it is up by now: no control has shown that it was
// there to answer.
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

// add notes a result that is reported. The journal keeps its errors for the
// end: nothing that is found gets lost for them.
func (r *resumption) add(result scan.Result, note *resumeNote) {
	if r == nil {
		return
	}
	var b bytes.Buffer
	if note != nil {
		// Not as JSON, which takes no bytes that are not UTF-8 in strings.
		if err := gob.NewEncoder(&b).Encode(note); err != nil {
			return // it is asked again
		}
	}
	_ = r.Add(result, b.Bytes())
	if note != nil {
		// At once: a port that was talked to is about to be reported, and costs
		// most to ask again. Flush keeps its error for the end.
		_ = r.Flush()
	}
}

// takeBack notes that a pair which was added as closed is not. The journal keeps
// its errors for the end.
func (r *resumption) takeBack(pair netip.AddrPort) {
	if r != nil {
		_ = r.TakeBack(pair)
	}
}

// keep writes what was added, and how far the engine is, now and then and when
// ctx is done, until the function that it returns is called. A second signal
// may leave no time.
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
			_ = r.Flush() // its error is kept for the end
			if mark, ok := progress(); ok {
				_ = r.Mark(mark) // and so is this one
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

// end closes the journal. That of a run which has asked all, and has written
// all that it found, is of no further use.
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

// drop closes the journal if the run did not begin. What an earlier one left
// stays.
func (r *resumption) drop() {
	if r != nil {
		_ = r.end(!r.found) // why it did not begin matters more
	}
}

// notices tell that some results are older than the run.
func (r *resumption) notices(all uint64) []result.Notice {
	if r == nil || r.Done() == 0 {
		return nil
	}
	return []result.Notice{exposure.NewNotice(exposure.NoticeResumed, "", nil,
		"The run resumed one that started %s and had finished %d of %d ports.", r.Began().Format(time.RFC3339), r.Done(), all)}
}

// errNote tells of a note that is none, in other words than package gob does.
var errNote = errors.New("a record of a port cannot be read")

// replay reports again what earlier runs of the same sweep found, and what they
// were told of it.
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

// beginAnew has a later run ask again what stayed silent, if this one could not
// show that its silence means anything: marks that were noted before do not
// count.
func (r *resumption) beginAnew(e *engine.Engine) {
	if r == nil {
		return
	}
	if mark, ok := e.Unproven(); ok {
		_ = r.Mark(mark) // the journal keeps its error for the end
	}
}

// begin is how far the SYN engine of earlier runs was: nowhere if there is
// nothing of that kind.
func (r *resumption) begin() syn.Progress {
	if r == nil {
		return syn.Progress{}
	}
	return engine.ReadCheckpoint(r.Marked())
}
