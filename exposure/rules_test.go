package exposure

import (
	"net/netip"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/signatures"
)

var testTime = time.Date(2026, 11, 20, 6, 0, 31, 0, time.UTC)

func testRules(t testing.TB) *RuleSet {
	t.Helper()
	rules, err := Builtin()
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	return rules
}

// testPorts returns the ports that count as internal and public in tests.
func testPorts() PortSets {
	return NewPortSets(
		[]uint16{24, 628, 783, 2003, 2005, 2501, 3310, 7025, 7071, 7072, 8001, 8024, 8891, 8893, 9998, 10001, 10023, 10024, 10025, 10026,
			10027, 10028, 10029, 10030, 10031, 10032, 10080, 10110, 10143, 10465, 10587, 10993, 11211, 11332, 11334, 12345, 12525, 14190},
		[]uint16{25, 80, 110, 143, 443, 465, 587, 993, 995, 2000, 4190})
}

func openPort(port uint16, s *fingerprint.Identification) Subject {
	return Subject{Result: scan.Result{Target: netip.AddrPortFrom(netip.MustParseAddr("192.0.2.10"), port),
		State: result.StateOpen, Reason: result.ReasonSynAck, Time: testTime}, Service: s}
}

// svc returns a service: protocol, role, product, then observations. The prefixes
// "stack:", "tunnel:" and "alt:" set those fields.
func svc(protocol, role, product string, more ...string) *fingerprint.Identification {
	s := &fingerprint.Identification{Service: result.Service{Name: protocol, Role: result.Role(role), Product: product, Method: "probed", Confidence: 9}}
	for _, m := range more {
		switch key, value, _ := strings.Cut(m, ":"); key {
		case "stack":
			s.Stack = value
		case "tunnel":
			s.Tunnel = result.Tunnel(value)
		case "alt":
			s.Alternatives = append(s.Alternatives, value)
		default:
			s.Observations = append(s.Observations, m)
		}
	}
	return s
}

type judgement struct {
	name    string
	port    uint16
	service *fingerprint.Identification
	class   VantageClass
	want    string // ids, the most severe first
}

