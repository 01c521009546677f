// Package recog reads the fingerprints of mail services from a user's own
// recog XML files and matches dialogues against them.
//
// The files are those of the xml folder of github.com/rapid7/recog, in which
// the patterns are Ruby regular expressions. They are translated to RE2; what
// RE2 refuses is skipped, and [Set.Skipped] tells why. No file of recog is part
// of this project.
package recog

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/signatures"
)

// Bounds of what is read. The files of 2026 have less than 200 kB and 250
// fingerprints each.
const (
	maxFile         = 8 << 20
	maxFingerprints = 20000
	maxPattern      = 4096
)

// A Set is what was read. It is not changed after it was loaded and may be used
// by several goroutines at once.
type Set struct {
	fingerprints []*fingerprint // in the order in which they are tried
	skipped      signatures.Problems
}

// A fingerprint is one pattern with what it says.
type fingerprint struct {
	pos      signatures.Pos
	source   *source
	pattern  *regexp.Regexp
	params   []param
	examples []example
}

// A param is a value that a match yields: that of a group, or a constant for
// group 0.
type param struct {
	group int
	name  string
	value string
}

type example struct {
	pos  signatures.Pos
	text string
	want map[string]string
}

// Load reads the files of mail services in a folder, or in its folder "xml" as
// in a checkout of recog. The error is about a file that cannot be read or is
// not well-formed, with its place, or about a folder without any.
func Load(dir signatures.Source) (*Set, error) {
	set := new(Set)
	found := false
	for i := range sources {
		src := &sources[i]
		for _, name := range []string{src.file, path.Join("xml", src.file)} {
			b, err := readFile(dir, name)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err != nil {
				return nil, err
			}
			if err := set.file(src, b, path.Join(dir.Name, name)); err != nil {
				return nil, err
			}
			found = true
			break
		}
	}
	if !found {
		return nil, fmt.Errorf("reading %q: %w", dir.Name, errNoFiles)
	}
	return set, nil
}

var errNoFiles = noFilesError{}

// noFilesError says that a folder is not one of recog's.
type noFilesError struct{}

func (noFilesError) Error() string {
	return "no recog file of a mail service in it, like smtp_banners.xml"
}
func (noFilesError) Hint() string { return "name the folder xml of a copy of recog" }

func readFile(dir signatures.Source, name string) ([]byte, error) {
	f, err := dir.FS.Open(name)
	if err != nil {
		return nil, fmt.Errorf("opening %q: %w", path.Join(dir.Name, name), cause(err))
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, fmt.Errorf("reading %q: %w", path.Join(dir.Name, name), cause(err))
	case len(b) > maxFile:
		return nil, fmt.Errorf("reading %q: longer than %d bytes", path.Join(dir.Name, name), maxFile)
	}
	return b, nil
}

// cause is an error without the path, which ours name already.
func cause(err error) error {
	if p := new(fs.PathError); errors.As(err, &p) {
		return p.Err
	}
	return err
}

// Len is how many fingerprints can be matched.
func (set *Set) Len() int { return len(set.fingerprints) }

// Skipped says which fingerprints cannot be matched, and why.
func (set *Set) Skipped() signatures.Problems { return slices.Clone(set.skipped) }

// Check runs the examples that the files hold: each must match its fingerprint
// and yield what it says. It returns how many there are and what is wrong.
func (set *Set) Check() (examples int, problems signatures.Problems) {
	for _, fp := range set.fingerprints {
		for _, e := range fp.examples {
			examples++
			problems = append(problems, fp.check(e)...)
		}
	}
	return examples, problems
}

func (fp *fingerprint) check(e example) (problems signatures.Problems) {
	values := fp.match([]byte(e.text))
	if values == nil {
		return signatures.Problems{{Pos: e.pos, Text: fmt.Sprintf("the example %q does not match its fingerprint", e.text)}}
	}
	for name, want := range e.want {
		if values[name] != want {
			problems = append(problems, &signatures.Problem{Pos: e.pos, Text: fmt.Sprintf("the example yields %s %q, not %q", name, values[name], want)})
		}
	}
	return problems
}

// match returns what the fingerprint says of a text, nil if it does not match.
func (fp *fingerprint) match(text []byte) map[string]string {
	m := fp.pattern.FindSubmatch(text)
	if m == nil {
		return nil
	}
	values := make(map[string]string, len(fp.params))
	for _, p := range fp.params {
		if p.group == 0 {
			values[p.name] = p.value
		} else if len(m[p.group]) > 0 {
			values[p.name] = string(m[p.group])
		}
	}
	return values
}

// interpolate puts values in the place of their names in braces. What is not
// known is left empty.
func interpolate(text string, values map[string]string) string {
	var b strings.Builder
	for {
		before, rest, open := strings.Cut(text, "{")
		b.WriteString(before)
		name, after, closed := strings.Cut(rest, "}")
		if !open || !closed {
			return b.String()
		}
		b.WriteString(signatures.ShieldCPE(values[name]))
		text = after
	}
}
