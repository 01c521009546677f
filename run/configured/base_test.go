package configured

import (
	"os"
	"path/filepath"
	"runtime"
	"testing"
)

// The folder of the tree: what etckeeper makes of /etc is no checkout on the machine itself, and is
// one elsewhere.
func TestBaseOf(t *testing.T) {
	if runtime.GOOS == "windows" {
		t.Skip("Windows has no /etc")
	}
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	in := func(name string) string { return filepath.Join(dir, name) }
	for _, name := range []string{"etc/.git", "etc/postfix", "copy/etc/.git", "copy/etc/postfix", "copy/etc/dovecot", "plain/a", "plain/b"} {
		if err := os.MkdirAll(in(name), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, tt := range []struct {
		paths []string
		want  string
	}{
		{[]string{in("etc")}, "/"},
		{[]string{in("etc/postfix")}, "/"},
		{[]string{in("copy/etc/postfix")}, in("copy/etc")},
		{[]string{in("copy/etc/postfix"), in("copy/etc/dovecot")}, in("copy/etc")},
		{[]string{in("etc/postfix"), in("plain/a")}, dir},
		{[]string{in("plain/a"), in("plain/b")}, in("plain")},
	} {
		if got, checkout := baseOf(tt.paths, in("etc")); got != tt.want || checkout != (tt.want == in("copy/etc")) {
			t.Errorf("%q: %s, want %s", tt.paths, got, tt.want)
		}
	}
}