var judgements = []judgement{
	// Correct setups: no finding.
	{"public SMTP", 25, svc("smtp", "mta", "Postfix smtpd", "starttls-offered", "version-disclosed", "bare-lf"), "", ""},
	{"public SMTP that refuses us", 25, svc("smtp", "mta", "Postfix smtpd", "acl-refused"), "", ""},
	{"submission with TLS", 587, svc("smtp", "submission", "Postfix smtpd", "starttls-offered"), "", ""},
	{"submission with TLS, role mta", 587, svc("smtp", "mta", "Postfix smtpd", "starttls-offered", "auth-offered"), "", ""},
	{"submissions", 465, svc("smtp", "submission", "Postfix smtpd", "tunnel:ssl", "auth-offered-cleartext"), "", ""},
	{"IMAPS", 993, svc("imap", "imap", "Dovecot", "tunnel:ssl", "auth-offered"), "", ""},
	{"IMAP with STARTTLS and LOGINDISABLED", 143, svc("imap", "imap", "Dovecot", "starttls-offered"), "", ""},
	{"POP3 with STLS only", 110, svc("pop3", "pop3", "Dovecot", "starttls-offered"), "", ""},
	{"ManageSieve with TLS", 4190, svc("managesieve", "sieve", "Dovecot Pigeonhole", "starttls-offered"), "", ""},
	{"IMAP proxy on its public port", 143, svc("imap", "imap-proxy", "nginx", "starttls-offered"), "", ""},
	{"web server", 443, svc("http", "not-mail", "nginx", "tunnel:ssl"), "", ""},
	{"unknown service on an unknown port", 5555, nil, "", ""},

	// Findings from the port number alone.
	{"unknown on an internal port", 10031, nil, "", "MXS1902"},
	{"port table only", 10024, &fingerprint.Identification{Service: result.Service{Name: "smtp", Role: "content-filter", Product: "amavisd-new", Method: "table", Confidence: 3}}, "", "MXS1902"},
	{"reset at connect", 10029, svc("", "unknown", "", "reset-at-connect"), "", "MXS1902"},
	{"TLS and nothing more", 10993, svc("", "", "", "tunnel:ssl"), "", "MXS1902"},
	{"SSH on a mail port", 10025, svc("ssh", "not-mail", "OpenSSH"), "", "MXS1903"},
	{"closed without a word", 10028, svc("", "unknown", "", "acl-refused"), "", "MXS1901"},
	{"amavisd's access list", 10024, svc("smtp", "content-filter", "amavisd-new", "acl-refused"), "", "MXS1901"},
	{"554 at connect", 10025, svc("smtp", "reinjection", "Postfix smtpd", "acl-refused", "xclient-offered"), "", "MXS1901"},

	// Inside the mail flow.
	{"amavisd", 10024, svc("smtp", "content-filter", "amavisd-new", "xforward-offered"), "", "MXS1001"},
	{"amavisd speaking LMTP", 10028, svc("lmtp", "content-filter", "amavisd-new"), "", "MXS1001"},
	{"re-injection", 10025, svc("smtp", "reinjection", "Postfix smtpd"), "", "MXS1002"},
	{"re-injection by its port", 10028, svc("smtp", "mta", "OpenSMTPD"), "", "MXS1002"},
	{"re-injection with XFORWARD", 10025, svc("smtp", "reinjection", "Postfix smtpd", "xforward-offered"), "", "MXS1002 MXS1402"},
	{"re-injection that relays", 10025, svc("smtp", "reinjection", "Postfix smtpd", "relays"), "", "MXS1003"},
	{"public open relay", 25, svc("smtp", "mta", "Postfix smtpd", "relays"), "", "MXS1003"},
	{"DKIMproxy", 10027, svc("smtp", "signing-proxy", "DKIMproxy", "starttls-offered", "starttls-broken", "xforward-offered"), "", "MXS1004"},
	{"DKIMproxy without next hop", 10027, svc("smtp", "signing-proxy", "DKIMproxy", "next-hop-down"), "", "MXS1004"},
	{"spampd", 10025, svc("smtp", "content-filter", "spampd"), "", "MXS1005"},
	{"spampd in the front line", 25, svc("smtp", "content-filter", "spampd"), "", ""},
	{"PROXY trusted", 10143, svc("imap", "imap-backend", "Dovecot", "proxy-expected", "proxy-trusted"), "", "MXS1006"},
	{"PROXY expected", 10029, svc("smtp", "proxy", "Postfix smtpd", "proxy-expected"), "", "MXS1007"},
	{"PROXY expected, protocol unknown", 10030, svc("", "proxy", "", "proxy-expected"), "", "MXS1007"},
	{"submission twin", 10587, svc("smtp", "submission", "Dovecot"), "", "MXS1008"},
	{"smtps twin", 10465, svc("smtp", "mta", "Exim", "tunnel:ssl"), "", "MXS1008"},
	{"SMTP on a port nobody uses", 2626, svc("smtp", "mta", "Exim"), "", "MXS1009"},
	{"Zimbra postjournal", 10027, svc("smtp", "reinjection", "Postfix smtpd", "stack:Zimbra"), "", "MXS1010"},
	{"QMQP", 628, svc("qmqp", "mta", "Postfix qmqpd"), "", "MXS1011"},
	{"QMQP that refuses us", 628, svc("qmqp", "mta", "Postfix qmqpd", "acl-refused"), "", "MXS1901"},

	// Back ends.
	{"IMAP back end", 10143, svc("imap", "imap-backend", "Dovecot", "starttls-offered"), "", "MXS1101"},
	{"IMAP proxy on an internal port", 10143, svc("imap", "imap-proxy", "imapproxy"), "", "MXS1101"},
	{"IMAP back end over TLS", 10993, svc("imap", "imap", "Dovecot", "tunnel:ssl"), "", "MXS1101"},
	{"POP3 back end", 10110, svc("pop3", "pop3-backend", "Courier POP3"), "", "MXS1102"},
	{"ManageSieve back end", 14190, svc("managesieve", "sieve", "Dovecot Pigeonhole"), "", "MXS1103"},
	{"Mailu webmail port", 10143, svc("imap", "imap-proxy", "Dovecot", "stack:Mailu"), "", "MXS1104"},
	{"LMTP", 24, svc("lmtp", "lmtp", "Dovecot", "starttls-offered"), "", "MXS1105"},
	{"Dovecot auth", 12345, svc("dovecot-auth", "auth", "Dovecot auth"), "", "MXS1106"},
	{"doveadm", 24245, svc("doveadm", "admin", "Dovecot doveadm"), "", "MXS1107"},
	{"doveadm over HTTP", 8080, svc("doveadm-http", "admin", "Dovecot doveadm"), "", "MXS1107"},
	{"doveadm without password", 24245, svc("doveadm", "admin", "Dovecot doveadm", "doveadm-noauth"), "", "MXS1108"},
	{"director", 9090, svc("dovecot-director", "proxy", "Dovecot director"), "", "MXS1109"},
	{"Dovecot indexer", 10016, svc("unknown", "admin", "Dovecot"), "", "MXS1109"},
	{"Dovecot IMAP is no process", 10143, svc("imap", "imap", "Dovecot"), "", "MXS1101"},
	{"Cyrus replication", 2005, svc("csync", "admin", "Cyrus sync_server"), "", "MXS1110"},
	{"MUPDATE", 3905, svc("mupdate", "admin", "Cyrus mupdate", "version-disclosed"), "", "MXS1110 MXS1407"},
	{"metrics", 9900, svc("http", "admin", "Dovecot stats"), "", "MXS1111"},
	{"metrics of an exporter", 9154, svc("http", "admin", "Postfix Exporter", "metrics-offered"), "", "MXS1111"},
	{"metrics of mox", 8010, svc("http", "admin", "mox", "metrics-offered"), "", "MXS1111"},
	{"another page of mox", 8010, svc("http", "admin", "mox"), "", "MXS1302"},
	{"profiler", 1099, svc("http", "admin", "chasquid", "profiler-offered"), "", "MXS1309"},
	{"monitoring without the profiler", 1099, svc("http", "admin", "chasquid"), "", "MXS1302"},

	// Policy daemons, filters, scanners.
	{"Postgrey", 10023, svc("postfix-policy", "policy", "Postgrey"), "", "MXS1201"},
	{"policy daemon without a name", 10031, svc("postfix-policy", "policy", "", "alt:postgrey", "alt:postfwd"), "", "MXS1201"},
	{"Cluebringer", 10031, svc("postfix-policy", "policy", "Cluebringer"), "", "MXS1202"},
	{"Policyd v1", 10031, svc("postfix-policy", "policy", "Policyd v1"), "", "MXS1202"},
	{"postfwd", 10040, svc("postfix-policy", "policy", "postfwd"), "", "MXS1202"},
	{"policyd-weight", 12525, svc("postfix-policy", "policy", "policyd-weight"), "", "MXS1201"},
	{"OpenDMARC", 8893, svc("milter", "milter", "OpenDMARC"), "", "MXS1203"},
	{"OpenDKIM", 8891, svc("milter", "milter", "OpenDKIM"), "", "MXS1204"},
	{"OpenDKIM perhaps", 8891, svc("milter", "milter", "OpenDKIM", "alt:OpenDMARC"), "", "MXS1203"},
	{"clamd", 3310, svc("clamd", "antivirus", "ClamAV clamd"), "", "MXS1205"},
	{"spamd", 783, svc("spamd", "antispam", "SpamAssassin spamd"), "", "MXS1206"},
	{"AM.PDP", 9998, svc("am.pdp", "content-filter", "amavisd-new", "path-disclosed"), "", "MXS1207"},
	{"rspamd worker", 11333, svc("rspamd-http", "antispam", "Rspamd"), "", "MXS1208"},
	{"rspamd controller", 11334, svc("http", "admin", "Rspamd controller"), "", "MXS1209"},
	{"rspamd controller by its answer", 11334, svc("http", "antispam", "Rspamd", "rspamd-guarded"), "", "MXS1209"},
	{"rspamd controller open", 11334, svc("http", "admin", "Rspamd controller", "rspamd-open"), "", "MXS1210"},
	{"tcp table", 10001, svc("tcp-table", "unknown", "PostSRSd"), "", "MXS1211"},

	// Administration and stores.
	{"Zimbra admin console", 7071, svc("http", "admin", "Zimbra", "stack:Zimbra", "tunnel:ssl"), "", "MXS1301"},
	{"admin console", 8000, svc("http", "admin", "James webadmin"), "", "MXS1302"},
	{"redis", 6379, svc("redis", "not-mail", "Redis"), "", "MXS1303"},
	{"redis without a password", 6379, svc("redis", "admin", "Redis", "store-open"), "", "MXS1310"},
	{"memcached", 11211, svc("memcached", "admin", "memcached", "store-open"), "", "MXS1310"},
	{"memcached of Zimbra", 11211, svc("memcached", "admin", "memcached", "store-open", "stack:Zimbra"), "", "MXS1301"},
	{"login lookup", 10080, svc("http", "auth", "nginx"), "", "MXS1304"},
	{"web server on the lookup's port", 10080, svc("http", "not-mail", "nginx"), "", "MXS1903"},
	{"Mailman REST", 8001, svc("http", "admin", "Mailman REST"), "", "MXS1305"},
	{"JMX", 9999, svc("java-rmi", "admin", "James JMX"), "", "MXS1306"},

	// Mail catchers: anyone may log in, with any password.
	{"mail catcher's page", 8025, svc("http", "admin", "Mailpit", "mail-catcher"), "", "MXS1307"},
	{"mail catcher's page with a password", 8025, svc("http", "not-mail", ""), "", ""},
	{"mail catcher", 1025, svc("smtp", "mta", "MailHog", "mail-catcher", "auth-offered-cleartext", "starttls-absent"), "", "MXS1308"},
	{"mail catcher on an internal port", 10025, svc("smtp", "mta", "MailHog", "mail-catcher"), "", "MXS1308"},
	{"mail catcher on the LAN", 1025, svc("smtp", "mta", "Mailpit", "mail-catcher", "auth-offered-cleartext"), ClassLAN, "MXS1308"},

	// How the dialogue is protected.
	{"XCLIENT", 25, svc("smtp", "mta", "Postfix smtpd", "xclient-offered"), "", "MXS1401"},
	{"XFORWARD", 25, svc("smtp", "mta", "Postfix smtpd", "xforward-offered"), "", "MXS1402"},
	{"login without TLS", 143, svc("imap", "imap", "Dovecot", "auth-offered-cleartext", "starttls-offered"), "", "MXS1403"},
	{"login without TLS seen through STARTTLS", 587, svc("smtp", "submission", "Exim", "auth-offered-cleartext", "starttls-offered", "tunnel:starttls"), "", "MXS1403"},
	{"login without any TLS", 143, svc("imap", "imap-proxy", "nginx", "auth-offered-cleartext", "starttls-absent"), "", "MXS1404"},
	{"login without TLS on the LAN", 143, svc("imap", "imap", "Dovecot", "auth-offered-cleartext", "starttls-offered"), ClassLAN, "MXS1405"},
	{"login without TLS on the host", 143, svc("imap", "imap", "Dovecot", "auth-offered-cleartext", "starttls-offered"), ClassHost, ""},
	{"login, STARTTLS refused", 143, svc("imap", "imap-proxy", "nginx", "auth-offered-cleartext", "starttls-offered", "starttls-refused"), "", "MXS1404"},
	{"login, STARTTLS broken", 110, svc("pop3", "pop3", "", "auth-offered-cleartext", "starttls-offered", "starttls-broken"), "", "MXS1404"},
	{"STARTTLS refused", 25, svc("smtp", "mta", "", "starttls-offered", "starttls-refused"), "", "MXS1409"},
	{"broken STARTTLS", 25, svc("smtp", "mta", "", "starttls-offered", "starttls-broken"), "", "MXS1406"},

	// Other vantage points, and the fallback rules.
	{"on the host", 10025, svc("smtp", "reinjection", "Postfix smtpd"), ClassHost, "MXS1904"},
	{"on the LAN", 10025, svc("smtp", "reinjection", "Postfix smtpd"), ClassLAN, "MXS1002"},
	{"unknown on the host", 10025, nil, ClassHost, ""},
	{"in a configuration file", 10025, svc("smtp", "reinjection", "Postfix smtpd"), ClassConfig, "MXS1002"},
	{"only from the internet, in a configuration file", 143, svc("imap", "imap", "Dovecot", "auth-offered-cleartext", "starttls-offered"), ClassConfig, "MXS1403"},
	{"mail role and no rule of its own", 4711, svc("", "proxy", "HAProxy"), "", "MXS1905"},
}

