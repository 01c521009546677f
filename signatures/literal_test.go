package signatures

import (
	"regexp"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/userfile"
)

func TestLiteral(t *testing.T) {
	for expr, want := range map[string]string{
		"":                             "",
		`^220 (?P<hostname>\S+) ESMTP`: " ESMTP",
		`^\+OK ready\.\r\n`:            "+OK ready.\r\n",
		`^25[05]-x`:                    "25",
		`ab?cd*ef+g{0,3}h`:             "ef",
		`abc{2}d`:                      "ab",
		`(?m)^250[ -]STARTTLS\b`:       "STARTTLS",
		`(?i)^220 x`:                   "",
		`(?mi)^220 x`:                  "",
		`abc|def`:                      "",
		`x(?:abc|def)yz`:               "yz",
		`(?:abc)?`:                     "",
		`x(?i:abc)`:                    "",
		`[]abc]xy[^]z]`:                "xy",
		`[[:alpha:]]xy`:                "",
		`a\Qb|c\E`:                     "",
		`a\x41`:                        "",
		`ä?b`:                          "",
		`a\`:                           "",
		`[a`:                           "",
		`a{b`:                          "",
		`a{[}]xy`:                      "",
	} {
		if got := literal(expr); got != want {
			t.Errorf("%q: %q, want %q", expr, got, want)
		}
	}
}

// TestLiteralsMissNothing checks the built-in patterns against all examples: each
// matches the same with and without searching for its literal first.
func TestLiteralsMissNothing(t *testing.T) {
	l := &loader{set: &Set{probes: make(map[string]*Probe)}, ids: make(map[string]Pos), patterns: make(patterns), sources: map[string]*userfile.Source{}}
	if err := l.source(Builtin()); err != nil {
		t.Fatal(err)
	}
	quick := 0
	for expr, p := range l.patterns {
		if p.literal != nil {
			quick++
		}
		for _, s := range l.set.Signatures {
			for _, e := range s.Examples {
				for _, ex := range e.Seen.Exchanges {
					if got := p.Match(ex.Reply); got != p.re.Match(ex.Reply) {
						t.Errorf("%q: %v for %q", expr, got, ex.Reply)
					}
				}
			}
		}
	}
	if quick < len(l.patterns)*2/3 {
		t.Errorf("only %d of %d patterns look for a text first", quick, len(l.patterns))
	}
}

// FuzzLiteral checks that text that matches an expression contains its literal.
func FuzzLiteral(f *testing.F) {
	for _, expr := range []string{`^220 (?P<h>\S+) ESMTP`, `a|b`, `(?i)x`, `[]a]b+`, `a{2}b`, `\x41|\Qx\E`, `((a)b)*c`, `a**`, `x{,2}y`, `(?s:.)a`, `(?<n>a)b`, `a{[}]xy`} {
		f.Add(expr, "220 a ESMTP")
	}
	f.Fuzz(func(t *testing.T, expr, text string) {
		re, err := regexp.Compile(expr)
		if err != nil || len(expr) > 100 {
			return
		}
		want := literal(expr)
		for _, s := range []string{text, "", want, strings.Repeat("a", 3) + "b"} {
			if m := re.FindString(s); re.MatchString(s) && !strings.Contains(m, want) {
				t.Errorf("%q is found in %q without %q", expr, s, want)
			}
		}
	})
}
