package proxy

import (
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/listeners"
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
