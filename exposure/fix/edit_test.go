package fix

import (
	"errors"
	"net/netip"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/fault"
)

// edits are files before and after an edit; an unchanged file needs none.
var edits = []struct {
	name, fix string
	port      uint16
	before    string
	after     string
}{
	{"Postfix keeps the other lines", "postfix-bind", 10025,
		"smtp      inet  n - y - - smtpd\n10025     inet  n - n - 10 smtpd\n  -o content_filter=\n# 10025 inet n - n - - smtpd\n  -o mynetworks=127.0.0.0/8\nsubmission inet n - y - - smtpd\n",
		"smtp      inet  n - y - - smtpd\n127.0.0.1:10025     inet  n - n - 10 smtpd\n  -o content_filter=\n# 10025 inet n - n - - smtpd\n  -o mynetworks=127.0.0.0/8\nsubmission inet n - y - - smtpd\n"},
	{"Postfix, both families", "postfix-bind", 10025,
		"0.0.0.0:10025 inet n - n - - smtpd\n[::]:10025 inet n - n - - smtpd\n",
		"127.0.0.1:10025 inet n - n - - smtpd\n[::1]:10025 inet n - n - - smtpd\n"},
	{"Postfix, a name of a service", "postfix-bind", 587,
		"submission inet n - y - - smtpd\n", "127.0.0.1:submission inet n - y - - smtpd\n"},
	{"Postfix, done already", "postfix-bind", 10025,
		"127.0.0.1:10025 inet n - n - - smtpd", "127.0.0.1:10025 inet n - n - - smtpd"},
	{"Postfix, an option that is there", "postfix-local-xforward", 10025,
		"25 inet n - n - - smtpd\n  -o smtpd_authorized_xforward_hosts=static:all\n10025 inet n - n - - smtpd\n  -o smtpd_authorized_xforward_hosts=static:all -o content_filter=\n",
		"25 inet n - n - - smtpd\n  -o smtpd_authorized_xforward_hosts=static:all\n10025 inet n - n - - smtpd\n  -o smtpd_authorized_xforward_hosts=127.0.0.0/8 -o content_filter=\n"},
	{"Postfix, a new option", "postfix-tls-auth-only", 587,
		"submission inet n - n - - smtpd\n  -o syslog_name=x\n# end\nsmtps inet n - n - - smtpd\n",
		"submission inet n - n - - smtpd\n  -o syslog_name=x\n  -o smtpd_tls_auth_only=yes\n# end\nsmtps inet n - n - - smtpd\n"},
	{"main.cf, several lines and a second place", "postfix-bare-newline", 25,
		"smtpd_forbid_bare_newline =\n  no\nmyhostname = a\nsmtpd_forbid_bare_newline = no\n",
		"smtpd_forbid_bare_newline = normalize\nmyhostname = a\n# smtpd_forbid_bare_newline = no\n"},
	{"Dovecot 2.3 by the port, beside others", "dovecot23-bind", 10143,
		"service imap-login {\n  inet_listener imap {\n    #port = 143\n  }\n  inet_listener inner {\n    port = 10143 # for webmail\n    ssl = no\n  }\n}\n",
		"service imap-login {\n  inet_listener imap {\n    #port = 143\n  }\n  inet_listener inner {\n    port = 10143 # for webmail\n    address = 127.0.0.1\n    ssl = no\n  }\n}\n"},
	{"Dovecot 2.3, an unnamed listener and its address", "dovecot23-bind", 12345,
		"service auth {\n  inet_listener {\n    address = *\n    port = 12345\n  }\n}\n",
		"service auth {\n  inet_listener {\n    address = 127.0.0.1\n    port = 12345\n  }\n}\n"},
	{"Dovecot 2.3, a default port", "dovecot23-bind", 4190,
		"service managesieve-login {\n  inet_listener sieve {\n  }\n}\n",
		"service managesieve-login {\n  inet_listener sieve {\n    address = 127.0.0.1\n  }\n}\n"},
	{"Dovecot 2.4", "dovecot24-bind", 24,
		"service lmtp {\n  inet_listener lmtp {\n    port = 24\n  }\n}\n",
		"service lmtp {\n  inet_listener lmtp {\n    port = 24\n    listen = 127.0.0.1\n  }\n}\n"},
	{"Dovecot, a setting", "dovecot23-cleartext", 143,
		"#disable_plaintext_auth = yes\ndisable_plaintext_auth = no\nauth_mechanisms = plain\n",
		"#disable_plaintext_auth = yes\ndisable_plaintext_auth = yes\nauth_mechanisms = plain\n"},
	{"amavisd, before the last 1", "amavis-bind", 10024,
		"use strict;\n$inet_socket_port = 10024;\n1;  # ensure a defined return\n",
		"use strict;\n$inet_socket_port = 10024;\n$inet_socket_bind = '127.0.0.1';\n1;  # ensure a defined return\n"},
	{"amavisd, a list of lines", "amavis-bind", 10024,
		"$inet_socket_bind = [\n  '0.0.0.0', # all; really\n  '::'];\n1;\n",
		"$inet_socket_bind = '127.0.0.1';\n1;\n"},
	{"HAProxy", "haproxy-bind", 10144,
		"frontend imap\n\tbind :143\n\tbind *:10144,:::10144 accept-proxy\n\tmode tcp\n",
		"frontend imap\n\tbind :143\n\tbind 127.0.0.1:10144,[::1]:10144 accept-proxy\n\tmode tcp\n"},
	{"nginx", "nginx-bind", 10143,
		"mail { server { listen 143; }\n server { listen 10143 ssl; listen [::]:10143 ssl; # listen 10143;\n } }\n",
		"mail { server { listen 143; }\n server { listen 127.0.0.1:10143 ssl; listen [::1]:10143 ssl; # listen 10143;\n } }\n"},
	{"OpenDKIM", "opendkim-bind", 8891,
		"Syslog\tyes\nSocket\t\t\tinet:8891\n", "Syslog\tyes\nSocket\t\t\tinet:8891@127.0.0.1\n"},
	{"clamd, a new line", "clamd-bind", 3310,
		"TCPSocket 3310", "TCPSocket 3310\nTCPAddr 127.0.0.1\n"},
	{"postgrey", "postgrey-bind", 10023,
		"POSTGREY_OPTS=\"--inet=0.0.0.0:10023 --delay=60\"\n", "POSTGREY_OPTS=\"--inet=127.0.0.1:10023 --delay=60\"\n"},
	{"spamd", "spamd-bind", 783,
		"OPTIONS=\"-i 0.0.0.0 -A 10.0.0.0/8\"\n", "OPTIONS=\"-i 127.0.0.1:783 -A 10.0.0.0/8\"\n"},
	{"rspamd, a new file", "rspamd-normal-bind", 11333, "", "bind_socket = \"localhost:11333\";\n"},
	{"rspamd, two sockets", "rspamd-normal-bind", 11333,
		"bind_socket = \"*:11333\";\nbind_socket = \"[::]:11333\";\n", "bind_socket = \"localhost:11333\";\n# bind_socket = \"[::]:11333\";\n"},
	{"rspamd that can be told to open no files", "rspamd415-normal-bind", 11333,
		"bind_socket = \"*:11333\";\n", "bind_socket = \"localhost:11333\";\nallow_file_and_shm_inputs = false;\n"},
	{"an INI section", "mariadb-bind", 3306,
		"[server]\nbind-address = 1\n[mysqld]\nuser = mysql\n\n[embedded]\n", "[server]\nbind-address = 1\n[mysqld]\nuser = mysql\nbind-address = 127.0.0.1\n\n[embedded]\n"},
	{"an INI section that is missing", "mailman-rest", 8001, "[mta]\nx: y\n", "[mta]\nx: y\n[webservice]\nhostname = localhost\n"},
	{"YAML over lines", "policyd-rate-limit-bind", 8552,
		"SOCKET:\n  - \"0.0.0.0\"\n  - 8552\ndebug: True\n", "SOCKET: [\"127.0.0.1\", 8552]\ndebug: True\n"},
	{"Cyrus", "cyrus-bind", 10143,
		"SERVICES {\n  imap cmd=\"imapd\" listen=\"imap\" prefork=0\n  inner cmd=\"imapd\" listen=\"10143\" prefork=0\n}\n",
		"SERVICES {\n  imap cmd=\"imapd\" listen=\"imap\" prefork=0\n  inner cmd=\"imapd\" listen=\"127.0.0.1:10143\" prefork=0\n}\n"},
	{"Exim of Debian", "exim-interfaces", 10025,
		"dc_relay_nets=''\ndc_local_interfaces='0.0.0.0 ; ::0 ; 0.0.0.0.10025 ; ::0.10025'\n",
		"dc_relay_nets=''\ndc_local_interfaces='0.0.0.0 ; ::0 ; 127.0.0.1.10025 ; ::1.10025'\n"},
	{"Exim, a list of colons", "exim-interfaces", 10025,
		"local_interfaces = 192.0.2.1.25 : 192.0.2.1.10025 : 2001::db8::::1.10025 : ::::0.25\n",
		"local_interfaces = 192.0.2.1.25 : 127.0.0.1.10025 : ::::1.10025 : ::::0.25\n"},
	{"Exim, a separator of its own", "exim-interfaces", 10025,
		"local_interfaces = <; 127.0.0.1.10025; [2001:db8::1]:10025; 192.0.2.1.25\n",
		"local_interfaces = <; 127.0.0.1.10025; ::1.10025; 192.0.2.1.25\n"},
	{"Courier, one of several ports", "courier-imapd-port", 10143,
		"ADDRESS=0\n#PORT=10143\nPORT=143, 10143\n", "ADDRESS=0\n#PORT=10143\nPORT=143, 127.0.0.1.10143\n"},
	{"Courier, an address and a name", "courier-pop3d-port", 110,
		"PORT=\"192.0.2.1.pop3,127.0.0.1.10110\" # here\n", "PORT=\"127.0.0.1.pop3,127.0.0.1.10110\" # here\n"},
	{"OpenSMTPD", "opensmtpd-bind", 10025,
		"listen on 0.0.0.0\nlisten on eth0 port 10025 tag IN\n", "listen on 0.0.0.0\nlisten on 127.0.0.1 port 10025 tag IN\n"},
	{"Sendmail, beside other daemons", "sendmail-daemon", 10025,
		"DAEMON_OPTIONS(`Family=inet,  Name=MTA-v4, Port=smtp')dnl\nDAEMON_OPTIONS(`Name=IN, Port=10025, M=Ea')dnl\ndnl DAEMON_OPTIONS(`Port=10025')\n",
		"DAEMON_OPTIONS(`Family=inet,  Name=MTA-v4, Port=smtp')dnl\nDAEMON_OPTIONS(`Name=IN, Port=10025, M=Ea, Addr=127.0.0.1')dnl\ndnl DAEMON_OPTIONS(`Port=10025')\n"},
	{"Sendmail, an address and a family", "sendmail-daemon", 25,
		"DAEMON_OPTIONS(`Family=inet6, Name=MTA-v6, A=2001:db8::1')dnl\nDAEMON_OPTIONS(`Addr=127.0.0.1, Port=25')dnl\n",
		"DAEMON_OPTIONS(`Family=inet6, Name=MTA-v6, A=::1')dnl\nDAEMON_OPTIONS(`Addr=127.0.0.1, Port=25')dnl\n"},
	{"SOGo, set by nothing", "sogo-port", 20000,
		"{\n  //WOPort = 20000;\n  SOGoLanguage = English;\n}\n", "{\n  //WOPort = 20000;\n  SOGoLanguage = English;\nWOPort = 127.0.0.1:20000;\n}\n"},
	{"compose", "container-port", 10025,
		"ports:\n  - \"25:25\"\n  - \"10025:10025\"\n", "ports:\n  - \"25:25\"\n  - \"127.0.0.1:10025:10025\"\n"},
	{"DKIMproxy", "dkimproxy-bind", 10027, "listen    0.0.0.0:10027\nrelay 127.0.0.1:10028\n", "listen    127.0.0.1:10027\nrelay 127.0.0.1:10028\n"},
	{"slapd, beside TLS and a socket", "slapd-bind", 389,
		"SLAPD_USER=\"openldap\"\n#SLAPD_SERVICES=\"ldap://:389\"\nSLAPD_SERVICES=\"ldap:/// ldaps:/// ldapi:///\"\n",
		"SLAPD_USER=\"openldap\"\n#SLAPD_SERVICES=\"ldap://:389\"\nSLAPD_SERVICES=\"ldap://127.0.0.1:389/ ldaps:/// ldapi:///\"\n"},
	{"slapd, TLS and a port of its own", "slapd-bind", 1636,
		"SLAPD_SERVICES='ldap://127.0.0.1/ ldaps://[::]:1636/ ldaps:///'\n", "SLAPD_SERVICES='ldap://127.0.0.1/ ldaps://[::1]:1636/ ldaps:///'\n"},
	{"slapd, done already", "slapd-bind", 389,
		"SLAPD_SERVICES=\"ldap://127.0.0.1/ ldapi:///\"\n", "SLAPD_SERVICES=\"ldap://127.0.0.1/ ldapi:///\"\n"},
	{"clamsmtp, which listens everywhere unless told", "clamsmtp-bind", 10026,
		"OutAddress: 10025\n#Listen: 0.0.0.0:10025\n", "OutAddress: 10025\n#Listen: 0.0.0.0:10025\nListen: 127.0.0.1:10026\n"},
	{"memcached", "memcached-bind", 11211, "-m 64\n-l 0.0.0.0\n", "-m 64\n-l 127.0.0.1\n"},
}

