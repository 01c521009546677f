package fingerprint

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/mailtest"
)

// TestTriedDaemons replays daemons that were started once and recorded, each by the
// version that stands beside it. A truth without a product is what no harmless
// question tells.
func TestTriedDaemons(t *testing.T) {
	truths := make(map[string]truth)
	for name, tried := range triedDaemons {
		truths[name] = tried.truth
	}
	said := readTranscripts(t, filepath.Join("testdata", "tried"))
	for name, tried := range triedDaemons {
		if said[name] == nil || tried.version == "" {
			t.Errorf("%q has no transcript, or no version", name)
		}
	}
	replayAll(t, said, truths)
}

// TestTriedObservations checks what is observed of daemons without a password, and of
// those with one.
func TestTriedObservations(t *testing.T) {
	set, said := load(t), readTranscripts(t, filepath.Join("testdata", "tried"))
	for name, want := range map[string]string{
		"redis": "store-open", "redis-password": "", "memcached": "store-open version-disclosed",
		"postfix-exporter": "metrics-offered", "chasquid-http": "metrics-offered profiler-offered", "mailpit-http": "mail-catcher",
	} {
		inMemory(t, name, func(t *testing.T, n *mailtest.Network) {
			svc := identifyReplay(t, n, set, said[name], 0)
			if got := strings.Join(svc.Observations, " "); got != want {
				t.Errorf("observations are %q, want %q", got, want)
			}
		})
	}
}

