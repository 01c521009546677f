package fix

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"go.yaml.in/yaml/v3"
)

//go:embed data/*.yaml
var builtin embed.FS

// proofsFile has the proofs, written by the tests with real daemons; reasonsFile
// has the reasons why fixes have no proof.
const (
	proofsFile  = "proofs.yaml"
	reasonsFile = "reasons.yaml"
)

// A Set holds fixes by id. Builtin and Load make one.
type Set struct {
	fixes []*Fix
	byID  map[string]*Fix
}

// Builtin returns the built-in fixes. They are read at the first call, which a
// run without findings never makes.
func Builtin() *Set { return readBuiltin() }

var readBuiltin = sync.OnceValue(mustBuiltin)

// mustBuiltin reads the built-in fixes.
func mustBuiltin() *Set {
	set, err := Load(builtin, "data")
	if err != nil {
		panic(fmt.Errorf("reading the built-in fixes: %w", err)) // only if a file in data is invalid
	}
	return set
}

// All returns all fixes, in the order of their files.
func (s *Set) All() []*Fix { return slices.Clone(s.fixes) }

// Lookup finds a fix by id; nil if there is none.
func (s *Set) Lookup(id string) *Fix { return s.byID[id] }

// A fixFile is the content of one file of fixes.
type fixFile struct {
	Sources map[string]sourceEntry `yaml:"sources"`
	Fixes   []fixEntry             `yaml:"fixes"`
}

type sourceEntry struct {
	Title string `yaml:"title"`
	URL   string `yaml:"url"`
}

type fixEntry struct {
	ID       string      `yaml:"id"`
	Products []string    `yaml:"products"`
	Versions string      `yaml:"versions"`
	Platform string      `yaml:"platform"`
	Process  string      `yaml:"process"`
	File     string      `yaml:"file"`
	Upstream string      `yaml:"upstream"`
	Format   string      `yaml:"format"`
	Edit     []editEntry `yaml:"edit"`
	Steps    []string    `yaml:"steps"`
	Check    string      `yaml:"check"`
	Apply    string      `yaml:"apply"`
	Source   string      `yaml:"source"`
	WhyNot   string      `yaml:"why_not"` // a key of reasons.yaml
}

type editEntry struct {
	Bind   string `yaml:"bind"`
	Set    string `yaml:"set"`
	Option string `yaml:"option"`
	In     string `yaml:"in"`
	Value  string `yaml:"value"`
}

// proofEntry is one line of proofs.yaml.
type proofEntry struct {
	Fix      string `yaml:"fix"`
	Rule     string `yaml:"rule"`
	Product  string `yaml:"product"`
	Version  string `yaml:"version"`
	Platform string `yaml:"platform"`
	Port     uint16 `yaml:"port"`
	Mail     bool   `yaml:"mail,omitempty"`
}

// Load reads the fixes of all YAML files in a directory, the proofs of
// proofs.yaml and the reasons of reasons.yaml. An unknown key, a duplicate id, an
// edit that its format does not support, and a fix with neither a proof nor a
// source and a reason why it was not run are errors. It returns all of them.
func Load(fsys fs.FS, dir string) (*Set, error) {
	files, err := fs.Glob(fsys, path.Join(dir, "*.yaml"))
	if err != nil {
		return nil, fmt.Errorf("listing fixes in %q: %w", dir, err)
	}
	set := &Set{byID: map[string]*Fix{}}
	var errs []error
	var proofs []Proof
	var reasons map[string]string
	for _, file := range files {
		data, err := fs.ReadFile(fsys, file)
		if err != nil {
			return nil, fmt.Errorf("reading fixes: %w", err)
		}
		switch path.Base(file) {
		case proofsFile:
			proofs, err = parseProofs(file, data)
		case reasonsFile:
			reasons, err = parseReasons(file, data)
		default:
			err = set.addFile(file, data)
		}
		errs = append(errs, err)
	}
	errs = append(errs, set.addProofs(proofs), set.checkBasis(reasons))
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return set, nil
}

// addProofs adds each proof to its fix.
func (s *Set) addProofs(proofs []Proof) error {
	var errs []error
	for _, p := range proofs {
		if f := s.byID[p.Fix]; f == nil {
			errs = append(errs, fmt.Errorf("%s: a proof of %q, which is no fix", proofsFile, p.Fix))
		} else {
			f.Proofs = append(f.Proofs, p)
		}
	}
	return errors.Join(errs...)
}

// checkBasis requires for each fix either a proof, or a source and the reason why
// it was not run. It replaces the key of the reason by its text.
func (s *Set) checkBasis(reasons map[string]string) error {
	var errs []error
	used := map[string]bool{}
	for _, f := range s.fixes {
		key := f.WhyNot
		used[key] = true
		f.WhyNot = reasons[key]
		switch {
		case len(f.Proofs) > 0 && key != "":
			errs = append(errs, fmt.Errorf("%s: fix %q is proven: take why_not out", f.at, f.ID))
		case len(f.Proofs) > 0:
		case f.Source == (Source{}):
			errs = append(errs, fmt.Errorf("%s: fix %q has neither a proof nor a source", f.at, f.ID))
		case key == "":
			errs = append(errs, fmt.Errorf("%s: fix %q has neither a proof nor why_not", f.at, f.ID))
		case f.WhyNot == "":
			errs = append(errs, fmt.Errorf("%s: fix %q: why_not %q is not a key of %s", f.at, f.ID, key, reasonsFile))
		}
	}
	for key := range reasons {
		if !used[key] {
			errs = append(errs, fmt.Errorf("%s: no fix names the reason %q", reasonsFile, key))
		}
	}
	return errors.Join(errs...)
}

