package postfix

import (
	"fmt"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/listeners"
)

// TestBounds reads files that are as large as they may be, and that would take long if
// each service read everything again. A failure is a test that hangs.
func TestBounds(t *testing.T) {
	many := func(n int, line string) string {
		var b strings.Builder
		for i := range n {
			fmt.Fprintf(&b, line, i)
		}
		return b.String()
	}
	services := "25 inet n - n - - smtpd\n" + many(3000, "10.0.%d.1:25 inet n - n - - smtpd\n")
	for name, text := range map[string]map[string]string{
		"services":    {"master.cf": services, "main.cf": "smtpd_milters = inet:a:1\n"},
		"broken":      {"master.cf": many(10_000, "x%d\n"), "main.cf": many(10_000, "x%d\n")},
		"milters":     {"master.cf": services, "main.cf": "smtpd_milters = " + many(20_000, "inet:h%d:1\n ") + "\n"},
		"interfaces":  {"master.cf": many(1000, "%d inet n - n - - smtpd\n"), "main.cf": "inet_interfaces = " + many(1000, "10.1.%d.1 ") + "\n"},
		"networks":    {"master.cf": services, "main.cf": "mynetworks = " + many(20_000, "10.0.0.%d\n ") + "\n"},
		"classes":     {"master.cf": services, "main.cf": "smtpd_restriction_classes = " + many(5000, "c%d ") + "\nsmtpd_client_restrictions = " + many(5000, "c%d ") + "\n" + many(5000, "c%d = reject\n")},
		"macros":      {"master.cf": services, "main.cf": many(60, "a%[1]d = $b%[1]d$b%[1]d\nb%[1]d = $a%[1]d$a%[1]d\n") + "content_filter = $a1$a2\n"},
		"doubling":    {"master.cf": services, "main.cf": "a0 = xx\n" + doubling(60) + "content_filter = $a60\n"},
		"long":        {"master.cf": services, "main.cf": "mynetworks = " + strings.Repeat("x ", maxLine) + "\n"},
		"template":    {"master.cf": many(50_000, "{%% x%d %%}\n"), "main.cf": many(50_000, "{{ x%d }}\n")},
		"parentheses": {"master.cf": services, "main.cf": "content_filter = " + strings.Repeat("${a?{", 12_000) + "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c := read(t, text); len(c.Listeners) > listeners.MaxListeners || len(c.Edges) > listeners.MaxEdges {
				t.Errorf("%d listeners, %d edges", len(c.Listeners), len(c.Edges))
			}
		})
	}
}

// doubling returns parameters each of which has the one before it twice.
func doubling(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, "a%d = $a%d$a%d\n", i+1, i, i)
	}
	return b.String()
}
