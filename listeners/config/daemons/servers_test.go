package daemons

import (
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/listeners/source"
)

var serverTests = []struct {
	file string
	read reader
	text string
	want []string
}{
	{"cyrus.conf", Cyrus, "START {\n  x cmd=\"x\" listen=\"1\"\n}\nSERVICES {\n # imap cmd=\"imapd\" listen=\"1\"\n  imap\tcmd=\"imapd -U 30\" listen=\"imap\" prefork=0\n  imaps cmd=\"imapd -s\" listen=\"10.0.0.5:993\"\n  lmtp cmd=\"/usr/sbin/lmtpd\" listen=\"[::1]:24\"\n  unix cmd=\"lmtpd\" listen=\"/run/x\"\n  sync cmd=sync_server listen=csync proto=tcp4\n  s2 cmd=\"sync_server\" listen=\"2005\" proto=\"tcp6\"\n  n cmd=x listen=9 proto=udp\n}\n", []string{
		"6:34-38 service imap invalid IP 143 imap; listen= has no address; Cyrus then listens on all of them",
		"7:32-44 service imaps 10.0.0.5 993 imap ssl",
		"8:38-46 service lmtp ::1 24 lmtp",
		"10:31-36 service sync 0.0.0.0 2005 admin; listen= has no address; Cyrus then listens on all of them",
		"11:32-36 service s2 :: 2005 admin; listen= has no address; Cyrus then listens on all of them",
	}},
	{"smtpd.conf", OpenSMTPD, "lo = \"127.0.0.1\"\nlisten on $lo\nlisten on all port 10028 \\\n  tag X # y\nlisten on socket mask-src\n# listen on all\nlisten on 10.0.0.5 port submission tls\nlisten on eth0 smtps pki x\nlisten on localhost inet6\ninclude \"/etc/x\"\nlisten on all inet4 port 26\n", []string{
		"2:11-14 listen on $lo port 25 127.0.0.1 25 mta",
		"3:11-14 listen on all port 10028 invalid IP 10028 mta; listen on all is on all addresses",
		"7:11-19 listen on 10.0.0.5 port 587 10.0.0.5 587 submission",
		`8:11-15 listen on eth0 port 465 invalid IP 465 submission ssl; doubt: the address of "eth0" is not in the files`,
		"9:11-20 listen on localhost port 25 ::1 25 mta",
		"11:11-14 listen on all port 26 0.0.0.0 26 mta; listen on all is on all addresses",
		`10:10-16 doubt: what "/etc/x" configures is not read`,
	}},
	{"sendmail.mc", SendmailMC, "dnl DAEMON_OPTIONS(`Port=1')\nFEATURE(`no_default_msa')dnl\nDAEMON_OPTIONS(`Family=inet,  Name=MTA-v4, Port=smtp, Addr=127.0.0.1')dnl\nDAEMON_OPTIONS(`Family=inet6, Name=MSP-v6, P=10025, M=Ea')dnl\nMAILER(`smtp')dnl\n", []string{
		"3:49-53 daemon MTA-v4 25 127.0.0.1 25 mta",
		"4:46-51 daemon MSP-v6 10025 :: 10025 submission; DAEMON_OPTIONS has no Addr=; Sendmail then listens on all addresses",
	}},
	{"sendmail.mc", SendmailMC, "MAILER(smtp)\n", []string{
		"1:1-2 default daemon 25 0.0.0.0 25 mta; no DAEMON_OPTIONS is there; Sendmail then listens on port 25 of all addresses",
		"1:1-2 default daemon 587 0.0.0.0 587 submission; FEATURE(`no_default_msa') is not there; Sendmail then listens on port 587 of all addresses",
	}},
	{"sendmail.mc", SendmailMC, "# DAEMON_OPTIONS(`Port=26')\nDAEMON_OPTIONS(Port=27, Addr=127.0.0.1)\nDAEMON_OPTIONS(\n  `Port=28,\n  Addr=10.0.0.5')dnl DAEMON_OPTIONS(`Port=29')\nifdef(`X', `DAEMON_OPTIONS(`Port=30')')\nMAILER(smtp)\nFEATURE(no_default_msa)\n", []string{
		"1:24-26 daemon 26 0.0.0.0 26 mta; DAEMON_OPTIONS has no Addr=; Sendmail then listens on all addresses",
		"2:21-23 daemon 27 0.0.0.0 27 mta; DAEMON_OPTIONS has no Addr=; Sendmail then listens on all addresses",
		"4:9-11 daemon 28 10.0.0.5 28 mta",
		"6:28-37 doubt: whether this daemon is there depends on the macro ifdef",
	}},
	{"sendmail.mc", SendmailMC, "MAILER(`smtp')\nifdef(`X', `FEATURE(`no_default_msa')')\nDAEMON_OPTIONS(`Port=25, Addr=::1, Family=inet6", []string{
		"1:1-2 default daemon 25 0.0.0.0 25 mta; no DAEMON_OPTIONS is there; Sendmail then listens on port 25 of all addresses",
		"1:1-2 default daemon 587 0.0.0.0 587 submission; FEATURE(`no_default_msa') is not there; Sendmail then listens on port 587 of all addresses; doubt: whether FEATURE(`no_default_msa') is there depends on the macro ifdef",
		"3:48-48 doubt: a quotation or an argument list does not end; m4 refuses the file",
	}},
	{"sendmail.cf", SendmailCF, "V10/Berkeley\n# O DaemonPortOptions=Port=1\nO DaemonPortOptions=Name=A, Port=26,\n  Addr=IPv6:::1, Family=inet6\nO DaemonPortOptions=Name=MSA, Port=587, M=E\n", []string{
		"3:34-36 daemon A 26 ::1 26 mta",
		"5:36-39 daemon MSA 587 0.0.0.0 587 submission; DaemonPortOptions has no Addr=; Sendmail then listens on all addresses",
	}},
	{"sendmail.cf", SendmailCF, "V10/Berkeley\nO MaxHopCount=25\n", []string{
		"1:1-2 default daemon 25 0.0.0.0 25 mta; no DaemonPortOptions is there; Sendmail then listens on port 25 of all addresses",
	}},
	{"sendmail.cf", SendmailCF, "x\n", nil},
	{"smtpd.conf", OpenSMTPD, "listen on 10.0.0.5 port smtps tag smtps\nlisten on 10.0.0.5 port \"submission\" hostname smtps\nlisten on 10.0.0.5 port nowhere\n", []string{
		"1:11-19 listen on 10.0.0.5 port 465 10.0.0.5 465 submission", "2:11-19 listen on 10.0.0.5 port 587 10.0.0.5 587 submission",
		`3:11-19 doubt: port "nowhere" of "listen on 10.0.0.5" is not known`,
	}},
	{"cyrus.conf", Cyrus, "Services {\n  imap cmd=\"imapd\" listen=\"imap\"\n}\nstart {\n  x cmd=x listen=1\n}\n", []string{
		"2:28-32 service imap invalid IP 143 imap; listen= has no address; Cyrus then listens on all of them",
	}},
	{"exim.conf", Exim, "local_interfaces = 127.0.0.1 : 10.0.0.5.10025 : ::::1\ndaemon_smtp_ports = smtp : 587\nbegin acl\nlocal_interfaces = 0.0.0.0\n", []string{
		"2:21-25 local_interfaces 127.0.0.1 25 127.0.0.1 25 mta",
		"2:28-31 local_interfaces 127.0.0.1 587 127.0.0.1 587 submission",
		"1:32-46 local_interfaces 10.0.0.5 10025 10.0.0.5 10025 mta",
		"2:21-25 local_interfaces ::1 25 ::1 25 mta",
		"2:28-31 local_interfaces ::1 587 ::1 587 submission",
	}},
	{"exim.conf", Exim, "local_interfaces = <; 0.0.0.0 ; [::0]:10025 ; x\n", []string{
		"1:23-30 local_interfaces 0.0.0.0 25 0.0.0.0 25 mta; local_interfaces has 0.0.0.0",
		"1:33-44 local_interfaces ::0 10025 :: 10025 mta; local_interfaces has ::0",
		`1:47-48 local_interfaces x 25 invalid IP 25 mta; local_interfaces has x; doubt: the address of "x" is not in the files`,
	}},
	{"exim.conf", Exim, "daemon_smtp_ports = 25 : 10025\n", []string{
		"1:21-23 local_interfaces 25 invalid IP 25 mta; local_interfaces has no address; Exim then listens on all of them",
		"1:26-31 local_interfaces 10025 invalid IP 10025 mta; local_interfaces has no address; Exim then listens on all of them",
	}},
	{"exim4.conf", Exim, "# x\nprimary_hostname = x\nbegin acl\n", []string{
		"1:1-1 local_interfaces 25 invalid IP 25 mta; local_interfaces has no address; Exim then listens on all of them",
	}},
	{"exim4.conf", Exim, "tls_on_connect_ports = 465\n", []string{
		"1:1-1 local_interfaces 25 invalid IP 25 mta; local_interfaces has no address; Exim then listens on all of them",
	}},
	{"exim4.conf", Exim, "tls_on_connect_ports = smtps\ndaemon_smtp_port = 25 : 465\n", []string{
		"2:20-22 local_interfaces 25 invalid IP 25 mta; local_interfaces has no address; Exim then listens on all of them",
		"2:25-28 local_interfaces 465 invalid IP 465 submission ssl; local_interfaces has no address; Exim then listens on all of them",
	}},
	{"exim4.conf", Exim, ".include_if_exists /etc/x\nbegin acl\n", []string{
		`1:1-1 local_interfaces 25 invalid IP 25 mta; local_interfaces has no address; Exim then listens on all of them; doubt: what "/etc/x" configures is not read`,
	}},
	{"exim4.conf", Exim, "LOCAL = 127.0.0.1 \\\r\n  : 10.0.0.5.26\n.include /etc/x\nhide local_interfaces = LOCAL\n", []string{
		"1:9-18 local_interfaces 127.0.0.1 25 127.0.0.1 25 mta", "2:5-16 local_interfaces 10.0.0.5 26 10.0.0.5 26 mta",
	}},
	{"logwatch/conf/services/exim.conf", Exim, "Title = \"Exim\"\nLogFile = exim\n", nil},
	{"exim4/update-exim4.conf.conf", Exim, "dc_eximconfig_configtype='internet'\ndc_local_interfaces=''\n", []string{
		"1:1-1 dc_local_interfaces 25 invalid IP 25 mta; dc_local_interfaces has no address; Exim then listens on all of them",
	}},
	{"exim4/update-exim4.conf.conf", Exim, "dc_local_interfaces='127.0.0.1 ; ::1 ; 0.0.0.0.10025'\n", []string{
		"1:22-31 dc_local_interfaces 127.0.0.1 25 127.0.0.1 25 mta",
		"1:34-37 dc_local_interfaces ::1 25 ::1 25 mta",
		"1:40-53 dc_local_interfaces 0.0.0.0 10025 0.0.0.0 10025 mta; dc_local_interfaces has 0.0.0.0",
	}},
	{"redis.conf", Redis, "# bind 0.0.0.0\nbind 127.0.0.1 -::1 \"10.0.0.5\"\nPort 6380\ntls-port 0\n", []string{
		"2:6-15 bind 127.0.0.1 port 6380 127.0.0.1 6380 admin", "2:16-20 bind ::1 port 6380 ::1 6380 admin", "2:22-30 bind 10.0.0.5 port 6380 10.0.0.5 6380 admin",
	}},
	{"redis.conf", Redis, "port 0\ntls-port 6379\nbind * -::*\n", []string{
		"3:6-7 bind * port 6379 0.0.0.0 6379 admin ssl; bind has *", "3:8-12 bind ::* port 6379 :: 6379 admin ssl; bind has -::*",
	}},
	{"redis.conf", Redis, "appendonly yes\ninclude /etc/x\n", []string{
		"1:1-1 port 6379 invalid IP 6379 admin; bind is not set; Redis then listens on all addresses", `2:9-15 doubt: what "/etc/x" configures is not read`,
	}},
	{"redis.conf", Redis, "bind \"\"\n", nil},
	{"redis.conf", Redis, "<?xml?>\n", nil},
	{"memcached.conf", Memcached, "-d\n-m 64\n-p 11212\n-l 127.0.0.1,10.0.0.5:11213 # x\n--listen=[::1]:1\n", []string{
		"4:4-13 -l 127.0.0.1 port 11212 127.0.0.1 11212 admin", "4:14-22 -l 10.0.0.5 port 11213 10.0.0.5 11213 admin", "5:10-15 -l [::1] port 1 ::1 1 admin",
	}},
	{"memcached.conf", Memcached, "-m 64\n#-l 127.0.0.1\n", []string{"1:1-1 port 11211 invalid IP 11211 admin; -l is not set; memcached then listens on all addresses"}},
	{"memcached.conf", Memcached, "-s /run/x\n", nil},
	{"memcached.conf", Memcached, "-p 11212 -l 127.0.0.1\n", []string{"1:13-22 -l 127.0.0.1 port 11212 127.0.0.1 11212 admin"}},
	{"memcached.conf", Memcached, "d /run/memcached 0755 x x -\n", nil},
	{"mysql.conf.d/mysqld.cnf", MySQL, "[client]\nport = 1\n[mysqld]\nport=3307 # x\nbind_address = 127.0.0.1,10.0.0.5\n", []string{
		"5:16-25 bind-address 127.0.0.1 port 3307 127.0.0.1 3307 admin", "5:26-34 bind-address 10.0.0.5 port 3307 10.0.0.5 3307 admin",
	}},
	{"my.cnf", MySQL, "[mysqld]\nbind-address = *\n", []string{"2:16-17 bind-address * port 3306 invalid IP 3306 admin; bind-address has *"}},
	{"my.cnf", MySQL, "[mysqld]\nbind-address = *\nskip-networking\n", nil},
	{"my.cnf", MySQL, "[mysqld]\nuser = mysql\n[client]\nbind-address = *\n", nil},
	{"my.cnf", MySQL, "!includedir /etc/mysql/conf.d/\n!include /etc/mysql/mariadb.conf.d/x.cnf\n!include /srv/db.cnf\n", []string{`3:10-21 doubt: what "/srv/db.cnf" configures is not read`}},
	{"default/slapd", Slapd, "SLAPD_USER=x\n#SLAPD_SERVICES=\"ldap://:1\"\nSLAPD_SERVICES=\"ldap:/// ldaps://10.0.0.5/ ldapi:/// LDAP://[::1]:1389/\" # x\n", []string{
		"3:17-24 ldap :389 invalid IP 389 admin; the URL ldap:// has no address; slapd then listens on all of them",
		"3:26-42 ldaps 10.0.0.5:636 10.0.0.5 636 admin ssl", "3:54-71 ldap [::1]:1389 ::1 1389 admin",
	}},
	{"default/slapd", Slapd, "SLAPD_CONF=\n", []string{"1:1-1 port 389 invalid IP 389 admin; SLAPD_SERVICES is not set; OpenLDAP then listens on all addresses"}},
	{"default/slapd", Slapd, "SLAPD_SERVICES=\"$X\"\n", []string{"1:16-20 doubt: SLAPD_SERVICES is computed"}},
	{"exim4/conf.d/main/00_x", EximPart, "local_interfaces = 0.0.0.0.10025\n", []string{
		"1:20-33 local_interfaces 0.0.0.0 10025 0.0.0.0 10025 mta; local_interfaces has 0.0.0.0; doubt: the other files of the main section of Exim are not there",
	}},
	{"exim4/conf.d/main/01_x", EximPart, "local_interfaces = MAIN_LOCAL_INTERFACES\ndaemon_smtp_ports = 26\n", nil},
	{"exim4/exim4.conf.template", EximPart, ".ifdef MAIN_LOCAL_INTERFACES\nlocal_interfaces = MAIN_LOCAL_INTERFACES\n.endif\nprimary_hostname = x\n", []string{
		"1:1-1 doubt: update-exim4.conf.conf, which decides where Exim listens, is not there",
	}},
	{"default/exim4", EximOptions, "#SMTPLISTENEROPTIONS='-oX 1'\nQUEUERUNNER='combined'\nSMTPLISTENEROPTIONS='-odb -oX 587:10025:25 -oP /run/x'\n", []string{
		"3:27-30 doubt: option -oX says where Exim listens, in place of its configuration",
	}},
	{"default/exim4", EximOptions, "SMTPLISTENEROPTIONS=''\n", nil},
	{"exim4/update-exim4.conf.conf", Exim, "dc_local_interfaces='127.0.0.1 : ::::1.26'\n", []string{
		"1:22-31 dc_local_interfaces 127.0.0.1 25 127.0.0.1 25 mta", "1:34-42 dc_local_interfaces ::1 26 ::1 26 mta",
	}},
	{"courier/imapd", Courier, "ADDRESS=0\nPORT=143 # x\nSSLPORT=1\n", []string{
		"2:6-9 PORT 143 invalid IP 143 imap; ADDRESS is 0: all addresses",
	}},
	{"courier/imapd-ssl", Courier, "SSLPORT=\"127.0.0.1.993,994\"\nSSLADDRESS=10.0.0.5\n", []string{
		"1:10-23 SSLPORT 127.0.0.1.993 127.0.0.1 993 imap ssl", "1:24-27 SSLPORT 994 10.0.0.5 994 imap ssl",
	}},
	{"courier/pop3d", Courier, "PORT=110\nADDRESS=10.0.0.5\nPOP3DSTART=\"NO\" # x\n", []string{
		"1:6-9 PORT 110 10.0.0.5 110 pop3; doubt: POP3DSTART is NO, which init scripts obey and the units of systemd that Debian has do not",
	}},
	{"courier/pop3d", Courier, "PORT=110\nADDRESS=10.0.0.5\nPOP3DSTART=yes\n", []string{"1:6-9 PORT 110 10.0.0.5 110 pop3"}},
	{"courier/esmtpd", Courier, "PORT=\n", nil},
	{"courier/esmtpd", Courier, "PORT=$X\n", []string{`1:6-8 doubt: PORT "$X" is unknown`}},
}

