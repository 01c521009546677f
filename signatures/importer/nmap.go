package importer

import (
	"bytes"
	"fmt"
	"io"
	"regexp/syntax"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/internal/textfile"
	"github.com/mxsweep/mxsweep/signatures"
)

// Limits of the input. The file of nmap 7.93 has 2.5 MB, 12,000 matches and no line
// over 4 kB.
const (
	maxNmapFile = 16 << 20
	maxLine     = 64 << 10
	maxMatches  = 20000
)

// softConfidence is the confidence of a softmatch, which nmap takes for a hint.
const softConfidence = 3

// services are the mail services by nmap's names, with our protocol and role.
var services = map[string]struct{ protocol, role string }{
	"smtp":         {"smtp", "mta"},
	"smtps":        {"smtp", "mta"},
	"ssl/smtp":     {"smtp", "mta"},
	"smtp-proxy":   {"smtp", "proxy"},
	"submission":   {"smtp", "submission"},
	"lmtp":         {"lmtp", "lmtp"},
	"imap":         {"imap", "imap"},
	"imaps":        {"imap", "imap"},
	"ssl/imap":     {"imap", "imap"},
	"imap-proxy":   {"imap", "imap-proxy"},
	"pop3":         {"pop3", "pop3"},
	"pop3s":        {"pop3", "pop3"},
	"ssl/pop3":     {"pop3", "pop3"},
	"pop3-proxy":   {"pop3", "pop3-proxy"},
	"sieve":        {"managesieve", "sieve"},
	"managesieve":  {"managesieve", "sieve"},
	"policy":       {"postfix-policy", "policy"},
	"milter":       {"milter", "milter"},
	"spamassassin": {"spamd", "antispam"},
	"spamd":        {"spamd", "antispam"},
	"clam":         {"clamd", "antivirus"},
	"clamd":        {"clamd", "antivirus"},
	"qmqp":         {"qmqp", "unknown"},
	"mupdate":      {"mupdate", "unknown"},
}

// ours are our probes by what they send: nmap's send the same, or EHLO without a name.
// asked says whether a port that greets gets the probe.
var ours = map[string]struct {
	probe string
	asked bool
}{
	"":                       {signatures.Greeting, true},
	"EHLO\r\n":               {"smtp-ehlo", true},
	"HELP\r\n":               {"smtp-help", true},
	"GET / HTTP/1.0\r\n\r\n": {"http-get", false},
}

// Nmap reads an nmap-service-probes; name is used in errors, which have a position.
// Entries for services other than mail are ignored.
func Nmap(r io.Reader, name string) (*Import, error) {
	b, err := readAll(r, name, maxNmapFile)
	if err != nil {
		return nil, err
	}
	if f := textfile.Check(b[:min(len(b), maxLine)]); f != nil && f.Whole {
		e := &signatures.Problem{File: name, Line: f.Line(b), Column: f.Column(b), Problem: f.Text, Hint: f.Hint}
		line, _, _ := bytes.Cut(b[f.Offset+1-e.Column:], []byte("\n"))
		e.SetSource(string(line))
		return nil, e
	}
	p := &nmapReader{im: &Import{tool: "nmap"}, pos: signatures.Pos{File: name}}
	for line := range bytes.Lines(b) {
		p.pos.Line++
		p.text = strings.TrimRight(string(line), "\r\n")
		if err := p.line(p.text); err != nil {
			return nil, err
		}
	}
	if len(p.im.entries)+len(p.im.skipped) == 0 {
		return nil, &signatures.Problem{File: name, Problem: "the file has no entry for a mail service", Hint: NmapHint}
	}
	return p.im, nil
}

// An nmapReader reads a file line by line.
type nmapReader struct {
	im   *Import
	pos  signatures.Pos
	text string // the current line
	any  bool   // a Probe has come
	udp  bool   // the last one is sent by UDP
	send string // what it sends
}

// fail returns an error at a column of the current line, from 0.
func (r *nmapReader) fail(column int, format string, args ...any) error {
	at := r.pos
	at.Column = column + 1
	e := &signatures.Problem{File: at.File, Line: at.Line, Column: at.Column, Problem: fmt.Sprintf(format, args...), Hint: NmapHint}
	e.SetSource(r.text)
	return e
}

func (r *nmapReader) line(line string) error {
	if len(line) > maxLine {
		return r.fail(0, "a line of more than %d bytes", maxLine)
	}
	word, _, _ := strings.Cut(line, " ")
	switch {
	case strings.TrimSpace(line) == "", line[0] == '#':
		return nil
	case word == "Probe":
		return r.probe(line)
	case word == "Exclude":
		return nil
	case !r.any:
		return r.fail(0, "%q before the first Probe", word)
	case word == "match", word == "softmatch":
		return r.match(line, word == "softmatch")
	case slices.Contains([]string{"ports", "sslports", "totalwaitms", "tcpwrappedms", "rarity", "fallback"}, word):
		return nil // when nmap sends what; nothing is sent here
	}
	return r.fail(0, "unknown directive %q", word)
}

// probe reads "Probe TCP NAME q|BYTES|".
func (r *nmapReader) probe(line string) error {
	words := strings.SplitN(line, " ", 4)
	if len(words) < 4 || words[1] != "TCP" && words[1] != "UDP" {
		return r.fail(0, "expected Probe TCP|UDP NAME q|BYTES|")
	}
	column := len(line) - len(words[3])
	text, _, err := quoted(words[3], "q")
	if err == nil {
		r.send, err = unescape(text)
	}
	if err != nil {
		return r.fail(column, "reading the bytes of the Probe: %v", err)
	}
	r.any, r.udp = true, words[1] == "UDP"
	return nil
}

