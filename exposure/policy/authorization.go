package policy

import (
	"fmt"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/internal/fault"
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

	Anchor *result.Anchor // its place in the policy file
}

// Check reports whether the sweep may run at the given time; the error is one of kind
// fault.Refused. A nil Authorization bounds nothing.
func (a *Authorization) Check(now time.Time) error {
	bound := a.outside(now)
	if bound == "" {
		return nil
	}
	return fault.Refusef("renew the authorization in the policy file before you scan", "%s, and it is %s", bound, wording.Moment(now))
}

// Warning says that a sweep at the given time will be refused, and why; "" if the
// authorization holds then.
func (a *Authorization) Warning(now time.Time) string {
	bound := a.outside(now)
	if bound == "" {
		return ""
	}
	return bound + ": mxsweep scan will refuse to run"
}

// outside says which bound of the authorization a moment is beyond, "" if none.
func (a *Authorization) outside(now time.Time) string {
	switch {
	case a == nil:
	case !a.NotBefore.IsZero() && now.Before(a.NotBefore):
		return fmt.Sprintf("authorization %q begins at %s", a.Ticket, wording.Moment(a.NotBefore))
	case !a.NotAfter.IsZero() && !now.Before(a.NotAfter):
		return fmt.Sprintf("authorization %q ended at %s", a.Ticket, wording.Moment(a.NotAfter))
	}
	return ""
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
