package policy

import (
	"fmt"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/result"
)

// An Authorization says who allowed the sweep, and when it may run.
type Authorization struct {
	Ticket  string
	Contact string

	// NotBefore is the first moment, NotAfter the first that is too late;
	// zero means no bound.
	NotBefore, NotAfter time.Time

	notBeforeAt, notAfterAt *userfile.Mark // where the bounds stand

	Anchor *result.Anchor // its place in the policy file
}

// Check reports whether the sweep may run at the given time; the error is one of kind
// fault.Refused. A nil Authorization bounds nothing.
func (a *Authorization) Check(now time.Time) error {
	bound, at := a.outside(now)
	if bound == "" {
		return nil
	}
	return fault.As(fault.Refused, at.Mistake("renew the authorization before you scan", "%s; it is now %s", bound, wording.Moment(now)))
}

// Warning says that a sweep at the given time will be refused, and why; "" if the
// authorization holds then.
func (a *Authorization) Warning(now time.Time) string {
	bound, at := a.outside(now)
	if bound == "" {
		return ""
	}
	return at.Mistake("", "%s: mxsweep scan will refuse to run", bound).Error()
}

// outside says which bound of the authorization a moment is beyond, "" if none, and
// where it stands.
func (a *Authorization) outside(now time.Time) (bound string, at *userfile.Mark) {
	switch {
	case a == nil:
	case !a.NotBefore.IsZero() && now.Before(a.NotBefore):
		return fmt.Sprintf("authorization %q begins at %s", a.Ticket, wording.Moment(a.NotBefore)), a.notBeforeAt
	case !a.NotAfter.IsZero() && !now.Before(a.NotAfter):
		return fmt.Sprintf("authorization %q ended at %s", a.Ticket, wording.Moment(a.NotAfter)), a.notAfterAt
	}
	return "", nil
}

// String gives ticket, contact and the time for which it holds as the report
// shows them, "" if there is none of them.
func (a *Authorization) String() string {
	if a == nil {
		return ""
	}
	var parts []string
	if a.Ticket != "" {
		parts = append(parts, a.Ticket)
	}
	if a.Contact != "" {
		parts = append(parts, "contact "+a.Contact)
	}
	if !a.NotBefore.IsZero() {
		parts = append(parts, "from "+wording.Moment(a.NotBefore))
	}
	if !a.NotAfter.IsZero() {
		parts = append(parts, "until "+wording.Moment(a.NotAfter))
	}
	return strings.Join(parts, ", ")
}