func TestJudge(t *testing.T) {
	rules := testRules(t)
	for _, tt := range judgements {
		j := &Judge{Rules: rules, Vantage: Vantage{Class: tt.class}, Knowledge: testPorts()}
		var got []string
		for _, f := range j.Findings(openPort(tt.port, tt.service)) {
			got = append(got, f.Rule.ID)
		}
		if s := strings.Join(got, " "); s != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, s, tt.want)
		}
	}
}

// TestEveryRuleIsJudged checks the table against the rules: each has at least one
// row in which it holds, and some rows have no finding at all.
func TestEveryRuleIsJudged(t *testing.T) {
	positive := map[string]bool{"MXS1408": true, "MXS1414": true, "MXS1801": true, // see TestIntrusiveRule and TestForbiddenPort
		"MXS1410": true, "MXS1411": true, "MXS1412": true, "MXS1413": true, // see TestCertificates
		"MXS1906":        true, // see TestOnlyIPv6
		RuleBehindFilter: true} // see TestBehindFilter
	for _, id := range settingRules {
		positive[id] = true // see TestSettings
	}
	negative := 0
	for _, tt := range judgements {
		for _, id := range strings.Fields(tt.want) {
			positive[id] = true
		}
		if tt.want == "" {
			negative++
		}
	}
	for _, r := range testRules(t).All() {
		if !positive[r.ID] && r.Kind != KindDomain { // those are tested in run/records
			t.Errorf("add a row to judgements that breaks %s", r.ID)
		}
	}
	if negative == 0 {
		t.Error("no row of the table is without a finding")
	}
}

