package main

import (
	"errors"

	"github.com/mxsweep/mxsweep/internal/fault"
)

// exitCodesHelp lists the exit codes of package gate for help; the manual pages have a
// section. A signal has its own code, which has priority, because the sender waits for
// it.
const exitCodesHelp = "Exit codes: 0 pass, 1 fail, 2 usage error, 3 error, 4 incomplete, 5 refused"

// split returns the parts of an error made by errors.Join, and all errors of a user
// file, so that each is printed on its own line with its own hint. An error that wraps
// several in one sentence is not split.
func split(err error) []error {
	if within := errors.Unwrap(err); within != nil && within.Error() == err.Error() && hintOf(err) == "" {
		return split(within)
	}
	parts := fault.Parts(err)
	if len(parts) == 1 && parts[0] == err {
		return parts
	}
	var all []error
	for _, one := range parts {
		all = append(all, split(one)...)
	}
	return all
}
