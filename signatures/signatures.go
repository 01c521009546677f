// Package signatures holds what is known of mail daemons, as data: probes,
// signatures, observations and ports, and the loader that checks them.
package signatures
