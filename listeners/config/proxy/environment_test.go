package proxy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/listeners/source"
)

// TestVariables holds that a variable has the value that it has at its line, and that one beyond
// a bound has none.
func TestVariables(t *testing.T) {
	many := func(n int) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, " setenv V%d x\n", i)
		}
		return b.String()
	}
	long := strings.Repeat("0", maxValue-1)
	for name, tt := range map[string]struct {
		text  string
		ports string // of the listeners without a doubt
	}{
		"set":                      {"global\n setenv P 25\nfrontend a\n bind 10.0.0.1:$P\n", "[25]"},
		"set again, later":         {"global\n setenv P 25\nfrontend a\n bind 10.0.0.1:$P\nglobal\n setenv P 26\nfrontend b\n bind 10.0.0.1:$P\n", "[25 26]"},
		"unset, later":             {"global\n setenv P 25\nfrontend a\n bind 10.0.0.1:$P\nglobal\n unsetenv P\nfrontend b\n bind 10.0.0.1:$P\n", "[25]"},
		"several unset":            {"global\n setenv P 25\n setenv Q 26\n unsetenv Q P\nfrontend a\n bind 10.0.0.1:$P\n bind 10.0.0.1:$Q\n", "[]"},
		"a list":                   {"global\n setenv P 25\nfrontend a\n bind 10.0.0.1:\"${P[*]}\"\n", "[25]"},
		"in strong marks":          {"global\n setenv P 25\nfrontend a\n bind '10.0.0.1:${P}'\n", "[25]"}, // as an address
		"of other variables":       {"global\n setenv P 2\n setenv Q \"${P}5\"\n setenv P 3\nfrontend a\n bind 10.0.0.1:$Q\n", "[25]"},
		"set before it is used":    {"frontend a\n bind 10.0.0.1:$P\nglobal\n setenv P 25\n", "[]"},
		"the last that is kept":    {"global\n" + many(maxVariables-1) + " setenv P 25\nfrontend a\n bind 10.0.0.1:$P\n", "[25]"},
		"one more":                 {"global\n" + many(maxVariables) + " setenv P 25\nfrontend a\n bind 10.0.0.1:$P\n", "[]"},
		"one more, one less":       {"global\n" + many(maxVariables) + " unsetenv V0\n setenv P 25\nfrontend a\n bind 10.0.0.1:$P\n", "[25]"},
		"as long as it may be":     {"global\n setenv P " + long + "7\nfrontend a\n bind 10.0.0.1:25\n use_backend x if { env(P) 1 }\n", "[25]"},
		"its value is kept":        {"global\n setenv P " + long[:50] + "7\n setenv P 25\nfrontend a\n bind 10.0.0.1:$P\n", "[25]"},
		"longer than it may be":    {"global\n setenv P 10.0.0.1" + long + "\nfrontend a\n bind $P:25\n", "[]"},
		"too long in place of one": {"global\n setenv P 10.0.0.1\n setenv P 10.0.0.1" + long + "\nfrontend a\n bind $P:25\n", "[]"},
	} {
		t.Run(name, func(t *testing.T) {
			c := HAProxy(nil, source.NewFile("haproxy.cfg", "haproxy.cfg", tt.text))
			ports := []uint16{}
			for _, l := range c.Listeners {
				if l.Doubt == "" && l.Address.IsValid() {
					ports = append(ports, l.Port)
				}
			}
			if got := fmt.Sprint(ports); got != tt.ports {
				t.Errorf("got %s, want %s: %+v", got, tt.ports, c)
			}
		})
	}
}
