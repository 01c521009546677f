// Command mxsweep scans mail infrastructure for daemons that are exposed by mistake:
// it finds the open ports in a scope, identifies the daemons, assesses whether an
// unauthenticated client should be able to reach them, and says how to fix that. It is
// made for audits that the owner of the addresses has authorized.
//
// Results go to standard output, everything else to standard error. README.md
// is the way in; "mxsweep help" and "mxsweep man DIR" are the manual.
//
// # Exit codes
//
//	0    pass        nothing meets --fail-on, and the run saw enough to say so
//	1    fail        at least one finding meets --fail-on
//	2    usage       a bad flag, target, policy, scope, signature or baseline
//	3    error       aborted, or an output could not be written
//	4    incomplete  would pass, but the run did not see enough
//	5    refused     a target outside the scope, or authorization is missing
//	129  stopped by SIGHUP, 130 by SIGINT, 131 by SIGQUIT, 143 by SIGTERM;
//	     what was found is written
package main

import (
	"context"
	"os"
)

func main() {
	ctx, stop := untilSignal(context.Background())
	defer stop()
	os.Exit(program(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, os.Getenv))
}
