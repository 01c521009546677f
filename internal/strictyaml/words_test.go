package strictyaml

import (
	"io/fs"
	"os"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// TestSyntax: what users get wrong in YAML is told in plain words, where it is.
func TestSyntax(t *testing.T) {
	for _, tt := range []struct {
		in           string
		line, column int
		want         string
	}{
		{"a: 1\nb:\n\tc: 1\n", 3, 1, "a tab in the indentation"},
		{"a: 1\nb:\n  \tc: 1\n", 3, 3, "a tab in the indentation"},
		{"a: 1\nb:\n  c: 1\n\td: 1\n", 4, 1, "a tab in the indentation"},
		{"a: 1\nports: [25, 26\nc:\n  d: 1\n", 2, 8, `the "[" is not closed`},
		{"a:\n  - {b: c, d: e\n  - {b: c}\n", 2, 5, `the "{" is not closed`},
		{"a: [{b: c]\n", 1, 5, `the "{" is not closed`},
		{"\u6f22: !!x [\n", 1, 8, `the "[" is not closed`},
		{"a: [1, 2 # ]\nb: 1\n", 1, 4, `the "[" is not closed`},
		{"a: ]\n", 1, 4, `the "]" closes nothing`},
		{"a:\n  - {b: c}}\n", 2, 11, "text after the closing }"},
		{"a: \"b\" c\nd: 1\n", 1, 8, `text after the closing "`},
		{"a: 1\nb: \"25, 26\nc: 1\n", 2, 4, "the quote is not closed"},
		{"a: \"25, 26\nc: \"d\"\n", 1, 4, "the quote is not closed"},
		{"a: 'b\n---\nc'\n", 1, 4, "the quote is not closed"},
		{"a:\n  - {b: 'c, d: e}\n", 2, 9, "the quote is not closed"},
		{"a: @b\n", 1, 4, `a value cannot start with "@"`},
		{"a:\n  - `b`\n", 2, 5, "a value cannot start with"},
		{"a:\n  - b: *\n", 2, 8, `a value cannot start with "*"`},
		{"a: *b\n", 1, 4, "the alias *b refers to nothing"},
		{"a: \"\\q\"\n", 1, 5, `unknown escape \q`},
		{"a:\n  - b: c: d\n", 2, 9, "a colon followed by a space"},
		{"a 1\nb: 2\n", 1, 1, "the line is not a key"},
		{"a: 1\nb:2\nc: 3\n", 2, 2, "no space after the colon"},
		{"a:\n  - b: 1\n   c: 2\n", 3, 4, "the indentation matches no line above"},
		{"a: 1\n  b: 2\n", 2, 3, "the indentation matches no line above"},
		{"a: - b\n", 1, 4, "a list item on the line of its key"},
		{"a: 1\n- b\n", 2, 1, "a list item between keys"},
		{"a:\n  - b\n  c: 1\n", 3, 3, "a key between list items"},
	} {
		_, fault := Root([]byte(tt.in))
		if fault == nil {
			t.Errorf("%q: no fault", tt.in)
			continue
		}
		if fault.Line != tt.line || fault.Column != tt.column || !strings.Contains(fault.Text, tt.want) || fault.Hint == "" {
			t.Errorf("%q: fault %+v, want %q at %d:%d", tt.in, fault, tt.want, tt.line, tt.column)
		}
	}
}

// TestSurveyOfYAML: nothing is found in files that are YAML.
func TestSurveyOfYAML(t *testing.T) {
	files := 0
	read := func(name string, text []byte) {
		dec := yaml.NewDecoder(strings.NewReader(string(text)))
		if dec.Decode(new(yaml.Node)) != nil {
			return
		}
		files++
		if s := newSurvey(text); len(s.found) > 0 {
			t.Errorf("%s: %+v", name, s.found)
		}
	}
	root := os.DirFS("../..")
	err := fs.WalkDir(root, ".", func(name string, _ fs.DirEntry, err error) error {
		if err != nil || !strings.HasSuffix(name, ".yaml") && !strings.HasSuffix(name, ".yml") {
			return err
		}
		text, err := fs.ReadFile(root, name)
		read(name, text)
		return err
	})
	if err != nil || files < 20 {
		t.Errorf("read %d files: %v", files, err)
	}
	for _, text := range []string{
		"a:\n- b\n- c\nd: 1\n", "a: |\n  b: [\n\n  \"\nc: 1\n", "- |\n b: [\n- >-\n  '\n", "a: 'it''s'\n", "a: b\n  c\nd: \"e\n  f\"\n",
		"a: [b,\n  c]\nd: {e: 'f', g: [h]} # i\n", "\"a\": 1\n? b\n: c\n", "a: &x b\nc: *x\n", "a: !!str b\nc: http://d\n", "- - a\n  - b\n- c: 1\n  d:\n    - e\n",
	} {
		read(text, []byte(text))
	}
}

// TestSurveyOfALongLine surveys a file of one line with many quotes, brackets or
// escapes, which takes minutes if each of their columns is counted from its beginning.
func TestSurveyOfALongLine(t *testing.T) {
	const size = 1 << 20
	for _, piece := range []string{`"\u00fc", `, "[", `\q`} {
		line := "\u00fc: [\"" + strings.Repeat(piece, size/len(piece))
		s := newSurvey([]byte(line + "\n\u00fc]"))
		if s.counted > 2*len(line) {
			t.Errorf("%d bytes of %q: %d bytes were counted", len(line), piece, s.counted)
		}
		if found := s.found[openQuote]; found.spot != (spot{1, 5}) && piece == `\q` {
			t.Errorf("%q: the quote is at %v", piece, found.spot)
		}
	}
}

// FuzzSurvey sees to it that no text upsets the survey, and that what is found has a
// place in it.
func FuzzSurvey(f *testing.F) {
	f.Add([]byte("a: [1, {b: 'c\n\td: \"\\q\n"))
	f.Add([]byte("- a: - b\n   c:d\n]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		lines := strings.Split(string(data), "\n")
		for _, found := range newSurvey(data).found {
			text, hint := found.sentence()
			if found.line < 1 || found.line > len(lines) || found.column < 1 || found.column > len(lines[found.line-1])+1 || text == "" || hint == "" {
				t.Errorf("%+v: %q, %q", found, text, hint)
			}
		}
	})
}
