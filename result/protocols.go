package result

import "slices"

// protocols are the values of Service.Name.
var protocols = []string{
	"am.pdp", "beanstalk", "clamd", "csync", "dns", "doveadm", "doveadm-http", "dovecot-auth", "dovecot-dict",
	"dovecot-director", "dovecot-stats", "echo", "elasticsearch", "ftp", "git", "gromox", "http", "imap",
	"irc", "java-rmi", "jmx", "ldap", "lmtp", "managesieve", "memcached", "milter", "mongodb", "mqtt", "mupdate", "mysql",
	"nats", "nntp", "olefy", "pop3", "postfix-policy", "postfwd-cache", "postgresql", "qmqp", "qmtp", "redis",
	"rspamd-fuzzy", "rspamd-http", "rsync", "rtsp", "smtp", "socketmap", "spamd", "ssh", "tcp-table", "telnet",
	"unknown", "vnc", "xmpp",
}

// Protocols returns the names of all protocols that a service may have, sorted.
// "unknown" is for a service whose protocol has no name.
func Protocols() []string { return slices.Clone(protocols) }
