package proxy

import (
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

func FuzzReaders(f *testing.F) {
	for _, tests := range [][]readTest{haproxyTests, nginxTests} {
		for _, tt := range tests {
			f.Add(tt.text, tt.text)
		}
	}
	f.Add("http { include x; include x; server { include x; } }", "listen 1-65535; include x;")
	f.Fuzz(func(t *testing.T, text, other string) {
		for _, read := range []reader{HAProxy, Nginx} {
			tree := &source.Tree{FS: fstest.MapFS{"etc/nginx/nginx.conf": {Data: []byte(text)}, "etc/nginx/x": {Data: []byte(other)}}}
			if f, err := tree.Read("etc/nginx/nginx.conf"); err == nil {
				check(t, read(tree, f))
			}
		}
	})
}

// check reports what no reader may return.
func check(t *testing.T, c listeners.Config) {
	t.Helper()
	seen := map[string]bool{}
	for _, l := range c.Listeners {
		if l.Port == 0 || l.Role == "" || seen[l.Service] || l.At.Line < 1 || l.At.EndColumn <= l.At.Column {
			t.Errorf("a listener without a port, a role, a name of its own or a place: %+v", l)
		}
		if !l.Address.IsValid() && l.Doubt == "" {
			t.Errorf("an address that is not certain, without a doubt: %+v", l)
		}
		seen[l.Service] = true
	}
	for _, e := range c.Edges {
		if e.Port == 0 || e.From != "" && !seen[e.From] || e.At.Line < 1 {
			t.Errorf("an edge without an end: %+v", e)
		}
	}
	for _, d := range c.Doubts {
		if d.Problem == "" || d.At.Line < 1 {
			t.Errorf("a doubt without a place: %+v", d)
		}
	}
}
