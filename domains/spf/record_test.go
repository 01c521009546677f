package spf

import (
	"errors"
	"strings"
	"testing"
)

// TestParse: what is a valid record, and what its terms mean.
func TestParse(t *testing.T) {
	r, err := Parse("v=spf1  +a:mail.example.org/24//64 -MX ip6:2001:db8::/32 ~include:_spf.%{d2} exists:%{i}._spf.%{d} redirect=x.example.org foo=%{t}")
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Directives) != 5 || r.Redirect != "x.example.org" || r.HasAll() {
		t.Errorf("%+v", r)
	}
	if d := r.Directives[0]; d.Mechanism != A || d.Domain != "mail.example.org" || d.Bits4 != 24 || d.Bits6 != 64 || d.Qualifier != '+' {
		t.Errorf("%+v", d)
	}
	if d := r.Directives[1]; d.Mechanism != MX || d.Qualifier != '-' || d.Bits4 != 32 || d.Bits6 != 128 {
		t.Errorf("%+v", d)
	}
	if d := r.Directives[2]; d.Prefix.String() != "2001:db8::/32" {
		t.Errorf("%+v", d)
	}
	for _, valid := range []string{"v=spf1", "V=SPF1 -ALL", "v=spf1 a//64", "v=spf1 a:%{d}", "v=spf1 ip4:192.0.2.1/0", "v=spf1 ptr", "v=spf1 ptr:example.org",
		"v=spf1 a:x.%{d1r-}", "v=spf1 a:%{d/}.example.org/28", "v=spf1 a:a.xn--p1ai"} {
		if _, err := Parse(valid); err != nil {
			t.Errorf("%q: %v", valid, err)
		}
	}
	for _, invalid := range []string{"v=spf10", "v=spf1\t-all", "spf1", "v=spf1 include", "v=spf1 include:", "v=spf1 foo", "v=spf1 all:x.org", "v=spf1 ip4:192.0.2.1/33",
		"v=spf1 ip4:192.0.2.1/024", "v=spf1 ip4:2001:db8::1", "v=spf1 ip6:192.0.2.1", "v=spf1 ip4:192.0.2.1/", "v=spf1 a:localhost", "v=spf1 a:x.123",
		"v=spf1 a:%{c}.example.org", "v=spf1 a:%{d0}", "v=spf1 a:%x.example.org", "v=spf1 a:x.org%", "v=spf1 redirect=a.org redirect=b.org", "v=spf1 exp=a.org exp=b.org",
		"v=spf1 a/33", "v=spf1 a/24/64", "v=spf1 ptr/24", "v=spf1 -", "v=spf1 ++all", "v=spf1 a:x.-org", "v=spf1 ip6:fe80::1%eth0", "v=spf1 a:%}.org", "v=spf1 a:%{}.org"} {
		if r, err := Parse(invalid); err == nil {
			t.Errorf("%q: %+v", invalid, r)
		}
	}
}

// TestExpand: RFC 7208, Section 7.4 has most of these.
func TestExpand(t *testing.T) {
	for spec, want := range map[string]string{
		"%{d}": "email.example.com", "%{d4}": "email.example.com", "%{d3}": "email.example.com", "%{d2}": "example.com", "%{d1}": "com",
		"%{dr}": "com.example.email", "%{d2r}": "example.email", "%{o}": "strong.example.org", "_spf.%{d2}.": "_spf.example.com", "a%%b.org": "a%b.org", "a%-b.org": "a%20b.org",
	} {
		if got, err := Expand(spec, "email.example.com", "strong.example.org"); got != want || err != nil {
			t.Errorf("%q: %q, %v", spec, got, err)
		}
	}
	var unbound *UnboundError
	if _, err := Expand("%{i}.example.org", "a.example.com", "b.example.org"); !errors.As(err, &unbound) || unbound.Macro != "%{i}" {
		t.Errorf("error %v", err)
	}
	if got, _ := Expand(strings.Repeat("a.", 200)+"%{d}", "example.org", "example.org"); len(got) > maxName || !strings.HasSuffix(got, ".example.org") {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}

// FuzzParse: no text stops the parser, and what it accepts can be expanded.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"v=spf1 a:%{d2r-}.example.org/24//64 -all", "v=spf1 include:%{i} redirect=%{d}", "v=spf1 a:%}", "v=spf1 ip6:::/0 foo=%{x"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r, err := Parse(s)
		if err != nil {
			return
		}
		for _, d := range r.Directives {
			name, err := Expand(d.Domain, "example.org", "example.org")
			if err != nil && !errors.As(err, new(*UnboundError)) {
				t.Errorf("%q: %v", d.Domain, err)
			}
			if strings.Contains(name, "%{") && !strings.Contains(d.Domain, "%%") {
				t.Errorf("%q becomes %q", d.Domain, name)
			}
		}
	})
}
