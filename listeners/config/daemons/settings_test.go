package daemons

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// TestKinds holds that the table has no keys that nothing reads, and what a reader needs.
func TestKinds(t *testing.T) {
	d := yaml.NewDecoder(bytes.NewReader(settingsYAML))
	d.KnownFields(true)
	var list []Kind
	if err := d.Decode(&list); err != nil {
		t.Fatal(err)
	}
	for _, k := range list {
		if k.Product == "" || k.Source == "" || len(k.Sockets) == 0 || k.Format != "yaml" && separators[k.Format] == nil {
			t.Errorf("%s lacks a product, a source, a socket or a format", k.Name)
		}
		for _, s := range k.Sockets {
			if (s.Listen == "") == (s.Port == "") || s.Listen == "" && s.DefaultPort == 0 || k.Role+s.Role == "" {
				t.Errorf("%s: a socket without a setting, a port or a role: %+v", k.Name, s)
			}
		}
	}
}

var settingsTests = []struct {
	file, text string
	want       []string
}{
	{"clamsmtpd.conf", "OutAddress: 10025\n# Listen: 1\nlisten: 10026\n", []string{
		"3:9-14 listen 10026 0.0.0.0 10026 content-filter; no address is set; the daemon then listens on all of them",
		"1:13-18 relay -> :10025",
	}},
	{"clamsmtpd.conf", "OutAddress: 10026\n", []string{
		"1:1-1 listen 10025 0.0.0.0 10025 content-filter; no address is set; the daemon then listens on all of them",
		"1:13-18 relay -> :10026",
	}},
	{"clamsmtpd.conf", "Listen: 10026\n", nil},
	{"clamsmtpd.conf", "OutAddress: unix:/x\nListen: 127.0.0.1:10026 \n", []string{"2:9-24 listen 127.0.0.1:10026 127.0.0.1 10026 content-filter; listen has the address"}},
	{"sqlgrey.conf", "inet = 0.0.0.0:2501 # x\n", []string{"1:8-20 inet 0.0.0.0:2501 0.0.0.0 2501 policy; inet has the address"}},
	{"sqlgrey.conf", "inet = 2501\n", []string{"1:8-12 inet 2501 127.0.0.1 2501 policy; no address is set; the default is localhost"}},
	{"sqlgrey.conf", "inet = *:2501\nunix = /run/x\n", []string{"1:8-14 inet *:2501 invalid IP 2501 policy; no address is set; the daemon then listens on all of them"}},
	{"sqlgrey.conf", "unix = /run/x\n", nil},
	{"postsrsd.conf", "socketmap = \"inet:0.0.0.0:10003\" # x\n", []string{"1:14-32 socketmap inet:0.0.0.0:10003 0.0.0.0 10003 policy; socketmap has the address"}},
	{"postsrsd.conf", "socketmap = inet:*:10003\nsocketmap = unix:/run/srs\n", nil},
	{"postsrsd.conf", "socketmap = inet:10003\nmilter = inet6:*:9997\n", []string{
		"1:13-23 socketmap inet:10003 127.0.0.1 10003 policy; no address is set; the default is localhost",
		"2:10-22 milter inet6:*:9997 invalid IP 9997 milter; no address is set; the daemon then listens on all of them",
	}},
	{"postsrsd.conf", "socketmap = inet6:localhost:10003\nmilter = local:/run/x\n", []string{"1:13-34 socketmap inet6:localhost:10003 ::1 10003 policy; socketmap has the address"}},
	{"postsrsd.conf", "srs-domain = x\n", nil},
	{"mta-sts-daemon.yml", "cache_grace: 1\n", []string{"1:1-1 port 8461 127.0.0.1 8461 policy; no address is set; the default is 127.0.0.1"}},
	{"mta-sts-daemon.yml", "host: 0.0.0.0 # x\nport: 8461\ncache: {type: internal, options: {port: 1}}\n", []string{"1:7-14 port 8461 0.0.0.0 8461 policy; host has the address"}},
	{"mta-sts-daemon.yml", "port: '8462'\n", []string{"1:8-12 port 8462 127.0.0.1 8462 policy; no address is set; the default is 127.0.0.1"}},
	{"mta-sts-daemon.yml", "host: 0.0.0.0\npath: /run/x\n", nil},
	{"mta-sts-daemon.yml", "a: [\n", []string{"1:1-1 doubt: the file is no YAML: yaml: line 1: did not find expected node content"}},
	{"postfix-tlspol/config.yaml", "server:\n  address: \":8642\"\n", []string{"2:13-18 server.address :8642 invalid IP 8642 policy; no address is set; the daemon then listens on all of them"}},
	{"postfix-tlspol/config.yaml", "server:\n  address: unix:/run/x\n  metrics-address: 0.0.0.0:9642\n", []string{"3:20-32 server.metrics-address 0.0.0.0:9642 0.0.0.0 9642 admin; server.metrics-address has the address"}},
	{"greylist.conf", "#socket \"inet:1\"\nsocket \"inet:1234@10.0.0.5\" 666\n", []string{"2:9-27 socket inet:1234@10.0.0.5 10.0.0.5 1234 milter"}},
	{"greylist.conf", "socket \"/run/x\"\npeer 192.0.2.9\n", []string{"1:1-1 syncaddr 5252 invalid IP 5252 admin; no address is set; the daemon then listens on all of them"}},
	{"greylist.conf", "socket \"/run/x\"\npeer 192.0.2.9 timeout 7\nsyncaddr 10.0.0.5 port 1234 # x\n", []string{"3:10-28 syncaddr 10.0.0.5 port 1234 10.0.0.5 1234 admin; syncaddr has the address"}},
	{"greylist.conf", "peer 192.0.2.9\nsyncaddr ::1\n", []string{"2:10-13 syncaddr ::1 ::1 5252 admin; syncaddr has the address"}},
	{"greylist.conf", "peer 192.0.2.9\nsyncaddr *   port 26\n", []string{"2:10-21 syncaddr *   port 26 invalid IP 26 admin; no address is set; the daemon then listens on all of them"}},
	{"greylist.conf", "socket \"/run/x\"\n#peer 192.0.2.9\nsyncaddr *\n", nil},
	{"mailman.cfg", "[mta]\nlmtp_host:\n[webservice]\nhostname =\nport: 8002\n", []string{
		"2:11-11 mta.lmtp_port 8024 invalid IP 8024 lmtp; no address is set; the daemon then listens on all of them",
		"4:11-11 webservice.port 8002 invalid IP 8002 admin; no address is set; the daemon then listens on all of them",
	}},
	{"mailman.cfg", "[mta]\nlmtp_host: 0.0.0.0\n[webservice]\nport: 8002\n[x]\nport: 1\n", []string{
		"2:12-19 mta.lmtp_port 8024 0.0.0.0 8024 lmtp; mta.lmtp_host has the address",
		"4:7-11 webservice.port 8002 127.0.0.1 8002 admin; no address is set; the default is localhost",
	}},
	{"mailman.cfg", "[mta]\nlmtp_port: 8025\n", []string{
		"2:12-16 mta.lmtp_port 8025 127.0.0.1 8025 lmtp; no address is set; the default is 127.0.0.1",
		"1:1-1 webservice.port 8001 127.0.0.1 8001 admin; no address is set; the default is localhost",
	}},
	{"policyd.conf", "[server]\nmodules=<<EOT\nCore\nEOT\n#host=127.0.0.1\n", []string{"1:1-1 server.port 10031 invalid IP 10031 policy; no address is set; the daemon then listens on all of them"}},
	{"policyd.conf", "[Server]\nModules=Core\nHost=127.0.0.1\n", []string{"3:6-15 server.port 10031 127.0.0.1 10031 policy; server.host has the address"}},
	{"policyd.conf", "BINDHOST=0.0.0.0\nBINDPORT=10031\n", nil},
	{"cluebringer.conf", "[server]\n#host=127.0.0.1\nport=10031\nmodules=Core\n", []string{"3:6-11 server.port 10031 invalid IP 10031 policy; no address is set; the daemon then listens on all of them"}},
	{"grossd.conf", "host = 10.0.0.5\nprotocol = postfix\nprotocol = sjsms\n", []string{"1:8-16 port 5525 10.0.0.5 5525 policy; host has the address"}},
	{"grossd.conf", "host = 10.0.0.5\nprotocol = sjsms\nmilter_listen = inet:5523\n", nil},
	{"grossd.conf", "protocol = milter\nmilter_listen = inet:5523@10.0.0.5\n", []string{"2:17-35 milter_listen inet:5523@10.0.0.5 10.0.0.5 5523 milter"}},
	{"grossd.conf", "protocol = postfix\nhost = 10.0.0.5 ; x\nport = x\n", []string{`3:8-9 doubt: port "x" is not a port`}},
	{"clamav-milter.conf", "Example\nMilterSocket inet:7357\n", nil},
	{"clamav-milter.conf", "MilterSocket inet:7357\n", []string{"1:14-23 MilterSocket inet:7357 0.0.0.0 7357 milter; MilterSocket has no @HOST; the milter then listens on all addresses"}},
}

// readKind reads a file as the kind that its name has.
func readKind(name, text string) listeners.Config {
	for i := range Kinds() {
		if k := &Kinds()[i]; k.Is(name) {
			return k.Read(nil, source.NewFile(name, name, text))
		}
	}
	return listeners.Config{}
}

func TestSettings(t *testing.T) {
	for _, tt := range settingsTests {
		t.Run(tt.file, func(t *testing.T) {
			if got := shown(readKind("etc/"+tt.file, tt.text)); !slices.Equal(got, tt.want) {
				t.Errorf("%q: got\n\t%s\nwant\n\t%s", tt.text, strings.Join(got, "\n\t"), strings.Join(tt.want, "\n\t"))
			}
		})
	}
}

func FuzzSettings(f *testing.F) {
	for _, tt := range settingsTests {
		f.Add(tt.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for i := range Kinds() {
			c := Kinds()[i].Read(nil, source.NewFile("x", "x", text))
			for _, l := range c.Listeners {
				if l.Port == 0 || l.Role == "" || l.Service == "" || l.At.Line < 1 || l.At.EndColumn < l.At.Column {
					t.Errorf("a listener without a port, role, name or place: %+v", l)
				}
			}
		}
	})
}
