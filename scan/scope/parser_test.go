package scope

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/result"
)

// writeFiles puts files into a new directory and goes there.
func writeFiles(t *testing.T, files map[string]string) {
	t.Helper()
	t.Chdir(t.TempDir())
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTargetFile(t *testing.T) {
	writeFiles(t, map[string]string{
		"hosts": "\xef\xbb\xbf# all of them\n\n  192.0.2.1:25  # one\r\nmx1.example.net\n\t2001:db8::/127",
	})
	p := Parser{Resolver: testZone}
	got, err := p.TargetFile(t.Context(), "hosts")
	if err != nil {
		t.Fatal(err)
	}
	var anchors []result.Anchor
	for _, target := range got {
		anchors = append(anchors, target.Anchor)
	}
	want := []result.Anchor{
		{File: "hosts", Line: 3, EndColumn: 15, Text: "192.0.2.1:25"},
		{File: "hosts", Line: 4, EndColumn: 16, Text: "mx1.example.net"},
		{File: "hosts", Line: 5, EndColumn: 16, Text: "2001:db8::/127"},
	}
	if !slices.Equal(anchors, want) {
		t.Errorf("got %+v, want %+v", anchors, want)
	}
	p.Stdin = strings.NewReader("192.0.2.7\n")
	got, err = p.TargetFile(t.Context(), "-")
	if err != nil || len(got) != 1 || got[0].Anchor.File != "-" {
		t.Errorf("from stdin: got %+v, %v", got, err)
	}
}

func TestScopeFile(t *testing.T) {
	writeFiles(t, map[string]string{
		"scope.txt":       "10.0.0.0/8\n!10.9.0.0/16 # not theirs\n@include  sites/a.txt\n192.0.2.1\n",
		"sites/a.txt":     "mx1.example.net\n@include ../sites/b.txt\n",
		"sites/b.txt":     "!mx1.example.net\n198.51.100.0/24\n",
		"sites/other.txt": "not read\n",
		"windows.txt":     "\xff\xfe1\x000\x00.\x000\x00.\x000\x00.\x001\x00\r\x00\n\x00!\x001\x000\x00.\x000\x00.\x000\x00.\x002\x00",
	})
	p := Parser{Resolver: testZone}
	allowed, excluded, err := p.ScopeFile(t.Context(), "scope.txt")
	if err != nil {
		t.Fatal(err)
	}
	if len(allowed) != 4 || len(excluded) != 2 {
		t.Fatalf("got %q and %q", show(allowed), show(excluded))
	}
	if got, want := allowed[2].Anchor, (result.Anchor{File: "sites/b.txt", Line: 2, EndColumn: 16, Text: "198.51.100.0/24"}); got != want {
		t.Errorf("anchor %+v, want %+v", got, want)
	}
	if allowed, excluded, err := p.ScopeFile(t.Context(), "windows.txt"); err != nil || !slices.Equal(show(allowed), []string{"10.0.0.1-10.0.0.1"}) || !slices.Equal(show(excluded), []string{"10.0.0.2-10.0.0.2"}) {
		t.Errorf("UTF-16: got %q and %q, %v", show(allowed), show(excluded), err)
	}
	if got, want := excluded[1].Anchor, (result.Anchor{File: "sites/b.txt", Line: 1, EndColumn: 17, Text: "!mx1.example.net"}); got != want {
		t.Errorf("anchor %+v, want %+v", got, want)
	}
}

func TestFileErrors(t *testing.T) {
	writeFiles(t, map[string]string{
		"prefix.txt":    "# ours\n10.0.0.0/8\n  10.0.0/8 # typo\n",
		"twice.txt":     "10.0.0.1 10.0.0.2\n",
		"port.txt":      "10.0.0.1:0\n",
		"binary.txt":    "10.0.0.1\n\x00\x01\n",
		"utf16.txt":     "1\x000\x00\n\x001\x00\n\x00",
		"gzip.txt":      "\x1f\x8b\x08\x00\n\n",
		"latin.txt":     "10.0.0.1\n  m\u00fc\xfcx.example\n",
		"inclde.txt":    "\n@inclde a.txt\n",
		"nospace.txt":   "@includea.txt\n",
		"import.txt":    "@import a.txt\n",
		"long.txt":      "10.0.0.1\n" + strings.Repeat("x", 4096) + "\n",
		"loop.txt":      "@include sub/loop.txt\n",
		"sub/loop.txt":  "\n@include ../loop.txt\n",
		"gone.txt":      "10.0.0.1\n@include nothere.txt\n",
		"empty.txt":     "@include\n",
		"unspared.txt":  "10.0.0.0/8\n!gone.example.net\n",
		"scopeport.txt": "10.0.0.1:25\n",
	})
	meant := map[string]string{"inclde.txt": `did you mean "@include"?`, "nospace.txt": `did you mean "@include a.txt"?`, "import.txt": "the only directive is @include FILE"}
	for file, want := range map[string]string{
		"prefix.txt":    `prefix.txt:3:3: "10.0.0/8": not an address prefix`,
		"twice.txt":     `twice.txt:1:1: "10.0.0.1 10.0.0.2": more than one entry`,
		"port.txt":      `port.txt:1:10: "0": port 0 is reserved`,
		"binary.txt":    `binary.txt:2:1: the file contains zero bytes: it is binary, not text`,
		"utf16.txt":     `utf16.txt:1:2: the file is text in UTF-16`,
		"gzip.txt":      `gzip.txt:1:1: the file is compressed with gzip`,
		"latin.txt":     `latin.txt:2:6: byte 0xfc is not UTF-8`,
		"inclde.txt":    `inclde.txt:2:1: "@inclde": unknown directive`,
		"nospace.txt":   `nospace.txt:1:1: "@includea.txt": unknown directive`,
		"import.txt":    `import.txt:1:1: "@import": unknown directive`,
		"long.txt":      `long.txt:2: a line longer than 1024 bytes`,
		"loop.txt":      `sub/loop.txt:2:10: "loop.txt": the file includes itself`,
		"gone.txt":      `gone.txt:2:10: "nothere.txt": cannot read: no such file or directory`,
		"empty.txt":     `empty.txt:1:1: "@include": no file after @include`,
		"unspared.txt":  `unspared.txt:2:2: "gone.example.net": the excluded name does not resolve: A and AAAA: no such host`,
		"scopeport.txt": `scopeport.txt:1:1: "10.0.0.1:25": a port is not allowed here`,
		"missing.txt":   `missing.txt: cannot read: no such file or directory`,
		"sub":           `sub: cannot read: is a directory`,
	} {
		p := Parser{Resolver: testZone}
		_, _, err := p.ScopeFile(t.Context(), file)
		var input *InputError
		if !errors.As(err, &input) || err.Error() != want {
			t.Errorf("%s: error %v, want %s", file, err, want)
		} else if input.ErrorHint() == "" {
			t.Errorf("%s: error %q has no hint", file, err)
		} else if hint := meant[file]; !strings.HasPrefix(input.ErrorHint(), hint) {
			t.Errorf("%s: hint %q, want %q", file, input.ErrorHint(), hint)
		}
	}
	p := Parser{Resolver: testZone}
	if _, err := p.TargetFile(t.Context(), "loop.txt"); err == nil || !strings.Contains(err.Error(), "an include outside of a scope file") {
		t.Errorf("an include in a target file: error %v", err)
	}
}

// TestFileMistakes: all mistakes of a scope are told at once, in their order, each
// with its place, its line and what to do, and no more than help.
func TestFileMistakes(t *testing.T) {
	writeFiles(t, map[string]string{
		"scope.txt": "10.0.0/8\n192.0.2.1\n  10.0.0.1:25 # typo\n@include more.txt\n@include\n!a b\n",
		"more.txt":  "https://mx.example.net/\n",
		"many.txt":  strings.Repeat("10.0.0/8\n", 10_000),
	})
	_, _, err := new(Parser).ScopeFile(t.Context(), "scope.txt")
	want := []string{
		`scope.txt:1:1: "10.0.0/8": not an address prefix`,
		`scope.txt:3:3: "10.0.0.1:25": a port is not allowed here`,
		`more.txt:1:1: "https://mx.example.net/": a URL is not a target`,
		`scope.txt:5:1: "@include": no file after @include`,
		`scope.txt:6:2: "a b": more than one entry`,
	}
	if err == nil || err.Error() != strings.Join(want, "\n") {
		t.Fatalf("got %v", err)
	}
	for _, one := range err.(interface{ Unwrap() []error }).Unwrap() {
		var input *InputError
		if !errors.As(one, &input) || input.ErrorHint() == "" || !strings.Contains(input.Excerpt(), " | ") || !strings.HasSuffix(input.Excerpt(), "^") {
			t.Errorf("%v: %q", one, input.Excerpt())
		}
	}
	_, _, err = new(Parser).ScopeFile(t.Context(), "many.txt")
	if n := strings.Count(err.Error(), "\n") + 1; n != userfile.MaxErrors+1 || !strings.HasSuffix(err.Error(), "and 9980 more mistakes") {
		t.Errorf("%d mistakes are told: %v", n, err)
	}
}

func TestIncludeDepth(t *testing.T) {
	files := map[string]string{}
	for i := range 20 {
		files["f"+string(rune('a'+i))] = "@include f" + string(rune('b'+i)) + "\n"
	}
	writeFiles(t, files)
	_, _, err := new(Parser).ScopeFile(t.Context(), "fa")
	if err == nil || !strings.Contains(err.Error(), `fp:1:10: "fq": includes more than 16 deep`) {
		t.Errorf("error %v", err)
	}
}

// TestIncludeBomb: a few files that include each other more than once are read
// exponentially often.
func TestIncludeBomb(t *testing.T) {
	files := map[string]string{"bp": ""}
	for i := range 15 {
		files["b"+string(rune('a'+i))] = strings.Repeat("@include b"+string(rune('b'+i))+"\n", 8)
	}
	writeFiles(t, files)
	_, _, err := new(Parser).ScopeFile(t.Context(), "ba")
	if err == nil || !strings.Contains(err.Error(), "more than 4096 includes") {
		t.Errorf("error %v", err)
	}
}

// endless is a reader that never ends.
type endless struct {
	line string
	at   int
}

func (e *endless) Read(b []byte) (int, error) {
	n := copy(b, e.line[e.at:])
	e.at = (e.at + n) % len(e.line)
	return n, nil
}

func TestEndlessInput(t *testing.T) {
	for line, want := range map[string]string{
		"\x00":                                "-:1:1: the file contains zero bytes",
		"x":                                   "-:1: a line longer than 1024 bytes",
		"#" + strings.Repeat("x", 999) + "\n": "more than 64 MiB",
		"1.1.1.1\n":                           "more than 64 MiB",
		"1::1\n":                              "more than 300000 entries that are names, IPv6",
	} {
		p := Parser{Stdin: &endless{line: strings.Repeat(line, 4096/len(line)+1)}}
		_, err := p.TargetFile(t.Context(), "-")
		var hint interface{ ErrorHint() string }
		if err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, &hint) || hint.ErrorHint() == "" {
			t.Errorf("%q without end: error %v, want %q and a hint", line, err, want)
		}
	}
}

