package fix

import (
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
)

func TestLoadRefuses(t *testing.T) {
	const reasons = "reasons: {w: because}"
	const head = "sources: {m: {title: T, url: 'https://example.org'}}\nfixes:\n"
	for _, tt := range []struct{ name, text, want string }{
		{"neither proof nor source", "- {id: a-b, products: [P], platform: Debian, steps: [x]}", "neither a proof nor a source"},
		{"no reason", "- {id: a-b, products: [P], platform: Debian, steps: [x], source: m}", "neither a proof nor why_not"},
		{"unknown reason", "- {id: a-b, products: [P], platform: Debian, steps: [x], source: m, why_not: v}", `why_not "v"`},
		{"reason that no fix has", "", `names the reason "w"`},
		{"unknown key", "- {id: a-b, products: [P], platform: Debian, steps: [x], source: m, why_not: w, color: red}", "color"},
		{"unknown source", "- {id: a-b, products: [P], platform: Debian, steps: [x], source: n, why_not: w}", `source "n"`},
		{"edit that the format lacks", "- {id: a-b, products: [P], platform: Debian, file: f, format: words, edit: [{bind: b}], apply: a, source: m, why_not: w}", "has no edit"},
		{"edit without apply", "- {id: a-b, products: [P], platform: Debian, file: f, format: words, edit: [{set: a, value: b}], source: m, why_not: w}", "take effect"},
		{"two kinds", "- {id: a-b, products: [P], platform: Debian, file: f, format: words, edit: [{set: a, bind: b}], apply: a, source: m, why_not: w}", "has no edit"},
		{"block on one line", "- {id: a-b, products: [P], platform: Debian, source: m, why_not: w, steps: ['service x { inet_listener y { port = 1 } }']}", "one line"},
		{"twice", "- {id: a-b, products: [P], platform: Debian, steps: [x], source: m, why_not: w}\n- {id: a-b, products: [P], platform: Debian, steps: [x], source: m, why_not: w}", "duplicate id"},
		{"platform", "- {id: a-b, products: [P], platform: BeOS, steps: [x], source: m, why_not: w}", "BeOS"},
		{"versions", "- {id: a-b, products: [P], versions: new, platform: Debian, steps: [x], source: m, why_not: w}", "no range"},
	} {
		_, err := Load(fstest.MapFS{
			"d/a.yaml":       {Data: []byte(head + tt.text)},
			"d/reasons.yaml": {Data: []byte(reasons)},
		}, "d")
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: error %v does not say %q", tt.name, err, tt.want)
		}
		if err != nil && tt.text != "" && !regexp.MustCompile(`d/a\.yaml:[34]: |d/a\.yaml: .*\n +line 3: `).MatchString(err.Error()) {
			t.Errorf("%s: error %v has no file and line", tt.name, err)
		}
	}
}

func TestProofsRoundTrip(t *testing.T) {
	want := Proof{Fix: "a-b", Rule: "MXS1002", Product: "P", Version: "1.2", Platform: "Debian 12", Port: 10025, Mail: true}
	data, err := WriteProofs([]Proof{want})
	if err != nil {
		t.Fatal(err)
	}
	set, err := Load(fstest.MapFS{
		"d/a.yaml":      {Data: []byte("fixes:\n- {id: a-b, products: [P], platform: Debian, steps: [x]}")},
		"d/proofs.yaml": {Data: data},
	}, "d")
	if err != nil {
		t.Fatal(err)
	}
	f := set.Lookup("a-b")
	if len(f.Proofs) != 1 || f.Proofs[0] != want || f.Basis() != "Proven on P 1.2 (Debian 12)" {
		t.Errorf("got %+v, %q", f.Proofs, f.Basis())
	}
}

func TestChooseByVersion(t *testing.T) {
	set := builtinSet(t)
	from := []*Fix{set.Lookup("dovecot23-bind"), set.Lookup("dovecot24-bind"), set.Lookup("postfix-bind")}
	for _, tt := range []struct{ version, want string }{
		{"", "dovecot23-bind dovecot24-bind"}, {"2.3.19.1 (9b53102964)", "dovecot23-bind"}, {"2.4.1-4", "dovecot24-bind"}, {"2.10", "dovecot24-bind"},
	} {
		var got []string
		for _, f := range Choose(from, "Dovecot", tt.version, strings.Contains) {
			got = append(got, f.ID)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("version %q: %s, want %s", tt.version, s, tt.want)
		}
	}
}

// TestChooseAny checks that a fix for any product is chosen if no other applies,
// also for an unknown product.
func TestChooseAny(t *testing.T) {
	set := builtinSet(t)
	from := []*Fix{set.Lookup("ipv6-filter"), set.Lookup("postfix-bind")}
	for _, tt := range []struct{ product, want string }{{"Postfix", "postfix-bind"}, {"qpsmtpd", "ipv6-filter"}, {"", "ipv6-filter"}} {
		if got := Choose(from, tt.product, "", strings.Contains); len(got) != 1 || got[0].ID != tt.want {
			t.Errorf("product %q: %v, want %s alone", tt.product, got, tt.want)
		}
	}
}

// TestLoadRefusesStaleReason checks that a proven fix must not have a reason why
// it was not proven.
func TestLoadRefusesStaleReason(t *testing.T) {
	proofs, err := WriteProofs([]Proof{{Fix: "a-b", Rule: "MXS1002", Product: "P", Version: "1.2", Platform: "Debian 12", Port: 10025}})
	if err != nil {
		t.Fatal(err)
	}
	_, err = Load(fstest.MapFS{
		"d/a.yaml":       {Data: []byte("fixes:\n- {id: a-b, products: [P], platform: Debian, steps: [x], why_not: w}")},
		"d/proofs.yaml":  {Data: proofs},
		"d/reasons.yaml": {Data: []byte("reasons: {w: because}")},
	}, "d")
	if err == nil || !strings.Contains(err.Error(), "take why_not out") {
		t.Errorf("error %v", err)
	}
}

// TestBasisSaysWhyNot checks that each fix without a proof says why.
func TestBasisSaysWhyNot(t *testing.T) {
	for _, f := range builtinSet(t).fixes {
		if len(f.Proofs) == 0 && !strings.Contains(f.Basis(), "not tested ("+f.WhyNot+")") {
			t.Errorf("%s: %s", f.ID, f.Basis())
		}
	}
}

// TestElsewhereOfContainers: the advice for a daemon in a container is the edit itself where
// that changes how the port is published.
func TestElsewhereOfContainers(t *testing.T) {
	container, postfix := Builtin().Lookup("container-port"), Builtin().Lookup("postfix-bind")
	for name, c := range map[string]struct {
		fixes []*Fix
		want  bool
	}{
		"container":        {[]*Fix{container}, false},
		"daemon":           {[]*Fix{postfix}, true},
		"one or the other": {[]*Fix{container, postfix}, true},
	} {
		list := Elsewhere(c.fixes, Values{Port: 10025})
		if got := strings.Contains(strings.Join(list, "\n"), "In a container"); got != c.want || len(list) == 0 {
			t.Errorf("%s: %q", name, list)
		}
	}
}
