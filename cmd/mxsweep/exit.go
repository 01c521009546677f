package main

import (
	"errors"
	"slices"
)

// An exitCode is what the process says to its caller, the same for every
// output format.
type exitCode int

// The exit codes of the contract.
const (
	exitPass       exitCode = 0
	exitFail       exitCode = 1
	exitUsage      exitCode = 2
	exitError      exitCode = 3
	exitIncomplete exitCode = 4
	exitRefused    exitCode = 5
	exitInterrupt  exitCode = 130 // 128 + SIGINT, as a shell counts it
	exitTerminate  exitCode = 143 // 128 + SIGTERM
)

// precedence lists the codes by weight: where several hold, the first wins. A
// signal is heavier than all of them: the caller who sent it waits for it.
var precedence = [...]exitCode{
	exitInterrupt, exitTerminate,
	exitRefused, exitUsage, exitError, exitFail, exitIncomplete, exitPass,
}

// heaviest is the code that wins among codes; exitPass if there is none.
func heaviest(codes ...exitCode) exitCode {
	for _, c := range precedence {
		if slices.Contains(codes, c) {
			return c
		}
	}
	return exitPass
}

// gateWord is the verdict of a code, in the words of the result schema.
func (c exitCode) gateWord() string {
	switch c {
	case exitPass:
		return "pass"
	case exitFail:
		return "fail"
	case exitIncomplete:
		return "incomplete"
	default:
		return "error"
	}
}

// codeOf is the exit code that an error asks for: the heaviest of those in its
// tree, exitError if it names none, exitPass if err is nil.
func codeOf(err error) exitCode {
	if err == nil {
		return exitPass
	}
	var codes []exitCode
	walk(err, func(e error) {
		if c, ok := e.(*codedError); ok {
			codes = append(codes, c.code)
		}
	})
	if len(codes) == 0 {
		return exitError
	}
	return heaviest(codes...)
}

// walk calls visit for err and for every error that it wraps, outermost first.
func walk(err error, visit func(error)) {
	if err == nil {
		return
	}
	visit(err)
	switch e := err.(type) {
	case interface{ Unwrap() error }:
		walk(e.Unwrap(), visit)
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			walk(one, visit)
		}
	}
}

// split takes an error made by errors.Join apart, so that each is printed on a
// line of its own. An error that wraps several in one sentence stays whole.
func split(err error) []error {
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
