package statements

import (
	"regexp"
	"strings"
)

// A Daemon is one DAEMON_OPTIONS of sendmail.mc, or one line DaemonPortOptions of sendmail.cf.
// Of a name only the first letter counts, in any case (Sendmail Installation and Operation
// Guide, "DaemonPortOptions"; sendmail/daemon.c, setsockaddroptions).
type Daemon struct {
	Options Part
	Quoted  bool // what is added at the end of Options belongs to them

	// Inside is the macro on which it depends whether there is this daemon; "" if it is there.
	Inside string

	values map[byte]Part // by the first letter of their names, in lower case
}

// Value returns the value of an option, whose first letter is given in lower case.
func (d *Daemon) Value(letter byte) Part { return d.values[letter] }

// Host returns the address, "" for each one. IPv6: in front of it is left out.
func (d *Daemon) Host() string {
	host := d.values['a'].Text
	if len(host) > 5 && strings.EqualFold(host[:5], "ipv6:") {
		return host[5:]
	}
	return host
}

// A SendmailMC is what sendmail.mc says about daemons.
type SendmailMC struct {
	Daemons []Daemon

	// NoMSA and SMTP are FEATURE(`no_default_msa') and MAILER(`smtp'); nil if the file has none.
	NoMSA, SMTP *Macro

	Closed bool // false if m4 does not come to the end of the file
}

// ParseSendmailMC reads the text of sendmail.mc (cf/README, DAEMON_OPTIONS). What is before the
// line that includes cf.m4 calls no macro.
func ParseSendmailMC(text string) SendmailMC {
	from := 0
	if i := strings.Index(text, "/cf.m4"); i >= 0 {
		if end := strings.IndexByte(text[i:], '\n'); end >= 0 && includes(text[:i]) {
			from = i + end
		}
	}
	list, closed := Macros(strings.Repeat(" ", from)+text[from:], "DAEMON_OPTIONS", "FEATURE", "MAILER", "define")
	mc := SendmailMC{Closed: closed}
	defined := map[string]string{}
	for i := range list {
		m := &list[i]
		switch {
		case m.Name == "DAEMON_OPTIONS":
			mc.Daemons = append(mc.Daemons, daemon(m, defined))
		case m.Name == "define" && m.Inside == "":
			if name, value, ok := definition(text, m); ok {
				defined[name] = value
			}
		case m.Name == "FEATURE" && m.Arg.Text == "no_default_msa" && (mc.NoMSA == nil || mc.NoMSA.Inside != ""):
			mc.NoMSA = m
		case m.Name == "MAILER" && m.Arg.Text == "smtp" && m.Inside == "":
			mc.SMTP = m
		}
	}
	return mc
}

// includes reports whether the last macro of a text is an include that is not behind dnl.
func includes(text string) bool {
	line := text[strings.LastIndexByte(text, '\n')+1:]
	return strings.Contains(line, "include(") && !strings.HasPrefix(strings.TrimSpace(line), "dnl")
}

// definition returns the name and the value of a define with both in quotation marks.
func definition(text string, m *Macro) (name, value string, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimLeft(text[m.Arg.End:], " \t"), ",")
	if !ok {
		return "", "", false
	}
	value, _, ok = strings.Cut(strings.TrimLeft(rest, " \t`"), "'")
	return m.Arg.Text, value, ok && m.Arg.Text != "" && !strings.ContainsAny(value, "`\n,(")
}

// daemon returns the daemon of a call of DAEMON_OPTIONS. A value that is the name of a macro is
// what that stands for.
func daemon(m *Macro, defined map[string]string) Daemon {
	d := Daemon{Options: Part{m.Arg.Text, m.Arg.Start, m.Arg.End}, Quoted: m.Arg.Quoted, Inside: m.Inside}
	d.read(m.Arg.Text, m.Arg.part)
	for letter, v := range d.values {
		if text, ok := defined[v.Text]; ok {
			v.Text = text
			d.values[letter] = v
		}
	}
	return d
}

// read reads a list of options. part returns a range of it as a part of the file.
func (d *Daemon) read(text string, part func(from, to int) Part) {
	d.values = map[byte]Part{}
	at := 0
	for item := range strings.SplitSeq(text, ",") {
		name, value, ok := strings.Cut(item, "=")
		if name = strings.TrimSpace(name); ok && name != "" && name[0]|0x20 >= 'a' && name[0]|0x20 <= 'z' {
			from := at + strings.IndexByte(item, '=') + 1
			from += len(value) - len(strings.TrimLeft(value, " \t\r\n"))
			d.values[name[0]|0x20] = part(from, max(from, at+len(strings.TrimRight(item, " \t\r\n"))))
		}
		at += len(item) + 1
	}
}

// cfOption is an option of sendmail.cf that has the daemons: by its name, of which a beginning is
// enough, or by its letter.
var cfOption = regexp.MustCompile(`^O(?:[ \t]+(?i:daemonp\w*)[ \t]*=|O=?)[ \t]*`)

// ParseSendmailCF returns the daemons of the text of sendmail.cf: the lines "O DaemonPortOptions=",
// which lines continue that begin with a blank (sendmail/util.c, fgetfolded).
func ParseSendmailCF(text string) []Daemon {
	var list []Daemon
	for start := 0; start < len(text); {
		end := foldedEnd(text, start)
		if m := cfOption.FindStringIndex(text[start:min(end, start+maxOption)]); m != nil && text[start] == 'O' {
			from := start + m[1]
			value := strings.TrimRight(text[from:end], " \t\r\n")
			d := Daemon{Options: Part{value, from, from + len(value)}}
			d.read(value, func(i, j int) Part { return Part{value[i:j], from + i, from + j} })
			list = append(list, d)
		}
		start = end
	}
	return list
}

// maxOption is how many bytes of a line the name of an option may have.
const maxOption = 100

// foldedEnd returns the offset after the line that begins at an offset and those that continue it.
func foldedEnd(text string, from int) int {
	for {
		i := strings.IndexByte(text[from:], '\n')
		if i < 0 {
			return len(text)
		}
		if from += i + 1; from == len(text) || text[from] != ' ' && text[from] != '\t' {
			return from
		}
	}
}

// cfVersion is the line with the version of the syntax, which each sendmail.cf has.
var cfVersion = regexp.MustCompile(`(?m)^V[0-9]+(?:/|[ \t]|\r?$)`)

// IsSendmailCF reports whether a text is one of sendmail.cf.
func IsSendmailCF(text string) bool { return cfVersion.MatchString(text) }
