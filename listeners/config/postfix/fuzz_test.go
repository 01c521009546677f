package postfix

import (
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

func FuzzMaster(f *testing.F) {
	for _, tt := range masterTests {
		f.Add(tt.files["main.cf"], tt.files["master.cf"], tt.files["etc/hosts"])
	}
	f.Add("a=$b$b\nb=$c$c\nc=${{$d} <level {1} ?{x}:{y}}$c\ninet_interfaces=$a", "25 inet n - n - - smtpd -o{ x = ${{} }", "1")
	f.Fuzz(func(t *testing.T, main, master, other string) {
		tree := &source.Tree{FS: fstest.MapFS{
			"etc/postfix/main.cf": {Data: []byte(main)}, "etc/postfix/master.cf": {Data: []byte(master)},
			"etc/hosts": {Data: []byte(other)}, "etc/services": {Data: []byte(other)}, "x": {Data: []byte(other)},
		}}
		f, err := tree.Read("etc/postfix/master.cf")
		if err != nil {
			t.Skip()
		}
		c := Master(tree, f)
		if f, err := tree.Read("etc/postfix/main.cf"); err == nil {
			c.Add(Main(tree, f))
		}
		check(t, c)
	})
}

// check reports what no reader may return.
func check(t *testing.T, c listeners.Config) {
	t.Helper()
	seen := map[string]bool{}
	for _, l := range c.Listeners {
		if l.Port == 0 || seen[l.Service] || l.At.Line < 1 || l.At.EndColumn <= l.At.Column {
			t.Errorf("a listener without a port, a name of its own or a place: %+v", l)
		}
		if !l.Address.IsValid() && l.Host != "" && l.Doubt == "" {
			t.Errorf("an address that is not certain, without a doubt: %+v", l)
		}
		seen[l.Service] = true
	}
	for _, e := range c.Edges {
		if e.Port == 0 || e.Host == "" || e.From != "" && !seen[e.From] || e.At.Line < 1 {
			t.Errorf("an edge without an end: %+v", e)
		}
	}
	for _, d := range c.Doubts {
		if d.Problem == "" || d.At.Line < 1 {
			t.Errorf("a doubt without a place: %+v", d)
		}
	}
}
