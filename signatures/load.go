package signatures

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/internal/jsonfault"
	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/internal/userfile"
)

// maxFile is the longest file that is read.
const maxFile = 8 << 20

// A Source is a folder of files.
type Source struct {
	// Name stands before the names of the files in errors.
	Name string
	FS   fs.FS
}

// Builtin is the source of the built-in files.
func Builtin() Source { return Source{"signatures", builtin} }

// Default returns the built-in signatures, which are read at the first call.
func Default() (*Set, error) { return readBuiltin() }

var readBuiltin = sync.OnceValues(func() (*Set, error) { return Load(Builtin()) })

// Load reads all *.yaml files of the sources, in their order, except ports.yaml. Ids
// must be unique over all of them. The error is a [Problems] with all errors and their
// positions. The examples of the signatures are only checked by [Set.Check].
func Load(sources ...Source) (*Set, error) {
	l := &loader{set: &Set{probes: make(map[string]*Probe)}, ids: make(map[string]Pos), patterns: make(patterns), sources: make(map[string]*userfile.Source)}
	for _, s := range sources {
		if err := l.source(s); err != nil {
			return nil, err
		}
	}
	if l.problems.Len() == 0 {
		// References between files are only checked if all of them could be read.
		l.resolve()
	}
	if err := l.problems.Err(); err != nil {
		return nil, err
	}
	l.set.sources = l.sources
	return l.set, nil
}

type loader struct {
	set      *Set
	ids      map[string]Pos // of probes, signatures and observations, kind before the id
	patterns patterns
	problems userfile.Collector
	sources  map[string]*userfile.Source // the files that were read
}

func (l *loader) source(s Source) error {
	names, err := fs.Glob(s.FS, "*.yaml")
	if err != nil {
		return fmt.Errorf("listing %q: %w", s.Name, err)
	}
	if len(names) == 0 {
		return &Problem{File: s.Name, Problem: "no signature files (*.yaml) in this directory", Hint: "name the directory that contains them"}
	}
	slices.Sort(names)
	names = slices.DeleteFunc(names, func(name string) bool { return name == "ports.yaml" })
	for p := range parse(s, names) {
		if p.err != nil {
			l.problems.Add(&Problem{File: p.file, Problem: p.err.Error(), Hint: "signature files must be readable and at most 8 MiB"})
			continue
		}
		d := p.decoder
		d.patterns, l.sources[d.File] = l.patterns, d.Source
		if p.root != nil {
			l.file(d, p.root, path.Base(p.file), s.FS)
		}
		l.problems.Take(d.Document)
	}
	return nil
}

// A parsedFile is a file as YAML, or why it could not be read.
type parsedFile struct {
	file    string
	decoder *decoder
	root    *yaml.Node // nil if it is not valid YAML
	err     error
}

// parse reads and parses files in their order, while the caller works through those that
// are done.
func parse(s Source, names []string) <-chan parsedFile {
	done := make(chan parsedFile, len(names))
	go func() {
		defer close(done)
		for _, name := range names {
			p := parsedFile{file: path.Join(s.Name, name)}
			var b []byte
			if b, p.err = read(s.FS, name); p.err == nil {
				p.decoder, p.root = newDecoder(p.file, b)
			}
			done <- p
		}
	}()
	return done
}

func read(fsys fs.FS, name string) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening %q: %w", name, err)
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading %q: %w", name, err)
	case len(b) > maxFile:
		return nil, fmt.Errorf("reading %q: longer than %d bytes", name, maxFile)
	}
	return b, nil
}

