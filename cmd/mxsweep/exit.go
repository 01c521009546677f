package main

import (
	"errors"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/signatures"
)

// exitCodesHelp is how help names the exit codes of package gate; the manual pages
// have a section. A signal has a code of its own and wins over all, because the
// caller who sent it waits for it.
const exitCodesHelp = "Exit codes: 0 pass, 1 fail, 2 usage error, 3 error, 4 incomplete, 5 refused"

// split takes an error made by errors.Join apart, and a list of problems in
// signature files, so that each is printed on a line of its own with its own
// hint. An error that wraps several in one sentence stays whole.
func split(err error) []error {
	var problems signatures.Problems
	if errors.As(err, &problems) && problems.Error() == err.Error() {
		var all []error
		for _, p := range problems {
			all = append(all, p)
		}
		return all
	}
	if f, ok := err.(*fault.Error); ok && f.Hint == "" {
		return split(f.Err)
	}
	joined, ok := err.(interface{ Unwrap() []error })
	if !ok || err.Error() != errors.Join(joined.Unwrap()...).Error() {
		return []error{err}
	}
	var all []error
	for _, one := range joined.Unwrap() {
		all = append(all, split(one)...)
	}
	return all
}
