package scope

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"unicode"

	"github.com/mxsweep/mxsweep/internal/textfile"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/result"
)

// A lineReader collects the entries of a list, or of a file and its includes, and the
// errors in them.
type lineReader struct {
	ctx     context.Context
	kind    listKind
	in, out []Target // without the addresses of names; entries with "!" in out
	longer  int      // the list is long with more entries than this; 0 means the default
	long    bool     // entries stored in bulk; those with "!" separately
	bulk    [2]bulkReader
	lines   int   // read so far, of all files
	bytes   int64 // likewise
	size    int64 // of the first file, 0 if not known
	errs    userfile.Collector
	raw     []byte   // the line being read, nil outside of files
	stack   []string // files being read, outermost first
	files   int      // files read so far: a few files that include each other twice would be read very often
	opened  func(name string)
}

// mistakes returns all errors in the list, and why reading ended early, if it did.
func (r *lineReader) mistakes(err error) error {
	var mistake *InputError
	switch {
	case err == nil:
	case r.ctx.Err() != nil, !errors.As(err, &mistake):
		return err
	default:
		r.wrong(mistake)
	}
	return r.errs.Err()
}

// wrong adds an error.
func (r *lineReader) wrong(e *InputError) {
	if r.raw != nil && e.Column > 0 {
		e.SetSource(string(r.raw))
	}
	r.errs.Add(e)
}

// add reads one entry.
func (r *lineReader) add(line result.Anchor) {
	text, bang := strings.CutPrefix(line.Text, "!")
	t, err := parseLine(strings.TrimSpace(text), bang, line, r.kind)
	switch {
	case err != nil:
		r.wrong(err)
	case r.errs.Len() > 0: // the list is refused anyway
	case r.long && r.bulkOf(bang).addTarget(&t, r.lines):
	case bang:
		r.out = append(r.out, t)
	default:
		r.in = append(r.in, t)
	}
}

// bulkOf returns where entries are stored in bulk; those with "!" separately.
func (r *lineReader) bulkOf(bang bool) *bulkReader {
	if bang {
		return &r.bulk[1]
	}
	return &r.bulk[0]
}

// lengthen starts to store entries in bulk. What was read of a file without includes
// is moved there.
func (r *lineReader) lengthen() {
	r.long = true
	if r.files > 1 {
		return
	}
	for i, list := range []*[]Target{&r.in, &r.out} {
		b := &r.bulk[i]
		if r.bytes > 0 && r.size > r.bytes { // neither copies nor unused space
			b.rows = make([]bulkRow, 0, int(float64(len(*list))*float64(r.size)/float64(r.bytes)*1.02))
		}
		*list = slices.DeleteFunc(*list, func(t Target) bool { return b.addTarget(&t, t.Anchor.Line) })
		*list = slices.Clone(*list) // releases the memory of moved entries
	}
}

// entries returns how many were read, weighted by the memory they take.
func (r *lineReader) entries() int {
	return len(r.in) + len(r.out) + (len(r.bulk[0].rows)+len(r.bulk[1].rows))/bulkShare
}

// file reads the entries of a file and its includes, or of stdin if its name is "-"
// and the file lists targets.
func (r *lineReader) file(name string, stdin io.Reader) error {
	if name != "-" || r.kind != plain {
		return r.open(name, nil)
	}
	if stdin == nil {
		stdin = os.Stdin
	}
	return r.read("-", stdin)
}

// open reads a file; from is the place that names it, with a hint that says relative
// to what, or nil.
func (r *lineReader) open(name string, from *InputError) error {
	fail := func(problem, advice string, err error) error {
		e := &InputError{File: name, Problem: problem, Hint: advice, Err: err}
		if from != nil {
			*e = *from
			e.Text, e.Problem, e.Hint, e.Err = name, problem, advice, err
		}
		return e
	}
	clean := filepath.Clean(name)
	if slices.Contains(r.stack, clean) {
		return fail("the file includes itself", "remove the circular @include", nil)
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
			err = errDirectory
		} else if err == nil && r.files == 1 {
			r.size = min(info.Size(), maxFile)
		}
	}
	if err != nil {
		var path *os.PathError
		if errors.As(err, &path) {
			err = path.Err // the name is in the message already
		}
		hint := "check the name and its permissions"
		if errors.Is(err, errDirectory) {
			hint = "name a file in it"
		}
		if from != nil && from.Hint != "" {
			hint += "; " + from.Hint
		}
		return fail("cannot read", hint, err)
	}
	if r.opened != nil {
		r.opened(name)
	}
	r.stack = append(r.stack, clean)
	defer func() { r.stack = r.stack[:len(r.stack)-1] }()
	return r.read(name, f)
}