// TestNegativeRows: no rule that a row breaks holds for a web server on 443.
func TestNegativeRows(t *testing.T) {
	j := &Judge{Rules: testRules(t), Knowledge: testPorts()}
	for _, r := range j.Rules.All() {
		for _, tt := range judgements {
			if !slices.Contains(strings.Fields(tt.want), r.ID) {
				continue
			}
			clean := openPort(443, svc("http", "not-mail", "nginx", "tunnel:ssl"))
			for _, f := range j.Findings(clean) {
				t.Errorf("%s holds for a web server", f.Rule.ID)
			}
			closed := openPort(tt.port, tt.service)
			closed.State = result.StateClosed
			if len(j.Findings(closed)) > 0 {
				t.Errorf("%s holds for a closed port", r.ID)
			}
			break
		}
	}
}

func TestIntrusiveRule(t *testing.T) {
	j := &Judge{Rules: testRules(t), Knowledge: testPorts(), Intrusive: true}
	got := j.Findings(openPort(25, svc("smtp", "mta", "Postfix smtpd", "bare-lf")))
	if len(got) != 1 || got[0].Rule.ID != "MXS1408" {
		t.Errorf("got %v, want MXS1408 alone", got)
	}
	got = j.Findings(openPort(25, svc("smtp", "mta", "Postfix smtpd", "starttls-offered", "starttls-injection")))
	if len(got) != 1 || got[0].Rule.ID != "MXS1414" {
		t.Errorf("got %v, want MXS1414 alone", got)
	}
}

