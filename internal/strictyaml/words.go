package strictyaml

import (
	"bytes"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"unicode/utf8"
)

// A troubleKind is a mistake that users make in YAML.
type troubleKind int

// The kinds.
const (
	tabIndent     troubleKind = iota // a tab as indentation
	openQuote                        // a quote that nothing closes
	openBracket                      // a bracket or brace that nothing closes
	strayBracket                     // one that closes nothing
	behindEnd                        // text behind what closes a value
	badStart                         // a character that cannot begin a value
	badEscape                        // an unknown escape
	secondColon                      // a colon and a space in a value
	noColon                          // a line that is no "key: value"
	noSpace                          // a key without a space behind its colon
	badIndent                        // an indent that belongs to nothing above
	itemOnLine                       // a list that begins on the line of its key
	itemAmongKeys                    // a dash where keys are
	keyAmongItems                    // a key where dashes are
)

// troubles are the mistakes that an error of the YAML parser can stand for, the most
// likely first.
var troubles = map[string][]troubleKind{
	"found character that cannot start any token":                  {tabIndent, badStart},
	"found a tab character that violates indentation":              {tabIndent},
	"found a tab character where an indentation space is expected": {tabIndent},
	"found unexpected end of stream":                               {openQuote},
	"found unexpected document indicator":                          {openQuote},
	"did not find expected ',' or ']'":                             {openQuote, openBracket, behindEnd},
	"did not find expected ',' or '}'":                             {openQuote, openBracket, behindEnd},
	"did not find expected node content":                           {openBracket, strayBracket, badStart},
	"did not find expected alphabetic or numeric character":        {badStart},
	"found unknown escape character":                               {badEscape},
	"mapping values are not allowed in this context":               {tabIndent, badIndent, noColon, secondColon},
	"could not find expected ':'":                                  {noSpace, noColon, openQuote},
	"block sequence entries are not allowed in this context":       {itemOnLine, itemAmongKeys},
	"did not find expected key":                                    {tabIndent, openQuote, behindEnd, badIndent, itemAmongKeys, strayBracket},
	"did not find expected '-' indicator":                          {tabIndent, openQuote, behindEnd, badIndent, keyAmongItems, strayBracket},
	"did not find expected <document start>":                       {behindEnd, badIndent, strayBracket},
}

// sentence says what a mistake is, and what to do about it.
func (t *trouble) sentence() (text, hint string) {
	closing := map[string]string{"[": "]", "{": "}", `"`: `"`, "'": "'"}[t.text]
	switch t.kind {
	case tabIndent:
		return "a tab in the indentation", "use spaces: YAML does not allow tabs there"
	case openQuote:
		return "the quote is not closed", fmt.Sprintf("add the closing %s; if the value itself contains one, use the other kind of quotes", t.text)
	case openBracket:
		return fmt.Sprintf("the %q is not closed", t.text), fmt.Sprintf("add the closing %s", closing)
	case strayBracket:
		return fmt.Sprintf("the %q closes nothing", t.text), "remove it, or put quotes around the value"
	case behindEnd:
		return fmt.Sprintf("text after the closing %s", t.text), "remove it, or put quotes around the whole value"
	case badStart:
		return fmt.Sprintf("a value cannot start with %q", t.text), "put quotes around the value"
	case badEscape:
		return fmt.Sprintf("unknown escape %s in double quotes", t.text), "use single quotes, or write the backslash twice"
	case secondColon:
		return "a colon followed by a space within a value", "put quotes around the value"
	case noColon:
		return "the line is not a key with a value", `write "key: value"`
	case noSpace:
		return "no space after the colon", `write "key: value"`
	case badIndent:
		return "the indentation matches no line above", "indent the keys of a mapping, and the items of a list, equally"
	case itemOnLine:
		return "a list item on the line of its key", "start the list on the next line, or write it in brackets: [a, b]"
	case itemAmongKeys:
		return "a list item between keys", `write "key: value", or indent the item below its key`
	}
	return "a key between list items", "start the line with a dash, or indent the key like the line above the list"
}

var yamlLine = regexp.MustCompile(`^(?:yaml: )?line (\d+): (?s:(.*))$`)

var unknownAnchor = regexp.MustCompile(`^unknown anchor '(.*)' referenced$`)

// syntaxFault is an error of the YAML parser in plain words. Where the mistake is not
// known, they are the parser's, whose place is the beginning of a line.
func syntaxFault(data []byte, err error) *Fault {
	f := &Fault{1, 1, strings.TrimPrefix(err.Error(), "yaml: "),
		"check the indentation, and put quotes around values with a colon, a hash or a leading asterisk"}
	if m := yamlLine.FindStringSubmatch(err.Error()); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil && n > 0 {
			f.Line, f.Text = n, m[2]
		}
	}
	if m := unknownAnchor.FindStringSubmatch(f.Text); m != nil {
		if at := bytes.Index(data, []byte("*"+m[1])); at >= 0 {
			line := data[bytes.LastIndexByte(data[:at], '\n')+1 : at]
			return &Fault{bytes.Count(data[:at], []byte("\n")) + 1, utf8.RuneCount(line) + 1, fmt.Sprintf("the alias *%s refers to nothing", m[1]),
				"put quotes around the value: without them, an asterisk starts an alias"}
		}
	}
	if kinds := troubles[f.Text]; kinds != nil {
		if t := newSurvey(bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))).first(kinds); t != nil {
			text, hint := t.sentence()
			return &Fault{t.line, t.column, text, hint}
		}
	}
	if lines := bytes.SplitN(data, []byte("\n"), f.Line+1); len(lines) >= f.Line {
		line := lines[f.Line-1]
		f.Column += len(line) - len(bytes.TrimLeft(line, " \t"))
	}
	return f
}
