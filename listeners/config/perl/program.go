package perl

import (
	"fmt"
	"path"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// An assignment is the value of a variable, and where it is assigned.
type assignment struct {
	file  *source.File
	name  token
	value value

	// doubt says why the variable may have another value, "" if it has this one.
	doubt   string
	doubtAt result.Anchor
}

// at returns the place of a value.
func (a *assignment) at(v value) result.Anchor { return a.file.Anchor(v.start, v.end) }

// A program is what files assign to the variables of interest.
type program struct {
	tree  *source.Tree
	names map[string]bool // of the variables of interest, without sigil
	vars  map[string]*assignment
	hash  map[string]map[string]*assignment // elements of hashes: $name{key}
	c     *listeners.Config
	read  map[string]bool // the names of the files that were read

	includes int // how many statements include files
}

const (
	maxRead     = 100  // how many files one configuration consists of
	maxIncludes = 1000 // how many files it can name
)

// newProgram returns an empty program with variables of interest.
func newProgram(t *source.Tree, c *listeners.Config, names ...string) *program {
	p := &program{tree: t, names: map[string]bool{}, vars: map[string]*assignment{}, hash: map[string]map[string]*assignment{}, c: c, read: map[string]bool{}}
	for _, n := range names {
		p.names[n] = true
	}
	return p
}

// doubt adds a doubt about a piece of a file.
func (p *program) doubt(f *source.File, start, end int, format string, args ...any) {
	p.c.AddDoubt(fmt.Sprintf(format, args...), f.Anchor(start, end))
}

// run takes the assignments of a file.
func (p *program) run(f *source.File) {
	if p.read[f.Name] || len(p.read) >= maxRead {
		return
	}
	p.read[f.Name] = true
	tokens, complete := scan(f)
	for len(tokens) > 0 {
		n, block := statement(tokens)
		if block {
			p.mentions(f, tokens[:n], "is assigned on a condition or in a subroutine")
		} else {
			p.statement(f, tokens[:n])
		}
		tokens = tokens[n:]
		if len(tokens) > 0 && tokens[0].text == ";" && tokens[0].kind == aSign {
			tokens = tokens[1:]
		}
	}
	if !complete {
		p.doubt(f, 0, 0, "the Perl of this file could not be followed to its end")
	}
}

// statement returns how many tokens the first statement has, and whether it is a block.
func statement(tokens []token) (n int, block bool) {
	first := tokens[0]
	block = first.kind == aWord && blockWords[first.text] || first.kind == aSign && first.text == "{"
	depth := 0
	for i, t := range tokens {
		if t.kind != aSign {
			continue
		}
		switch t.text {
		case "(", "[", "{":
			depth++
		case ")", "]", "}":
			depth--
			if depth <= 0 && block && t.text == "}" {
				return i + 1, true
			}
			depth = max(depth, 0)
		case ";":
			if depth == 0 {
				return i, block
			}
		}
	}
	return len(tokens), block
}

// blockWords begin statements that consist of a block.
var blockWords = map[string]bool{
	"if": true, "unless": true, "elsif": true, "else": true, "while": true, "until": true, "for": true, "foreach": true,
	"sub": true, "BEGIN": true, "END": true,
}

// mentions adds doubts about the variables of interest that tokens mention.
func (p *program) mentions(f *source.File, tokens []token, why string) {
	for _, t := range tokens {
		name := bare(t)
		if name == "" || !p.names[name] {
			continue
		}
		p.doubtful(f, t, name, why)
	}
}

// doubtful notes that a variable may have another value.
func (p *program) doubtful(f *source.File, t token, name, why string) {
	a := p.vars[name]
	if a == nil {
		a = &assignment{file: f, name: t, value: value{kind: computed, start: t.start, end: t.end}}
		p.vars[name] = a
	}
	if a.doubt == "" {
		a.doubt, a.doubtAt = fmt.Sprintf("%s %s", t.text, why), f.Anchor(t.start, t.end)
	}
}

// bare returns the name of a variable, "" if a token is none.
func bare(t token) string {
	if t.kind != aWord || len(t.text) < 2 || strings.IndexByte("$@%", t.text[0]) < 0 {
		return ""
	}
	name := strings.TrimLeft(t.text[1:], " \t\r\n")
	return strings.TrimPrefix(name, "Amavis::Conf::")
}

// statement takes what one statement assigns.
func (p *program) statement(f *source.File, tokens []token) {
	if len(tokens) == 0 {
		return
	}
	switch tokens[0].text {
	case "my", "our":
		tokens = tokens[1:]
	case "include_config_files", "include_optional_config_files", "do", "require":
		if len(tokens) > 1 && !isSign(tokens[1], "{") {
			p.include(f, tokens)
			return
		}
	}
	if len(tokens) < 3 {
		p.mentions(f, tokens, "is used in a way that is not followed")
		return
	}
	name := bare(tokens[0])
	switch known := p.names[name]; {
	case known && isSign(tokens[1], "="):
		p.assign(f, tokens[0], name, tokens[2:])
	case known && len(tokens) > 5 && isSign(tokens[1], "{") && isSign(tokens[3], "}") && isSign(tokens[4], "="):
		p.element(f, tokens, name)
	case name != "" && !known && isSign(tokens[1], "="): // reads others at most
		p.assign(f, tokens[0], name, nil)
	default:
		p.mentions(f, tokens, "is changed in a way that is not followed")
	}
}

// isSign reports whether a token is that piece of punctuation.
func isSign(t token, text string) bool { return t.kind == aSign && t.text == text }

// assign takes the assignment of a variable of interest. That of another one is of no
// interest, unless it assigns one of interest as well: $a = $b = 1.
func (p *program) assign(f *source.File, t token, name string, tokens []token) {
	if tokens == nil {
		return
	}
	v := valueOf(tokens)
	if len(tokens) == 1 && v.kind == computed {
		if other := p.vars[bare(tokens[0])]; other != nil { // $notify_method = $forward_method
			copied := *other
			p.vars[name] = &copied
			return
		}
	}
	a := &assignment{file: f, name: t, value: v}
	if v.kind == computed {
		a.doubt, a.doubtAt = t.text+" is computed", f.Anchor(t.start, t.end)
	}
	p.vars[name] = a
	for i := 1; i < len(tokens); i++ { // as in $a = 1, $b = 2
		if other := bare(tokens[i-1]); p.names[other] && isSign(tokens[i], "=") {
			p.doubtful(f, tokens[i-1], other, "is assigned within another assignment")
		}
	}
}

// element takes the assignment of an element of a hash: $name{'key'} = value.
func (p *program) element(f *source.File, tokens []token, name string) {
	key := tokens[2]
	if key.kind != aString && (key.kind != aWord || bare(key) != "") {
		p.mentions(f, tokens[:1], "has a computed key")
		return
	}
	v := valueOf(tokens[5:])
	a := &assignment{file: f, name: tokens[0], value: v}
	if v.kind == computed {
		a.doubt, a.doubtAt = fmt.Sprintf("%s{%s} is computed", tokens[0].text, key.text), f.Anchor(tokens[0].start, tokens[0].end)
	}
	if p.hash[name] == nil {
		p.hash[name] = map[string]*assignment{}
	}
	p.hash[name][key.text] = a
}

// include reads the files that a statement includes.
func (p *program) include(f *source.File, tokens []token) {
	optional := tokens[0].text == "include_optional_config_files"
	if tokens[0].text == "require" && len(tokens) > 1 && tokens[1].kind == aWord {
		return // a module
	}
	v := valueOf(tokens[1:])
	for _, item := range v.each() {
		if p.includes++; p.includes > maxIncludes {
			return
		}
		if item.kind != scalar || p.tree == nil {
			p.doubt(f, tokens[0].start, tokens[0].end, "the file that is included is not in the files")
			continue
		}
		found := p.tree.Find(f.Name, path.Clean(item.text))
		if len(found) == 0 && !optional {
			p.doubt(f, item.start, item.end, "%q is not in the files", item.text)
		}
		for _, name := range found {
			p.readFile(f, name, item)
		}
	}
}

// readFile runs another file.
func (p *program) readFile(f *source.File, name string, at value) {
	other, err := p.tree.Include(name)
	if err != nil {
		p.doubt(f, at.start, at.end, "%q could not be read", at.text)
		return
	}
	p.run(other)
}
