//go:build linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"sync"

	"github.com/mxsweep/mxsweep/internal/mailtest"
)

// A role is a daemon that Debian does not ship, played in process 1 of a host
// among the real ones.
type role struct {
	addr    string
	handler mailtest.Handler
}

// signing is the classic of the daemons that are not in Debian: DKIMproxy
// before Postfix, Cluebringer beside it.
func signing() []role {
	policy := &mailtest.Cluebringer{}
	return []role{
		{"0.0.0.0:10025", mailtest.DKIMproxy{Next: "127.0.0.1:10026"}}, // where nothing listens
		{"0.0.0.0:10027", mailtest.DKIMproxy{Next: "127.0.0.1:10028"}},
		{"0.0.0.0:10029", mailtest.DKIMproxy{Next: "127.0.0.1:10028", Refuse: true}},
		{"0.0.0.0:10031", &ledger{Handler: policy, rows: policy.Rows, file: "/var/lib/cluebringer/rows"}},
	}
}

// play starts the played daemons of a host. They run as long as the process.
func play(roles []role) error {
	for _, r := range roles {
		if l, ok := r.handler.(*ledger); ok {
			if err := l.write(); err != nil {
				return err
			}
		}
		if _, err := mailtest.Listen(r.addr, r.handler); err != nil {
			return err
		}
	}
	return nil
}

// A ledger keeps the number of rows in a played daemon's database in a file,
// where a snapshot finds it. The file is touched only when the number changes.
type ledger struct {
	mailtest.Handler
	rows func() int
	file string

	mu      sync.Mutex
	written int
}

// Serve plays the daemon and keeps the books.
func (l *ledger) Serve(c *mailtest.Conn) {
	l.Handler.Serve(c)
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.rows() != l.written {
		if err := l.write(); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}
}

func (l *ledger) write() error {
	if err := os.MkdirAll(filepath.Dir(l.file), 0o755); err != nil {
		return err
	}
	l.written = l.rows()
	return os.WriteFile(l.file, []byte(strconv.Itoa(l.written)+"\n"), 0o644)
}