// triedDaemons are by the name of their transcript: the daemon that was started, and
// what it must be called.
var triedDaemons = map[string]struct {
	version string
	truth
}{
	"chasquid-http":          {"chasquid 1.11", truth{protocol: "http", product: "chasquid", least: 9}},
	"chasquid-smtp":          {"chasquid 1.11", truth{protocol: "smtp", product: "chasquid", least: 9}},
	"davmail-http":           {"DavMail 6.0.1", truth{protocol: "http", product: "DavMail", least: 9}},
	"davmail-imap":           {"DavMail 6.0.1", truth{protocol: "imap", product: "DavMail", least: 9}},
	"davmail-imap-down":      {"DavMail 6.0.1 without its server", truth{protocol: "imap", product: "DavMail", least: 9}},
	"davmail-ldap":           {"DavMail 6.0.1", truth{protocol: "ldap", product: "DavMail", least: 9, port: 1389}},
	"davmail-pop3":           {"DavMail 6.0.1", truth{protocol: "pop3", product: "DavMail", least: 9}},
	"davmail-pop3-down":      {"DavMail 6.0.1 without its server", truth{protocol: "pop3", product: "DavMail", most: 7}},
	"davmail-smtp":           {"DavMail 6.0.1", truth{protocol: "smtp", product: "DavMail", least: 9}},
	"davmail-smtp-down":      {"DavMail 6.0.1 without its server", truth{protocol: "smtp", product: "DavMail", most: 8}},
	"dovecot-auth-worker":    {"Dovecot 2.3.19.1", truth{protocol: "dovecot-auth", product: "Dovecot auth", least: 9}},
	"dovecot-dict":           {"Dovecot 2.3.19.1", truth{}},
	"dovecot-director":       {"Dovecot 2.3.19.1", truth{protocol: "dovecot-director", product: "Dovecot director"}},
	"dovecot-dns":            {"Dovecot 2.3.19.1", truth{protocol: "unknown", product: "Dovecot", least: 9}},
	"dovecot-imap-hibernate": {"Dovecot 2.3.19.1", truth{protocol: "unknown", product: "Dovecot", least: 9}},
	"dovecot-indexer":        {"Dovecot 2.3.19.1", truth{protocol: "unknown", product: "Dovecot", least: 9}},
	"dovecot-ipc":            {"Dovecot 2.3.19.1", truth{protocol: "unknown", product: "Dovecot", least: 9}},
	"dovecot-stats-reader":   {"Dovecot 2.3.19.1", truth{protocol: "dovecot-stats", product: "Dovecot stats", least: 9}},
	"fake-smtp-server":       {"fake-smtp-server 0.8.0", truth{protocol: "smtp", product: "Nodemailer smtp-server", most: 5, alternatives: []string{"MailDev"}}},
	"go-smtp":                {"go-smtp 0.25.1, a server of a few lines", truth{protocol: "smtp", product: "go-smtp", most: 6, alternatives: []string{"Proton Mail Bridge", "maddy"}}},
	"inbucket-pop3":          {"Inbucket 3.2.0", truth{protocol: "pop3", product: "Inbucket", least: 9}},
	"inbucket-smtp":          {"Inbucket 3.2.0", truth{protocol: "smtp", product: "Inbucket", least: 9}},
	"maddy":                  {"maddy 0.8.1", truth{protocol: "smtp", product: "maddy", most: 6, alternatives: []string{"go-smtp"}}},
	"maildev-3":              {"MailDev 3.0.0", truth{protocol: "smtp", product: "Nodemailer smtp-server", most: 5, alternatives: []string{"MailDev"}}},
	"maildev-http":           {"MailDev 3.0.0", truth{protocol: "http", product: "MailDev", least: 9}},
	"mailfront-pop3":         {"mailfront 2.12, pop3front-auth", truth{protocol: "pop3", product: "mailfront", most: 7}},
	"mailfront-qmqp":         {"mailfront 2.12, qmqpfront-echo", truth{protocol: "qmqp", product: "mailfront", least: 9}},
	"mailfront-qmtp":         {"mailfront 2.12, qmtpfront-echo", truth{protocol: "qmtp", product: "mailfront", least: 9}},
	"mailfront-smtp":         {"mailfront 2.12, smtpfront-echo", truth{protocol: "smtp", product: "mailfront", least: 9}},
	"mailhog-http":           {"MailHog 1.0.1", truth{protocol: "http", product: "MailHog", least: 9}},
	"mailhog-smtp":           {"MailHog 1.0.1", truth{protocol: "smtp", product: "MailHog"}},
	"mailpit-http":           {"Mailpit 1.33.1", truth{protocol: "http", product: "Mailpit", least: 9}},
	"mailpit-smtp":           {"Mailpit 1.33.1", truth{protocol: "smtp", product: "Mailpit"}},
	"mailutils-imap":         {"GNU Mailutils 3.15, imap4d", truth{protocol: "imap", product: "GNU Mailutils imap4d"}},
	"masqmail":               {"MasqMail 1.0.0", truth{protocol: "smtp", product: "MasqMail", least: 9}},
	"memcached":              {"memcached 1.6.18", truth{protocol: "memcached", product: "memcached"}},
	"mox-imap":               {"mox of its main branch, 2026", truth{protocol: "imap", product: "mox", least: 9}},
	"mox-smtp":               {"mox of its main branch, 2026", truth{protocol: "smtp", product: "mox", least: 9}},
	"mta-sts-daemon":         {"postfix-mta-sts-resolver 1.1.2", truth{protocol: "socketmap", product: "postfix-mta-sts-resolver", port: 8461}},
	"nodemailer":             {"smtp-server 3.21.6", truth{protocol: "smtp", product: "Nodemailer smtp-server", most: 5, alternatives: []string{"MailDev", "WildDuck"}}},
	"notqmail-pop3":          {"notqmail, its main branch after 1.09, qmail-popup", truth{protocol: "pop3", product: "qmail", least: 8}},
	"notqmail-qmqp":          {"notqmail, its main branch after 1.09, qmail-qmqpd", truth{protocol: "qmqp", product: "qmail-qmqpd", port: 628}},
	"notqmail-qmtp":          {"notqmail, its main branch after 1.09, qmail-qmtpd", truth{protocol: "qmtp", product: "qmail-qmtpd", port: 209}},
	"notqmail-smtp":          {"notqmail, its main branch after 1.09, qmail-smtpd", truth{protocol: "smtp", product: "notqmail", least: 9}},
	"olefy":                  {"olefy, its state of 2020", truth{protocol: "olefy", product: "olefy", least: 9, port: 10055}},
	"pmg-smtp-filter":        {"pmg-api, PMG::SMTP alone", truth{protocol: "smtp", product: "Proxmox Mail Gateway", least: 9}},
	"pmgpolicy":              {"pmg-api, mux_input of pmgpolicy alone", truth{protocol: "postfix-policy", product: "policyd-spf (python)", most: 6, alternatives: []string{"Proxmox Mail Gateway"}}},
	"postfix-exporter":       {"Debian's prometheus-postfix-exporter 0.3.0", truth{protocol: "http", product: "Postfix Exporter", least: 9}},
	"postfix-tlspol":         {"postfix-tlspol, its main branch of 2026", truth{protocol: "socketmap", product: "postfix-tlspol", least: 9}},
	"postsrsd2":              {"PostSRSd 2.4.0", truth{protocol: "socketmap", product: "PostSRSd", least: 9}},
	"redis":                  {"Redis 7.0.15", truth{protocol: "redis", product: "Redis"}},
	"redis-password":         {"Redis 7.0.15 with requirepass", truth{protocol: "redis", product: "Redis"}},
	"twisted-esmtp":          {"Twisted 22.4.0", truth{protocol: "smtp", product: "Twisted"}},
	"twisted-imap":           {"Twisted 22.4.0", truth{protocol: "imap", product: "Twisted"}},
	"twisted-pop3":           {"Twisted 22.4.0", truth{protocol: "pop3", product: "Twisted"}},
	"twisted-smtp":           {"Twisted 22.4.0", truth{protocol: "smtp", product: "Twisted"}},
	"wildduck-http":          {"WildDuck 1.46.1", truth{protocol: "http", product: "WildDuck", least: 9}},
	"wildduck-imap":          {"WildDuck 1.46.1", truth{protocol: "imap", product: "WildDuck", least: 8}},
	"wildduck-lmtp":          {"WildDuck 1.46.1", truth{protocol: "lmtp", product: "WildDuck", least: 7}},
	"wildduck-pop3":          {"WildDuck 1.46.1", truth{protocol: "pop3", product: "WildDuck", least: 9}},
}
