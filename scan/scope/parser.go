package scope

import (
	"cmp"
	"context"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/names"
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
	// Resolver looks up host names. If nil, a [names.DNS] does, as the system
	// is set up.
	Resolver names.Resolver

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

	answers map[string]names.Answer // of the names looked up so far
	longer  int                     // entries from which on a list is long; 0 means longList
}

// Targets reads targets as they stand on the command line. A name that does
// not resolve gives a Target with Err set.
func (p *Parser) Targets(ctx context.Context, args []string) ([]Target, error) {
	r := p.reader(ctx, plain)
	for _, arg := range args {
		r.add(result.Anchor{Text: strings.TrimSpace(arg)})
	}
	targets, _, err := p.resolved(r, nil)
	return targets, err
}

// TargetFile reads targets, one a line, from a file, or from Stdin if the name
// is "-". What follows a "#" is a comment. A name that does not resolve gives
// a Target with Err set. A file without any target is an error: it is not
// what was meant, and must not be taken for "everything".
func (p *Parser) TargetFile(ctx context.Context, name string) ([]Target, error) {
	return p.entries(ctx, name, plain, InputError{Problem: "the file names no target", Hint: "give a text file with one entry per line"})
}

// entries reads a file that holds no excludes, and at least one entry.
func (p *Parser) entries(ctx context.Context, name string, d listKind, none InputError) ([]Target, error) {
	r := p.reader(ctx, d)
	err := r.file(name, p.Stdin)
	if err == nil && len(r.in) == 0 && len(r.bulk[0].rows) == 0 && r.errs.Len() == 0 {
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
func (p *Parser) ScopeLines(ctx context.Context, lines iter.Seq[result.Anchor], count int) (allowed, excluded []Target, err error) {
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
func (r *lineReader) scopeLine(line result.Anchor) error {
	r.lines = line.Line
	r.bytes++ // lines, as the size
	text, bang := strings.CutPrefix(line.Text, "!")
	like := formKey{file: line.File, indent: line.EndColumn - 1 - len(line.Text)}
	switch {
	case r.entries() >= maxEntries:
		e := &InputError{Text: line.Text, Problem: tooManyEntries, Hint: listHint}
		locate(e, line)
		return e
	case r.long && r.errs.Len() == 0 && r.bulkOf(bang).add(like, line.Line, []byte(text)):
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
		r.add(result.Anchor{Text: strings.TrimSpace(item)})
	}
	excluded, _, err := p.resolved(r, nil)
	return excluded, err
}

// ExcludeFile reads excluded addresses, prefixes, ranges and names, one a
// line, with "#" comments. A file without any is an error: it would lift a
// bound that was meant.
func (p *Parser) ExcludeFile(ctx context.Context, name string) ([]Target, error) {
	return p.entries(ctx, name, excluding, InputError{Problem: "the file excludes nothing",
		Hint: "give a text file with one entry per line, or omit --exclude-file"})
}

// A listKind is what a list of entries may hold.
type listKind int

const (
	plain     listKind = iota // targets: ports allowed
	excluding                 // excludes: no ports, every name must resolve
	scoped                    // a scope: "!" and "@include", no ports
)

// resolved returns the entries that r has read, with their addresses, in a scope
// those with "!" apart. Err is why reading ended early, nil if it did not.
func (p *Parser) resolved(r *lineReader, err error) (in, out []Target, _ error) {
	if err := r.mistakes(err); err != nil {
		return nil, nil, err
	}
	r.in, r.out = r.bulk[0].finish(r.in), r.bulk[1].finish(r.out)
	if err := p.resolve(r.ctx, r.in, r.kind == excluding); err != nil {
		return nil, nil, err
	}
	if err := p.resolve(r.ctx, r.out, true); err != nil {
		return nil, nil, err
	}
	return r.in, r.out, nil
}

// parseLine reads one entry, which stood behind a "!" if bang is set.
func parseLine(text string, bang bool, line result.Anchor, d listKind) (Target, *InputError) {
	e, err := checkLine(text, bang, d)
	var parsed entry
	if err == nil {
		parsed, err = parseEntry(e)
	}
	if err == nil && !parsed.ports.Empty() && d != plain {
		err = &InputError{Text: text, Problem: "a port, where whole hosts are meant",
			Hint: "omit the port; --ports selects the ports of all hosts"}
	}
	if err != nil {
		locate(err, line)
		return Target{}, err
	}
	t := Target{Name: parsed.name, Zone: parsed.zone, Ports: parsed.ports, Anchor: line}
	if parsed.name == "" {
		t.Ranges = append(t.Ranges, parsed.addrs)
	}
	return t, nil
}

// checkLine refuses what an entry can never be in a list of kind d.
func checkLine(text string, bang bool, d listKind) (string, *InputError) {
	switch {
	case bang && d != scoped:
		return "", &InputError{Text: "!" + text, Problem: "an exclude among the targets",
			Hint: "use --exclude, --exclude-file, or a scope file"}
	case strings.HasPrefix(text, "@"):
		return "", &InputError{Text: text, Problem: "an include, which stands alone on a line of a scope file",
			Hint: "write @include FILE in the file given to --scope"}
	case text == "":
		return "", &InputError{Problem: "an empty entry", Hint: "write an address, a prefix, a range or a host name"}
	case strings.ContainsAny(text, " \t,;"):
		return "", &InputError{Text: text, Problem: "more than one entry", Hint: "write one entry per line, or one per argument"}
	}
	return text, nil
}

// reader returns a reader of entries in a list of kind d.
func (p *Parser) reader(ctx context.Context, d listKind) *lineReader {
	return &lineReader{ctx: ctx, kind: d, opened: p.Opened, longer: cmp.Or(p.longer, longList)}
}