// strict decodes one YAML document; unknown keys are errors.
func strict(file string, data []byte, into any) error {
	dec := yaml.NewDecoder(bytes.NewReader(data))
	dec.KnownFields(true)
	if err := dec.Decode(into); err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	return nil
}

func parseProofs(file string, data []byte) ([]Proof, error) {
	var doc struct {
		Proofs []proofEntry `yaml:"proofs"`
	}
	if err := strict(file, data, &doc); err != nil {
		return nil, err
	}
	var list []Proof
	for _, e := range doc.Proofs {
		if e.Fix == "" || e.Rule == "" || e.Product == "" || e.Version == "" || e.Platform == "" || e.Port == 0 {
			return nil, fmt.Errorf("%s: a proof of %q without rule, product, version, platform or port", file, e.Fix)
		}
		list = append(list, Proof(e))
	}
	return list, nil
}

func parseReasons(file string, data []byte) (map[string]string, error) {
	var doc struct {
		Reasons map[string]string `yaml:"reasons"`
	}
	if err := strict(file, data, &doc); err != nil {
		return nil, err
	}
	return doc.Reasons, nil
}

// WriteProofs returns proofs in the format that Load reads, sorted.
func WriteProofs(proofs []Proof) ([]byte, error) {
	var doc struct {
		Proofs []proofEntry `yaml:"proofs"`
	}
	for _, p := range proofs {
		doc.Proofs = append(doc.Proofs, proofEntry(p))
	}
	slices.SortFunc(doc.Proofs, func(a, b proofEntry) int {
		return strings.Compare(a.Fix+" "+a.Rule+" "+a.Version, b.Fix+" "+b.Rule+" "+b.Version)
	})
	out, err := yaml.Marshal(doc)
	if err != nil {
		return nil, fmt.Errorf("writing proofs: %w", err)
	}
	head := "# Which real daemon obeyed which fix. `make fixes` writes this file: a line is\n" +
		"# there only after the daemon was exposed, edited, checked, restarted and swept\n# again.\n"
	return append([]byte(head), out...), nil
}

func (s *Set) addFile(file string, data []byte) error {
	var doc fixFile
	if err := strict(file, data, &doc); err != nil {
		return err
	}
	var errs []error
	var places struct {
		Fixes []yaml.Node `yaml:"fixes"`
	}
	if err := yaml.Unmarshal(data, &places); err != nil {
		return fmt.Errorf("reading %s: %w", file, err)
	}
	for i, e := range doc.Fixes {
		at := fmt.Sprintf("%s:%d", file, places.Fixes[i].Line)
		f, err := e.fix(doc.Sources)
		if err == nil && s.byID[f.ID] != nil {
			err = errors.New("duplicate id")
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: fix %q: %w", at, e.ID, err))
			continue
		}
		f.at = at
		s.byID[f.ID] = f
		s.fixes = append(s.fixes, f)
	}
	return errors.Join(errs...)
}

var fixID = regexp.MustCompile(`^[a-z][a-z0-9-]{2,49}$`)

// fix checks an entry as a whole.
func (e *fixEntry) fix(sources map[string]sourceEntry) (*Fix, error) {
	f := &Fix{
		ID: e.ID, Products: e.Products, Versions: e.Versions, Platform: Platform(e.Platform), Process: e.Process,
		File: e.File, Upstream: e.Upstream, Format: Format(e.Format), Steps: e.Steps, Check: e.Check, Apply: e.Apply, WhyNot: e.WhyNot,
	}
	if e.Source != "" {
		s, ok := sources[e.Source]
		if u, err := url.Parse(s.URL); !ok || s.Title == "" || err != nil || u.Scheme != "https" {
			return nil, fmt.Errorf("source %q has no title and https address in this file", e.Source)
		}
		f.Source = Source(s)
	}
	for _, x := range e.Edit {
		edit := Edit(x)
		if !f.Format.can(edit) {
			return nil, fmt.Errorf("format %q has no edit %+v", f.Format, x)
		}
		f.Edits = append(f.Edits, edit)
	}
	return f, f.check()
}

var versionRange = regexp.MustCompile(`^(>=|<)[0-9.]+( (>=|<)[0-9.]+)?$`)

// check returns an error if something is missing or wrong in a fix.
func (f *Fix) check() error {
	switch {
	case !fixID.MatchString(f.ID):
		return errors.New("ids are lower-case words and hyphens")
	case len(f.Products) == 0:
		return errors.New("products are missing")
	case f.Platform != PlatformDebian && f.Platform != PlatformUpstream && f.Platform != PlatformContainer:
		return fmt.Errorf("platform %q is none of Debian, upstream, container", f.Platform)
	case f.Versions != "" && !versionRange.MatchString(f.Versions):
		return fmt.Errorf("versions %q are no range", f.Versions)
	case (len(f.Edits) == 0) == (len(f.Steps) == 0):
		return errors.New("it needs either edits or steps")
	case len(f.Edits) > 0 && (f.File == "" || f.Apply == ""):
		return errors.New("an edit needs a file and the command that makes it take effect")
	}
	for _, text := range append([]string{f.Check, f.Apply}, f.Steps...) {
		if strings.Contains(text, "inet_listener") && strings.Contains(text, "}") {
			return errors.New("blocks of Dovecot do not fit on one line")
		}
	}
	return nil
}