// file reads one file; its name says what is in it.
func (l *loader) file(d *decoder, root *yaml.Node, name string, fsys fs.FS) {
	set := l.set
	var version, imported string
	var found []*yaml.Node // signatures, to be read once it is known whether they are imported
	f := fields{"version": d.text(&version)}
	addsProtocols := func(*yaml.Node) {} // read first
	d.ownProtocols(root)
	switch name {
	case "probes.yaml":
		f["probes"] = d.each(func(n *yaml.Node) {
			p := d.probe(n)
			l.unique(d, n, "probe", p.ID)
			set.Probes = append(set.Probes, p)
			set.probes[p.ID] = p
		})
	case "observations.yaml":
		f["protocols"] = addsProtocols
		f["observations"] = d.each(func(n *yaml.Node) {
			o := d.observation(n)
			l.unique(d, n, "observation", o.ID)
			set.Observations = append(set.Observations, o)
		})
	case "proxies.yaml":
		f["proxies"] = d.each(func(n *yaml.Node) {
			p := d.proxy(n)
			l.unique(d, n, "proxy", p.ID)
			set.Proxies = append(set.Proxies, p)
		})
	case "stacks.yaml":
		f["stacks"] = d.each(func(n *yaml.Node) { set.Stacks = append(set.Stacks, d.stack(n)) })
	default:
		f["protocols"] = addsProtocols
		f["imported"] = d.oneOf(&imported, importSources...)
		f["signatures"] = d.each(func(n *yaml.Node) { found = append(found, n) })
	}
	d.mapping(root, f)
	for _, n := range found {
		s := d.signature(n, imported)
		l.unique(d, n, "signature", s.ID)
		d.transcripts(s, fsys)
		if imported == "" {
			set.Signatures = append(set.Signatures, s)
		} else {
			set.Imported = append(set.Imported, s)
		}
	}
	if name == "probes.yaml" {
		set.ProbesVersion = cmp.Or(set.ProbesVersion, version)
	}
}

func (l *loader) unique(d *decoder, n *yaml.Node, kind, id string) {
	if id == "" {
		return
	}
	if at, taken := l.ids[kind+" "+id]; taken {
		d.fail(n, "the first one is at "+at.String(), "duplicate %s %q", kind, id)
	}
	l.ids[kind+" "+id] = d.pos(n)
}

// transcripts reads the files of the examples.
func (d *decoder) transcripts(s *Signature, fsys fs.FS) {
	for i := range s.Examples {
		e := &s.Examples[i]
		if e.File == "" {
			continue
		}
		b, err := read(fsys, e.File)
		if err == nil {
			e.Seen, err = readTranscript(bytes.NewReader(b))
		}
		if err != nil {
			d.failAt(e.Pos, "file: is a recording by mxsweep signatures record, relative to the directory of the signature", "example of signature %q: %v", s.ID, err)
		}
	}
}

// readTranscript reads a transcript file, which is a single JSON value with known
// probes, at most one exchange for each, and known ends.
func readTranscript(r io.Reader) (Transcript, error) {
	var t Transcript
	d := json.NewDecoder(io.LimitReader(r, maxFile))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return Transcript{}, fmt.Errorf("reading a transcript: %w", jsonfault.Plain(err))
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return Transcript{}, errors.New("reading a transcript: data after its end")
	}
	for i := range t.Exchanges {
		switch ex := &t.Exchanges[i]; {
		case ex.Probe == "":
			return Transcript{}, fmt.Errorf("reading a transcript: exchange %d names no probe", i+1)
		case t.Find(ex.Probe) != ex:
			return Transcript{}, fmt.Errorf("reading a transcript: duplicate probe %q", ex.Probe)
		case !slices.Contains(ends, ex.End):
			return Transcript{}, fmt.Errorf("reading a transcript: probe %q: ended is %q, not one of %s", ex.Probe, ex.End, strings.Join(ends, ", "))
		case ex.Handshake != "" && ex.Handshake != HandshakeComplete && ex.Handshake != HandshakeFailed:
			return Transcript{}, fmt.Errorf("reading a transcript: probe %q: unknown handshake %q", ex.Probe, ex.Handshake)
		}
	}
	return t, nil
}

// resolve checks the references between files.
func (l *loader) resolve() {
	greeting := l.set.probes[Greeting]
	if greeting == nil || len(greeting.Send) > 0 {
		l.fail(Pos{"signatures/probes.yaml", 1, 1}, "remove it from the directory, or give it another id", "there is no probe %q that only listens", Greeting)
	}
	for i, p := range l.set.Probes {
		l.known(p.After, "probe", p.ID)
		if p.ID == Goodbye && p.Connection == LastConnection || p.Connection == OwnConnection || p.Connection == FirstConnection {
			continue
		}
		if before := slices.IndexFunc(l.set.Probes[:i], func(o *Probe) bool { return o.ID == p.Connection }); before < 0 {
			l.fail(p.Pos, "name a probe that comes before it, or own or first", "probe %q continues the connection of %q, which is not a probe before it", p.ID, p.Connection)
		}
	}
	slices.SortStableFunc(l.set.Imported, func(a, b *Signature) int { return b.Confidence - a.Confidence })
	for _, s := range slices.Concat(l.set.Signatures, l.set.Imported) {
		l.known(s.When, "signature", s.ID)
		l.known(s.Extract, "signature", s.ID)
		l.known(s.Through, "signature", s.ID)
		for _, id := range s.Behind {
			l.probe(id, s.Pos, "signature", s.ID)
		}
		for i := range s.Examples {
			l.example("signature", s.ID, &s.Examples[i])
		}
	}
	for _, o := range l.set.Observations {
		l.known(o.When, "observation", o.ID)
	}
	for _, p := range l.set.Proxies {
		l.known(p.When, "proxy", p.ID)
		for i := range p.Examples {
			l.example("proxy", p.ID, &p.Examples[i])
		}
	}
}

