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

// An Authorization says who authorized the sweep, and when it may run.
type Authorization struct {
	Ticket  string
	Contact string

	// NotBefore is when the sweep may begin, NotAfter the first time at which it
	// may no longer run; zero means no limit.
	NotBefore, NotAfter time.Time

	notBeforeAt, notAfterAt *userfile.Mark // positions of the two keys

	Anchor *result.Anchor // position in the policy file
}

// Check returns an error of kind fault.Refused if the sweep may not run at the
// given time. A nil Authorization allows all times.
func (a *Authorization) Check(now time.Time) error {
	bound, at := a.outside(now)
	if bound == "" {
		return nil
	}
	return fault.As(fault.Refused, at.Mistake("renew the authorization before you scan", "%s; it is now %s", bound, wording.Moment(now)))
}

// Warning says why a sweep at the given time would be refused; "" if it would
// not.
func (a *Authorization) Warning(now time.Time) string {
	bound, at := a.outside(now)
	if bound == "" {
		return ""
	}
	return at.Mistake("", "%s: mxsweep scan will refuse to run", bound).Error()
}

// outside returns the limit that the given time is beyond, "" if none, and its
// position in the file.
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

// String returns ticket, contact and validity as the report shows them, "" if
// none of them is given.
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
