// Package fix contains the fixes for findings: for each daemon the edit of its
// configuration file, the command that checks the edit, the command that applies
// it, and the proof that the real daemon accepted it. Rules, the port table and
// reports refer to a fix by its id.
package fix

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/internal/fault"
)

// A Fix closes a finding of one daemon. In its texts "{port}" is replaced by the
// port that was found and "{address}" by the address of the host.
type Fix struct {
	ID string

	// Products are names with which the product's name begins, or which it
	// contains; one is enough. "*" matches any product, also an unknown one.
	Products []string

	// Versions is the range of versions with this syntax: "" for all, or
	// comparisons like ">=2.4" and "<2.4" that must all hold.
	Versions string

	// Platform is where File has its path.
	Platform Platform

	// Process is the program that owns the port according to ss(8); "" if it
	// varies. Behind a proxy it is the proxy.
	Process string

	// File is the file to edit; "" if commands alone are enough. Upstream is the
	// path of the same file in the daemon's own distribution, "" if it is the
	// same.
	File, Upstream string

	// Format is the grammar of File, "" if Steps describe what to do.
	Format Format
	Edits  []Edit

	// Steps are manual steps that the applier cannot do: commands and clicks, one
	// per line.
	Steps []string

	Check string // a command that fails if the edit is wrong; "" if there is none
	Apply string // the command that applies the edit; "" if a step does

	// Source is the manual on which the fix is based. The zero Source means none,
	// which is only allowed with a proof.
	Source Source

	// Proofs are the runs in which the daemon accepted the fix, by rule and
	// version.
	Proofs []Proof

	// WhyNot says why there are no proofs, "" if there are some.
	WhyNot string

	at string // file and line of its entry, for errors
}

// anyProduct, as a product of a fix, matches all products without a fix of their
// own.
const anyProduct = "*"

// A Platform is an operating system or environment for which a fix is valid.
type Platform string

// The platforms. A fix for Debian is also valid for its derivatives.
const (
	PlatformDebian    Platform = "Debian"
	PlatformUpstream  Platform = "upstream"
	PlatformContainer Platform = "container"
)

// An Edit is one change of a file; exactly one of Bind, Set and Option is set.
type Edit struct {
	Bind   string // the address to which the listener of the port is bound
	Set    string // the setting that is set to Value
	Option string // a command-line option, or several spellings of it, that is set to Value
	In     string // the section for Set, the variable for Option; "" for none
	Value  string
}

// A Source is where a fix is documented.
type Source struct {
	Title, URL string
}

// A Proof is one test in which the real daemon accepted a fix: the finding was
// there, the edit was checked and applied, the finding was gone, and no other
// port had changed.
type Proof struct {
	Fix, Rule        string
	Product, Version string
	Platform         string // "Debian 12"
	Port             uint16
	Mail             bool // a message was still delivered afterwards
}

// AnyPort replaces the port in a text about no particular port. No configuration
// file uses this word: the setting of Courier is PORT.
const AnyPort = "NNNN"

// Values are inserted into a fix for one finding. The zero Values insert AnyPort
// and "HOST".
type Values struct {
	Address netip.Addr // of the host
	Port    uint16

	// Vantage is the vantage point from which the finding was seen; "" is the
	// default of a scan.
	Vantage string

	// File is the file that has the listener, if it is known, and Line its line there,
	// from 1. The text then names that file, and Edit binds no other listener of the
	// port; formats whose listeners share a line have them all bound.
	File string
	Line int

	// Root stands before File in a command: "/" if File is a full path without its first
	// slash, "" if it is relative to a checkout.
	Root string
}

// VantageFlag returns the flag with which mxsweep scan judges the address from
// the same vantage point, "" if none is needed: by default loopback is seen from
// the host, and everything else from the internet. It also returns "" if Vantage
// cannot be the name of a vantage point.
func (v Values) VantageFlag() string {
	usual := "internet"
	if v.Address.IsLoopback() {
		usual = "host"
	}
	odd := func(r rune) bool {
		return r != '.' && r != '_' && r != '-' && (r < '0' || r > '9') && (r < 'A' || r > 'Z') && (r < 'a' || r > 'z')
	}
	if v.Vantage == "" || v.Vantage == usual || strings.ContainsFunc(v.Vantage, odd) {
		return ""
	}
	return "--vantage " + v.Vantage
}

// port returns the port as text.
func (v Values) port() string {
	if v.Port == 0 {
		return AnyPort
	}
	return strconv.Itoa(int(v.Port))
}

// host is the address as text.
func (v Values) host() string {
	if !v.Address.IsValid() {
		return "HOST"
	}
	return v.Address.String()
}

// place is address and port as mxsweep scan takes them.
func (v Values) place() string { return net.JoinHostPort(v.host(), v.port()) }

// fill puts the values where a text leaves room for them.
func (v Values) fill(text string) string {
	if !strings.Contains(text, "{") {
		return text
	}
	text = strings.ReplaceAll(text, "{port}", v.port())
	return strings.ReplaceAll(text, "{address}", v.host())
}

// Manual reports whether a person must make the changes: there are no edits.
func (f *Fix) Manual() bool { return len(f.Edits) == 0 }

// Edit applies the edits of f to text, the content of its file; "" is a file that
// does not exist. If all edits are already made it returns text. The error is a
// *NotFoundError if the listener of the port is not in this file, and an
// *UnclearError if the edit is ambiguous, so that a person must decide.
func (f *Fix) Edit(text string, v Values) (string, error) {
	if f.Manual() {
		return "", fmt.Errorf("fix %q has no edit: its steps must be done by hand", f.ID)
	}
	for _, e := range f.Edits {
		var err error
		e.Value = v.fill(e.Value)
		if text, err = f.Format.edit(text, e, listenerAt{v.Port, v.Line}); err != nil {
			hint := ""
			if errors.As(err, new(*NotFoundError)) {
				hint = fmt.Sprintf("ss -ltnp 'sport = :%d' names the program that holds the port", v.Port)
			}
			return "", fault.Hintf(hint, "editing %s for fix %q: %w", f.File, f.ID, err)
		}
	}
	return text, nil
}

// A NotFoundError reports that a file has no listener for the port: it is in
// another file or another program.
type NotFoundError struct {
	What string
	Port uint16
}

func (e *NotFoundError) Error() string { return fmt.Sprintf("no %s for port %d", e.What, e.Port) }

// An UnclearError reports that an edit is ambiguous.
type UnclearError struct {
	Line int // from 1
	Why  string
}

func (e *UnclearError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Why) }

// HoldsFor reports whether a version is in the range of the fix; an unknown
// version is in all ranges.
func (f *Fix) HoldsFor(version string) bool {
	if version == "" || f.Versions == "" {
		return true
	}
	for c := range strings.FieldsSeq(f.Versions) {
		op := strings.TrimRight(c, "0123456789.")
		n := compareVersions(version, c[len(op):])
		if op == ">=" && n < 0 || op == "<" && n >= 0 {
			return false
		}
	}
	return true
}

// compareVersions compares the leading numbers of two versions.
func compareVersions(a, b string) int {
	return slices.Compare(numbers(a), numbers(b))
}

// numbers returns the numbers at the start of a version: "2.3.19.1 (1ee)" is 2,
// 3, 19, 1.
func numbers(s string) []int {
	var list []int
	for part := range strings.SplitSeq(s, ".") {
		digits := len(part) - len(strings.TrimLeft(part, "0123456789"))
		n, err := strconv.Atoi(part[:digits])
		if err != nil {
			break
		}
		list = append(list, n)
		if digits < len(part) {
			break
		}
	}
	return list
}
