package mailpath

import (
	"fmt"
	"net/netip"
	"slices"
	"testing"

	"github.com/mxsweep/mxsweep/result"
)

// listens returns a port as a machine shows it.
func listens(bound, ip string, number uint16, product string, role result.Role, through string) result.Port {
	return result.Port{
		IP: netip.MustParseAddr(ip), Host: "mx.example.org", Port: number, Protocol: "tcp", State: result.StateOpen,
		Service: &result.Service{Product: product, Role: role, Method: result.MethodListening, Confidence: 9},
		Socket:  &result.Listening{Bound: fmt.Sprintf("%s:%d", bound, number), Through: through},
	}
}

// TestOfMachine: a machine has one path, whatever addresses its ports have, and what only the
// machine itself or the networks of a container reach is not open.
func TestOfMachine(t *testing.T) {
	t.Parallel()
	lmtp := func(bound, ip string) result.Port { return listens(bound, ip, 24, "Dovecot", result.RoleLMTP, "") }
	mta := func(bound, ip string) result.Port { return listens(bound, ip, 25, "Postfix", result.RoleMTA, "") }
	imap := listens("127.0.0.1", "127.0.0.1", 10143, "Dovecot", result.RoleIMAPBackend, "")
	for _, tt := range []struct {
		name  string
		ports []result.Port
		want  []string // the steps
	}{
		{"only loopback", []result.Port{mta("0.0.0.0", "0.0.0.0"), imap}, nil},
		{"the interface of loopback", []result.Port{mta("0.0.0.0", "0.0.0.0"), lmtp("0.0.0.0%lo", "0.0.0.0")}, nil},
		{"a container", []result.Port{mta("0.0.0.0", "0.0.0.0"), listens("0.0.0.0", "172.17.0.2", 10025, "spampd", result.RoleContentFilter, result.SocketContainer)}, nil},
		{"a published port", []result.Port{listens("0.0.0.0", "0.0.0.0", 10025, "spampd", result.RoleContentFilter, result.SocketPublished)}, []string{"10025 spampd open"}},
		{"several addresses", []result.Port{mta("0.0.0.0", "0.0.0.0"), lmtp("127.0.0.1", "127.0.0.1"), imap, lmtp("192.0.2.1", "192.0.2.1"), mta("[::]", "::")},
			[]string{"24 Dovecot open", "25 Postfix open", "10143 Dovecot inside", "mailboxes inside"}},
	} {
		var got []string
		paths := OfPorts(tt.ports, table(t))
		for i := range paths {
			for _, s := range paths[i].Steps {
				got = append(got, Name(&s)+map[bool]string{true: " open", false: " inside"}[s.Open])
			}
			if paths[i].Host != "mx.example.org" || Find(paths, tt.ports[0].IP) != &paths[i] {
				t.Errorf("%s: the path is of %s %s", tt.name, paths[i].IP, paths[i].Host)
			}
		}
		if !slices.Equal(got, tt.want) || len(paths) > 1 {
			t.Errorf("%s: %d paths, steps %q, want %q", tt.name, len(paths), got, tt.want)
		}
	}
}
