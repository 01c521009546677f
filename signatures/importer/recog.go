package importer

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/url"
	"path"
	"regexp"
	"regexp/syntax"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/signatures"
)

// Limits of what is read. The files of 2026 have less than 200 kB and 250
// fingerprints each.
const (
	maxRecogFile    = 8 << 20
	maxFingerprints = 20000
)

// A recogFile describes one of recog's files, and what its patterns are matched
// against.
type recogFile struct {
	name           string
	protocol, role string
	probe          string
	before         string // pattern for the part of a line before the text
	line           string // the part of a line before an example
}

// recogFiles are recog's files on mail services for which there are probes.
// Others are for commands that no probe sends, such as VRFY and RSET.
var recogFiles = []recogFile{
	{"imap_banners.xml", "imap", "imap", signatures.Greeting, `\* OK `, "* OK "},
	{"pop_banners.xml", "pop3", "pop3", signatures.Greeting, `(?:\+OK|-ERR) `, "+OK "},
	{"smtp_banners.xml", "smtp", "mta", signatures.Greeting, `[2-5]\d\d[ -]`, "220 "},
	{"smtp_ehlo.xml", "smtp", "mta", "smtp-ehlo", "", ""},
	{"smtp_help.xml", "smtp", "mta", "smtp-help", "", ""},
}

// Recog imports the files on mail services in a folder, or in its folder "xml" as
// in a checkout of recog. It fails, with the position, if a file cannot be read
// or is not well-formed, and if the folder has no such files.
func Recog(dir signatures.Source) (*Import, error) {
	im := &Import{tool: "recog"}
	found := false
	for _, file := range recogFiles {
		for _, name := range []string{file.name, path.Join("xml", file.name)} {
			full := path.Join(dir.Name, name)
			b, err := readFile(dir.FS, name, full, maxRecogFile)
			if errors.Is(err, fs.ErrNotExist) {
				continue
			}
			if err == nil {
				err = im.recogFile(&file, b, full)
			}
			if err != nil {
				return nil, err
			}
			found = true
			break
		}
	}
	if !found {
		return nil, &signatures.Problem{File: dir.Name, Problem: "the directory has no recog file for a mail service, such as smtp_banners.xml", Hint: RecogHint}
	}
	return im, nil
}

// A fingerprint is one pattern with its values, as in the file.
type fingerprint struct {
	Pattern  string         `xml:"pattern,attr"`
	Flags    string         `xml:"flags,attr"`
	Examples []recogExample `xml:"example"`
	Params   []struct {
		Pos   int    `xml:"pos,attr"` // number of the group; 0 for a constant
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	} `xml:"param"`
}

type recogExample struct {
	Attrs []xml.Attr `xml:",any,attr"` // what it yields
	Text  string     `xml:",chardata"`
}

// recogFile imports one file. The error has its position.
func (im *Import) recogFile(file *recogFile, text []byte, name string) error {
	d := xml.NewDecoder(bytes.NewReader(text))
	d.CharsetReader = func(charset string, _ io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("charset %q is not UTF-8", charset)
	}
	depth, roots := 0, 0
	for {
		line, column := d.InputPos()
		pos := signatures.Pos{File: name, Line: line, Column: column}
		fail := func(format string, args ...any) error {
			return &signatures.Problem{File: pos.File, Line: pos.Line, Column: pos.Column, Problem: fmt.Sprintf(format, args...), Hint: RecogHint}
		}
		token, err := d.Token()
		if errors.Is(err, io.EOF) && roots > 0 {
			return nil
		}
		if err != nil {
			pos.Line, pos.Column = d.InputPos()
			return fail("reading XML: %s", xmlFault(err))
		}
		element, isStart := token.(xml.StartElement)
		_, isEnd := token.(xml.EndElement)
		switch {
		case isEnd:
			depth--
		case !isStart:
		case depth == 0:
			if roots++; roots > 1 || element.Name.Local != "fingerprints" {
				return fail("the root is %q, not \"fingerprints\"", element.Name.Local)
			}
			depth++
		case element.Name.Local != "fingerprint":
			return fail("unknown element %q", element.Name.Local)
		case len(im.entries)+len(im.skipped) >= maxFingerprints:
			return fail("more than %d fingerprints", maxFingerprints)
		default:
			var fp fingerprint
			if err := d.DecodeElement(&fp, &element); err != nil {
				pos.Line, pos.Column = d.InputPos()
				return fail("reading XML: %s", xmlFault(err))
			}
			im.fingerprint(file, pos, &fp)
		}
	}
}

