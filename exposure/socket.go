package exposure

import (
	"fmt"
	"strings"

	"github.com/mxsweep/mxsweep/result"
)

// socketEvidence returns the evidence for a port on which this machine listens: who holds
// the socket, where it is bound, which line is to blame, and what that daemon is.
func (p *Subject) socketEvidence() []string {
	w := p.Socket
	var list []string
	switch w.Through {
	case result.SocketPublished:
		list = append(list, fmt.Sprintf("port %d/tcp is passed on to %s, where %s listens", p.Target.Port(), w.To, holder(w)))
	default:
		list = append(list, fmt.Sprintf("%s listens on %s", holder(w), w.Bound))
	}
	if p.Anchor != nil {
		text := fmt.Sprintf("%s:%d configures it: %s", p.Anchor.File, p.Anchor.Line, strings.TrimSpace(p.Anchor.Text))
		if p.OpenedBy != nil && len(p.OpenedBy.Causes) > 0 {
			text += "; " + p.causes(p.OpenedBy)[0]
		}
		list = append(list, text)
	}
	s := p.Service
	if s == nil || s.Method == result.MethodTable {
		return append(list, "only the port number is known; the process is none of the daemons that mxsweep knows")
	}
	return append(list, "it is "+daemon(s))
}

// holder says who holds a socket.
func holder(w *result.Listening) string {
	var more []string
	if w.PID != 0 {
		more = append(more, fmt.Sprintf("PID %d", w.PID))
	}
	for _, part := range []struct{ what, value string }{{"", w.Unit}, {"package ", w.Package}, {"container ", w.Container}, {"network namespace ", w.Namespace}} {
		if part.value != "" {
			more = append(more, part.what+part.value)
		}
	}
	name := w.Process
	if name == "" {
		name = "a process that could not be seen"
	}
	if len(more) == 0 {
		return name
	}
	return name + " (" + strings.Join(more, ", ") + ")"
}
