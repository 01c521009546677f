package proxy

import (
	"strings"

	"github.com/mxsweep/mxsweep/listeners/source"
)

// A directive is one of nginx, with those of its block.
type directive struct {
	words   []word
	isBlock bool
	block   []*directive
}

// is reports whether the directive has that name.
func (d *directive) is(name string) bool { return d.words[0].text == name }

// arguments returns the words after the name.
func (d *directive) arguments() []word { return d.words[1:] }

// maxNesting is how many blocks of nginx may be in each other.
const maxNesting = 50

// A parsing is a file of nginx while its directives are read (nginx
// src/core/ngx_conf_file.c, ngx_conf_parse).
type parsing struct {
	scanner
	stack   []*directive
	top     []*directive
	problem func(problem string, at word)
	read    int // how many words and directives
}

// parseDirectives returns the directives of a file. problem is called for what makes nginx
// stop.
func parseDirectives(f *source.File, problem func(problem string, at word)) []*directive {
	p := &parsing{scanner: scanner{file: f}, problem: problem}
	var words []word
	for {
		w, isWord, end := p.next()
		if p.read++; p.read > maxSteps {
			problem("there are more directives than are read", w)
			return p.top
		}
		if isWord && strings.HasPrefix(w.text, "{%") {
			problem("the file is a template", w)
			continue
		}
		if isWord {
			words = append(words, w)
		}
		switch end {
		case endOfWord:
			continue
		case endOfFile:
			p.close(words, w)
			return p.top
		case endOfBlock:
			p.endBlock(words, w)
		default:
			if len(words) == 0 {
				problem("a name is missing; nginx does not start", w)
				if words = append(words, w); end == endOfDirective {
					break
				}
			}
			if !p.add(&directive{words: words, isBlock: end == beginOfBlock}) {
				problem("there are more blocks in each other than are read", w)
				return p.top
			}
		}
		words = nil
	}
}

// add adds a directive. It reports false if too many blocks are open.
func (p *parsing) add(d *directive) bool {
	if n := len(p.stack); n > 0 {
		p.stack[n-1].block = append(p.stack[n-1].block, d)
	} else {
		p.top = append(p.top, d)
	}
	switch {
	case !d.isBlock:
	case strings.HasSuffix(d.words[0].text, "_by_lua_block"):
		p.skipCode()
	case len(p.stack) >= maxNesting:
		return false
	default:
		p.stack = append(p.stack, d)
	}
	return true
}

// endBlock ends a block.
func (p *parsing) endBlock(words []word, at word) {
	switch {
	case len(words) > 0:
		p.problem("a ; is missing; nginx does not start", words[0])
	case len(p.stack) == 0:
		p.problem("a } without a {; nginx does not start", at)
	}
	if len(p.stack) > 0 {
		p.stack = p.stack[:len(p.stack)-1]
	}
}

// close reports what is open at the end of the file.
func (p *parsing) close(words []word, at word) {
	switch {
	case len(words) > 0:
		p.problem("a ; is missing; nginx does not start", words[0])
	case len(p.stack) > 0:
		p.problem("a } is missing; nginx does not start", at)
	}
}
