package userfile

import (
	"bytes"
	"errors"
	"io"
	"os"
	"regexp"

	"github.com/mxsweep/mxsweep/internal/textfile"
)

// A Kind is a kind of file that belongs to this program; "" is any other file.
type Kind string

// The kinds of files.
const (
	SavedRun Kind = "a saved run"
	Baseline Kind = "a baseline"
	AuditLog Kind = "an audit log"
	Policy   Kind = "a policy"

	// AddressList is a list of targets, scope or excludes, which has no beginning of
	// its own.
	AddressList Kind = "a list of addresses"
)

// Use says what to do with a file of the kind.
func (k Kind) Use() string {
	switch k {
	case SavedRun:
		return `"mxsweep convert FILE" shows a saved run`
	case Baseline:
		return `"mxsweep baseline show FILE" lists a baseline; --baseline FILE compares a scan with it`
	case AuditLog:
		return `"mxsweep audit verify FILE" checks an audit log`
	case Policy:
		return "--policy FILE names a policy"
	}
	return ""
}

// kindForms are the beginnings of the files of each kind, with the part that tells it.
var kindForms = []struct {
	kind Kind
	form *regexp.Regexp
}{
	{SavedRun, regexp.MustCompile(`^\s*\{\s*"schema"\s*:\s*("mxsweep\.(?:report|line)")`)},
	{Baseline, regexp.MustCompile(`^\s*\{\s*"schema"\s*:\s*("mxsweep\.baseline")`)},
	{AuditLog, regexp.MustCompile(`^\{("seq"):[0-9]+,"time":"`)},
	{Policy, regexp.MustCompile(`^(?:\s*(?:#[^\n]*|---[ \t\r]*)?\n)*(version):[ \t]`)},
}

// KindOfFile returns the kind of a file that begins with head.
func KindOfFile(head []byte) Kind {
	kind, _ := told(head)
	return kind
}

// told returns the kind of a file, and the offset of what tells it.
func told(head []byte) (Kind, int) {
	head = head[:min(len(head), maxHead)]
	for _, k := range kindForms {
		if m := k.form.FindSubmatchIndex(head); m != nil {
			return k.kind, m[2]
		}
	}
	return "", 0
}

// WrongKind returns the error for a file of another kind than the wanted one; nil if
// head does not tell the kind.
func WrongKind(file string, head []byte, wanted Kind) *Error {
	kind, at := told(head)
	if kind == "" || kind == wanted {
		return nil
	}
	start := bytes.LastIndexByte(head[:at], '\n') + 1
	line, _, _ := bytes.Cut(head[start:], []byte("\n"))
	e := &Error{File: file, Line: bytes.Count(head[:start], []byte("\n")) + 1, Column: at - start + 1,
		Problem: "the file is " + string(kind) + ", not " + string(wanted), Hint: kind.Use()}
	e.SetSource(string(line))
	return e
}

// ReadHead reads the beginning of a regular file, as much as KindOfFile needs.
func ReadHead(file string) ([]byte, error) {
	info, err := os.Stat(file)
	switch {
	case err != nil:
		return nil, err
	case !info.Mode().IsRegular(): // opening a named pipe would wait for its writer
		return nil, errors.New("not a regular file")
	}
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(textfile.Reader(io.LimitReader(f, maxHead)))
}

// maxHead is how many bytes of a file are compared.
const maxHead = 4096
