// Package importer makes signatures from the files of two other tools that a user
// already has: recog's XML fingerprints and nmap's nmap-service-probes.
//
// [Recog] and [Nmap] read, [Import.YAML] writes a file of imported signatures as
// described in signatures/FORMAT.md. They match replies to our own probes and need no
// others. Patterns are rewritten for RE2; patterns that need more are skipped, and
// [Import.Skipped] says why. No file of either tool is part of this project.
package importer

import (
	"bytes"
	"fmt"
	"io"
	"io/fs"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/signatures"
)

// An Import is the content of the files of one tool.
type Import struct {
	tool    string // as "imported" of the file names it
	entries []entry
	skipped []Skip
}

// A Skip is an entry that was not converted.
type Skip struct {
	Pos    signatures.Pos
	Reason SkipReason
	Detail string // details, in quotes if they are from the file; may be ""
}

// A SkipReason is why an entry was not converted.
type SkipReason string

// The reasons. Most entries have one of the first two, which need no attention.
const (
	NoProduct   SkipReason = "no product is named"
	NotHeard    SkipReason = "mxsweep does not send the probe that it is for"
	NotRE2      SkipReason = "RE2 does not support the pattern"
	BadTemplate SkipReason = "a value refers to a group that the pattern does not have"
	BadExample  SkipReason = "an example does not match, or yields other values"
	NotText     SkipReason = "not UTF-8"
)

// Reasons are all reasons, the most harmless first.
var Reasons = []SkipReason{NoProduct, NotHeard, NotRE2, BadTemplate, BadExample, NotText}

// What the files are, for whoever named another one.
const (
	RecogHint = "name the directory xml of a copy of recog, github.com/rapid7/recog"
	NmapHint  = "name a file that nmap installs, often /usr/share/nmap/nmap-service-probes"
)

// Len is how many signatures there are.
func (im *Import) Len() int { return len(im.entries) }

// Skipped returns the entries that were not converted, in the order of the files.
func (im *Import) Skipped() []Skip { return im.skipped }

// skip records an entry that is not converted.
func (im *Import) skip(at signatures.Pos, why SkipReason, detail string) {
	im.skipped = append(im.skipped, Skip{at, why, detail})
}

// add keeps an entry.
func (im *Import) add(at signatures.Pos, e *entry) {
	for _, s := range []string{e.Product, e.CPE, e.Constants[version], e.Constants[extraInfo], e.Constants[osType]} {
		if !utf8.ValidString(s) {
			im.skip(at, NotText, fmt.Sprintf("%q", s))
			return
		}
	}
	im.entries = append(im.entries, *e)
}

// YAML returns the file of signatures. from names the source, for its first lines.
func (im *Import) YAML(from string) ([]byte, error) {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Made by mxsweep signatures import from %q, whose license applies.\n", from)
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	err := e.Encode(struct {
		Imported   string  `yaml:"imported"`
		Signatures []entry `yaml:"signatures"`
	}{im.tool, im.entries})
	if err != nil {
		return nil, fmt.Errorf("writing signatures from %q: %w", from, err)
	}
	return b.Bytes(), nil
}

// An entry is a signature as it is written.
type entry struct {
	ID         string            `yaml:"id"`
	Product    string            `yaml:"product"`
	Protocol   string            `yaml:"protocol"`
	Role       string            `yaml:"role"`
	Confidence int               `yaml:"confidence"`
	When       []condition       `yaml:"when"`
	Constants  map[string]string `yaml:"constants,omitempty"`
	CPE        string            `yaml:"cpe,omitempty"`
	Source     string            `yaml:"source"`
	Examples   []example         `yaml:"examples,omitempty"`
}

type condition struct {
	Probe string `yaml:"probe"`
	Reply string `yaml:"reply,omitempty"`
	Bytes *int   `yaml:"bytes,omitempty"`
}

type example struct {
	Seen map[string]string `yaml:"seen"` // replies by probe
	Want map[string]string `yaml:"want,omitempty"`
}

// setConstant records a value that no pattern captures.
func (e *entry) setConstant(name, value string) {
	if value == "" {
		return
	}
	if e.Constants == nil {
		e.Constants = make(map[string]string)
	}
	e.Constants[name] = value
}

// readAll reads at most limit bytes. name is used in errors.
func readAll(r io.Reader, name string, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading %q: %w", name, fault.WithoutPath(err))
	case int64(len(b)) > limit:
		return nil, fmt.Errorf("reading %q: longer than %d bytes", name, limit)
	}
	return b, nil
}

// readFile is readAll for a file of a folder.
func readFile(fsys fs.FS, file, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(file)
	if err != nil {
		return nil, fmt.Errorf("opening %q: %w", name, fault.WithoutPath(err))
	}
	defer f.Close()
	return readAll(f, name, limit)
}
