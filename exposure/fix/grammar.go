package fix

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
)

// A Format is the grammar of a configuration file.
type Format string

// The formats that can be edited.
const (
	MasterCF    Format = "master.cf"   // Postfix services, master(5)
	MainCF      Format = "main.cf"     // name = value, a blank continues, postconf(5)
	Dovecot23   Format = "dovecot-2.3" // sections, address = in a listener
	Dovecot24   Format = "dovecot-2.4" // sections, listen = in a listener
	HAProxy     Format = "haproxy"     // bind ADDRESS:PORT
	Nginx       Format = "nginx"       // listen ADDRESS:PORT;
	CyrusConf   Format = "cyrus.conf"  // listen="ADDRESS:PORT"
	SMTPDConf   Format = "smtpd.conf"  // OpenSMTPD: listen on ADDRESS port PORT
	EximConf    Format = "exim"        // local_interfaces = ADDRESS.PORT, a list
	CourierPort Format = "courier"     // PORT=ADDRESS.PORT, a list in a shell file
	ListenLine  Format = "listen-line" // listen ADDRESS:PORT, also Listen: ADDRESS:PORT
	Slapd       Format = "slapd"       // SLAPD_SERVICES="ldap://ADDRESS:PORT/ ldapi:///"
	SendmailMC  Format = "sendmail.mc" // DAEMON_OPTIONS(`Port=PORT, Addr=ADDRESS')
	Compose     Format = "compose"     // published ports of containers
	Perl        Format = "perl"        // $name = value; read as a program
	Words       Format = "words"       // Name value
	Equals      Format = "equals"      // name = value
	Colon       Format = "colon"       // name: value
	Shell       Format = "shell"       // NAME=value, read by a shell or systemd
	INI         Format = "ini"         // [section] and name = value
	PList       Format = "plist"       // name = value; between braces, as SOGo has it
	RspamdLocal Format = "ucl"         // name = value; in a file of local.d
)

// A grammar has the edits of one format. A nil function means that the format
// does not have the edit.
type grammar struct {
	bind   func(text string, port uint16, address string) (string, error)
	set    func(text string, e Edit) (string, error)
	option func(text string, e Edit) (string, error)

	where string // describes the location of Bind
	line  string // joins a name and its value in descriptions
	end   string
}

// grammar returns the grammar of f; the zero grammar if f is unknown.
func (f Format) grammar() grammar {
	switch f {
	case MasterCF:
		return grammar{bind: rebinder("inet entry", masterTokens), set: masterOption,
			where: "in the entry that begins with `{port} inet`, put `{bind}:` before the port; keep its other lines"}
	case Dovecot23, Dovecot24:
		key := map[Format]string{Dovecot23: "address", Dovecot24: "listen"}[f]
		return grammar{bind: dovecotBind(key), set: dovecotSet, line: " = ",
			where: "in the block `inet_listener` that has `port = {port}`, add the line `" + key + " = {bind}`; keep all other listeners"}
	case HAProxy:
		return grammar{bind: rebinder("bind line", haproxyTokens),
			where: "in the `bind` line of port {port}, change the address to `{bind}:{port}`; keep the rest of the line"}
	case Nginx:
		return grammar{bind: rebinder("listen directive", nginxTokens),
			where: "in each `listen` directive of port {port}, change the address to `{bind}:{port}`; keep its other parameters"}
	case CyrusConf:
		return grammar{bind: rebinder("service", cyrusTokens),
			where: "in the service that listens on port {port}, write `listen=\"{bind}:{port}\"`; keep the rest of the line"}
	case SMTPDConf:
		return grammar{bind: smtpdBind,
			where: "in the line `listen on ... port {port}`, write `{bind}` after `listen on`; keep the rest of the line"}
	case EximConf:
		return grammar{bind: eximBind,
			where: "in `dc_local_interfaces` (Debian; elsewhere `local_interfaces`), change the entry of port {port} to `{bind}.{port}`; keep the other entries"}
	case CourierPort:
		return grammar{bind: courierBind,
			where: "in `PORT=`, change `{port}` to `{bind}.{port}`; keep the other ports"}
	case ListenLine:
		return grammar{bind: rebinder("listen line", listenTokens),
			where: "in the `listen` line of port {port}, change the address to `{bind}:{port}`"}
	case Slapd:
		return grammar{bind: slapdBind,
			where: "in `SLAPD_SERVICES`, change the address in the URL of port {port} to `{bind}:{port}` (`ldap:///` becomes `ldap://{bind}:{port}/`); keep the other URLs"}
	case SendmailMC:
		return grammar{bind: sendmailBind,
			where: "in the `DAEMON_OPTIONS` that has `Port={port}` (or the name of that port: smtp, submission), set `Addr={bind}`; keep the others"}
	case Compose:
		return grammar{bind: rebinder("published port", composeTokens),
			where: "in the list `ports`, publish port {port} as `{bind}:{port}:TARGET`, or remove the entry"}
	}
	k, ok := f.keyed()
	if !ok {
		return grammar{}
	}
	g := grammar{set: k.set, line: k.join, end: k.end}
	if f == Shell {
		g.option = shellOption
	}
	return g
}

