package scan

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"iter"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// Limits of an input file. They are far above any list that a person keeps,
// stop a device or an endless pipe early, and bound what a list takes: each
// entry some 700 bytes at the peak, and one in bulk 25, so that all of them stay
// below 256 MiB.
const (
	maxLine    = 1024     // bytes of one line
	maxFile    = 64 << 20 // bytes of one file
	maxEntries = 300_000  // entries of one file and its includes; bulkShare in bulk count as one
	maxDepth   = 16       // includes inside includes
	maxFiles   = 4096     // files read for one, repeats counted
)

// A Parser reads what the user wrote: targets, scope and excludes. It looks each
// name up once: read all lists of a run with one Parser, so that a name means
// the same addresses in each. The zero Parser is ready to use. It is not safe
// for concurrent use. Its errors are [InputError] values, several of them joined
// where a list has several mistakes, or the context's.
type Parser struct {
	// Resolver looks up host names. If nil, the system's resolver does.
	Resolver Resolver

	// Family is which addresses of a name are looked up. The other family is
	// not asked for.
	Family Family

	// LookupTimeout is how long to wait for the addresses of one family of
	// one name. If zero, 12 seconds.
	LookupTimeout time.Duration

	// Stdin is read for the target file "-". If nil, os.Stdin.
	Stdin io.Reader

	// Opened is called with the name of each file that is read, includes
	// among them. If nil, nobody is told.
	Opened func(name string)

	answers map[string]answer // of the names looked up so far
	longer  int               // entries from which on a list is long; 0 means longList
}

// Targets reads targets as they stand on the command line. A name that does
// not resolve gives a Target with Err set.
func (p *Parser) Targets(ctx context.Context, args []string) ([]Target, error) {
	r := p.reader(ctx, plain)
	for _, arg := range args {
		r.add(Anchor{Text: strings.TrimSpace(arg)})
	}
	targets, _, err := p.resolved(r, nil)
	return targets, err
}

// TargetFile reads targets, one a line, from a file, or from Stdin if the name
// is "-". What follows a "#" is a comment. A name that does not resolve gives
// a Target with Err set. A file without any target is an error: it is not
// what was meant, and must not be taken for "everything".
func (p *Parser) TargetFile(ctx context.Context, name string) ([]Target, error) {
	return p.entries(ctx, name, plain, InputError{Problem: "the file names no target", Advice: "give a text file with one entry a line"})
}

// entries reads a file that holds no excludes, and at least one entry.
func (p *Parser) entries(ctx context.Context, name string, d dialect, none InputError) ([]Target, error) {
	r := p.reader(ctx, d)
	err := r.file(name, p.Stdin)
	if err == nil && len(r.in) == 0 && len(r.bulk[0].rows) == 0 && len(r.errs) == 0 {
		none.File = name
		return nil, &none
	}
	targets, _, err := p.resolved(r, err)
	return targets, err
}

// ScopeFile reads a scope: one prefix, address, range or name a line, "!" in
// front of what is excluded, "@include FILE" for the lines of another file,
// found relative to the file that includes it. An excluded name that does not
// resolve is an error, because what it stands for could not be spared.
func (p *Parser) ScopeFile(ctx context.Context, name string) (allowed, excluded []Target, err error) {
	r := p.reader(ctx, scoped)
	return p.resolved(r, r.file(name, p.Stdin))
}

// ScopeLines reads scope lines that stand in one other file, like a policy: each
// Anchor's Text is a line of a scope file without its comment. Includes are refused.
// Count is how many there are.
func (p *Parser) ScopeLines(ctx context.Context, lines iter.Seq[Anchor], count int) (allowed, excluded []Target, err error) {
	r := p.reader(ctx, scoped)
	r.size = int64(count)
	for line := range lines {
		if err := r.scopeLine(line); err != nil {
			return p.resolved(r, err)
		}
	}
	return p.resolved(r, nil)
}

// scopeLine reads a line of some other file.
func (r *lineReader) scopeLine(line Anchor) error {
	r.lines = line.Line
	r.bytes++ // lines, as the size
	text, bang := strings.CutPrefix(line.Text, "!")
	like := formKey{file: line.File, indent: line.EndColumn - 1 - len(line.Text)}
	switch {
	case r.entries() >= maxEntries:
		return &InputError{File: line.File, Line: line.Line, Text: line.Text, Problem: tooManyEntries, Advice: listAdvice}
	case r.long && len(r.errs) == 0 && r.bulkOf(bang).add(like, line.Line, []byte(text)):
		return nil
	}
	r.add(line)
	if !r.long && len(r.in)+len(r.out) >= r.longer {
		r.lengthen()
	}
	return nil
}

