package fix

import (
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/internal/statements"
)

// sendmailBind binds the daemon of a port in the DAEMON_OPTIONS of sendmail.mc. A daemon without
// a port listens on that of smtp. Whether there is one that is inside of another macro is for a
// person to say.
func sendmailBind(text string, port uint16, address string) (string, error) {
	found, at := false, 0
	var b strings.Builder
	for _, d := range statements.ParseSendmailMC(text).Daemons {
		name := d.Value('p').Text
		if name == "" {
			name = "smtp"
		}
		if n, ok := endpoint.Port(name); !ok || n != port {
			continue
		}
		if d.Inside != "" {
			return "", &UnclearError{1 + strings.Count(text[:d.Options.Start], "\n"), "DAEMON_OPTIONS inside of " + d.Inside}
		}
		found = true
		from, to, now := sendmailAddress(&d, address)
		b.WriteString(text[at:from])
		b.WriteString(now)
		at = to
	}
	if !found {
		return "", &NotFoundError{"DAEMON_OPTIONS", port}
	}
	b.WriteString(text[at:])
	return b.String(), nil
}

// sendmailAddress returns the range of the text that binds a daemon, and what to write there.
func sendmailAddress(d *statements.Daemon, address string) (from, to int, now string) {
	if strings.EqualFold(d.Value('f').Text, "inet6") && strings.HasPrefix(address, "127.") {
		address = "::1"
	}
	host := endpoint.Endpoint{Host: d.Host()}
	switch a := d.Value('a'); {
	case host.Loopback():
		return d.Options.End, d.Options.End, ""
	case a.Has():
		return a.Start, a.End, address
	case d.Options.Text == "":
		return d.Options.Start, d.Options.End, "`Addr=" + address + "'"
	case d.Quoted:
		end := d.Options.End - 1 // before the quotation mark
		return end, end, ", Addr=" + address
	}
	return d.Options.Start, d.Options.End, "`" + d.Options.Text + ", Addr=" + address + "'"
}