// edit makes one edit.
func (f Format) edit(text string, e Edit, port uint16) (string, error) {
	g := f.grammar()
	switch {
	case e.Bind != "" && g.bind != nil:
		return g.bind(text, port, e.Bind)
	case e.Option != "" && g.option != nil:
		return g.option(text, e)
	case e.Set != "" && f == MasterCF:
		e.In = fmt.Sprint(port)
		return g.set(text, e)
	case e.Set != "" && g.set != nil:
		return g.set(text, e)
	}
	return "", fmt.Errorf("format %q has no such edit", f)
}

// can reports whether the format supports the edit.
func (f Format) can(e Edit) bool {
	g := f.grammar()
	count := 0
	for _, is := range []bool{e.Bind != "" && g.bind != nil, e.Set != "" && g.set != nil, e.Option != "" && g.option != nil} {
		if is {
			count++
		}
	}
	given := 0
	for _, s := range []string{e.Bind, e.Set, e.Option} {
		if s != "" {
			given++
		}
	}
	return count == 1 && given == 1
}

// describe describes an edit, in a sentence that begins with the file.
func (f Format) describe(e Edit, v Values) string {
	g := f.grammar()
	value := v.fill(e.Value)
	switch {
	case e.Bind != "":
		return v.fill(strings.ReplaceAll(g.where, "{bind}", e.Bind))
	case e.Option != "":
		name, _, _ := strings.Cut(e.Option, " ")
		return fmt.Sprintf("in `%s=`, set the option `%s`; keep the others", e.In, optionWord(name, value))
	case f == MasterCF:
		return fmt.Sprintf("in the entry that begins with `%s inet`, add or change the line `-o %s=%s`; keep its other lines", v.port(), e.Set, value)
	case e.In != "" && f == INI:
		return fmt.Sprintf("in [%s], set `%s%s%s`", e.In, e.Set, g.line, value)
	}
	return fmt.Sprintf("set `%s%s%s%s`", e.Set, g.line, value, g.end)
}

// example returns the lines after the edit, if several belong together; nil if
// the description is enough.
func (f Format) example(e Edit, v Values) []string {
	if e.Bind == "" || f != Dovecot23 && f != Dovecot24 {
		return nil
	}
	key := "address"
	if f == Dovecot24 {
		key = "listen"
	}
	return []string{"inet_listener NAME {", "  port = " + v.port(), "  " + key + " = " + e.Bind, "}"}
}

// short returns what an edit writes, without the location; the whole description
// if that is not clear by itself.
func (f Format) short(e Edit, v Values) string {
	if lines := f.example(e, v); lines != nil {
		return "`" + strings.TrimSpace(lines[len(lines)-2]) + "`"
	}
	return f.describe(e, v)
}

// A keyed grammar has settings with a name and a value, one per line.
type keyed struct {
	sep    string         // separator of name and value, as a regular expression
	join   string         // the same, as it is written
	end    string         // end of a value, "" for the end of the line
	blank  bool           // a line that begins with a blank continues the previous one
	fold   bool           // names are case-insensitive
	prefix string         // optional prefix of a name, as a regular expression
	before *regexp.Regexp // new settings are inserted before the last line of this kind
	ini    bool           // the file has sections
}

var (
	lastTrue  = regexp.MustCompile(`^\s*1\s*;`)
	lastBrace = regexp.MustCompile(`^\s*\}`)
)

// keyed returns the keyed grammar of f.
func (f Format) keyed() (keyed, bool) {
	switch f {
	case MainCF:
		return keyed{sep: `[ \t]*=`, join: " = ", blank: true}, true
	case Words:
		return keyed{sep: `(?:[ \t]+|$)`, join: " ", fold: true}, true
	case Equals:
		return keyed{sep: `[ \t]*=`, join: " = "}, true
	case Colon:
		return keyed{sep: `[ \t]*:`, join: ": ", blank: true}, true
	case Shell:
		return keyed{sep: `=`, join: "=", prefix: `(?:export[ \t]+)?`}, true
	case INI:
		return keyed{sep: `[ \t]*[=:]`, join: " = ", ini: true}, true
	case Perl:
		return keyed{sep: `[ \t]*=(?:[^=~]|$)`, join: " = ", end: ";", before: lastTrue}, true
	case PList:
		return keyed{sep: `[ \t]*=`, join: " = ", end: ";", before: lastBrace}, true
	case RspamdLocal:
		return keyed{sep: `(?:[ \t]*[=:]|[ \t]+["\d])`, join: " = ", end: ";"}, true
	}
	return keyed{}, false
}