// example fills in what was sent if it is not written.
func (l *loader) example(kind, id string, e *Example) {
	for i := range e.Seen.Exchanges {
		ex := &e.Seen.Exchanges[i]
		l.probe(ex.Probe, e.Pos, kind, id)
		if p := l.set.probes[ex.Probe]; p != nil && ex.Sent == nil {
			ex.Sent = p.Send
		}
	}
}

func (l *loader) known(conditions []Condition, kind, id string) {
	for i := range conditions {
		conditions[i].probes(func(probe string, at Pos) { l.probe(probe, at, kind, id) })
	}
}

func (l *loader) probe(probe string, at Pos, kind, id string) {
	if l.set.probes[probe] == nil {
		l.fail(at, spelling.Hint(l.set.probeIDs(), probe, `"mxsweep signatures list --probes" lists the probes`), "%s %q: there is no probe %q", kind, id, probe)
	}
}

// probeIDs are the ids of all probes.
func (set *Set) probeIDs() []string {
	var ids []string
	for _, p := range set.Probes {
		ids = append(ids, p.ID)
	}
	return ids
}

// show gives a problem its line, if its file is known.
func show(sources map[string]*userfile.Source, p *Problem) *Problem {
	if s := sources[p.File]; s != nil {
		s.Show(p)
	}
	return p
}

func (l *loader) fail(at Pos, help, format string, args ...any) {
	l.problems.Add(show(l.sources, problem(at, help, fmt.Sprintf(format, args...))))
}

const (
	// sure is the maximum confidence of a signature that also matches other products.
	sure = 8

	// MaxImported is the maximum confidence of an imported signature.
	MaxImported = 5
	// MaxUntested is the maximum of an imported signature without an example.
	MaxUntested = 4
)

// checkSignature refuses signatures that say too little, or are too sure. Where a
// value was wrong, not right, it looks for missing keys alone.
func (d *decoder) checkSignature(n *yaml.Node, s *Signature, right bool) {
	switch {
	case d.lacks(n, fmt.Sprintf("signature %q", s.ID), "id", "protocol", "role", "confidence", "source"), !right:
	case len(s.When) == 0:
		d.fail(n, "add when: with a condition", "signature %q has no condition", s.ID)
	case s.Imported != "" && s.Confidence > MaxImported, s.Imported != "" && len(s.Examples) == 0 && s.Confidence > MaxUntested:
		d.fail(n, fmt.Sprintf("at most %d, and %d without an example", MaxImported, MaxUntested), "signature %q: confidence %d of an imported signature", s.ID, s.Confidence)
	case s.Imported != "" && (s.Product == "" || s.Through != nil || s.Behind != nil || s.Alternatives != nil):
		d.fail(n, "name the product, and omit through, behind and alternatives", "signature %q: an imported signature only names a product", s.ID)
	case len(s.Examples) == 0 && s.Imported == "":
		d.fail(n, "record one with: mxsweep signatures record HOST:PORT", "signature %q: no example", s.ID)
	case s.Confidence > sure && s.Alternatives != nil:
		d.fail(n, fmt.Sprintf("a confidence above %d means that no other product matches", sure), "signature %q: confidence %d, and alternatives", s.ID, s.Confidence)
	case s.ProductConfidence > s.Confidence, s.ProductConfidence > 0 && s.Product == "":
		d.fail(n, "name the product, and make product_confidence less than confidence", "signature %q: product_confidence %d, and confidence %d of the product %q", s.ID, s.ProductConfidence, s.Confidence, s.Product)
	case s.CPE != "" && !strings.HasPrefix(s.CPE, "cpe:2.3:"):
		d.fail(n, "write it like cpe:2.3:a:postfix:postfix:*:*:*:*:*:*:*:*", "signature %q: the CPE is not a CPE 2.3 formatted string", s.ID)
	}
}