func TestServers(t *testing.T) {
	for _, tt := range serverTests {
		t.Run(tt.file, func(t *testing.T) {
			c := tt.read(nil, source.NewFile("etc/"+tt.file, "x", tt.text))
			if got := shown(c); !slices.Equal(got, tt.want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(tt.want, "\n\t"))
			}
		})
	}
}

// TestCourierInherits: the start script of esmtpd-msa reads esmtpd before its own file, that of
// imapd-ssl reads imapd.
func TestCourierInherits(t *testing.T) {
	for _, tt := range []struct {
		name, before, file, text string
		want                     []string
	}{
		{"ADDRESS", "esmtpd", "esmtpd-msa", "PORT=587\n", []string{"1:6-9 PORT 587 127.0.0.1 587 submission"}},
		{"ADDRESS is set again", "esmtpd", "esmtpd-msa", "PORT=587\nADDRESS=0\n", []string{"1:6-9 PORT 587 invalid IP 587 submission; ADDRESS is 0: all addresses"}},
		{"PORT", "esmtpd", "esmtpd-msa", "ADDRESS=10.0.0.5\n", []string{"1:9-17 PORT smtp 10.0.0.5 25 submission"}},
		{"what is of SSL only", "imapd", "imapd-ssl", "SSLPORT=993\n", []string{"1:9-12 SSLPORT 993 invalid IP 993 imap ssl; ADDRESS is not set; Courier then listens on all addresses"}},
		{"nothing", "esmtpd", "esmtpd-msa", "MAXDAEMONS=1\n", nil},
	} {
		tree := &source.Tree{FS: fstest.MapFS{
			"courier/" + tt.before: {Data: []byte("ADDRESS=127.0.0.1\nPORT=smtp\nESMTPDSTART=NO\n")},
			"courier/" + tt.file:   {Data: []byte(tt.text)},
		}}
		f, err := tree.Read("courier/" + tt.file)
		if err != nil {
			t.Fatal(err)
		}
		if got := shown(Courier(tree, f)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

// TestEximOfDebian: which files of /etc/exim4 count.
func TestEximOfDebian(t *testing.T) {
	const main = ".ifdef MAIN_LOCAL_INTERFACES\nlocal_interfaces = MAIN_LOCAL_INTERFACES\n.endif\n.ifndef NONE\nprimary_hostname = x\n.else\ndaemon_smtp_ports = 1\n.endif\n"
	for _, tt := range []struct {
		name, dc string
		files    map[string]string
		want     []string
	}{
		{"as it is shipped", "dc_use_split_config='false'\ndc_local_interfaces='127.0.0.1 ; ::1'\n", map[string]string{"exim4.conf.template": main, "conf.d/main/01": main + "local_interfaces = 0.0.0.0\n"},
			[]string{"2:22-31 dc_local_interfaces 127.0.0.1 25 127.0.0.1 25 mta", "2:34-37 dc_local_interfaces ::1 25 ::1 25 mta"}},
		{"ports of localmacros", "dc_local_interfaces='127.0.0.1'\n", map[string]string{"exim4.conf.localmacros": "daemon_smtp_ports = 25 : 465\ntls_on_connect_ports = 465\n", "exim4.conf.template": main},
			[]string{"1:21-23 dc_local_interfaces 127.0.0.1 25 127.0.0.1 25 mta", "1:26-29 dc_local_interfaces 127.0.0.1 465 127.0.0.1 465 submission ssl"}},
		{"a macro of conf.d", "dc_use_split_config='true'\ndc_local_interfaces='127.0.0.1'\n", map[string]string{"conf.d/main/000_local": "MAIN_LOCAL_INTERFACES = 10.0.0.5.10025\n", "conf.d/main/01": main, "conf.d/main/01.dpkg-old": "local_interfaces = ::0\n"},
			[]string{"1:25-39 local_interfaces 10.0.0.5 10025 10.0.0.5 10025 mta"}},
		{"a setting of conf.d", "dc_use_split_config='true'\ndc_local_interfaces=''\n", map[string]string{"conf.d/main/01": main, "conf.d/main/99": "local_interfaces = 0.0.0.0.26\nbegin acl\n", "conf.d/main/99z": "local_interfaces = 1\n"},
			[]string{"1:20-30 local_interfaces 0.0.0.0 26 0.0.0.0 26 mta; local_interfaces has 0.0.0.0"}},
		{"no template", "dc_use_split_config='false'\ndc_local_interfaces='10.0.0.5'\n", map[string]string{"conf.d/main/01": main},
			[]string{"2:22-30 dc_local_interfaces 10.0.0.5 25 10.0.0.5 25 mta"}},
		{"no conf.d", "dc_use_split_config='true'\ndc_local_interfaces='10.0.0.5'\n", map[string]string{"exim4.conf.template": main},
			[]string{"2:22-30 dc_local_interfaces 10.0.0.5 25 10.0.0.5 25 mta"}},
		{"exim4.conf alone beside it", "dc_local_interfaces='127.0.0.1'\n", map[string]string{"exim4.conf": "local_interfaces = ::0\n"}, nil},
		{"exim4.conf beside it", "dc_local_interfaces='127.0.0.1'\n", map[string]string{"exim4.conf": "local_interfaces = ::0\n", "exim4.conf.template": main}, nil},
	} {
		fsys := fstest.MapFS{"etc/exim4/update-exim4.conf.conf": {Data: []byte(tt.dc)}}
		for name, text := range tt.files {
			fsys["etc/exim4/"+name] = &fstest.MapFile{Data: []byte(text)}
		}
		tree := &source.Tree{FS: fsys}
		f, err := tree.Read("etc/exim4/update-exim4.conf.conf")
		if err != nil {
			t.Fatal(err)
		}
		if got := shown(Exim(tree, f)); !slices.Equal(got, tt.want) {
			t.Errorf("%s: got\n\t%s\nwant\n\t%s", tt.name, strings.Join(got, "\n\t"), strings.Join(tt.want, "\n\t"))
		}
	}
}

func FuzzServers(f *testing.F) {
	for _, tt := range serverTests {
		f.Add(tt.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, name := range []string{"imapd", "pop3d-ssl", "x"} {
			for _, read := range []reader{Cyrus, OpenSMTPD, SendmailMC, SendmailCF, Exim, EximPart, EximOptions, Courier, Redis, Memcached, MySQL, Slapd} {
				for _, l := range read(nil, source.NewFile(name, "x", text)).Listeners {
					if l.Port == 0 || l.Service == "" || l.At.Line < 1 || l.At.EndColumn < l.At.Column {
						t.Errorf("a listener without a port, a name or a place: %+v", l)
					}
				}
			}
		}
	})
}
