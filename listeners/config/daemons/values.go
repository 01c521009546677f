package daemons

import (
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// A value is the value of a setting, without quotation marks, and its offset.
type value struct {
	text string
	at   int
}

// A fileValue is a value of one of several files.
type fileValue struct {
	value
	file *source.File
}

// anchor returns the place of the value.
func (v *fileValue) anchor() result.Anchor { return v.file.Anchor(v.at, v.at+len(v.text)) }

// separators are what is between a name and a value, by format.
var separators = map[string]*regexp.Regexp{
	"words":  regexp.MustCompile(`^\s*([\w.-]+)(?:\s+|$)(.*)$`),
	"equals": regexp.MustCompile(`^\s*([\w.-]+)\s*=\s*(.*)$`),
	"colon":  regexp.MustCompile(`^\s*([\w.-]+)\s*:\s*(.*)$`),
	"ini":    regexp.MustCompile(`^([\w.-]+)\s*[=:]\s*(.*)$`),
}

// sectionLine begins a section.
var sectionLine = regexp.MustCompile(`^\s*\[([^\]]+)\]`)

// values returns the settings of a file by name, of which the last one counts, and by
// "name=value", of which each one does, without YAML. problem says why they cannot be read.
func (k *Kind) values(f *source.File) (values map[string]value, problem string) {
	values = map[string]value{}
	if k.Format == "yaml" {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(f.Text), &doc); err != nil {
			return values, "the file is no YAML: " + err.Error()
		}
		if len(doc.Content) > 0 {
			yamlValues(f, doc.Content[0], "", values, 0)
		}
		return values, ""
	}
	separator, section := separators[k.Format], ""
	for start, line := range f.Lines() {
		if m := sectionLine.FindStringSubmatch(line); m != nil && k.Format == "ini" {
			section = m[1] + "."
			continue
		}
		m := separator.FindStringSubmatchIndex(line)
		if trimmed := strings.TrimSpace(line); m == nil || trimmed[0] == '#' || trimmed[0] == ';' {
			continue
		}
		name := section + line[m[2]:m[3]]
		if k.Fold {
			name = strings.ToLower(name)
		}
		text := uncommentedValue(line[m[4]:m[5]])
		w := quoteWidth(text)
		v := value{text[w : len(text)-w], start + m[4] + w}
		values[name], values[name+"="+v.text] = v, v
	}
	return values, ""
}

// uncommentedValue returns a value without a comment or a parameter behind it. A value in
// quotation marks ends with these.
func uncommentedValue(text string) string {
	if text != "" && (text[0] == '"' || text[0] == '\'') {
		if i := strings.IndexByte(text[1:], text[0]); i >= 0 {
			return text[:i+2]
		}
	}
	for _, mark := range []string{"#", " ;", "\t;"} {
		if i := strings.Index(text, mark); i >= 0 {
			text = text[:i]
		}
	}
	return strings.TrimRight(text, " \t")
}

// maxDepth is how deep mappings of YAML are read.
const maxDepth = 4

// yamlValues adds the scalars below a mapping, by their path of keys.
func yamlValues(f *source.File, n *yaml.Node, prefix string, values map[string]value, depth int) {
	if n.Kind != yaml.MappingNode || depth > maxDepth {
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, v := prefix+n.Content[i].Value, n.Content[i+1]
		if v.Kind != yaml.ScalarNode {
			yamlValues(f, v, name+".", values, depth+1)
			continue
		}
		at := f.Offset(v.Line, v.Column)
		if v.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			at = min(at+1, len(f.Text))
		}
		if v.Tag == "!!null" {
			continue
		}
		values[name] = value{v.Value, at}
	}
}