func TestEdit(t *testing.T) {
	set := builtinSet(t)
	for _, tt := range edits {
		f := set.Lookup(tt.fix)
		if f == nil {
			t.Fatalf("%s: no fix %q", tt.name, tt.fix)
		}
		v := Values{Address: netip.MustParseAddr("192.0.2.1"), Port: tt.port}
		got, err := f.Edit(tt.before, v)
		if err != nil || got != tt.after {
			t.Errorf("%s: got %v\n%s\nwant\n%s", tt.name, err, got, tt.after)
			continue
		}
		if again, err := f.Edit(got, v); err != nil || again != got {
			t.Errorf("%s: a second time changes it again: %v\n%s", tt.name, err, again)
		}
	}
}

// TestEditKeepsOtherEntries edits ports that a file does not have: the file must
// stay the same, whatever entries it has.
func TestEditKeepsOtherEntries(t *testing.T) {
	set := builtinSet(t)
	for _, tt := range []struct{ fix, text string }{
		{"dovecot23-bind", "service imap-login {\n  inet_listener imap {\n    port = 143\n  }\n}\n"},
		{"dovecot24-bind", "service imap-login {\n  inet_listener imap {\n    #port = 10144\n  }\n}\n"},
		{"postfix-bind", "smtp inet n - y - - smtpd\n#10144 inet n - y - - smtpd\n 10144 inet\n"},
		{"haproxy-bind", "frontend a\n  bind :143\n  server b 127.0.0.1:10144\n"},
		{"nginx-bind", "server { listen 143; proxy_pass b:10144; }\n"},
		{"container-port", "ports:\n  - \"143:10144\"\n"},
		{"slapd-bind", "SLAPD_SERVICES=\"ldap:/// ldapi:///\"\n#SLAPD_SERVICES=\"ldap://:10144/\"\n"},
	} {
		var missing *NotFoundError
		var hinted *fault.Error
		if got, err := set.Lookup(tt.fix).Edit(tt.text, Values{Port: 10144}); !errors.As(err, &missing) || !errors.As(err, &hinted) || !strings.Contains(hinted.Hint, ":10144") {
			t.Errorf("%s: %v\n%s", tt.fix, err, got)
		}
	}
}

