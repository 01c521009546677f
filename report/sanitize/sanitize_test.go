package sanitize

import (
	"regexp"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestText(t *testing.T) {
	tests := []struct{ in, want string }{
		{"220 mx1 ESMTP Postfix", "220 mx1 ESMTP Postfix"},
		{"Grüße, 東京 ✓", "Grüße, 東京 ✓"},
		{"250-a\r\n250 b\n", `250-a\r\n250 b\n`},
		{"tab\there", `tab\there`},
		{"\x1b[31mred\x07\x00\x7f", `\x1b[31mred\x07\x00\x7f`},
		{"c1 \u0085\u009b31m", `c1 \u0085\u009b31m`},
		{"bidi \u202eevil\u2066\u200f", `bidi \u202eevil\u2066\u200f`},
		{"zero\u200bwidth\ufeff\u00ad\u2060", `zero\u200bwidth\ufeff\u00ad\u2060`},
		{"tags \U000e0041", `tags \U000e0041`},
		{"filler \u3164\u2800\ufe0f", `filler \u3164\u2800\ufe0f`},
		{"lines \u2028\u2029", `lines \u2028\u2029`},
		{"bad \xff\xc3( \xed\xa0\x80", `bad \xff\xc3( \xed\xa0\x80`},
		{"::error file=a::b", `:\x3aerror file=a::b`},
		{"x\n::add-mask::y", `x\n:\x3aadd-mask::y`},
		{"Net::Server [::]:10031 at ::1", "Net::Server [::]:10031 at ::1"},
		{"from ::ffff:192.0.2.1, ::dead and ::abcd:1", "from ::ffff:192.0.2.1, ::dead and ::abcd:1"},
		{"::ffff", "::ffff"},
		{"::add-mask", `:\x3aadd-mask`},
		{"::debug ::deadbeef::", `:\x3adebug :\x3adeadbeef::`},
		{"##[error]x ##vso[task.x] ###[group]", `#\x23[error]x #\x23vso[task.x] ##\x23[group]`},
		{"a\u0301\u0302\u0303\u0304", "a\u0301\u0302" + `\u0303\u0304`},
		{`literal \x1b stays`, `literal \x1b stays`},
	}
	for _, tt := range tests {
		if got := Text(tt.in, 1000); got != tt.want {
			t.Errorf("Text(%q) = %q, want %q", tt.in, got, tt.want)
		}
	}
}

func TestTextCuts(t *testing.T) {
	tests := []struct {
		in    string
		limit int
		want  string
	}{
		{strings.Repeat("a", 30), 30, strings.Repeat("a", 30)},
		{strings.Repeat("a", 31), 30, strings.Repeat("a", 17) + truncated},
		{strings.Repeat("\n", 31), 30, strings.Repeat(`\n`, 8) + truncated},
		{strings.Repeat("ü", 31), 30, strings.Repeat("ü", 8) + truncated},
		{"aaaaaaaaaaaaaaaaa", 0, "aaa" + truncated},
	}
	for _, tt := range tests {
		got := Text(tt.in, tt.limit)
		if got != tt.want || len(got) > max(tt.limit, 16) {
			t.Errorf("Text(%q, %d) = %q, want %q", tt.in, tt.limit, got, tt.want)
		}
	}
}

// runnerCommand is a line that GitHub's runner looks up as a command, longer
// than an address may look like one.
var runnerCommand = regexp.MustCompile(`^::(?:[A-Za-z-]*[G-Zg-z-][A-Za-z-]*|[A-Za-z-]{5,})(?: .*)?::`)

func FuzzText(f *testing.F) {
	f.Add("220 mx1 ESMTP\r\n::error::x ##[e] \u202e\xff\x1b", 40, false)
	f.Add("a\u0301\u0302\u0303\n::b", 16, true)
	f.Add("####vso[ ##vso[", 20, false)
	f.Fuzz(func(t *testing.T, s string, limit int, lines bool) {
		got := text(s, limit, lines)
		if again := text(got, limit, lines); again != got {
			t.Fatalf("not the same twice: %q, then %q", got, again)
		}
		if len(got) > max(limit, 16) {
			t.Fatalf("%d bytes, limit %d", len(got), limit)
		}
		if !utf8.ValidString(got) {
			t.Fatalf("not UTF-8: %q", got)
		}
		for _, r := range got {
			if unicode.In(r, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp) && !(lines && r == '\n') {
				t.Fatalf("%U in %q", r, got)
			}
		}
		for _, line := range strings.Split(got, "\n") {
			if l := strings.TrimSpace(line); runnerCommand.MatchString(l) {
				t.Fatalf("a command: %q", line)
			}
			if strings.Contains(line, "##[") || strings.Contains(strings.ToLower(line), "##vso[") {
				t.Fatalf("a command: %q", line)
			}
		}
	})
}
