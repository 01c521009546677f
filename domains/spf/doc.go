// Package spf parses SPF records (RFC 7208) and expands those of their macros that do not
// depend on a message.
package spf
