package fingerprint

import (
	"testing"

	"github.com/mxsweep/mxsweep/result"
)

// TestStacks builds hosts with the ports of the default configurations of mail
// stacks, and some that only resemble one.
func TestStacks(t *testing.T) {
	set := load(t)
	for _, tt := range []struct {
		name, want string
		ports      []uint16
		products   []string
	}{
		{"Zimbra, one node", "Zimbra", []uint16{25, 143, 993, 7025, 7071, 7072, 7110, 7143, 7993, 7995, 8465, 10024, 10025, 10026, 10028, 10030, 10031, 10032}, []string{"Zimbra", "amavisd-new", "Cluebringer", "OpenDKIM"}},
		{"Zimbra's mailbox server", "Zimbra", []uint16{7025, 7110, 7143}, []string{"Zimbra"}},
		{"Zimbra's mail transfer agent", "", []uint16{25, 587, 10024, 10025, 10026}, []string{"amavisd-new", "Postfix smtpd"}},
		{"iRedMail", "iRedMail", []uint16{25, 587, 143, 7777, 7778, 7779, 9998, 10024, 10025, 10026, 10027, 10028, 12340, 24242}, []string{"iRedAPD", "amavisd-new", "Dovecot quota-status"}},
		{"iRedMail, few of its ports", "iRedMail", []uint16{25, 7777, 9998, 10024, 10025, 10026, 10027, 10028}, nil},
		{"amavisd and Postfix", "", []uint16{25, 9998, 10024, 10025, 10026, 10027, 10028}, []string{"amavisd-new", "Postfix smtpd"}},
		{"mailcow", "mailcow", []uint16{25, 143, 993, 10025, 10110, 10143, 10465, 10587, 10993, 10995, 14190}, nil},
		{"mailcow, four twins", "mailcow", []uint16{25, 10143, 10465, 10587, 10993}, nil},
		{"mailcow's Postfix", "mailcow", []uint16{25, 465, 587, 588, 589, 590, 591, 10025, 10465, 10587}, []string{"Postfix smtpd"}},
		{"mailcow's Dovecot", "mailcow", []uint16{24, 110, 143, 993, 995, 4190, 10001, 10110, 10143, 10993, 10995, 12345, 14190}, []string{"Dovecot"}},
		{"Dovecot behind a balancer", "", []uint16{24, 143, 4190, 10110, 10143, 10587, 10993, 10995, 12345}, []string{"Dovecot"}},
		{"Mailu's front", "Mailu", []uint16{25, 110, 143, 465, 587, 993, 995, 4190, 10025, 10143, 14190}, []string{"Dovecot"}},
		{"Mailu, one host", "Mailu", []uint16{25, 143, 2525, 10025, 10143, 11334, 14190}, []string{"Rspamd controller"}},
		{"re-injection and an IMAP back end", "", []uint16{25, 10025, 10143}, []string{"Postfix smtpd", "Dovecot"}},
		{"docker-mailserver with amavisd", "docker-mailserver", []uint16{25, 143, 465, 587, 993, 10023, 10024, 65265}, []string{"amavisd-new", "Dovecot quota-status", "Postgrey"}},
		{"docker-mailserver with Rspamd", "docker-mailserver", []uint16{25, 143, 465, 587, 993, 11334, 65265}, []string{"Rspamd controller", "Dovecot quota-status"}},
		{"an Rspamd host", "", []uint16{11332, 11333, 11334}, []string{"Rspamd", "Rspamd controller", "Rspamd proxy"}},
		{"Mail-in-a-Box", "Mail-in-a-Box", []uint16{25, 587, 993, 10023, 10025, 10026, 12340, 8891, 8893}, []string{"Postgrey", "spampd", "Dovecot", "Dovecot quota-status", "OpenDKIM", "OpenDMARC"}},
		{"many small filters", "", []uint16{25, 8891, 8893, 10023, 10025, 10026, 10031, 10040, 12525}, []string{"OpenDKIM", "Postgrey", "postfwd"}},
		{"Postfix alone", "", []uint16{25, 587}, []string{"Postfix smtpd"}},
	} {
		named, open := make(map[uint16]*Identification), make(map[uint16]*Identification)
		for i, port := range tt.ports {
			named[port] = &Identification{Service: result.Service{Method: "probed", Product: "Example"}}
			if i < len(tt.products) {
				named[port].Product = tt.products[i]
			}
			open[port] = &Identification{Service: result.Service{Method: "table", Name: "smtp"}}
		}
		if got := stackOf(set, named); got != tt.want {
			t.Errorf("%s is called %q, want %q", tt.name, got, tt.want)
		}
		if got := stackOf(set, open); got != "" {
			t.Errorf("%s is called %q by its open ports alone", tt.name, got)
		}
	}
}
