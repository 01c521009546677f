package nmapprobes

// A service is what the file's name of a service is in our words.
type service struct{ name, protocol, role string }

// services are the mail services by the file's names.
var services = map[string]service{
	"smtp":         {"smtp", "smtp", "mta"},
	"smtps":        {"smtps", "smtp", "mta"},
	"ssl/smtp":     {"ssl/smtp", "smtp", "mta"},
	"smtp-proxy":   {"smtp-proxy", "smtp", "proxy"},
	"submission":   {"submission", "smtp", "submission"},
	"lmtp":         {"lmtp", "lmtp", "lmtp"},
	"imap":         {"imap", "imap", "imap"},
	"imaps":        {"imaps", "imap", "imap"},
	"ssl/imap":     {"ssl/imap", "imap", "imap"},
	"imap-proxy":   {"imap-proxy", "imap", "imap-proxy"},
	"pop3":         {"pop3", "pop3", "pop3"},
	"pop3s":        {"pop3s", "pop3", "pop3"},
	"ssl/pop3":     {"ssl/pop3", "pop3", "pop3"},
	"pop3-proxy":   {"pop3-proxy", "pop3", "pop3-proxy"},
	"sieve":        {"sieve", "managesieve", "sieve"},
	"managesieve":  {"managesieve", "managesieve", "sieve"},
	"policy":       {"policy", "postfix-policy", "policy"},
	"milter":       {"milter", "milter", "milter"},
	"spamassassin": {"spamassassin", "spamd", "antispam"},
	"spamd":        {"spamd", "spamd", "antispam"},
	"clam":         {"clam", "clamd", "antivirus"},
	"clamd":        {"clamd", "clamd", "antivirus"},
	"qmqp":         {"qmqp", "qmqp", ""},
	"mupdate":      {"mupdate", "mupdate", ""},
}
