// Package statements finds the statements with which mail daemons listen in the text of their
// files, and where their parts are: of sendmail.mc, smtpd.conf and cyrus.conf. What reads
// these files and what edits them share it.
package statements

// A Part is a part of a text.
type Part struct {
	Text       string // without the quotation marks in it
	Start, End int    // the bytes of the text, from 0; zero for what the text does not have
}

// Has reports whether the text has the part.
func (p Part) Has() bool { return p.End > 0 }
