// Package rspamd reads rspamd.conf and the files worker-*.inc of Rspamd, with local.d and
// override.d: which socket each worker binds, who may use it without a password, and whether
// the password is the one of the documentation.
package rspamd
