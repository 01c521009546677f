package terminal

import (
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// widestSocket is the widest column of addresses.
const widestSocket = 28

// sockets writes what listens on the machine that the run looked at: a row for each
// address and port, with what is known of its process.
func (t *textWriter) sockets() {
	column := 0
	var rows []*result.Port
	for _, p := range t.Ports {
		if p.Socket != nil {
			rows = append(rows, &p)
			column = min(max(column, words.Width(p.Socket.Bound)), widestSocket)
		}
	}
	if len(rows) == 0 {
		return
	}
	t.blank()
	t.line(t.paint(bold, "Listening"))
	for _, p := range rows {
		lead := "  " + words.PadTo(socketAddress(p), column) + "  "
		t.Para(lead, words.Width(lead), column+4, socketText(p))
	}
}

// socketAddress returns the address at which others reach a socket, which in a container
// is not the one to which it is bound.
func socketAddress(p *result.Port) string {
	if p.Socket.Apart() {
		return strings.TrimSuffix(p.IP.String(), "%") + ":" + strconv.Itoa(int(p.Port))
	}
	return p.Socket.Bound
}

// socketText says what is known of a socket: the daemon, its process and its line.
func socketText(p *result.Port) string {
	w := p.Socket
	var parts []string
	for _, part := range []struct{ before, text string }{
		{"", w.Process}, {"PID ", pid(w.PID)}, {"", w.Unit}, {"package ", w.Package}, {"container ", w.Container}, {"network namespace ", w.Namespace},
	} {
		if part.text != "" {
			parts = append(parts, part.before+part.text)
		}
	}
	text := strings.Join(parts, ", ")
	if len(parts) == 0 {
		text = "process not seen"
	}
	if w.Through == result.SocketNamespace && w.Namespace == "" {
		text += ", in its own network namespace"
	}
	if label := p.Service.Label(); label != "" {
		text = label + ": " + text
	}
	if w.To != "" {
		text = "to " + w.To + "; " + text
	}
	if p.Anchor != nil {
		text += "; " + view.Where(p.Anchor)
	}
	return text
}

// pid writes a process ID, "" for none.
func pid(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}
