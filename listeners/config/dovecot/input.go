package dovecot

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// maxLines is how many lines are read in all: files that include others many times could
// have more of them than any host.
const maxLines = 500_000

// An input is a file that is being read.
type input struct {
	file  *source.File
	lines []physical // those that are left
}

// A physical line is a line of a file and its offset.
type physical struct {
	at   int
	text string
}

// push begins to read a file before what is left of the others.
func (r *reading) push(f *source.File) {
	in := &input{file: f}
	for at, s := range f.Lines() {
		in.lines = append(in.lines, physical{at, s})
	}
	r.inputs = append(r.inputs, in)
}

// readAll reads all inputs until none is left.
func (r *reading) readAll() {
	for n := 0; len(r.inputs) > 0; n++ {
		in := r.inputs[len(r.inputs)-1]
		if len(in.lines) == 0 {
			r.inputs = r.inputs[:len(r.inputs)-1]
			continue
		}
		if n > maxLines {
			r.doubt("there are too many lines to read, with what is included", in.file.Anchor(in.lines[0].at, in.lines[0].at))
			return
		}
		r.physical(in)
	}
	if !r.started {
		r.addDefaults()
	}
	if n := len(r.sections); n > 0 {
		r.fatal("} is missing for this section", r.sections[n-1].open)
	}
}

// physical reads the next line of an input.
func (r *reading) physical(in *input) {
	p := in.lines[0]
	in.lines = in.lines[1:]
	start, end, more := r.grammar.content(p.text)
	if start == end && !more { // which also ends a line that was continued
		r.line = text{}
		return
	}
	if more && end > start {
		r.line.add(in.file, p.at+start, p.text[start:end]+" ")
	}
	if more {
		return
	}
	t := r.line
	t.add(in.file, p.at+start, p.text[start:end])
	t.join()
	r.line = text{}
	r.apply(&t, in)
}

// include begins to read the files of a pattern, the first one first.
func (r *reading) include(l line, in *input) {
	if l.value.s == "" { // the folder itself, of which nothing can be read
		return
	}
	if strings.HasSuffix(path.Dir(l.value.s), "/protocols.d") {
		r.debian = true
	}
	var names []string
	patterns := braces(l.value.s, 0)
	if len(patterns) > maxBraces {
		patterns = patterns[:maxBraces]
		r.doubt("there are more alternatives in { and } than are read", l.value.place())
	}
	for _, p := range patterns {
		names = append(names, r.find(in.file.Name, p)...)
	}
	if len(names) == 0 && (l.kind == lineInclude || !r.visible(in.file.Name, l.value.s)) {
		r.unseen(l)
		return
	}
	for _, name := range slices.Backward(names) {
		if slices.ContainsFunc(r.inputs, func(in *input) bool { return in.file.Name == name }) {
			r.fatal("a file includes itself", l.value)
			return
		}
		f, err := r.tree.Include(name)
		if err != nil {
			r.doubt("reading "+r.tree.ShownName(name)+": "+fault.WithoutPath(err).Error(), l.value.place())
			continue
		}
		r.push(f)
	}
}

// unseen says that a file that is included is not there. What it sets is not known.
func (r *reading) unseen(l line) {
	r.doubt("what "+l.value.s+" sets is not known; it is not among the files", l.value.place())
}

// folders are where dovecot.conf usually is.
var folders = []string{"/etc/dovecot/", "/usr/local/etc/dovecot/"}

// find returns the files of a pattern without braces, in the order of glob(3): of those
// whose names begin with a dot only the ones that it names.
func (r *reading) find(from, pattern string) []string {
	if pattern == "" {
		return nil
	}
	names := r.tree.Find(from, pattern)
	for _, dir := range folders { // in a checkout its files are often in another folder
		if rest, ok := strings.CutPrefix(pattern, dir); ok && names == nil {
			names = r.tree.Find(r.root.Name, rest)
		}
	}
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool {
		return strings.HasPrefix(path.Base(name), ".") && !strings.HasPrefix(path.Base(pattern), ".")
	})
}

// visible reports whether a file that a pattern names would be seen if it were there: its
// folder is among the files, or the files are those of the whole machine.
func (r *reading) visible(from, pattern string) bool {
	if r.tree.Dir == "/" || !path.IsAbs(pattern) {
		return true
	}
	dir := path.Dir(pattern)
	for _, name := range r.tree.Find(from, dir) {
		if info, err := fs.Stat(r.tree.FS, name); err == nil && info.IsDir() {
			return true
		}
	}
	return false
}

// maxBraces is how many alternatives of a pattern are looked for.
const maxBraces = 100

// braces returns the patterns that "a{b,c}" stands for (GLOB_BRACE).
func braces(pattern string, depth int) []string {
	start := strings.IndexByte(pattern, '{')
	if start < 0 || depth > maxBraces {
		return []string{pattern}
	}
	level, from, end := 0, start+1, -1
	var parts []string
	for i := start; i < len(pattern) && end < 0; i++ {
		switch pattern[i] {
		case '{':
			level++
		case ',':
			if level == 1 {
				parts, from = append(parts, pattern[from:i]), i+1
			}
		case '}':
			if level--; level == 0 {
				parts, end = append(parts, pattern[from:i]), i+1
			}
		}
	}
	if end < 0 {
		return []string{pattern}
	}
	var list []string
	for _, part := range parts {
		if len(list) > maxBraces {
			break
		}
		list = append(list, braces(pattern[:start]+part+pattern[end:], depth+1)...)
	}
	return list
}
