package result

import "testing"

// TestListeningLoopback: a socket is on loopback by its address or by its interface.
func TestListeningLoopback(t *testing.T) {
	for bound, want := range map[string]struct {
		device   string
		loopback bool
	}{
		"*:25":               {},
		"[::]:25":            {},
		"0.0.0.0:25":         {},
		"192.0.2.1:25":       {},
		"127.0.0.1:25":       {loopback: true},
		"[::1]:25":           {loopback: true},
		"[::ffff:7f00:1]:25": {loopback: true},
		"0.0.0.0%lo:25":      {"lo", true},
		"127.0.0.53%lo:53":   {"lo", true},
		"*%lo:25":            {"lo", true},
		"192.0.2.1%lo:25":    {"lo", true},
		"0.0.0.0%tun0:25":    {"tun0", false},
		"[fe80::1]%eth0:25":  {"eth0", false},
		"[fe80::1]%lo0:25":   {"lo0", true},
		"":                   {},
		"%":                  {},
	} {
		s := Listening{Bound: bound}
		if got := s.Interface(); got != want.device {
			t.Errorf("%q: the interface is %q, want %q", bound, got, want.device)
		}
		if s.Loopback() != want.loopback {
			t.Errorf("%q: loopback is %t", bound, !want.loopback)
		}
	}
}
