// Package gate decides which tests run. Those that create network namespaces, or
// start daemons and browsers, take minutes and usually need root, so that they
// run only if MXSWEEP_E2E requests them:
//
//	unset, 0   they are skipped, and nothing is started
//	1          they run; those that lack a prerequisite are skipped, with the reason
//	require    a missing prerequisite (root, a program) is an error
package gate

import (
	"os"
	"os/exec"
	"testing"
)

// Variable is the environment variable that requests the tests.
const Variable = "MXSWEEP_E2E"

// Ask skips a test that is not requested; left says what is not tested then.
func Ask(t testing.TB, left string) {
	t.Helper()
	if mode := os.Getenv(Variable); mode == "" || mode == "0" {
		t.Skipf("%s is not set: %s", Variable, left)
	}
}

// Lack ends a test that lacks a prerequisite: it fails if MXSWEEP_E2E is
// "require", and is skipped otherwise.
func Lack(t testing.TB, what string) {
	t.Helper()
	if os.Getenv(Variable) == "require" {
		t.Fatal(what)
	}
	t.Skip(what)
}

// Namespaces is Ask for a test that creates network namespaces with programs, for
// which it needs root.
func Namespaces(t testing.TB, programs ...string) {
	t.Helper()
	Ask(t, "no network namespace is made")
	if os.Geteuid() != 0 {
		Lack(t, "needs root to make network namespaces")
	}
	for _, program := range programs {
		if _, err := exec.LookPath(program); err != nil {
			Lack(t, "needs "+program)
		}
	}
}

// RealTime is Ask for a test that waits in real time. With the race detector,
// which makes it slower, it is skipped: other tests cover the same code.
func RealTime(t testing.TB) {
	t.Helper()
	Ask(t, "nothing waits for real time")
	if Race {
		t.Skipf("waits for real time: runs by %s without the race detector", Variable)
	}
}
