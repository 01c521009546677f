// Package sockets lists the TCP sockets that listen on this machine, where they are
// bound and which processes hold them.
//
// On Linux it asks the kernel over netlink (sock_diag(7)) and reads /proc; it runs no
// program. Sockets of containers are in other network namespaces, which it asks too, as
// far as it may. Ports that address translation passes on have no socket; they are in
// Snapshot.Forwards.
//
// Elsewhere it uses gopsutil, which asks the system on Windows and the BSDs and runs
// lsof on macOS. There, the unit, the container, the package and the forwards are not
// known.
//
// What could not be seen, for lack of rights or because of a limit, is in
// Snapshot.Gaps: an empty list of sockets without gaps means that nothing listens.
package sockets
