package mailtest

import (
	"embed"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A Script is a daemon that replies line by line, always in the same way.
//
// A script file has one step per line; empty lines and lines that begin with #
// are ignored. The steps before the first C: are the greeting, those after a C:
// are the reply to every line that matches it, however often it is received. The
// first C: that matches is used; a line that matches none gets no reply.
//
//	S: TEXT      send TEXT and CRLF
//	raw: "TEXT"  send TEXT, a Go string, unchanged
//	C: PATTERN   what the client sends; * matches any text, the case of
//	             letters is ignored, an empty pattern is an empty line
//	pause: 3s    wait
//	close        close the connection
//	reset        close it with a RST
//	starttls     do a TLS handshake and continue inside
//	swallow      read on and reply no more
//
// {host}, {peer}, {local}, {line} and {tag} in what is sent are replaced by
// mail.example.net, the client's and the server's address, the line that is
// replied to and its first word. Before the greeting there may be
//
//	lines: crlf        a bare LF does not end a line
//	pipelined: TEXT    send TEXT and close if a line is sent too early
//	tls                do a TLS handshake before the greeting
type Script struct {
	crlf      bool
	tls       bool
	pipelined string
	greeting  []step
	answers   []answer
}

type answer struct {
	pattern string
	steps   []step
}

type step struct {
	verb string // say, pause, close, reset, starttls, swallow
	text string
	time time.Duration
}

//go:embed daemons/*.txt
var daemons embed.FS

// Daemon returns one of the built-in daemons, by the name of its file in daemons
// without the extension.
func Daemon(name string) (*Script, error) {
	text, err := daemons.ReadFile("daemons/" + name + ".txt")
	if err != nil {
		return nil, fmt.Errorf("finding daemon %q: %w", name, err)
	}
	return Parse(string(text))
}

// Daemons returns the names of the built-in daemons.
func Daemons() []string {
	entries, err := daemons.ReadDir("daemons")
	if err != nil {
		return nil
	}
	var names []string
	for _, e := range entries {
		names = append(names, strings.TrimSuffix(e.Name(), ".txt"))
	}
	return names
}

// Parse parses a script. Errors have the number of the line.
func Parse(text string) (*Script, error) {
	s := new(Script)
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, " \t\r")
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		if err := s.parse(line); err != nil {
			return nil, fmt.Errorf("script line %d: %w", n+1, err)
		}
	}
	return s, nil
}

func (s *Script) parse(line string) error {
	key, value, _ := strings.Cut(line, ":")
	value = strings.TrimPrefix(value, " ")
	switch key {
	case "C":
		s.answers = append(s.answers, answer{pattern: strings.ToLower(value)})
	case "S":
		s.add(step{verb: "say", text: value + "\r\n"})
	case "raw":
		text, err := strconv.Unquote(value)
		if err != nil {
			return fmt.Errorf("reading %q: %w", value, err)
		}
		s.add(step{verb: "say", text: text})
	case "pause":
		d, err := time.ParseDuration(value)
		if err != nil {
			return fmt.Errorf("reading a pause: %w", err)
		}
		s.add(step{verb: "pause", time: d})
	case "close", "reset", "starttls", "swallow":
		s.add(step{verb: key})
	case "tls":
		s.tls = true
	case "pipelined":
		s.pipelined = value + "\r\n"
	case "lines":
		if value != "crlf" {
			return fmt.Errorf("lines end in crlf, not %q", value)
		}
		s.crlf = true
	default:
		return fmt.Errorf("unknown step %q", key)
	}
	return nil
}

func (s *Script) add(st step) {
	if n := len(s.answers); n > 0 {
		s.answers[n-1].steps = append(s.answers[n-1].steps, st)
		return
	}
	s.greeting = append(s.greeting, st)
}

// Serve implements [Handler].
func (s *Script) Serve(c *Conn) {
	if s.tls && c.StartTLS() != nil {
		return
	}
	if !s.play(c, s.greeting, "") {
		return
	}
	for {
		read := c.Line
		if s.crlf {
			read = c.CRLFLine
		}
		line, err := read()
		if err != nil {
			return
		}
		if s.pipelined != "" && c.Buffered() > 0 {
			c.Say(s.pipelined)
			return
		}
		for _, a := range s.answers {
			if fits(a.pattern, strings.ToLower(line)) {
				if !s.play(c, a.steps, line) {
					return
				}
				break
			}
		}
	}
}

// play executes the steps and reports whether the dialogue continues.
func (s *Script) play(c *Conn, steps []step, line string) bool {
	for _, st := range steps {
		switch st.verb {
		case "say":
			if !c.Say(expand(c, st.text, line)) {
				return false
			}
		case "pause":
			if !c.Wait(st.time) {
				return false
			}
		case "starttls":
			if c.StartTLS() != nil {
				return false
			}
		case "swallow":
			c.Swallow()
			return false
		case "reset":
			c.Reset()
			return false
		default: // close
			return false
		}
	}
	return true
}

func expand(c *Conn, text, line string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	tag, _, _ := strings.Cut(line, " ")
	return strings.NewReplacer(
		"{host}", "mail.example.net", "{peer}", c.Remote().Addr().String(), "{local}", c.Local().Addr().String(),
		"{line}", line, "{tag}", tag,
	).Replace(text)
}

// fits reports whether line matches pattern, in which * matches any text.
func fits(pattern, line string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == line
	}
	first, last := parts[0], parts[len(parts)-1]
	if !strings.HasPrefix(line, first) {
		return false
	}
	line = line[len(first):]
	for _, part := range parts[1 : len(parts)-1] {
		_, after, ok := strings.Cut(line, part)
		if !ok {
			return false
		}
		line = after
	}
	return strings.HasSuffix(line, last)
}