// TestEditRefusesWhatIsUnclear tries edits that a person must make.
func TestEditRefusesWhatIsUnclear(t *testing.T) {
	set := builtinSet(t)
	for _, tt := range []struct{ fix, text string }{
		{"haproxy-bind", "bind :10100-10200\n"},
		{"postfix-bind", "192.0.2.1:10144 inet n - n - - smtpd\n192.0.2.2:10144 inet n - n - - smtpd\n"},
		{"exim-interfaces", "local_interfaces = 192.0.2.1.10144 : 192.0.2.2.10144\n"},
		{"amavis-bind", "$inet_socket_bind = '0.0.0.0'; $x = 1;\n"},
		{"postgrey-bind", "POSTGREY_OPTS=\"--delay=1 \\\n --inet=1\"\n"},
	} {
		var unclear *UnclearError
		if got, err := set.Lookup(tt.fix).Edit(tt.text, Values{Port: 10144}); !errors.As(err, &unclear) {
			t.Errorf("%s: %v\n%s", tt.fix, err, got)
		}
	}
}

// TestDescriptions checks that the printed edit contains nothing that no grammar
// accepts.
func TestDescriptions(t *testing.T) {
	for _, f := range builtinSet(t).fixes {
		text := Text([]*Fix{f}, Values{Address: netip.MustParseAddr("192.0.2.1"), Port: 10144})
		for _, bad := range []string{"{port}", "{bind}", "{address}", "PORT:PORT", "inet_listener {", "} }"} {
			if strings.Contains(text, bad) {
				t.Errorf("%s: %q in\n%s", f.ID, bad, text)
			}
		}
		if !f.Manual() && !strings.Contains(text, "mxsweep scan 192.0.2.1:10144") {
			t.Errorf("%s does not say how to see that it worked:\n%s", f.ID, text)
		}
	}
}

