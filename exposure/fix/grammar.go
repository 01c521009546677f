package fix

import (
	"fmt"
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

// A listenerAt says which listeners of a file an edit binds.
type listenerAt struct {
	port uint16
	line int // on which the listener is, from 1; 0 for each listener of the port
}

// covers reports whether the lines from first to last, from 0, have the listener.
func (a listenerAt) covers(first, last int) bool {
	return a.line == 0 || first < a.line && a.line <= last+1
}

// anyLine makes an edit of one that binds each listener of a port.
func anyLine(bind func(text string, port uint16, address string) (string, error)) func(string, listenerAt, string) (string, error) {
	return func(text string, at listenerAt, address string) (string, error) { return bind(text, at.port, address) }
}

// A grammar has the edits of one format. A nil function means that the format
// does not have the edit.
type grammar struct {
	bind   func(text string, at listenerAt, address string) (string, error)
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
		return grammar{bind: anyLine(smtpdBind),
			where: "in the line `listen on ... port {port}`, write `{bind}` after `listen on`; keep the rest of the line"}
	case EximConf:
		return grammar{bind: anyLine(eximBind),
			where: "in `dc_local_interfaces` (Debian; elsewhere `local_interfaces`), change the entry of port {port} to `{bind}.{port}`; keep the other entries"}
	case CourierPort:
		return grammar{bind: anyLine(courierBind),
			where: "in `PORT=`, change `{port}` to `{bind}.{port}`; keep the other ports"}
	case ListenLine:
		return grammar{bind: rebinder("listen line", listenTokens),
			where: "in the `listen` line of port {port}, change the address to `{bind}:{port}`"}
	case Slapd:
		return grammar{bind: anyLine(slapdBind),
			where: "in `SLAPD_SERVICES`, change the address in the URL of port {port} to `{bind}:{port}` (`ldap:///` becomes `ldap://{bind}:{port}/`); keep the other URLs"}
	case SendmailMC:
		return grammar{bind: anyLine(sendmailBind),
			where: "in the `DAEMON_OPTIONS` that has `Port={port}` (or the name of that port: smtp, submission), set `Addr={bind}`; keep the others"}
	case Compose:
		return grammar{bind: composeBind,
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
func (f Format) edit(text string, e Edit, at listenerAt) (string, error) {
	g := f.grammar()
	switch {
	case e.Bind != "" && g.bind != nil:
		return g.bind(text, at, e.Bind)
	case e.Option != "" && g.option != nil:
		return g.option(text, e)
	case e.Set != "" && f == MasterCF:
		e.In = fmt.Sprint(at.port)
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