// Excludes reads a list of excluded addresses, prefixes, ranges and names,
// separated by commas, as it stands on the command line.
func (p *Parser) Excludes(ctx context.Context, list string) ([]Target, error) {
	r := p.reader(ctx, excluding)
	for item := range strings.SplitSeq(list, ",") {
		r.add(Anchor{Text: strings.TrimSpace(item)})
	}
	excluded, _, err := p.resolved(r, nil)
	return excluded, err
}

// ExcludeFile reads excluded addresses, prefixes, ranges and names, one a
// line, with "#" comments. A file without any is an error: it would lift a
// bound that was meant.
func (p *Parser) ExcludeFile(ctx context.Context, name string) ([]Target, error) {
	return p.entries(ctx, name, excluding, InputError{Problem: "the file excludes nothing",
		Advice: "give a text file with one entry a line, or leave --exclude-file out"})
}

// A dialect is what a list of entries may hold.
type dialect int

const (
	plain     dialect = iota // targets: ports allowed
	excluding                // excludes: no ports, every name must resolve
	scoped                   // a scope: "!" and "@include", no ports
)

// resolved returns the entries that r has read, with their addresses, in a scope
// those with "!" apart. Err is why reading ended early, nil if it did not.
func (p *Parser) resolved(r *lineReader, err error) (in, out []Target, _ error) {
	if err := r.mistakes(err); err != nil {
		return nil, nil, err
	}
	r.in, r.out = r.bulk[0].finish(r.in), r.bulk[1].finish(r.out)
	if err := p.resolve(r.ctx, r.in, r.dialect == excluding); err != nil {
		return nil, nil, err
	}
	if err := p.resolve(r.ctx, r.out, true); err != nil {
		return nil, nil, err
	}
	return r.in, r.out, nil
}

// parseLine reads one entry, which stood behind a "!" if bang is set.
func parseLine(text string, bang bool, line Anchor, d dialect) (Target, *InputError) {
	e, err := checkLine(text, bang, d)
	var parsed entry
	if err == nil {
		parsed, err = parseEntry(e)
	}
	if err == nil && !parsed.ports.Empty() && d != plain {
		err = &InputError{Text: text, Problem: "a port, where whole hosts are meant",
			Advice: "leave the port out; --ports chooses ports for all hosts"}
	}
	if err != nil {
		err.File, err.Line = line.File, line.Line
		if line.EndColumn > 0 {
			err.Column = line.EndColumn - len(line.Text)
			err.Source = strings.Repeat(" ", max(err.Column-1, 0)) + line.Text
		}
		return Target{}, err
	}
	t := Target{Name: parsed.name, Zone: parsed.zone, Ports: parsed.ports, Anchor: line}
	if parsed.name == "" {
		t.Ranges = append(t.Ranges, parsed.addrs)
	}
	return t, nil
}

// checkLine refuses what an entry can never be in dialect d.
func checkLine(text string, bang bool, d dialect) (string, *InputError) {
	switch {
	case bang && d != scoped:
		return "", &InputError{Text: "!" + text, Problem: "an exclude among the targets",
			Advice: "use --exclude, --exclude-file, or a scope file"}
	case strings.HasPrefix(text, "@"):
		return "", &InputError{Text: text, Problem: "an include, which stands alone on a line of a scope file",
			Advice: "write @include FILE in the file given to --scope"}
	case text == "":
		return "", &InputError{Problem: "an empty entry", Advice: "write an address, a prefix, a range or a host name"}
	case strings.ContainsAny(text, " \t,;"):
		return "", &InputError{Text: text, Problem: "more than one entry", Advice: "write one entry a line, or one an argument"}
	}
	return text, nil
}

// reader returns a reader of entries in dialect d.
func (p *Parser) reader(ctx context.Context, d dialect) *lineReader {
	return &lineReader{ctx: ctx, dialect: d, opened: p.Opened, longer: cmp.Or(p.longer, longList)}
}