// quoted splits off a text between two delimiters after a letter.
func quoted(from, letter string) (text, rest string, err error) {
	inside, ok := strings.CutPrefix(from, letter)
	if !ok || inside == "" {
		return "", "", fmt.Errorf("expecting %s|...|", letter)
	}
	text, rest, ok = strings.Cut(inside[1:], inside[:1])
	if !ok {
		return "", "", fmt.Errorf("the closing %q is missing", inside[:1])
	}
	return text, rest, nil
}

// unescape reads the bytes of a Probe, with the escapes of C.
func unescape(text string) (string, error) {
	named := map[byte]byte{'0': 0, 'a': '\a', 'b': '\b', 'f': '\f', 'n': '\n', 'r': '\r', 't': '\t', 'v': '\v', '\\': '\\'}
	var out []byte
	for {
		before, rest, found := strings.Cut(text, `\`)
		out = append(out, before...)
		if !found {
			return string(out), nil
		}
		c, isNamed := byte(0), false
		if rest != "" {
			c, isNamed = named[rest[0]]
		}
		switch {
		case isNamed:
			text = rest[1:]
		case len(rest) >= 3 && rest[0] == 'x':
			n, err := strconv.ParseUint(rest[1:3], 16, 8)
			if err != nil {
				return "", fmt.Errorf(`\x needs two hexadecimal digits, not %q`, rest[1:3])
			}
			c, text = byte(n), rest[3:]
		default:
			return "", fmt.Errorf("unknown escape %q", `\`+rest[:min(1, len(rest))])
		}
		out = append(out, c)
	}
}

// match reads "match SERVICE m|PATTERN|FLAGS VERSIONINFO", if the service is one
// of mail.
func (r *nmapReader) match(line string, soft bool) error {
	words := strings.SplitN(line, " ", 3)
	if len(words) < 3 {
		return r.fail(0, "expected %s SERVICE m|PATTERN|", words[0])
	}
	service, ok := services[words[1]]
	if !ok || r.udp {
		return nil
	}
	if len(r.im.entries)+len(r.im.skipped) >= maxMatches {
		return r.fail(0, "more than %d entries for mail services", maxMatches)
	}
	pattern, rest, err := quoted(words[2], "m")
	if err != nil {
		return r.fail(len(line)-len(words[2]), "reading the pattern: %v", err)
	}
	flags, info, _ := strings.Cut(rest, " ")
	templates, err := versionInfo(info)
	if err != nil {
		return r.fail(len(line)-len(info), "%v", err)
	}
	e := &entry{
		ID:       fmt.Sprintf("nmap:%s:%d", words[1], r.pos.Line),
		Protocol: service.protocol, Role: service.role, Confidence: signatures.MaxUntested,
		Source: fmt.Sprintf("nmap-service-probes, line %d", r.pos.Line),
	}
	if soft {
		e.Confidence = softConfidence
	}
	at := r.pos
	at.Column = len(line) - len(words[2]) + 1
	if why, detail := e.convert(r.send, pattern, flags, templates); why != "" {
		r.im.skip(at, why, detail)
		return nil
	}
	r.im.add(at, e)
	return nil
}

// convert fills in the values and conditions of the signature, or returns why that is
// not possible.
func (e *entry) convert(send, pattern, flags string, t templates) (why SkipReason, detail string) {
	if e.Product = t.product(); e.Product == "" {
		return NoProduct, ""
	}
	ours, heard := ours[send]
	if !heard {
		return NotHeard, ""
	}
	re, err := nmapPattern(pattern, flags)
	if err != nil {
		return NotRE2, err.Error()
	}
	groups := t.fill(e)
	for _, group := range groups {
		if group > re.MaxCap() {
			return BadTemplate, fmt.Sprintf("group %d of %d", group, re.MaxCap())
		}
	}
	condition := func(probe string, re *syntax.Regexp) {
		e.When = append(e.When, condition{Probe: probe, Reply: captures(re, groups).String()})
	}
	if ours.probe == signatures.Greeting || !greets(re) {
		condition(ours.probe, re)
		return "", ""
	}
	// nmap did not wait for the greeting, and reads it with the reply.
	greeting, reply := split(re)
	switch {
	case reply != nil && !ours.asked:
		return NotHeard, ""
	case reply != nil:
		condition(signatures.Greeting, greeting)
		condition(ours.probe, reply)
	default:
		condition(signatures.Greeting, greeting)
		if ends(greeting) {
			e.When = append(e.When, silent(ours.probe))
		}
	}
	return "", ""
}

// silent is the condition that a probe gets no reply.
func silent(probe string) condition { return condition{Probe: probe, Bytes: new(int)} }

// nmapPattern reads a pattern of PCRE (pcrepattern(3)).
func nmapPattern(pattern, flags string) (*syntax.Regexp, error) {
	var options syntax.Flags
	for _, flag := range flags {
		switch flag {
		case 'i':
			options |= syntax.FoldCase
		case 's':
			options |= syntax.DotNL
		default:
			return nil, fmt.Errorf("the flag %q", flag)
		}
	}
	re, err := parse(greedy(pattern), options)
	if err != nil {
		return nil, err
	}
	return ofBytes(re)
}