var errDirectory = errors.New("is a directory")

// read collects the entries of one file.
func (r *lineReader) read(name string, in io.Reader) error {
	limited := &io.LimitedReader{R: in, N: maxFile + 1} // one more byte detects a file that is too long
	buffered := bufio.NewReaderSize(textfile.Reader(limited), maxHead)
	head, _ := buffered.Peek(maxHead) // an error comes again when the file is read
	if f := textfile.Check(head); f != nil && f.Whole {
		place := InputError{File: name, Line: f.Line(head), Column: f.Column(head), Problem: f.Text, Hint: f.Hint}
		line, _, _ := bytes.Cut(head[f.Offset+1-place.Column:], []byte("\n"))
		place.SetSource(string(line))
		return &place
	}
	if err := userfile.WrongKind(name, head, userfile.AddressList); err != nil {
		return err
	}
	s := bufio.NewScanner(buffered)
	s.Buffer(make([]byte, 0, 4096), maxLine)
	n := 0
	for s.Scan() {
		n++
		r.lines++
		r.bytes += int64(len(s.Bytes()) + 1)
		if n%1024 == 0 && r.ctx.Err() != nil {
			return r.ctx.Err()
		}
		if err := r.line(name, n, s.Bytes()); err != nil {
			return err
		}
	}
	place := InputError{File: name, Line: n + 1, Hint: "give a text file with one entry per line"}
	switch err := s.Err(); {
	case errors.Is(err, bufio.ErrTooLong):
		place.Problem = fmt.Sprintf("a line longer than %d bytes", maxLine)
	case err != nil:
		place.Problem, place.Err = "cannot read", err
	case limited.N <= 0:
		place.Problem, place.Hint = fmt.Sprintf("more than %d MiB", maxFile>>20), listHint
	default:
		return nil
	}
	return &place
}

// tooManyEntries is the error for a list of more than maxEntries.
var tooManyEntries = fmt.Sprintf("more than %d entries that are names, IPv6 addresses or have uncommon ports", maxEntries)

// listHint says how to shorten a list.
const listHint = "combine adjacent addresses into prefixes or ranges, and scan the rest in parts"

// entriesHint says the same of a list that may hold no addresses.
const entriesHint = `scan the list in parts and combine the runs with "mxsweep merge"; adjacent addresses can be one prefix or range`

// line adds the entry of line n, if there is one.
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
	r.raw = bytes.TrimRight(raw, "\r")
	place := InputError{File: name, Line: n, Column: end - len(text) + 1, Text: text}
	if f := textfile.Check([]byte(text)); f != nil {
		place.Column += f.Offset
		place.Text, place.Problem, place.Hint = "", f.Text, f.Hint
		r.wrong(&place)
		return nil
	}
	if word, file, _ := strings.Cut(text, " "); r.kind == scoped && word == "@include" {
		place.SetSource(string(r.raw))
		file = strings.TrimSpace(file)
		if file == "" {
			place.Problem, place.Hint = "no file after @include", "write @include FILE"
			r.wrong(&place)
			return nil
		}
		place.Column += strings.LastIndex(text, file)
		place.Hint = "an include is found relative to its file"
		if !filepath.IsAbs(file) {
			file = filepath.Join(filepath.Dir(name), file)
		}
		return r.include(file, place)
	}
	if r.entries() >= maxEntries {
		place.SetSource(string(r.raw))
		place.Problem = tooManyEntries
		place.Hint = entriesHint
		return &place
	}
	r.add(result.Anchor{File: name, Line: n, EndColumn: end + 1, Text: text})
	if !r.long && r.longer > 0 && len(r.in)+len(r.out) >= r.longer {
		r.lengthen()
	}
	return nil
}

// include reads another file. An error in it ends its reading, not that of the file
// that includes it.
func (r *lineReader) include(file string, from InputError) error {
	err := r.open(file, &from)
	r.raw = nil
	var mistake *InputError
	if r.ctx.Err() != nil || !errors.As(err, &mistake) {
		return err
	}
	r.wrong(mistake)
	return nil
}

// inBulk stores an entry of a long list, if its form is known.
func (r *lineReader) inBulk(name string, n int, content []byte) bool {
	if r.errs.Len() > 0 {
		return false
	}
	text := bytes.TrimLeft(content, " \t")
	indent := len(content) - len(text)
	text, bang := bytes.CutPrefix(text, []byte("!"))
	if bang && r.kind != scoped {
		return false
	}
	return r.bulkOf(bang).add(formKey{file: name, base: r.lines - n, indent: indent}, r.lines, text)
}
