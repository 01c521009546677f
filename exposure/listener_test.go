package exposure

import (
	"net/netip"
	"testing"

	"github.com/mxsweep/mxsweep/result"
)

// A title says where the listener is bound; a file does not show that it is exposed.
func TestTitleOf(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ title, addr, through, want string }{
		{"Milter exposed", "0.0.0.0", "", "Milter bound to all addresses"},
		{"Milter exposed", "::", "published", "Milter published on all addresses"},
		{"Milter exposed", "192.0.2.1", "published", "Milter published on 192.0.2.1"},
		{"Milter exposed", "192.0.2.1", "cluster", "Milter bound to 192.0.2.1"},
		{"Milter exposed", "0.0.0.0", "cluster", "Milter open outside of the cluster"},
		{"Port that must be closed is open", "0.0.0.0", "", "Port that must be closed is bound to all addresses"},
		{"Port for mail open, service unknown", "192.0.2.1", "", "Port for mail bound to 192.0.2.1, service unknown"},
		{"SMTP listener on a non-public port", "0.0.0.0", "", "SMTP listener on a non-public port (bound to all addresses)"},
		{"An exposed or open port", "0.0.0.0", "", "An exposed or open port (bound to all addresses)"},
	} {
		if got := (&Rule{RuleInfo: result.RuleInfo{Title: tt.title}}).TitleOf(netip.MustParseAddr(tt.addr), &result.Configured{Through: tt.through}); got != tt.want {
			t.Errorf("%q on %s %s: %q, want %q", tt.title, tt.addr, tt.through, got, tt.want)
		}
	}
}
