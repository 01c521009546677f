package signatures

import (
	"bytes"
	"slices"
)

// find returns the submatches of a pattern in a reply, as
// [regexp.Regexp.FindSubmatch] does: in the whole reply, or in one line of a
// multi-line reply with codes, each taken for a reply of its own (RFC 5321,
// Section 4.2.1: a reply may be split anywhere, and an administrator may add
// lines).
func (p *Pattern) find(reply []byte) [][]byte {
	if m := p.re.FindSubmatch(reply); m != nil {
		return m
	}
	for _, line := range codedLines(reply) {
		if m := p.re.FindSubmatch(line); m != nil {
			return m
		}
	}
	return nil
}

// found reports whether find matches; lines are the codedLines of the reply.
func (p *Pattern) found(reply []byte, lines [][]byte) bool {
	return p.Match(reply) || slices.ContainsFunc(lines, p.Match)
}

// codedLines returns the lines of a multi-line reply with codes, each in the form
// of a reply of one line; none of any other reply.
func codedLines(reply []byte) [][]byte {
	if !severalCoded(reply) {
		return nil
	}
	var lines [][]byte
	for line := range bytes.Lines(bytes.Clone(reply)) {
		if len(line) > 3 && line[3] == '-' {
			line[3] = ' '
		}
		lines = append(lines, line)
	}
	return lines
}

// severalCoded reports whether a reply has several lines that all begin with the
// same code, and all but the last with a hyphen after it.
func severalCoded(reply []byte) bool {
	if len(reply) < 4 || reply[3] != '-' || bytes.Count(reply, []byte("\n")) < 2 {
		return false
	}
	for _, c := range reply[:3] {
		if c < '0' || c > '9' {
			return false
		}
	}
	for line := range bytes.Lines(reply) {
		if !bytes.HasPrefix(line, reply[:3]) {
			return false
		}
	}
	return true
}