// TestPortAloneIsLow judges each port with nothing known about the service.
func TestPortAloneIsLow(t *testing.T) {
	j := &Judge{Rules: testRules(t), Knowledge: testPorts()}
	for port := 1; port <= 65535; port++ {
		for _, f := range j.Findings(openPort(uint16(port), nil)) {
			if f.Severity > result.SeverityLow {
				t.Fatalf("port %d alone gives %s %s", port, f.Rule.ID, f.Severity)
			}
		}
	}
}

// TestObservationsExist checks that the signatures define the observations in
// rules.
func TestObservationsExist(t *testing.T) {
	set, err := signatures.Default()
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	known := map[string]bool{}
	for _, o := range set.Observations {
		known[o.ID] = true
	}
	for _, r := range testRules(t).All() {
		for _, c := range r.When {
			for _, name := range slices.Concat(c.Observed, c.Absent) {
				if !known[name] {
					t.Errorf("%s asks for the observation %q, which no signature file defines", r.ID, name)
				}
			}
		}
	}
}

// TestProtocolsExist checks that each protocol that a rule asks for is one that a
// signature names: a rule must not promise to recognize another one. Imported signatures
// name no others.
func TestProtocolsExist(t *testing.T) {
	set, err := signatures.Default()
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	known := map[string]bool{"": true, "unknown": true}
	for _, s := range set.Signatures {
		known[s.Protocol] = true
	}
	for _, r := range testRules(t).All() {
		for _, c := range r.When {
			for _, name := range c.Protocols {
				if !known[name] {
					t.Errorf("%s asks for the protocol %q, which no signature names", r.ID, name)
				}
			}
		}
	}
}