// A lineReader collects the entries of a list, or of a file and its includes,
// and the mistakes in them.
type lineReader struct {
	ctx     context.Context
	dialect dialect
	in, out []Target // without the addresses of names; those behind a "!" apart
	longer  int      // entries from which on the list is long; 0 means none
	long    bool     // what can be is kept in bulk, again those behind a "!" apart
	bulk    [2]bulkReader
	lines   int      // read so far, of all files
	bytes   int64    // likewise
	size    int64    // of the first file, 0 if not known
	errs    []error  // the first mistakes
	stack   []string // files being read, outermost first
	files   int      // read so far: few files that include each other twice read as very many
	opened  func(name string)
}

// maxMistakes is how many mistakes of one list are told; more do not help.
const maxMistakes = 10

// mistakes are all that were met, and why reading ended early, if it did.
func (r *lineReader) mistakes(err error) error {
	if r.ctx.Err() != nil && err != nil {
		return err
	}
	if err != nil {
		r.errs = append(r.errs, err)
	}
	return errors.Join(r.errs[:min(len(r.errs), maxMistakes)]...)
}

// wrong keeps a mistake.
func (r *lineReader) wrong(e *InputError) {
	if len(r.errs) < maxMistakes {
		r.errs = append(r.errs, e)
	}
}

// add reads one entry.
func (r *lineReader) add(line Anchor) {
	text, bang := strings.CutPrefix(line.Text, "!")
	t, err := parseLine(strings.TrimSpace(text), bang, line, r.dialect)
	switch {
	case err != nil:
		r.wrong(err)
	case len(r.errs) > 0: // nothing will come of it
	case r.long && r.bulkOf(bang).addTarget(&t, r.lines):
	case bang:
		r.out = append(r.out, t)
	default:
		r.in = append(r.in, t)
	}
}

// bulkOf is where entries are kept in bulk, those behind a "!" apart.
func (r *lineReader) bulkOf(bang bool) *bulkReader {
	if bang {
		return &r.bulk[1]
	}
	return &r.bulk[0]
}

// lengthen begins to keep in bulk what can be. What was read of a file without
// includes is moved there.
func (r *lineReader) lengthen() {
	r.long = true
	if r.files > 1 {
		return
	}
	for i, list := range []*[]Target{&r.in, &r.out} {
		b := &r.bulk[i]
		if r.bytes > 0 && r.size > r.bytes { // neither copies nor room for what does not come
			b.rows = make([]bulkRow, 0, int(float64(len(*list))*float64(r.size)/float64(r.bytes)*1.02))
		}
		*list = slices.DeleteFunc(*list, func(t Target) bool { return b.addTarget(&t, t.Anchor.Line) })
		*list = slices.Clone(*list) // what was moved needs its place no more
	}
}

// entries is how many were read, as far as they take room.
func (r *lineReader) entries() int {
	return len(r.in) + len(r.out) + (len(r.bulk[0].rows)+len(r.bulk[1].rows))/bulkShare
}

// file reads the entries of a file, includes opened, or of stdin if its name is
// "-" and the file lists targets.
func (r *lineReader) file(name string, stdin io.Reader) error {
	if name != "-" || r.dialect != plain {
		return r.open(name, nil)
	}
	if stdin == nil {
		stdin = os.Stdin
	}
	return r.read("-", stdin)
}

// open reads a file; from is the line that includes it, or nil.
func (r *lineReader) open(name string, from *InputError) error {
	fail := func(problem, advice string, err error) error {
		e := &InputError{File: name, Problem: problem, Advice: advice, Err: err}
		if from != nil {
			e.File, e.Line, e.Column, e.Text, e.Source = from.File, from.Line, from.Column, name, from.Source
		}
		return e
	}
	clean := filepath.Clean(name)
	if slices.Contains(r.stack, clean) {
		return fail("a file that includes itself", "take the @include out of the circle", nil)
	}
	if len(r.stack) >= maxDepth {
		return fail(fmt.Sprintf("includes more than %d deep", maxDepth), "include the file from the outermost one", nil)
	}
	if r.files++; r.files > maxFiles {
		return fail(fmt.Sprintf("more than %d includes", maxFiles), "include each file once", nil)
	}
	f, err := os.Open(name)
	if err == nil {
		defer f.Close()
		var info os.FileInfo
		if info, err = f.Stat(); err == nil && info.IsDir() {
			err = errors.New("is a directory")
		} else if err == nil && r.files == 1 {
			r.size = min(info.Size(), maxFile)
		}
	}
	if err != nil {
		var path *os.PathError
		if errors.As(err, &path) {
			err = path.Err // the name is in the message already
		}
		return fail("cannot read", "check the name and its permissions; an include is found relative to its file", err)
	}
	if r.opened != nil {
		r.opened(name)
	}
	r.stack = append(r.stack, clean)
	defer func() { r.stack = r.stack[:len(r.stack)-1] }()
	return r.read(name, f)
}

