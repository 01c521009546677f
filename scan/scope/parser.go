package scope

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan/names"
)

// Limits of an input file. They are far above any list that a person writes, end the
// reading of a device or an endless pipe early, and limit memory: an entry takes about
// 700 bytes at the peak, and one in bulk 25, so that all of them stay below 256 MiB.
const (
	maxLine    = 1024     // bytes of one line
	maxHead    = 4096     // bytes by which a file is told from text
	maxFile    = 64 << 20 // bytes of one file
	maxEntries = 300_000  // entries of one file and its includes; bulkShare bulk entries count as one
	maxDepth   = 16       // nested includes
	maxFiles   = 4096     // files read for one list, including repetitions
)

// A Parser reads what the user wrote: targets, scope and excludes. It looks each name
// up once: read all lists of a run with one Parser, so that a name has the same
// addresses in each. The zero Parser is ready to use. It is not safe for concurrent
// use. Its errors are [InputError] values, joined if a list has several, or the error
// of the context.
type Parser struct {
	// Resolver looks up host names. If nil, a [names.DNS] with the configuration of the
	// system does.
	Resolver names.Resolver

	// Family is the address family that is looked up.
	Family Family

	// LookupTimeout is the time limit for the addresses of one family of one name. If
	// zero, 12 seconds.
	LookupTimeout time.Duration

	// Stdin is read for the target file "-". If nil, os.Stdin.
	Stdin io.Reader

	// Opened, if not nil, is called with the name of each file that is read, including
	// includes.
	Opened func(name string)

	answers map[string]names.Answer // of the names looked up so far
	longer  int                     // a list with more entries is long; 0 means longList
}

// Targets parses targets of the command line. A name that does not resolve gives a
// Target with Err set.
func (p *Parser) Targets(ctx context.Context, args []string) ([]Target, error) {
	r := p.reader(ctx, plain)
	for _, arg := range args {
		r.add(result.Anchor{Text: strings.TrimSpace(arg)})
	}
	targets, _, err := p.resolved(r, nil)
	return targets, err
}

// TargetFile reads targets, one per line, from a file, or from Stdin if the name is
// "-". "#" starts a comment. A name that does not resolve gives a Target with Err set.
// A file without any target is an error, so that it is not taken for "everything".
func (p *Parser) TargetFile(ctx context.Context, name string) ([]Target, error) {
	return p.entries(ctx, name, plain, InputError{Problem: "the file contains no targets", Hint: "give a text file with one entry per line"})
}

// entries reads a file that has no excludes, and at least one entry.
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

// ScopeFile reads a scope: one prefix, address, range or name per line; "!" excludes,
// and "@include FILE" includes the lines of another file, relative to the including
// one. An excluded name that does not resolve is an error, because its addresses could
// not be excluded.
func (p *Parser) ScopeFile(ctx context.Context, name string) (allowed, excluded []Target, err error) {
	r := p.reader(ctx, scoped)
	return p.resolved(r, r.file(name, p.Stdin))
}

// NamedScopeFile is ScopeFile for a file that another one names, such as a policy.
// from is the place there, where an error about the file itself is reported, and its
// hint says relative to what the file is found.
func (p *Parser) NamedScopeFile(ctx context.Context, name string, from *InputError) (allowed, excluded []Target, err error) {
	r := p.reader(ctx, scoped)
	return p.resolved(r, r.open(name, from))
}

// ScopeLines reads scope lines that are part of another file, such as a policy: each
// Anchor's Text is a line of a scope file without its comment. Includes are refused.
// count is the number of lines.
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

