package recog

import (
	"bytes"
	"strings"

	"github.com/mxsweep/mxsweep/signatures"
)

// A source is one of recog's files, with what it is matched against.
type source struct {
	file     string
	protocol string
	role     string
	command  string // what was sent; "" is the greeting
}

// sources are recog's files on mail services, in recog's own order of
// preference. smtp_mailfrom.xml and smtp_rcptto.xml belong to commands that
// are sent only if asked for.
var sources = []source{
	{"imap_banners.xml", "imap", "imap", ""},
	{"pop_banners.xml", "pop3", "pop3", ""},
	{"smtp_banners.xml", "smtp", "mta", ""},
	{"smtp_ehlo.xml", "smtp", "mta", "EHLO"},
	{"smtp_help.xml", "smtp", "mta", "HELP"},
	{"smtp_noop.xml", "smtp", "mta", "NOOP"},
	{"smtp_expn.xml", "smtp", "mta", "EXPN"},
	{"smtp_vrfy.xml", "smtp", "mta", "VRFY"},
	{"smtp_debug.xml", "smtp", "mta", "DEBUG"},
	{"smtp_turn.xml", "smtp", "mta", "TURN"},
	{"smtp_rset.xml", "smtp", "mta", "RSET"},
	{"smtp_quit.xml", "smtp", "mta", "QUIT"},
	{"smtp_mailfrom.xml", "smtp", "mta", "MAIL"},
	{"smtp_rcptto.xml", "smtp", "mta", "RCPT"},
}

// maxLines is how many lines of a reply are looked at.
const maxLines = 64

// texts returns what of an exchange a source's patterns are matched against,
// line by line.
func (src *source) texts(ex *signatures.Exchange) (lines [][]byte) {
	if src.command == "" && ex.Probe != signatures.Greeting || src.command != "" && src.command != command(ex.Sent) {
		return nil
	}
	reply := ex.Reply
	for range maxLines {
		line, rest, more := bytes.Cut(reply, []byte("\n"))
		if text, ok := src.strip(bytes.TrimSuffix(line, []byte("\r"))); ok {
			lines = append(lines, text)
		}
		if !more {
			break
		}
		reply = rest
	}
	return lines
}

// strip takes from a line of a greeting the indicator that the patterns do not
// have. Other replies are matched as they are.
func (src *source) strip(line []byte) ([]byte, bool) {
	if src.command != "" {
		return line, len(line) > 0
	}
	switch src.protocol {
	case "imap":
		return bytes.CutPrefix(line, []byte("* OK "))
	case "pop3":
		if text, ok := bytes.CutPrefix(line, []byte("-ERR ")); ok {
			return text, true
		}
		return bytes.CutPrefix(line, []byte("+OK "))
	}
	// RFC 5321, Section 4.2: three digits and a space or hyphen.
	if len(line) < 4 || line[0] < '2' || line[0] > '5' || line[3] != ' ' && line[3] != '-' {
		return nil, false
	}
	return line[4:], true
}

// command is the first word of what was sent, in upper case.
func command(sent []byte) string {
	words := bytes.Fields(sent[:min(len(sent), 64)])
	if len(words) == 0 {
		return ""
	}
	return strings.ToUpper(string(words[0]))
}
