// Package zonefile reads zone files (RFC 1035, Section 5), answers questions from them, and says on
// which line a record is.
package zonefile
