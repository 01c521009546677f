// Package listeners is the model of what a host is configured to listen on and of
// what does listen there: a Listener for each address and port, with the token of the
// file that opens it, and an Edge for each daemon that hands mail to a port.
//
// Its readers never execute, expand by a shell, or contact anything: they read text.
// What they cannot decide they report as a Doubt, so that a judgement on files is
// never surer than the files.
package listeners
