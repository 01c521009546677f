package proxy

import (
	"fmt"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// TestBounded reads files that would take long, or much memory, without bounds.
func TestBounded(t *testing.T) {
	for name, tt := range map[string]struct {
		read  reader
		files map[string]string
	}{
		"HAProxy: ports":      {HAProxy, map[string]string{"x": "listen a\n server b 127.0.0.1\n" + strings.Repeat(" bind :1-65535\n", 1000)}},
		"HAProxy: sections":   {HAProxy, map[string]string{"x": strings.Repeat("defaults a from a\nlisten a\n bind :1\n", 10_000)}},
		"HAProxy: servers":    {HAProxy, map[string]string{"x": strings.Repeat("frontend a\n bind :1\n default_backend b\n", 10_500) + "backend b\n" + strings.Repeat(" server a 127.0.0.1\n", 10_500)}},
		"HAProxy: variables":  {HAProxy, map[string]string{"x": "global\n" + strings.Repeat(" setenv A$A \"${A-$A\"\n", 5000) + strings.Repeat("${A-", 100_000)}},
		"HAProxy: conditions": {HAProxy, map[string]string{"x": strings.Repeat(".if x\nlisten a\n bind :1\n", 10_500)}},
		"HAProxy: no binds":   {HAProxy, map[string]string{"x": strings.Repeat("frontend a\n bind unix@x\n default_backend b\n", 9_000) + "backend b\n" + strings.Repeat(" server a 127.0.0.1:1\n", 9_000)}},
		"HAProxy: backends":   {HAProxy, map[string]string{"x": "frontend a\n bind :1\n use_backend b\n use_backend c\nbackend b\n" + strings.Repeat(" server a 127.0.0.1:1\n", 6_000) + "backend c\n" + strings.Repeat(" server a 127.0.0.1:2\n", 6_000)}},
		"nginx: includes":     {Nginx, map[string]string{"x": "http { include x; include x; server { include x; } }\ninclude x; include x;"}},
		"nginx: ports":        {Nginx, map[string]string{"x": "stream {" + strings.Repeat("server { listen 1-65535; proxy_pass a:1; }\n", 500) + "}"}},
		"nginx: blocks":       {Nginx, map[string]string{"x": strings.Repeat("http{", 100_000)}},
		"nginx: servers":      {Nginx, map[string]string{"x": "http {" + strings.Repeat("allow all; server { listen 80; proxy_pass http://a; }\n", 10_000) + "}"}},
		"nginx: one server":   {Nginx, map[string]string{"x": "http { server {" + strings.Repeat("listen 80; location /{proxy_pass http://a;}\n", 10_500) + "}"}},
	} {
		t.Run(name, func(t *testing.T) {
			c := read(t, tt.read, "x", tt.files)
			if len(c.Listeners) > listeners.MaxListeners || len(c.Edges) > listeners.MaxEdges {
				t.Errorf("%d listeners, %d edges", len(c.Listeners), len(c.Edges))
			}
		})
	}
}

// TestCuts holds that what is left out is a doubt.
func TestCuts(t *testing.T) {
	var defaults strings.Builder
	for i := range 30 {
		fmt.Fprintf(&defaults, "defaults d%d from d%d\n", i+1, i)
	}
	for name, tt := range map[string]struct{ text, want string }{
		"conditions": {strings.Repeat(".if 1\n", 20) + strings.Repeat(".endif\n", 20), "more than 16 .if are in each other; HAProxy does not start"},
		"defaults":   {"defaults d0\n" + defaults.String(), "more than 16 sections of defaults follow on each other; those before are left out"},
		"access":     {"listen a\n bind :1\n" + strings.Repeat(" tcp-request connection accept\n", 200), "more than 100 lines say which connections are accepted; the rest is left out"},
	} {
		c := HAProxy(nil, source.NewFile("haproxy.cfg", "haproxy.cfg", tt.text))
		if len(c.Doubts) == 0 || c.Doubts[0].Problem != tt.want {
			t.Errorf("%s: %+v", name, c.Doubts)
		}
	}
	c := Nginx(&source.Tree{FS: fstest.MapFS{}}, source.NewFile("nginx.conf", "nginx.conf", "http {"+strings.Repeat("allow 10.0.0.1;", 200)+"server { listen 1; } }\n"))
	if len(c.Doubts) != 1 || !strings.HasPrefix(c.Doubts[0].Problem, "more than 100 directives") {
		t.Errorf("nginx: %+v", c.Doubts)
	}
}