// scopeLine parses a line of another file.
func (r *lineReader) scopeLine(line result.Anchor) error {
	r.lines = line.Line
	r.bytes++ // counts lines
	text, bang := strings.CutPrefix(line.Text, "!")
	like := formKey{file: line.File, indent: line.EndColumn - 1 - len(line.Text)}
	switch {
	case r.entries() >= maxEntries:
		e := &InputError{Text: line.Text, Problem: tooManyEntries, Hint: entriesHint}
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

// Excludes parses a comma-separated list of excluded addresses, prefixes, ranges and
// names of the command line.
func (p *Parser) Excludes(ctx context.Context, list string) ([]Target, error) {
	r := p.reader(ctx, excluding)
	for item := range strings.SplitSeq(list, ",") {
		r.add(result.Anchor{Text: strings.TrimSpace(item)})
	}
	excluded, _, err := p.resolved(r, nil)
	return excluded, err
}

// ExcludeFile reads excluded addresses, prefixes, ranges and names, one per line, with
// "#" comments. A file without any is an error, because it would exclude nothing.
func (p *Parser) ExcludeFile(ctx context.Context, name string) ([]Target, error) {
	return p.entries(ctx, name, excluding, InputError{Problem: "the file contains no entries",
		Hint: "give a text file with one entry per line, or omit --exclude-file"})
}

// A listKind is what a list of entries may contain.
type listKind int

const (
	plain     listKind = iota // targets: ports allowed
	excluding                 // excludes: no ports, every name must resolve
	scoped                    // a scope: "!" and "@include", no ports
)

// resolved returns the entries that r has read, with their addresses; those of a scope
// with "!" separately. err is why reading ended early, nil if it did not.
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

// ParseTarget parses one target in the syntax of the command line. It looks nothing up:
// a Target with a Name has no Ranges.
func ParseTarget(text string) (Target, error) {
	text = strings.TrimSpace(text)
	bare, bang := strings.CutPrefix(text, "!")
	t, err := parseLine(strings.TrimSpace(bare), bang, result.Anchor{Text: text}, plain)
	if err != nil {
		return Target{}, err
	}
	return t, nil
}

// parseLine parses one entry, which follows a "!" if bang is set.
func parseLine(text string, bang bool, line result.Anchor, d listKind) (Target, *InputError) {
	e, err := checkLine(text, bang, line.File != "", d)
	var parsed entry
	if err == nil {
		parsed, err = parseEntry(e)
	}
	if err == nil && !parsed.ports.Empty() && d != plain {
		err = &InputError{Text: text, Problem: "a port is not allowed here",
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

// checkLine refuses entries that are invalid in a list of kind d; inFile is set if the
// list is a file.
func checkLine(text string, bang, inFile bool, d listKind) (string, *InputError) {
	switch {
	case bang && d != scoped:
		return "", &InputError{Text: "!" + text, Problem: "an exclude is not allowed in a list of targets",
			Hint: "use --exclude, --exclude-file, or a scope file"}
	case strings.HasPrefix(text, "@"):
		return "", wrongInclude(text, d)
	case text == "":
		return "", &InputError{Problem: "an empty entry", Hint: "write an address, a prefix, a range or a host name"}
	case strings.ContainsAny(text, " \t,;"):
		return "", notOneEntry(text, inFile, d)
	case text == "-" && !inFile:
		return "", &InputError{Text: text, Problem: "not a target", Hint: "-i - reads targets from standard input"}
	}
	return text, nil
}

// wrongInclude is the error of an entry that begins like an include.
func wrongInclude(text string, d listKind) *InputError {
	const directive = "@include"
	word, file, _ := strings.Cut(text, " ")
	switch file = strings.TrimSpace(file); {
	case d != scoped || word == directive:
		return &InputError{Text: text, Problem: "an include outside of a scope file", Hint: "write @include FILE in the file given to --scope"}
	case strings.HasPrefix(strings.ToLower(word), directive) && file == "": // a space is missing
		return &InputError{Text: text, Problem: "unknown directive", Hint: fmt.Sprintf("did you mean \"@include %s\"?", word[len(directive):])}
	}
	return &InputError{Text: word, Problem: "unknown directive", Hint: cmp.Or(spelling.Hint([]string{directive}, strings.ToLower(word), ""), "the only directive is @include FILE")}
}

// reader returns a reader for a list of kind d.
func (p *Parser) reader(ctx context.Context, d listKind) *lineReader {
	return &lineReader{ctx: ctx, kind: d, opened: p.Opened, longer: cmp.Or(p.longer, longList)}
}
