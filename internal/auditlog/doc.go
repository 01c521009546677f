// Package auditlog appends to the audit log of --audit-log and verifies it: each
// line contains the hash of the line before it.
package auditlog