// TestLongestFile: a file of as many bytes as are read is whole.
func TestLongestFile(t *testing.T) {
	in := io.LimitReader(&endless{line: "#" + strings.Repeat("x", 1022) + "\n"}, maxFile-10)
	p := Parser{Stdin: io.MultiReader(in, strings.NewReader("\n10.0.0.1\n"))}
	if targets, err := p.TargetFile(t.Context(), "-"); err != nil || len(targets) != 1 {
		t.Errorf("%d targets, %v", len(targets), err)
	}
}

// slow is a Resolver that answers only when its context ends.
type slow struct{}

func (slow) LookupNetIP(ctx context.Context, _, _ string) ([]netip.Addr, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}

func TestLookupTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := Parser{Resolver: slow{}}
		start := time.Now()
		got, err := p.Targets(t.Context(), []string{"a.example", "b.example", "192.0.2.1"})
		if err != nil || got[0].Err == nil || got[1].Err == nil || got[2].Err != nil {
			t.Errorf("got %+v, %v", got, err)
		}
		if d := time.Since(start); d != 12*time.Second {
			t.Errorf("two slow names took %v", d)
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if _, err := p.Targets(ctx, []string{"c.example"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("canceled: error %v", err)
		}
	})
}

func FuzzLines(f *testing.F) {
	f.Add("10.0.0.0/8 # x\n!10.0.0.1\r\n\n@include\n")
	f.Add("\n\n0\v")
	f.Fuzz(func(t *testing.T, s string) {
		if strings.Contains(s, "@include") {
			return // would read files
		}
		r := lineReader{kind: scoped, ctx: t.Context()}
		if err := r.read("f", strings.NewReader(s)); err != nil {
			return
		}
		lines := strings.Split(s, "\n")
		for _, target := range append(r.in, r.out...) {
			a := target.Anchor
			if start := a.EndColumn - 1 - len(a.Text); a.Line > 1 && lines[a.Line-1][start:a.EndColumn-1] != a.Text {
				t.Fatalf("%+v is not what stands in %q", a, lines[a.Line-1])
			}
		}
	})
}