// xmlFault returns the message of an XML error without the line, which is in the
// position.
func xmlFault(err error) string {
	text := err.Error()
	if e := new(xml.SyntaxError); errors.As(err, &e) {
		text = e.Msg
	}
	if e := new(strconv.NumError); errors.As(err, &e) {
		text = fmt.Sprintf("%q is not a number", e.Num)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || text == "unexpected EOF" {
		text = "the file is truncated"
	}
	return text
}

// recogFields maps recog's names of values to groups of our patterns.
var recogFields = map[string]string{"service.version": version, "host.name": hostname, "os.product": osType}

// fingerprint imports one fingerprint, or records why it cannot be imported.
func (im *Import) fingerprint(file *recogFile, pos signatures.Pos, fp *fingerprint) {
	values, groups := make(map[string]string), make(map[string]int)
	e := &entry{
		ID:       fmt.Sprintf("recog:%s:%d", file.name, pos.Line),
		Protocol: file.protocol, Role: file.role, Confidence: signatures.MaxUntested,
		Source: fmt.Sprintf("recog, %s, line %d", file.name, pos.Line),
	}
	highest := 0
	for _, p := range fp.Params {
		if highest = max(highest, p.Pos); p.Pos == 0 {
			values[p.Name] = p.Value
		} else if field := recogFields[p.Name]; field != "" {
			groups[field] = p.Pos
		}
	}
	if e.Product = values["service.product"]; e.Product == "" {
		im.skip(pos, NoProduct, "")
		return
	}
	re, err := recogPattern(file, fp)
	switch {
	case err != nil:
		im.skip(pos, NotRE2, err.Error())
		return
	case highest > re.MaxCap():
		im.skip(pos, BadTemplate, fmt.Sprintf("group %d of %d", highest, re.MaxCap()))
		return
	}
	pattern := captures(re, groups).String()
	e.When = []condition{{Probe: file.probe, Reply: pattern}}
	for name, field := range recogFields {
		if groups[field] == 0 {
			e.setConstant(field, values[name])
		}
	}
	if vendor := values["service.vendor"]; vendor != "" && !strings.Contains(strings.ToLower(e.Product), strings.ToLower(vendor)) {
		e.setConstant(extraInfo, "by "+vendor)
	}
	e.CPE = recogCPE(values, groups)
	if e.Examples, err = fp.examples(file, pattern, e.Constants); err != nil {
		im.skip(pos, BadExample, err.Error())
		return
	}
	if e.Examples != nil {
		e.Confidence = signatures.MaxImported
	}
	if sure, err := strconv.ParseFloat(values["service.certainty"], 64); err == nil && sure >= 0 && sure < 1 {
		e.Confidence = max(1, int(float64(e.Confidence)*sure))
	}
	im.add(pos, e)
}

// Syntax with different meanings in Ruby's regular expressions (Onigmo) and RE2:
// intersections of classes, nested classes, quantifiers without a lower bound,
// and unknown escapes.
var (
	escape = regexp.MustCompile(`\\[^QE]`)
	notRE2 = regexp.MustCompile(`&&|\[[^\]]*\[[^:]|\{,|\\.`)
)

// recogPattern converts a pattern for a line to one for a whole reply. Except for
// REG_ICASE, the flags make no difference for a single line.
func recogPattern(file *recogFile, fp *fingerprint) (*syntax.Regexp, error) {
	var flags syntax.Flags
	for flag := range strings.SplitSeq(fp.Flags, ",") {
		switch strings.TrimSpace(flag) {
		case "", "REG_DOT_NEWLINE", "REG_MULTILINE", "REG_LINE_ANY_CRLF":
		case "REG_ICASE":
			flags = syntax.FoldCase
		default:
			return nil, fmt.Errorf("the flag %q", flag)
		}
	}
	if foreign := notRE2.FindString(escape.ReplaceAllString(fp.Pattern, "x")); foreign != "" {
		return nil, fmt.Errorf("%q, which means something else to RE2", foreign)
	}
	re, err := parse(fp.Pattern, flags)
	if err != nil {
		return nil, err
	}
	before, err := parse(file.before, 0)
	if err != nil {
		return nil, err
	}
	return inLines(re, before), nil
}

// recogCPE returns the product's CPE, "" if there is none. Names in braces in it
// are replaced by values.
func recogCPE(values map[string]string, groups map[string]int) string {
	parts := strings.Split(values["service.cpe23"], ":")
	for i, part := range parts {
		name, isName := strings.CutPrefix(strings.TrimSuffix(part, "}"), "{")
		switch {
		case name == "service.version" && isName && groups[version] > 0:
			parts[i] = versionMark
		case isName:
			parts[i] = url.PathEscape(values[name])
		}
	}
	// Recog uses a hyphen for an unknown version; in a CPE it means that there is
	// none (NISTIR 7695, Section 5.3.1).
	return cpe23(strings.TrimSuffix(strings.Join(parts, ":"), ":-"))
}

// examples returns the examples of a fingerprint, which must match the pattern.
// One in a separate file is omitted.
func (fp *fingerprint) examples(file *recogFile, pattern string, constants map[string]string) (all []example, err error) {
	re, err := regexp.Compile(pattern)
	if err != nil {
		return nil, err
	}
next:
	for _, given := range fp.Examples {
		text, want := given.Text, make(map[string]string)
		for _, a := range given.Attrs {
			switch a.Name.Local {
			case "_filename":
				continue next
			case "_encoding":
				b, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(text), ""))
				if err != nil || a.Value != "base64" {
					return nil, fmt.Errorf("%q is not in base64", text)
				}
				text = string(b)
			default:
				if field := recogFields[a.Name.Local]; field != "" {
					want[field] = a.Value
				}
			}
		}
		reply := file.line + text + "\r\n"
		m := re.FindStringSubmatch(reply)
		if m == nil {
			return nil, fmt.Errorf("%q does not match", text)
		}
		got := maps.Clone(constants)
		if got == nil {
			got = make(map[string]string)
		}
		for i, name := range re.SubexpNames() {
			if name != "" && m[i] != "" {
				got[name] = m[i]
			}
		}
		for name, value := range want {
			if got[name] != value {
				return nil, fmt.Errorf("%q yields the %s %q, not %q", text, name, got[name], value)
			}
		}
		all = append(all, example{Seen: map[string]string{file.probe: reply}, Want: got})
	}
	return all, nil
}
