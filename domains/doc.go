// Package domains finds the hosts that the mail of a domain depends on, by what the DNS says of
// it: who receives, who may send, who offers mailboxes, and who tells clients so.
package domains