// TestRulesAreInTheirFiles holds the ids of each file of rules to the table of FORMAT.md.
func TestRulesAreInTheirFiles(t *testing.T) {
	manual, err := os.ReadFile("rules/FORMAT.md")
	if err != nil {
		t.Fatal(err)
	}
	rows := regexp.MustCompile(`(?m)^\| (MXS\d{4}) to (MXS\d{4}) \| (\w+\.yaml) \|`).FindAllStringSubmatch(string(manual), -1)
	files, err := filepath.Glob("rules/*.yaml")
	if err != nil || len(files) != len(rows) {
		t.Fatalf("%d files, %d rows in FORMAT.md, %v", len(files), len(rows), err)
	}
	for _, row := range rows {
		first, last, name := row[1], row[2], row[3]
		file, err := os.ReadFile(filepath.Join("rules", name))
		if err != nil {
			t.Fatal(err)
		}
		for _, id := range regexp.MustCompile(`(?m)^\s*- id: (MXS\d{4})`).FindAllStringSubmatch(string(file), -1) {
			if id[1] < first || id[1] > last {
				t.Errorf("%s: %s is not among %s to %s, the ids of this file", name, id[1], first, last)
			}
		}
	}
}

// TestEverySignatureIsJudged judges each daemon of the signatures on an internal
// port: mail daemons have a finding of medium or more, others at most one of
// severity info, and a refusal exactly the low one.
func TestEverySignatureIsJudged(t *testing.T) {
	set, err := signatures.Default()
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	j := &Judge{Rules: testRules(t), Knowledge: testPorts()}
	for _, s := range set.Signatures {
		v := svc(s.Protocol, string(s.Role), s.Product)
		v.Alternatives = s.Alternatives
		got := j.Findings(openPort(10099, v))
		switch {
		case s.Role == "not-mail" || s.Role == "unknown" && s.Product == "":
			if len(got) > 0 && got[0].Severity > result.SeverityInfo && got[0].Rule.ID != "MXS1303" {
				t.Errorf("%s is not mail and gives %s", s.ID, got[0].Rule.ID)
			}
		case len(got) != 1 || got[0].Severity < result.SeverityMedium:
			t.Errorf("%s (%s, %s): %d findings %v", s.ID, s.Protocol, s.Role, len(got), ids(got))
		}
		v.Observations = []string{ObservedRefused}
		if got := j.Findings(openPort(10099, v)); ids(got) != "MXS1901" {
			t.Errorf("%s refusing us: %v", s.ID, ids(got))
		}
	}
}

