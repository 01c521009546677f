// Package nmapprobes reads the entries on mail services from a user's own
// nmap-service-probes file and matches dialogues against them.
//
// Only the answers to what is sent anyway are matched: the greeting, and the
// replies to those of our probes that send what a probe of the file sends. The
// patterns are PCRE; they run in a backtracking engine, each match and each
// guess with a time limit. No such file is part of this project.
package nmapprobes

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"slices"
	"strings"

	"github.com/dlclark/regexp2/v2"

	"github.com/mxsweep/mxsweep/signatures"
)

// Bounds of what is read. The file of nmap 7.93 has 2.5 MB, 12,000 matches and
// no line over 4 kB.
const (
	maxFile    = 16 << 20
	maxLine    = 64 << 10
	maxMatches = 20000
)

// A Set is what was read. It is not changed after it was loaded and may be used
// by several goroutines at once.
type Set struct {
	probes  []*probe
	matches int
	skipped signatures.Problems
}

// A probe is what the file sends, with the entries for its replies.
type probe struct {
	name    string
	send    []byte
	entries []*entry
}

// An entry is a match or softmatch line.
type entry struct {
	line    int
	service service
	soft    bool
	pattern *regexp2.Regexp
	fields  map[string]string // templates by letter: p, v, i, h, o, d
	cpes    []string          // templates of CPE 2.2 URIs
}

// Read reads a file; name is used in errors, which have the place of what is
// wrong. Entries for services that are not mail are not looked at.
func Read(r io.Reader, name string) (*Set, error) {
	b, err := io.ReadAll(io.LimitReader(r, maxFile+1))
	switch {
	case err != nil:
		if p := new(fs.PathError); errors.As(err, &p) {
			err = p.Err // without the path, which name tells
		}
		return nil, fmt.Errorf("reading %q: %w", name, err)
	case len(b) > maxFile:
		return nil, fmt.Errorf("reading %q: longer than %d bytes", name, maxFile)
	}
	p := &reader{set: new(Set), pos: signatures.Pos{File: name}}
	for line := range bytes.Lines(b) {
		p.pos.Line++
		if err := p.line(strings.TrimRight(string(line), "\r\n")); err != nil {
			return nil, err
		}
	}
	if p.set.matches == 0 && len(p.set.skipped) == 0 {
		return nil, fmt.Errorf("reading %q: no entry for a mail service in it", name)
	}
	return p.set, nil
}

// Len is how many entries can be matched.
func (s *Set) Len() int { return s.matches }

// Skipped says which entries cannot be matched, and why.
func (s *Set) Skipped() signatures.Problems { return slices.Clone(s.skipped) }

// A reader reads a file line by line.
type reader struct {
	set   *Set
	pos   signatures.Pos
	probe *probe // the last one, nil before the first
	udp   bool   // the last one is sent by UDP
}

// fail is an error at a column of the present line, from 0.
func (r *reader) fail(column int, format string, args ...any) error {
	at := r.pos
	at.Column = column + 1
	return &signatures.Problem{Pos: at, Text: fmt.Sprintf(format, args...)}
}

func (r *reader) line(line string) error {
	if len(line) > maxLine {
		return r.fail(0, "a line of more than %d bytes", maxLine)
	}
	word, _, _ := strings.Cut(line, " ")
	switch {
	case strings.TrimSpace(line) == "", line[0] == '#':
		return nil
	case word == "Probe":
		return r.readProbe(line)
	case word == "Exclude":
		return nil
	case r.probe == nil && !r.udp:
		return r.fail(0, "%q before the first Probe", word)
	case word == "match", word == "softmatch":
		return r.readEntry(line, word == "softmatch")
	case slices.Contains([]string{"ports", "sslports", "totalwaitms", "tcpwrappedms", "rarity", "fallback"}, word):
		return nil // when nmap sends what; nothing is sent here
	}
	return r.fail(0, "unknown directive %q", word)
}

// readProbe reads "Probe TCP NAME q|BYTES|".
func (r *reader) readProbe(line string) error {
	words := strings.SplitN(line, " ", 4)
	if len(words) < 4 || words[1] != "TCP" && words[1] != "UDP" {
		return r.fail(0, "a Probe is written Probe TCP|UDP NAME q|BYTES|")
	}
	column := len(line) - len(words[3])
	quoted, ok := strings.CutPrefix(words[3], "q")
	if !ok || quoted == "" {
		return r.fail(column, "the bytes of a Probe are written q|BYTES|")
	}
	text, _, ok := strings.Cut(quoted[1:], quoted[:1])
	if !ok {
		return r.fail(column, "the bytes of the Probe have no end")
	}
	send, err := unescape(text)
	if err != nil {
		return r.fail(column, "%v", err)
	}
	if r.udp = words[1] == "UDP"; r.udp {
		r.probe = nil
		return nil
	}
	r.probe = &probe{name: words[2], send: send}
	r.set.probes = append(r.set.probes, r.probe)
	return nil
}

// readEntry reads "match SERVICE m|PATTERN|FLAGS VERSIONINFO", if the service is
// one of mail.
func (r *reader) readEntry(line string, soft bool) error {
	words := strings.SplitN(line, " ", 3)
	if len(words) < 3 {
		return r.fail(0, "a %s is written %[1]s SERVICE m|PATTERN|", words[0])
	}
	service, ok := services[words[1]]
	if !ok || r.udp {
		return nil
	}
	if r.set.matches+len(r.set.skipped) >= maxMatches {
		return r.fail(0, "more than %d entries for mail services", maxMatches)
	}
	column := len(line) - len(words[2])
	quoted, ok := strings.CutPrefix(words[2], "m")
	if !ok || quoted == "" {
		return r.fail(column, "a pattern is written m|PATTERN|")
	}
	pattern, rest, ok := strings.Cut(quoted[1:], quoted[:1])
	if !ok {
		return r.fail(column, "the pattern has no end")
	}
	flags, info, _ := strings.Cut(rest, " ")
	e := &entry{line: r.pos.Line, service: service, soft: soft}
	if err := e.versionInfo(info); err != nil {
		return r.fail(len(line)-len(info), "%v", err)
	}
	var err error
	if e.pattern, err = compile(pattern, flags); err != nil {
		at := r.pos
		at.Column = column + 1
		r.set.skipped = append(r.set.skipped, &signatures.Problem{Pos: at, Text: err.Error()})
		return nil
	}
	r.probe.entries = append(r.probe.entries, e)
	r.set.matches++
	return nil
}
