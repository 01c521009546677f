package main

import (
	"errors"
)

// exitCodesHelp is how help names the exit codes of package gate; the manual pages
// have a section. A signal has a code of its own and wins over all, because the
// caller who sent it waits for it.
const exitCodesHelp = "Exit codes: 0 pass, 1 fail, 2 usage error, 3 error, 4 incomplete, 5 refused"

// split takes an error made by errors.Join apart, and all errors of a user file, so
// that each is printed on a line of its own with its own hint. An error that wraps
// several in one sentence stays whole.
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