// read collects the entries of one file.
func (r *lineReader) read(name string, in io.Reader) error {
	limited := &io.LimitedReader{R: in, N: maxFile + 1} // one more tells what is too long
	s := bufio.NewScanner(limited)
	s.Buffer(make([]byte, 0, 4096), maxLine)
	n := 0
	for s.Scan() {
		n++
		r.lines++
		r.bytes += int64(len(s.Bytes()) + 1)
		if n%1024 == 0 && r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		if err := r.line(name, n, s.Bytes()); err != nil || len(r.errs) == maxMistakes {
			return err
		}
	}
	place := InputError{File: name, Line: n + 1, Advice: "give a text file with one entry a line"}
	switch err := s.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		place.Problem = fmt.Sprintf("a line longer than %d bytes", maxLine)
	case err != nil:
		place.Problem, place.Err = "cannot read", err
	case limited.N <= 0:
		place.Problem, place.Advice = fmt.Sprintf("more than %d MiB", maxFile>>20), listAdvice
	default:
		return nil
	}
	return &place
}

// tooManyEntries is what is wrong with a list of more than maxEntries.
var tooManyEntries = fmt.Sprintf("more than %d entries that are names, IPv6 or have ports unlike all others", maxEntries)

// listAdvice is how a list becomes shorter.
const listAdvice = "write neighboring addresses as one prefix or range, and scan what is left in parts"

// line adds the entry of line n, if it holds one.
func (r *lineReader) line(name string, n int, raw []byte) error {
	if n == 1 {
		raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	}
	content, _, _ := bytes.Cut(raw, []byte("#"))
	end := len(bytes.TrimRightFunc(content, unicode.IsSpace))
	if r.long && r.entries() < maxEntries && r.inBulk(name, n, content[:end]) {
		return nil
	}
	text := string(bytes.TrimSpace(content))
	if text == "" {
		return nil
	}
	place := InputError{File: name, Line: n, Column: end - len(text) + 1, Text: text}
	if !utf8.ValidString(text) || strings.ContainsFunc(text, func(c rune) bool { return c < ' ' && c != '\t' }) {
		place.Problem, place.Advice = "bytes that are no text", "give a text file in UTF-8 with one entry a line"
		if n == 1 && (bytes.HasPrefix(raw, []byte("\xff\xfe")) || bytes.HasPrefix(raw, []byte("\xfe\xff"))) {
			place.Problem, place.Advice = "UTF-16", "save the file as UTF-8"
			return &place // as is each line that follows
		}
		r.wrong(&place)
		return nil
	}
	if word, file, _ := strings.Cut(text, " "); r.dialect == scoped && word == "@include" {
		place.Source = string(content[:end])
		file = strings.TrimSpace(file)
		if file == "" {
			place.Problem, place.Advice = "an include without a file", "write @include FILE"
			r.wrong(&place)
			return nil
		}
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(name), file)
		}
		return r.open(file, &place)
	}
	if r.entries() >= maxEntries {
		place.Source = string(content[:end])
		place.Problem = tooManyEntries
		place.Advice = listAdvice
		return &place
	}
	r.add(Anchor{File: name, Line: n, EndColumn: end + 1, Text: text})
	if !r.long && r.longer > 0 && len(r.in)+len(r.out) >= r.longer {
		r.lengthen()
	}
	return nil
}

// inBulk keeps an entry of a long list, if it is like one that was read before.
func (r *lineReader) inBulk(name string, n int, content []byte) bool {
	if len(r.errs) > 0 {
		return false
	}
	text := bytes.TrimLeft(content, " \t")
	indent := len(content) - len(text)
	text, bang := bytes.CutPrefix(text, []byte("!"))
	if bang && r.dialect != scoped {
		return false
	}
	return r.bulkOf(bang).add(formKey{file: name, base: r.lines - n, indent: indent}, r.lines, text)
}
