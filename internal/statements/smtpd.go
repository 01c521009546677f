package statements

import (
	"slices"
	"strings"
)

// An SMTPDListen is a statement "listen on" of smtpd.conf (smtpd.conf(5)).
type SMTPDListen struct {
	On     Part   // the interface or address, as it is written
	Host   string // the same without macros
	Given  Part   // the port, as it is written; without a text if there is none
	Port   string // the same without macros, or the port on which it listens without one
	Family string // "inet4", "inet6" or ""
	TLS    bool   // TLS begins at once
}

// An SMTPD is what smtpd.conf says about where OpenSMTPD listens.
type SMTPD struct {
	Listens  []SMTPDListen
	Includes []Part // the files that it includes
}

// maxMacros bounds the macros of a file.
const maxMacros = 1000

// ParseSMTPD reads the text of smtpd.conf.
func ParseSMTPD(text string) SMTPD {
	var s SMTPD
	macros := map[string]string{}
	value := func(word Part) string {
		if name, ok := strings.CutPrefix(word.Text, "$"); ok {
			if v, ok := macros[name]; ok {
				return v
			}
		}
		return word.Text
	}
	for words := range smtpdStatements(text) {
		switch {
		case len(words) >= 3 && words[1].Text == "=":
			if len(macros) < maxMacros {
				macros[words[0].Text] = words[2].Text
			}
		case len(words) == 2 && words[0].Text == "include":
			s.Includes = append(s.Includes, words[1])
		case len(words) >= 3 && words[0].Text == "listen" && words[1].Text == "on" && words[2].Text != "socket":
			s.Listens = append(s.Listens, smtpdListen(words[2:], value))
		}
	}
	return s
}

// smtpdArguments are the options of a listener that a word follows.
var smtpdArguments = []string{"port", "tag", "filter", "hostname", "hostnames", "pki", "ca", "senders", "ciphers", "protocols"}

// smtpdListen reads a statement from the interface on. Without a port it listens on 465 if it
// has smtps and not tls, too, and on 25 otherwise (usr.sbin/smtpd/parse.y,
// create_if_listener).
func smtpdListen(words []Part, value func(Part) string) SMTPDListen {
	l := SMTPDListen{On: words[0], Host: value(words[0]), Port: "25"}
	smtps, starttls := false, false
	for i := 1; i < len(words); i++ {
		switch option := words[i].Text; option {
		case "inet4", "inet6":
			l.Family = option
		case "tls", "tls-require":
			starttls = true
		case "smtps":
			smtps = true
		case "auth", "auth-optional": // the table behind it is there or not
			if i+1 < len(words) && strings.HasPrefix(words[i+1].Text, "<") {
				i++
			}
		default:
			if !slices.Contains(smtpdArguments, option) || i+1 == len(words) {
				continue
			}
			if i++; option == "port" {
				l.Given, l.Port = words[i], value(words[i])
			}
		}
	}
	l.TLS = smtps && (l.Given.Has() || !starttls)
	if l.TLS && !l.Given.Has() {
		l.Port = "465"
	}
	return l
}

// smtpdStatements yields the statements: lines, and those that a \ at their end continues.
func smtpdStatements(text string) func(yield func([]Part) bool) {
	return func(yield func([]Part) bool) {
		var words []Part
		start := 0
		for line := range strings.Lines(text) {
			code, more := strings.CutSuffix(strings.TrimRight(line, " \t\r\n"), "\\")
			words = smtpdWords(words, code, start)
			start += len(line)
			if more {
				continue
			}
			if !yield(words) {
				return
			}
			words = nil
		}
		yield(words)
	}
}

// smtpdWords appends the words of a line, without a comment and quotation marks; = is a word.
func smtpdWords(list []Part, line string, start int) []Part {
	for i := 0; i < len(line); {
		switch line[i] {
		case ' ', '\t':
			i++
		case '#':
			return list
		case '"':
			end := strings.IndexByte(line[i+1:], '"')
			if end < 0 {
				end = len(line) - i - 1
			}
			list = append(list, Part{line[i+1 : i+1+end], start + i + 1, start + i + 1 + end})
			i = min(i+end+2, len(line))
		default:
			n := strings.IndexAny(line[i:], " \t\"=#")
			if n < 0 {
				n = len(line) - i
			}
			n = max(n, 1)
			list = append(list, Part{line[i : i+n], start + i, start + i + n})
			i += n
		}
	}
	return list
}
