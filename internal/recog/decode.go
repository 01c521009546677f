package recog

import (
	"bytes"
	"encoding/base64"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/signatures"
)

// fingerprintXML is a fingerprint as it is written.
type fingerprintXML struct {
	Pattern  string       `xml:"pattern,attr"`
	Flags    string       `xml:"flags,attr"`
	Examples []exampleXML `xml:"example"`
	Params   []struct {
		Pos   int    `xml:"pos,attr"`
		Name  string `xml:"name,attr"`
		Value string `xml:"value,attr"`
	} `xml:"param"`
}

type exampleXML struct {
	Attrs []xml.Attr `xml:",any,attr"`
	Text  string     `xml:",chardata"`
}

// file reads one file. The error has its place.
func (set *Set) file(src *source, text []byte, name string) error {
	d := xml.NewDecoder(bytes.NewReader(text))
	d.CharsetReader = func(charset string, r io.Reader) (io.Reader, error) {
		return nil, fmt.Errorf("charset %q is not UTF-8", charset)
	}
	depth, roots := 0, 0
	for {
		line, column := d.InputPos()
		pos := signatures.Pos{File: name, Line: line, Column: column}
		token, err := d.Token()
		if errors.Is(err, io.EOF) && roots > 0 {
			return nil
		}
		if err != nil {
			return problemAt(d, name, err)
		}
		switch element := token.(type) {
		case xml.EndElement:
			depth--
		case xml.StartElement:
			if depth == 0 {
				if roots++; roots > 1 || element.Name.Local != "fingerprints" {
					return &signatures.Problem{Pos: pos, Text: fmt.Sprintf("the root is %q, not \"fingerprints\"", element.Name.Local)}
				}
				depth++
				continue
			}
			if element.Name.Local != "fingerprint" {
				return &signatures.Problem{Pos: pos, Text: fmt.Sprintf("unknown element %q", element.Name.Local)}
			}
			var read fingerprintXML
			if err := d.DecodeElement(&read, &element); err != nil {
				return problemAt(d, name, err)
			}
			if len(set.fingerprints)+len(set.skipped) >= maxFingerprints {
				return &signatures.Problem{Pos: pos, Text: fmt.Sprintf("more than %d fingerprints", maxFingerprints)}
			}
			set.add(src, pos, &read)
		}
	}
}

// problemAt is an error of the XML decoder at the place where it met it.
func problemAt(d *xml.Decoder, name string, err error) error {
	line, column := d.InputPos()
	text := err.Error()
	if syntax := new(xml.SyntaxError); errors.As(err, &syntax) {
		text = syntax.Msg
	}
	if number := new(strconv.NumError); errors.As(err, &number) {
		text = fmt.Sprintf("%q is not a number", number.Num)
	}
	if errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, io.EOF) || text == "unexpected EOF" {
		text = "the file ends before its last element does"
	}
	return &signatures.Problem{Pos: signatures.Pos{File: name, Line: line, Column: column}, Text: "reading XML: " + text}
}

// add keeps a fingerprint, or why it cannot be used.
func (set *Set) add(src *source, pos signatures.Pos, read *fingerprintXML) {
	skip := func(format string, args ...any) {
		set.skipped = append(set.skipped, &signatures.Problem{Pos: pos, Text: fmt.Sprintf(format, args...)})
	}
	re, err := compile(read.Pattern, read.Flags)
	if err != nil {
		skip("%v", err)
		return
	}
	fp := &fingerprint{pos: pos, source: src, pattern: re}
	for _, p := range read.Params {
		switch {
		case p.Name == "":
			skip("a param without a name")
			return
		case p.Pos < 0 || p.Pos > re.NumSubexp():
			skip("param %q takes group %d of a pattern that has %d", p.Name, p.Pos, re.NumSubexp())
			return
		}
		fp.params = append(fp.params, param{p.Pos, p.Name, p.Value})
	}
	for _, e := range read.Examples {
		one, err := readExample(e, pos)
		if err != nil {
			skip("%v", err)
			return
		}
		if one != nil {
			fp.examples = append(fp.examples, *one)
		}
	}
	set.fingerprints = append(set.fingerprints, fp)
}

// readExample returns nil for an example in a file of its own.
func readExample(read exampleXML, pos signatures.Pos) (*example, error) {
	e := &example{pos: pos, text: read.Text, want: make(map[string]string)}
	for _, a := range read.Attrs {
		switch a.Name.Local {
		case "_filename":
			return nil, nil
		case "_encoding":
			if a.Value != "base64" {
				return nil, fmt.Errorf("an example in the unknown encoding %q", a.Value)
			}
			text, err := base64.StdEncoding.DecodeString(strings.Join(strings.Fields(read.Text), ""))
			if err != nil {
				return nil, fmt.Errorf("decoding an example: %w", err)
			}
			e.text = string(text)
		default:
			e.want[a.Name.Local] = a.Value
		}
	}
	return e, nil
}
