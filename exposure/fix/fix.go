// Package fix holds what closes a finding: for each daemon the edit of its
// configuration file, the command that checks the edit, the one that makes it
// take effect, and the proof that the real daemon obeyed it. Rules, the port
// table and reports refer to a fix by its id.
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

// A Fix closes a finding of one daemon. In its texts "{port}" stands for the
// port that was found and "{address}" for the address of the host.
type Fix struct {
	ID string

	// Products are words that the product's name begins with or contains; one
	// is enough. "*" is any product, also one that is not known.
	Products []string

	// Versions is the range of versions that know this form: "", or
	// comparisons like ">=2.4" and "<2.4" that must all hold.
	Versions string

	// Platform is where File has that path.
	Platform Platform

	// Process is what ss(8) shows as the program that holds the port; "" if
	// it cannot be told. Behind a proxy it is the proxy's.
	Process string

	// File is what to edit; "" where commands alone do it. Upstream is where
	// the daemon's authors put the same file, "" if that is no other place.
	File, Upstream string

	// Format is the grammar of File, "" where Steps say what to do.
	Format Format
	Edits  []Edit

	// Steps are what no applier can do: commands and clicks, one a line.
	Steps []string

	Check string // a command that fails if the edit is wrong; "" if there is none
	Apply string // the command that makes the edit take effect; "" if a step does

	// Source is the manual that says so. The zero Source is none, which only a
	// fix with a proof may have.
	Source Source

	// Proofs are the runs in which the daemon obeyed, by rule and version.
	Proofs []Proof

	// WhyNot says why there are no proofs, "" where there are.
	WhyNot string
}

// anyProduct among the products of a fix is whatever has no fix of its own.
const anyProduct = "*"

// A Platform is where a fix holds.
type Platform string

// The platforms. A fix for Debian holds for its kin as well.
const (
	PlatformDebian    Platform = "Debian"
	PlatformUpstream  Platform = "upstream"
	PlatformContainer Platform = "container"
)

// An Edit is one change of a file; exactly one of Bind, Set and Option is
// there.
type Edit struct {
	Bind   string // the address that the listener of the port is bound to
	Set    string // the setting that gets Value
	Option string // a command-line option, or several spellings of it, that gets Value
	In     string // the section of Set, the variable of Option; "" for none
	Value  string
}

// A Source is where a fix was read.
type Source struct {
	Title, URL string
}

// A Proof is one run in which the real daemon obeyed a fix: the finding was
// there, the edit was checked and applied, the finding was gone, and no other
// port had changed.
type Proof struct {
	Fix, Rule        string
	Product, Version string
	Platform         string // "Debian 12"
	Port             uint16
	Mail             bool // a message still went through afterwards
}

// AnyPort stands for the port in a text about no port in particular. It is no
// word that a configuration file has: the setting of Courier is PORT.
const AnyPort = "NNNN"

// Values fill a fix for one finding. The zero Values give the words AnyPort
// and "HOST".
type Values struct {
	Address netip.Addr // of the host
	Port    uint16

	// Vantage is where the finding was seen from; "" is where a scan without a
	// flag takes itself to stand.
	Vantage string
}

// VantageFlag is what mxsweep scan needs to judge the address as the finding was:
// without it loopback is seen from the host, and everything else from the
// internet. A word that no vantage point can have gives "".
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

// port is the port as text.
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

// Manual says that no applier edits for this fix.
func (f *Fix) Manual() bool { return len(f.Edits) == 0 }

// Edit makes the edits of f in text, the content of its file; "" is a file
// that is not there yet. The result is text where all is done already. It is
// a *NotFoundError if the listener of the port is not in this file, and an
// *UnclearError if the text leaves open which of several places is meant:
// then a person must look.
func (f *Fix) Edit(text string, v Values) (string, error) {
	if f.Manual() {
		return "", fmt.Errorf("fix %q has no edit: its steps must be done by hand", f.ID)
	}
	for _, e := range f.Edits {
		var err error
		e.Value = v.fill(e.Value)
		if text, err = f.Format.edit(text, e, v.Port); err != nil {
			hint := ""
			if errors.As(err, new(*NotFoundError)) {
				hint = fmt.Sprintf("ss -ltnp 'sport = :%d' names the program that holds the port", v.Port)
			}
			return "", fault.Hintf(hint, "editing %s for fix %q: %w", f.File, f.ID, err)
		}
	}
	return text, nil
}

// A NotFoundError says that a file has no listener for the port: another file
// or another program does.
type NotFoundError struct {
	What string
	Port uint16
}

func (e *NotFoundError) Error() string { return fmt.Sprintf("no %s for port %d", e.What, e.Port) }

// An UnclearError says that an edit could mean several things.
type UnclearError struct {
	Line int // from 1
	Why  string
}

func (e *UnclearError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Why) }

// HoldsFor reports whether a version is in the range of the fix; an unknown
// version is in every range.
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

// numbers are the numbers that a version begins with: "2.3.19.1 (1ee)" is 2,
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