// ids returns the rules of findings.
func ids(list []Violation) string {
	var words []string
	for _, f := range list {
		words = append(words, f.Rule.ID)
	}
	return strings.Join(words, " ")
}

// ofScans is what can be said only of a scan. Rules are about files and sockets as well.
var ofScans = regexp.MustCompile(`(?i)\bthe scan (could|did)\b`)

func TestRuleTexts(t *testing.T) {
	names := map[string]bool{}
	for _, r := range testRules(t).All() {
		if names[r.Name] {
			t.Errorf("%s: duplicate name %q", r.ID, r.Name)
		}
		names[r.Name] = true
		if len(r.References) == 0 || len(r.CWE) == 0 || len(r.Tags) == 0 || len(r.Tags)+len(r.CWE) > 18 {
			t.Errorf("%s: references, cwe or tags missing, or too many tags", r.ID)
		}
		if strings.HasSuffix(r.Title, ".") || !strings.HasSuffix(r.Why, ".") {
			t.Errorf("%s: a title has no full stop, a reason has one", r.ID)
		}
		if ofScans.MatchString(r.Why) {
			t.Errorf("%s: not true of files: %s", r.ID, r.Why)
		}
		for _, text := range []string{r.Info().Help} {
			if strings.Contains(text, "{port}") {
				t.Errorf("%s: help has an unfilled port: %s", r.ID, text)
			}
		}
		for _, f := range r.Fixes.Known() {
			for _, part := range append([]string{f.Apply}, f.Steps...) {
				if part = strings.ReplaceAll(fillPort(part, 0), "|", `\|`); !strings.Contains(r.Info().Help, part) {
					t.Errorf("%s: the help lacks a step of %s: %s", r.ID, f.ID, part)
				}
			}
		}
	}
}

func TestRemediationNamesTheDaemon(t *testing.T) {
	j := &Judge{Rules: testRules(t), Knowledge: testPorts()}
	for _, tt := range []struct {
		port    uint16
		service *fingerprint.Identification
		want    string
	}{
		{10027, svc("smtp", "signing-proxy", "DKIMproxy"), "change the address to `127.0.0.1:10027`"},
		{10031, svc("postfix-policy", "policy", "Cluebringer"), "in [server], set `host = 127.0.0.1`"},
		{10025, svc("smtp", "reinjection", "Postfix smtpd"), "in the entry that begins with `10025 inet`, put `127.0.0.1:` before the port; keep its other lines"},
		{7357, svc("milter", "milter", "", "alt:clamav-milter", "alt:OpenDMARC"), "OpenDMARC: /etc/opendmarc.conf: set `Socket inet:7357@127.0.0.1`"},
		{10144, svc("imap", "imap-backend", "Dovecot"), "that has `port = 10144`"},
		{10144, svc("imap", "imap-backend", "Dovecot"), "Dovecot from 2.4: `listen = 127.0.0.1`"},
		{24246, svc("doveadm-http", "admin", "Dovecot doveadm"), "set a long random doveadm_password"},
		{10024, svc("smtp", "content-filter", "amavisd-new"), "$inet_socket_bind"},
		{10025, svc("smtp", "reinjection", "Unheard-of"), "Bind the re-injection listener on port 10025"},
	} {
		f := j.Findings(openPort(tt.port, tt.service))
		if len(f) == 0 || !strings.Contains(f[0].Remediation, tt.want) {
			t.Errorf("%s: %v does not say %q", tt.service.Product, f, tt.want)
		}
	}
}
