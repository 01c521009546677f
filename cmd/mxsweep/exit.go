package main

import (
	"errors"
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
