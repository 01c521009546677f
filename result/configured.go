package result

import "strings"

// A Configured is what a configuration file says about the port that it opens. A port
// and a finding of a run that read files have one.
type Configured struct {
	// Name is the name by which the file, or its format, calls the listener. It is
	// unique in the file, and stays the same when lines move: "10025 inet".
	Name string `json:"name" clean:"field"`

	Kind string `json:"kind,omitempty" clean:"field"` // of the file: "Postfix master.cf"

	// Through says what passes connections on to the listener: "published" for a port
	// of a container, "cluster" for one of the nodes of a cluster. "" means that it is
	// bound on the host itself.
	Through string `json:"through,omitempty" clean:"field"`

	// Causes are settings elsewhere, and defaults, because of which the address is as
	// wide as it is; the decisive one first.
	Causes []Widening `json:"causes,omitempty"`

	// Edit binds the listener to loopback; nil if no edit of this file alone does.
	Edit *Replacement `json:"edit,omitempty"`
}

// KindRecords is the Kind of records of the DNS, which a finding about a domain has in place of
// a listener: Name is then the record, such as "MX mx1.example.org".
const KindRecords = "DNS records"

// A Widening is a setting or a default that widens the address of a listener.
type Widening struct {
	Why string `json:"why"` // without a full stop

	// Anchor is the setting; nil for a default.
	Anchor *Anchor `json:"anchor,omitempty"`
}

// A Replacement is an edit: it replaces a part of the file in which the anchor of a port
// or a finding is. The texts are exactly those of the file, never shortened or escaped: an
// edit whose texts are not safe to show is left out of reports.
type Replacement struct {
	Fix string `json:"fix" clean:"field"` // the id of the fix that it makes; "" for a setting

	// What is replaced, from the start to before the end. Lines and columns count from
	// 1, and columns in UTF-16 code units. Old is that text; "" if Text is inserted.
	StartLine   int    `json:"start_line"`
	StartColumn int    `json:"start_column"`
	EndLine     int    `json:"end_line"`
	EndColumn   int    `json:"end_column"`
	Old         string `json:"old,omitempty" clean:"exact"`

	Text string `json:"text" clean:"exact"` // what replaces it

	// Lines are what the lines from StartLine to EndLine become, without the end of the
	// last one; "" if a secret is in them. Old and Text never have one.
	Lines string `json:"lines,omitempty" clean:"exact"`
}

// Says describes the edit in one line, with the texts between backticks.
func (e *Replacement) Says() string {
	text := strings.TrimSpace(e.Text)
	switch {
	case e.Old == "" && strings.ContainsAny(e.Text, "\r\n"):
		return "add the line `" + text + "` after this one"
	case e.Old == "":
		return "insert `" + text + "`"
	}
	return "change `" + strings.TrimSpace(e.Old) + "` to `" + text + "`"
}