// lines splits a text after each line end; one is added to the last line if it is
// missing.
func lines(text string) []string {
	list := strings.SplitAfter(text, "\n")
	if last := list[len(list)-1]; last == "" {
		list = list[:len(list)-1]
	} else {
		list[len(list)-1] = last + "\n"
	}
	return list
}

// comment reports whether a line is blank or a comment.
func comment(line string) bool {
	s := strings.TrimSpace(line)
	return s == "" || s[0] == '#' || s[0] == ';'
}

// set changes a setting: the first assignment is rewritten, further ones become
// comments, and if there is none a line is added. Other lines stay the same, byte
// for byte.
func (k keyed) set(text string, e Edit) (string, error) {
	list := lines(text)
	flags := "^"
	if k.fold {
		flags = "(?i)^"
	}
	name := regexp.MustCompile(flags + `[ \t]*` + k.prefix + regexp.QuoteMeta(e.Set) + k.sep)
	from, to := 0, len(list)
	if k.ini && e.In != "" {
		from, to = section(list, e.In)
	}
	done := false
	for i := from; i < to; i++ {
		if comment(list[i]) || !name.MatchString(strings.TrimRight(list[i], "\r\n")) {
			continue
		}
		n, err := k.extent(list[i:to], i)
		if err != nil {
			return "", err
		}
		if done {
			for j := i; j < i+n; j++ {
				list[j] = "# " + list[j]
			}
		} else {
			indent := list[i][:len(list[i])-len(strings.TrimLeft(list[i], " \t"))]
			list = slices.Replace(list, i, i+n, indent+e.Set+k.join+e.Value+k.end+ending(list[i]))
			to -= n - 1
			n, done = 1, true
		}
		i += n - 1
	}
	if !done {
		list = k.add(list, e, from, to)
	}
	return strings.Join(list, ""), nil
}

// ending returns the line end of a line.
func ending(line string) string {
	if strings.HasSuffix(line, "\r\n") {
		return "\r\n"
	}
	return "\n"
}

// extent returns the number of lines of the setting that begins at list[0]; at is
// its line number, counted from 0.
func (k keyed) extent(list []string, at int) (int, error) {
	switch {
	case k.end != "":
		for n, line := range list {
			code, rest, found := cutStatement(line, k.end[0])
			if !found {
				continue
			}
			if s := strings.TrimSpace(rest); s != "" && s[0] != '#' {
				return 0, &UnclearError{at + n + 1, "another statement after " + strings.TrimSpace(code) + k.end}
			}
			return n + 1, nil
		}
		return 1, nil
	case k.blank:
		n := 1
		for i := 1; i < len(list); i++ {
			if comment(list[i]) {
				continue
			}
			if first := list[i][0]; first != ' ' && first != '\t' && !strings.HasPrefix(list[i], "- ") {
				break
			}
			n = i + 1
		}
		return n, nil
	}
	return 1, nil
}

// cutStatement cuts a line at the first end that is not quoted or in a comment.
func cutStatement(line string, end byte) (code, rest string, found bool) {
	var quote byte
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quote != 0 && c == '\\':
			i++
		case quote != 0 && c == quote:
			quote = 0
		case quote != 0:
		case c == '\'' || c == '"':
			quote = c
		case c == '#':
			return line[:i], "", false
		case c == end:
			return line[:i], line[i+1:], true
		}
	}
	return line, "", false
}

// add inserts a line for a setting that list does not have between from and to.
func (k keyed) add(list []string, e Edit, from, to int) []string {
	line := e.Set + k.join + e.Value + k.end + "\n"
	switch {
	case k.ini && e.In != "" && from == len(list):
		return append(list, "["+e.In+"]\n", line)
	case k.ini && e.In != "":
		for to > from && comment(list[to-1]) {
			to--
		}
		return slices.Insert(list, to, line)
	case k.before != nil:
		for i := len(list) - 1; i >= 0; i-- {
			if k.before.MatchString(list[i]) {
				return slices.Insert(list, i, line)
			}
		}
	}
	return append(list, line)
}

// section returns the lines between the head of an INI section and the next head;
// both are the end of the file if there is no such section.
func section(list []string, name string) (from, to int) {
	from = len(list)
	for i, line := range list {
		s := strings.TrimSpace(line)
		if !strings.HasPrefix(s, "[") {
			continue
		}
		if from < len(list) {
			return from, i
		}
		if head, _, ok := strings.Cut(s[1:], "]"); ok && strings.TrimSpace(head) == name {
			from = i + 1
		}
	}
	return from, len(list)
}
