package policy

import (
	"net/netip"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/result"
)

// TestSelectorZone checks that a prefix matches its addresses on all links.
func TestSelectorZone(t *testing.T) {
	for text, want := range map[string]bool{"fe80::/10": true, "fe80::1%a": true, "fe80::1%b": false, "::/0": true, "2001:db8::/32": false} {
		s, err := ParseSelector(text)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Matches(netip.MustParseAddr("fe80::1%a")); got != want {
			t.Errorf("%s matches fe80::1%%a: %v, want %v", text, got, want)
		}
	}
}

// TestSelectorOfFiles checks that files and hosts are never taken for each other.
func TestSelectorOfFiles(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		text, file string
		want       bool
	}{
		{"file:mail/master.cf", "mail/master.cf", true},
		{"file:mail/*.cf", "mail/master.cf", true},
		{"file:*", "mail/master.cf", false},
		{"file:*", "master.cf", true},
		{"*", "mail/master.cf", true},
		{"master.cf", "master.cf", false},
		{"0.0.0.0/0", "master.cf", false},
	} {
		s, err := ParseSelector(tt.text)
		if err != nil {
			t.Fatal(err)
		}
		if got := s.MatchesFile(tt.file); got != tt.want {
			t.Errorf("%q matches %q: %v, want %v", tt.text, tt.file, got, tt.want)
		}
		if s.OfFiles() && s.Matches(netip.MustParseAddr("192.0.2.1"), tt.file, "master.cf") {
			t.Errorf("%q matches a host", tt.text)
		}
	}
	for _, text := range []string{"file:", "file:[", `file:a\`} {
		if s, err := ParseSelector(text); err == nil {
			t.Errorf("%q is read as %+v", text, s)
		}
	}
	host := exposure.Violation{Rule: &exposure.Rule{}, Target: netip.MustParseAddrPort("192.0.2.1:25"), Host: "master.cf"}
	file := host
	file.Listener = &result.Configured{Name: "25 inet"}
	if s, _ := ParseSelector("file:master.cf"); s.matchesAll(&host) || s.matchesOne(&host) || !s.matchesAll(&file) || !s.matchesOne(&file) {
		t.Error("a selector of files matches the finding of a host, or not that of the file")
	}
}
