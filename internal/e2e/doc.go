// Package e2e tests mxsweep against real mail daemons.
//
// It holds tests only. They start Postfix, amavisd, postgrey, Dovecot,
// HAProxy, nginx, OpenDKIM and a few policy daemons from the distribution's
// packages, each host in network, mount and process namespaces of its own
// (named mxe2e-*, 10.79.0.0/24 and fd79::/64, without a route to anywhere
// else), sweep them from one more namespace beside them and check what is
// reported: product, role, protocol, findings, exit code. Further tests show what
// a run leaves behind at the daemons: nothing.
//
// Most tests sweep with package run, from run.Options to its outcome, in a process of
// its own in the scanner's namespace: what a daemon is called, what is found and
// fixed, and what is left behind are matters of the library. The built command is
// started where its own behavior counts: in TestNoFalsePass, which holds the exit
// codes of disturbed runs, in TestWholeNetwork, and in TestLab*, which score it. All
// reports must follow the schema that the command prints.
//
// They run as root on Linux, and only where they are asked for:
//
//	sh internal/e2e/install.sh
//	MXSWEEP_E2E=1 go test -count=1 -timeout 20m ./internal/e2e/
//
// Package gate says what MXSWEEP_E2E may be.
//
// MXSWEEP_BIN names a built command for those; without it the tests build one.
//
// TestFixes obeys fixes to the letter: hosts with the configuration of their
// packages and the smallest edit that exposes a daemon are swept, edited,
// checked, restarted and swept again. A few hosts are proven in each run;
// MXSWEEP_ALL_FIXES=1 proves all, and "make fixes" writes down what came out.
//
// TestTranslated has no sweep: strangers relay through a real Postfix behind address
// translation, and a real Rspamd wants no password from them, until the edits of mxsweep
// config are made.
//
// TestLab* score mxsweep on the larger laboratory of mail daemons in
// internal/lab, whose README says what belongs there and what belongs here:
//
//	sh internal/e2e/install.sh lab
//	MXSWEEP_E2E=1 go test -count=1 -timeout 20m -run 'TestLab' -v ./internal/e2e/
//
// A host lives as long as the test that started it: its first process reads
// its standard input and ends, and with it all of its daemons, when that is
// closed, also when the test is killed. What is left then are the names of
// the namespaces, which the next run removes by what this one recorded.
package e2e
