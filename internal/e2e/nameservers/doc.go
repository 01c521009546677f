// Package nameservers tests "mxsweep domain" against real name servers.
//
// It holds tests only. BIND, Knot DNS and NSD serve signed zones, and Unbound validates them, all
// from Debian packages, on loopback addresses of a network namespace that has no route to anywhere
// else. Some zones are broken on purpose. The built command asks Unbound, and what it lists is
// compared with docs/domain-zones.md, which "-update" writes. Postfix and Dovecot are hosts of one
// of the domains, which is scanned:
//
//	sh internal/e2e/install.sh
//	MXSWEEP_E2E=1 go test -count=1 ./internal/e2e/nameservers
//
// The whole test process is started again in namespaces of its own, as their process 1, so that all
// daemons end with it. It needs root on Linux.
package nameservers