// TestAnyPort checks that the placeholder word for the port has no other use in
// the text of any fix: replaced by the port it gives the text for that port.
func TestAnyPort(t *testing.T) {
	for _, f := range builtinSet(t).fixes {
		got := strings.ReplaceAll(Text([]*Fix{f}, Values{Address: netip.MustParseAddr("192.0.2.1")}), AnyPort, "10144")
		if want := Text([]*Fix{f}, Values{Address: netip.MustParseAddr("192.0.2.1"), Port: 10144}); got != want {
			t.Errorf("%s:\n%s\nwant\n%s", f.ID, got, want)
		}
	}
}

func builtinSet(t testing.TB) *Set {
	t.Helper()
	set, err := Load(builtin, "data")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

// FuzzEdit applies each fix to any file: applying an edit again changes nothing,
// and every line that is not about the port is kept.
func FuzzEdit(f *testing.F) {
	for _, tt := range edits {
		f.Add(tt.before, tt.port)
	}
	set := builtinSet(f)
	f.Fuzz(func(t *testing.T, text string, port uint16) {
		if port == 0 {
			return
		}
		for _, x := range set.fixes {
			if x.Manual() {
				continue
			}
			got, err := x.Edit(text, Values{Port: port})
			if err != nil {
				continue
			}
			again, err := x.Edit(got, Values{Port: port})
			if err != nil || again != got {
				t.Errorf("%s: %v: %q becomes %q, then %q", x.ID, err, text, got, again)
			}
		}
	})
}
