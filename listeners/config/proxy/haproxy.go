package proxy

import (
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// A line is a line of a section of HAProxy, without comments.
type line struct {
	words []word
	when  string // the condition of the .if around it that is not decided; "" if there is none
}

// is reports whether the line begins with these words.
func (l line) is(words ...string) bool {
	if len(l.words) < len(words) {
		return false
	}
	for i, w := range words {
		if l.words[i].text != w {
			return false
		}
	}
	return true
}

// A section is a section of HAProxy, such as a frontend.
type section struct {
	kind, name string
	head       line
	lines      []line
	defaults   *section // what it does not set itself
	depth      int      // how many sections of defaults follow on each other

	byKeyword map[string]line // the last line with a keyword
	protocol  string          // that its health checks speak, "" if they do not say
	servers   []server        // of servers, once they are read
	read      bool
}

// sections are the words that begin a section in which something listens, or is named that
// listens; others end one as well (HAProxy src/cfgparse.c and the files that call
// REGISTER_CONFIG_SECTION).
var sections = []string{
	"global", "defaults", "frontend", "backend", "listen", "peers", "mailers", "log-forward", "resolvers", "userlist",
	"program", "http-errors", "ring", "cache", "fcgi-app", "crt-store", "traces", "log-profile", "acme", "healthcheck",
}

// A haproxy is a file of HAProxy while it is read.
type haproxy struct {
	c        listeners.Config
	file     *source.File
	sections []*section          // of the file
	defaults map[string]*section // by name; "" is the last one
	passing  map[string]*section // backends and listen sections by name, the first one
	own      map[string]*section // those of the file
	env      *environment
	beside   bool // a file beside the file is split
	steps    int  // how many servers sections have, each time that they use them
	full     bool // listeners, edges or servers were left out
}

// HAProxy reads haproxy.cfg (HAProxy's configuration.txt). Without an address a bind line
// means each IPv4 address. The defaults, variables and backends of the files with which HAProxy
// reads it as one configuration count, too.
func HAProxy(t *source.Tree, f *source.File) listeners.Config {
	h := &haproxy{file: f, defaults: map[string]*section{}, passing: map[string]*section{}, own: map[string]*section{}, env: newEnvironment()}
	for _, one := range together(t, f) {
		h.beside = one != f
		h.split(one)
	}
	h.beside = false
	for _, s := range h.sections {
		switch s.kind {
		case "global":
			h.readGlobal(s)
		case "frontend", "listen", "backend": // which HAProxy binds as well, with a warning
			h.readFrontend(s)
		case "peers":
			h.readPeers(s)
		case "log-forward":
			h.bindAll(s, described{role: result.RoleUnknown})
		case "mailers":
			h.readMailers(s)
		}
	}
	return h.c
}

// doubt adds a doubt, unless it is about a file that is read by itself.
func (h *haproxy) doubt(problem string, at word) {
	if !h.beside {
		h.c.AddDoubt(problem, at.place())
	}
}

// split reads the lines of a file into sections.
func (h *haproxy) split(f *source.File) {
	var nest conditions
	var in *section
	for start, text := range f.Lines() {
		words, problem := haproxyWords(f, start, text, h.env)
		if problem != "" {
			h.doubt(problem, word{file: f, start: start, end: start + len(text)})
			continue
		}
		if len(words) == 0 {
			continue
		}
		keyword := words[0].text
		if strings.HasPrefix(keyword, ".") {
			if keyword == ".if" && len(nest) >= maxDepth {
				h.doubt("more than 16 .if are in each other; HAProxy does not start", words[0])
			}
			nest = nest.next(keyword, words[1:])
			continue
		}
		if nest.never() {
			continue
		}
		l := line{words: words, when: nest.undecided()}
		switch {
		case slices.Contains(sections, keyword):
			in = h.begin(l)
		case strings.HasPrefix(keyword, "{%"):
			h.doubt("the file is a template", words[0])
		case in != nil:
			in.lines = append(in.lines, l)
			in.byKeyword[keyword] = l
			if in.protocol == "" {
				in.protocol = checked(l)
			}
			h.env = h.setEnvironment(h.env, l)
		}
	}
	if len(nest) > 0 {
		h.doubt(".endif is missing; HAProxy does not start", word{file: f, start: len(f.Text), end: len(f.Text)})
	}
}

// maxDepth is how many conditions are in each other, and sections of defaults follow on each
// other.
const maxDepth = 16

// begin begins a section.
func (h *haproxy) begin(l line) *section {
	s := &section{kind: l.words[0].text, head: l, byKeyword: map[string]line{}}
	if len(l.words) > 1 && (s.kind != "defaults" || l.words[1].text != "from") {
		s.name = l.words[1].text
	}
	from := ""
	for i := 1; i+1 < len(l.words); i++ {
		if l.words[i].text == "from" {
			from = l.words[i+1].text
		}
	}
	if s.kind != "defaults" || from != "" {
		s.defaults = h.defaults[from]
	}
	if s.defaults != nil {
		s.depth = s.defaults.depth + 1
	}
	if s.depth > maxDepth {
		s.defaults, s.depth = nil, 0
		h.doubt("more than 16 sections of defaults follow on each other; those before are left out", l.words[0])
	}
	passes := s.kind == "backend" || s.kind == "listen"
	switch {
	case s.kind == "defaults":
		h.defaults[s.name], h.defaults[""] = s, s
	case passes && h.passing[s.name] == nil:
		h.passing[s.name] = s
	}
	if !h.beside {
		if passes && h.own[s.name] == nil {
			h.own[s.name] = s
		}
		h.sections = append(h.sections, s)
	}
	return s
}

// setEnvironment returns the variables after a line of the global section.
func (h *haproxy) setEnvironment(env *environment, l line) *environment {
	keyword := l.words[0].text
	switch {
	case l.when != "" && len(l.words) > 1 && strings.HasSuffix(keyword, "setenv"):
		return env.with(l.words[1].text, "", false)
	case keyword == "setenv" && len(l.words) == 3:
		return env.with(l.words[1].text, l.words[2].text, len(l.words[2].open) == 0)
	case keyword == "presetenv" && len(l.words) == 3 && len(l.words[2].open) == 0:
		return env.withPreset(l.words[1].text, l.words[2].text)
	case keyword == "resetenv":
		return newEnvironment()
	case keyword == "unsetenv":
		for _, w := range l.words[1:] {
			env = env.with(w.text, "", false)
		}
	}
	return env
}

// last returns the last line of the section, or otherwise of its defaults, that begins with
// a keyword.
func (s *section) last(keyword string) (line, bool) {
	for ; s != nil; s = s.defaults {
		if l, ok := s.byKeyword[keyword]; ok {
			return l, true
		}
	}
	return line{}, false
}
