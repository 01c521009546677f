package configured_test

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/configured"
)

// audit reads a folder with these files, by name.
func audit(t *testing.T, files map[string]string, paths ...string) (*configured.Audit, configured.Outcome) {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		write(t, filepath.Join(dir, filepath.FromSlash(name)), text)
	}
	write(t, filepath.Join(dir, ".git", "HEAD"), "") // of a checkout, so that names are short
	if paths == nil {
		paths = []string{"."}
	}
	for i := range paths {
		paths[i] = filepath.Join(dir, filepath.FromSlash(paths[i]))
	}
	a, err := readPaths(t, paths...)
	if err != nil {
		t.Fatal(err)
	}
	return a, a.Conclude()
}

// shown writes the findings, one line each.
func shown(c configured.Outcome) []string {
	var list []string
	for i := range c.Findings {
		f := &c.Findings[i]
		list = append(list, fmt.Sprintf("%s %s %s:%d %s", f.Rule.ID, f.Severity, f.Host, f.Anchor.Line, f.Title))
	}
	slices.Sort(list)
	return list
}

// reinjection is a listener of master.cf that takes mail back from a filter.
const reinjection = "%s inet n - y - - smtpd\n  -o content_filter=\n  -o smtpd_authorized_xforward_hosts=127.0.0.0/8\n"

// stack is a service of Docker Compose with the files of a daemon, lmtp such a file.
const (
	stack = "services:\n  store:\n    image: example/store\n    volumes: ['./dovecot:/etc/dovecot']\n    ports:\n      - 143:143\n"
	lmtp  = "protocols = imap lmtp\nservice lmtp {\n  inet_listener lmtp {\n    port = 24\n  }\n}\n!include_try /etc/dovecot/none.conf\n"
)

// postgrey is a Dockerfile whose containers start Postgrey.
const postgrey = "FROM debian\nCMD [\"postgrey\", \"--inet=0.0.0.0:10023\"]\n"

func TestFindings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name  string
		files map[string]string
		code  gate.ExitCode
		want  []string
	}{
		{"a re-injection listener", map[string]string{"master.cf": fmt.Sprintf(reinjection, "10025"), "main.cf": ""}, gate.ExitFail,
			[]string{"MXS1002 high master.cf:1 Re-injection port bound to all addresses"}},
		{"the same on loopback", map[string]string{"master.cf": fmt.Sprintf(reinjection, "127.0.0.1:10025"), "main.cf": ""}, gate.ExitPass, nil},
		{"the same where Postfix listens on loopback", map[string]string{"master.cf": fmt.Sprintf(reinjection, "10025"), "main.cf": "inet_interfaces = loopback-only\n"}, gate.ExitPass, nil},
		{"the same on an address of the host", map[string]string{"master.cf": fmt.Sprintf(reinjection, "192.0.2.1:10025"), "main.cf": ""}, gate.ExitFail,
			[]string{"MXS1002 high master.cf:1 Re-injection port bound to 192.0.2.1"}},
		{"an internal port that hands mail to a filter", map[string]string{"master.cf": "26 inet n - y - - smtpd\n  -o content_filter=scan:127.0.0.1:10023\n  -o smtpd_recipient_restrictions=permit_mynetworks,reject_unauth_destination\n", "main.cf": ""}, gate.ExitPass,
			[]string{"MXS1009 medium master.cf:1 SMTP listener on a non-public port (bound to all addresses)"}},
		{"the same without a filter", map[string]string{"master.cf": "26 inet n - y - - smtpd\n", "main.cf": "content_filter = scan:127.0.0.1:10023\n"}, gate.ExitFail,
			[]string{"MXS1002 high master.cf:1 Re-injection port bound to all addresses"}},
		{"a template of Template Toolkit", map[string]string{"master.cf.in": "[% mail.port %] inet n - n - [% mail.most %] smtpd\n[% IF mail.filter -%]\n  -o content_filter=scan:127.0.0.1:10023\n[%- END %]\n" + fmt.Sprintf(reinjection, "127.0.0.1:10025"), "main.cf.in": "mynetworks = [% mail.networks %]\n"}, gate.ExitIncomplete, nil},
		{"the same with an open port", map[string]string{"master.cf.in": "[% mail.port %] inet n - n - [% mail.most %] smtpd\n[% IF mail.filter -%]\n  -o content_filter=scan:127.0.0.1:10023\n[%- END %]\n" + fmt.Sprintf(reinjection, "10025"), "main.cf.in": "mynetworks = [% mail.networks %]\n"}, gate.ExitFail,
			[]string{"MXS1002 high master.cf.in:5 Re-injection port bound to all addresses"}},
		{"words that an installer replaces", map[string]string{"master.cf": fmt.Sprintf(reinjection, "PH_ADDRESS:PH_PORT") + "filter unix - - n - PH_SERVERS smtp\n", "main.cf": ""}, gate.ExitIncomplete, nil},
		{"the same with an open port", map[string]string{"master.cf": fmt.Sprintf(reinjection, "10025") + "filter unix - - n - PH_SERVERS smtp\n", "main.cf": ""}, gate.ExitFail,
			[]string{"MXS1002 high master.cf:1 Re-injection port bound to all addresses"}},
		{"a template of Jinja, generated for IPv6", map[string]string{"compose.yml": "services:\n  smtp:\n    image: ${ORG:-example}/${PREFIX:-}postfix:${VERSION:-master}\n    ports:\n      - \"192.0.2.1:25:25\"\n      - \"[2001:db8::1]:25:25\"\n      - \"[2001:db8::1]:10025:10025\"\n"}, gate.ExitFail,
			[]string{"MXS1002 high compose.yml:7 Re-injection port published on 2001:db8::1"}},
		{"public ports", map[string]string{"master.cf": "smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd\n", "main.cf": ""}, gate.ExitPass, nil},
		{"master.cf without main.cf", map[string]string{"master.cf": fmt.Sprintf(reinjection, "10025")}, gate.ExitIncomplete, nil},
		{"the same, with a public port", map[string]string{"master.cf": "smtp inet n - y - - smtpd\n"}, gate.ExitIncomplete, nil},
		{"a published port", map[string]string{"compose.yml": "services:\n  a:\n    image: example/postfix:3\n    ports:\n      - 25:25\n      - 20025:10025\n      - 127.0.0.1:10027:10027\n    expose: ['10026']\n"}, gate.ExitFail,
			[]string{"MXS1002 high compose.yml:6 Re-injection port published on all addresses"}},
		{"a published port of an unknown image", map[string]string{"compose.yml": "services:\n  a:\n    image: example/app\n    ports: ['10025:10025']\n"}, gate.ExitPass,
			[]string{"MXS1902 low compose.yml:4 Port for internal mail traffic published on all addresses, service unknown"}},
		{"a mail catcher", map[string]string{"compose.yml": "services:\n  a:\n    image: axllent/mailpit\n    ports:\n      - 1025:1025\n      - 8080:8025\n"}, gate.ExitFail,
			[]string{"MXS1307 high compose.yml:6 Captured mail readable by strangers (published on all addresses)", "MXS1308 medium compose.yml:5 Mail catcher published on all addresses"}},
		{"a mail catcher that a unit starts", map[string]string{"maildev.service": "[Service]\nExecStart=/usr/bin/maildev --disable-web\n"}, gate.ExitPass,
			[]string{"MXS1308 medium maildev.service:2 Mail catcher bound to all addresses"}},
		{"the controller of Rspamd", map[string]string{"compose.yml": "services:\n  a:\n    image: rspamd/rspamd\n    ports: ['11333:11333', '11334:11334']\n"}, gate.ExitFail,
			[]string{"MXS1208 high compose.yml:4 Rspamd scan worker published on all addresses", "MXS1209 high compose.yml:4 Rspamd controller published on all addresses"}},
		{"an image of a whole mail server that is not known", map[string]string{"compose.yml": "services:\n  mailserver:\n    image: example/mailserver\n    ports: ['25:25', '10031:10031', '10083:10083']\n"}, gate.ExitPass,
			[]string{"MXS1902 low compose.yml:4 Port for internal mail traffic published on all addresses, service unknown", "MXS1902 low compose.yml:4 Port for internal mail traffic published on all addresses, service unknown"}},
		{"an image of a stack of the table of ports", map[string]string{"compose.yml": "services:\n  mx:\n    image: mailserver/docker-mailserver:15\n    ports: ['25:25', '10024:10024', '10031:10031']\n"}, gate.ExitFail,
			[]string{"MXS1001 high compose.yml:4 Content-filter port published on all addresses", "MXS1902 low compose.yml:4 Port for internal mail traffic published on all addresses, service unknown"}},
		{"a proxy on the interface of loopback", map[string]string{"haproxy.cfg": "listen a\n mode tcp\n bind :2143 interface lo\n server a 192.0.2.1:143\n"}, gate.ExitPass, nil},
		{"the same on another interface", map[string]string{"haproxy.cfg": "listen a\n mode tcp\n bind :2143 interface eth0\n server a 192.0.2.1:143\n"}, gate.ExitFail,
			[]string{"MXS1101 high haproxy.cfg:3 IMAP back end bound to all addresses"}},
		{"a socket unit on the interface of loopback", map[string]string{"x.socket": "[Socket]\nListenStream=10025\nBindToDevice=lo\n"}, gate.ExitPass, nil},
		{"a milter", map[string]string{"opendkim.conf": "Socket inet:8891\n"}, gate.ExitFail,
			[]string{"MXS1204 high opendkim.conf:1 DKIM signing milter bound to all addresses"}},
		{"a milter on a local socket", map[string]string{"opendkim.conf": "Socket local:/run/opendkim.sock\n"}, gate.ExitPass, nil},
		{"clamd", map[string]string{"clamd.conf": "TCPSocket 3310\n"}, gate.ExitFail,
			[]string{"MXS1205 high clamd.conf:1 Virus scanner daemon bound to all addresses"}},
		{"a daemon in a container", map[string]string{"compose.yml": stack, "dovecot/dovecot.conf": lmtp}, gate.ExitPass, nil},
		{"the same, with its port published", map[string]string{"compose.yml": strings.Replace(stack, "143:143", "24:24", 1), "dovecot/dovecot.conf": lmtp}, gate.ExitFail,
			[]string{"MXS1105 high compose.yml:6 LMTP delivery port published on all addresses"}},
		{"what a Dockerfile starts", map[string]string{"Dockerfile": postgrey}, gate.ExitPass, nil},
		{"the same, with its port published", map[string]string{"img/Dockerfile": postgrey, "compose.yml": "services:\n  a:\n    build: img\n    ports: ['10023:10023', '127.0.0.1:25:10023']\n"}, gate.ExitPass,
			[]string{"MXS1201 medium compose.yml:4 Policy daemon published on all addresses"}},
		{"the same in the network of the host", map[string]string{"img/Dockerfile": postgrey, "compose.yml": "services:\n  a:\n    build: img\n    network_mode: host\n"}, gate.ExitIncomplete,
			[]string{"MXS1201 medium img/Dockerfile:2 Policy daemon bound to all addresses"}},
		{"the command of a service, which others reach on another port", map[string]string{"compose.yml": "services:\n  a:\n    image: x\n    command: postgrey --inet=0.0.0.0:10023\n    ports: ['1:10023']\n"}, gate.ExitPass,
			[]string{"MXS1201 medium compose.yml:5 Policy daemon published on all addresses"}},
		{"an option that is not in the files", map[string]string{"compose.yml": "services:\n  a:\n    image: x\n    command: sh -c 'postgrey $$X'\n"}, gate.ExitPass, nil},
		{"a file that an image has", map[string]string{"img/Dockerfile": "FROM x\nCOPY conf/ /etc/dovecot/\n", "img/conf/dovecot.conf": lmtp, "compose.yml": "services:\n  a:\n    build: img\n    ports: ['2024:24']\n"}, gate.ExitFail,
			[]string{"MXS1105 high compose.yml:4 LMTP delivery port published on all addresses"}},
		{"a file that only another stage has", map[string]string{"Dockerfile": "FROM x AS y\nCOPY conf/ /etc/clamav/\nFROM z\n", "conf/clamd.conf": "TCPSocket 3310\n"}, gate.ExitFail,
			[]string{"MXS1205 high conf/clamd.conf:1 Virus scanner daemon bound to all addresses"}},
		{"a Service of Kubernetes and the command of its pods", map[string]string{"k8s.yml": "apiVersion: v1\nkind: Service\nmetadata: {name: mx}\nspec:\n  selector: {app: a}\n  externalIPs: [192.0.2.5]\n  ports:\n    - {port: 1, targetPort: 10023}\n---\napiVersion: apps/v1\nkind: Deployment\nmetadata: {name: x}\nspec:\n  template:\n    metadata: {labels: {app: a, b: c}}\n    spec:\n      containers:\n        - {name: p, image: x, command: [postgrey], args: ['--inet=$(A):10023'], env: [{name: A, value: 0.0.0.0}]}\n"}, gate.ExitPass,
			[]string{"MXS1201 medium k8s.yml:8 Policy daemon bound to 192.0.2.5"}},
		{"a load balancer of Kubernetes", map[string]string{"k8s.yml": "apiVersion: v1\nkind: Service\nmetadata: {name: amavis}\nspec:\n  type: LoadBalancer\n  allocateLoadBalancerNodePorts: false\n  ports:\n    - {port: 10024, targetPort: 10024}\n"}, gate.ExitFail,
			[]string{"MXS1001 high k8s.yml:8 Content-filter port open outside of the cluster"}},
		{"a proxy for mail, and one for a database", map[string]string{"haproxy.cfg": "listen a\n mode tcp\n bind :2143\n server a 192.0.2.1:143\nlisten b\n mode tcp\n bind :15432\n server b 192.0.2.1:5432\n"}, gate.ExitFail,
			[]string{"MXS1101 high haproxy.cfg:3 IMAP back end bound to all addresses"}},
		{"a proxy whose files are one configuration", map[string]string{"haproxy/haproxy.cfg": "defaults\n mode tcp\n", "haproxy/conf.d/a.cfg": "frontend f\n bind :10143\n default_backend b\n", "haproxy/conf.d/b.cfg": "backend b\n server s 127.0.0.1:143\n"}, gate.ExitFail,
			[]string{"MXS1101 high haproxy/conf.d/a.cfg:2 IMAP back end bound to all addresses"}},
		{"the end of rspamd.conf alone", map[string]string{"rspamd/rspamd.conf.override": "worker \"controller\" { bind_socket = \"*:11334\"; }\n"}, gate.ExitFail,
			[]string{"MXS1209 high rspamd/rspamd.conf.override:1 Rspamd controller bound to all addresses"}},
		{"a web server", map[string]string{"nginx.conf": "http { server { listen 80; listen 8080; location / { proxy_pass http://127.0.0.1:3000; } } }\n", "haproxy.cfg": "frontend web\n mode http\n bind :443\n bind :8443\n"}, gate.ExitPass, nil},
		{"nothing of a known kind", map[string]string{"README": "hello\n"}, gate.ExitIncomplete, nil},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, c := audit(t, tt.files)
			if got := shown(c); !slices.Equal(got, tt.want) || c.Decision.Code != tt.code {
				t.Errorf("code %d, findings\n\t%s\nwant code %d\n\t%s\nnotices %v", c.Decision.Code, strings.Join(got, "\n\t"), tt.code, strings.Join(tt.want, "\n\t"), c.Decision.Notices)
			}
			for i := range c.Findings {
				for _, text := range append(c.Findings[i].Evidence, c.Findings[i].Title) {
					if strings.Contains(text, "exposed") || strings.Contains(text, "reachable") {
						t.Errorf("a file does not show that: %q", text)
					}
				}
			}
		})
	}
}

// An id consists of rule, file and listener: neither lines before it nor the address of
// the machine change it.
func TestIDsStayWhenLinesMove(t *testing.T) {
	t.Parallel()
	_, before := audit(t, map[string]string{"master.cf": fmt.Sprintf(reinjection, "10025"), "main.cf": ""})
	_, after := audit(t, map[string]string{"master.cf": "# Moved.\nsmtp inet n - y - - smtpd\n" + fmt.Sprintf(reinjection, "10025"), "main.cf": "inet_interfaces = all\n"})
	if len(before.Findings) != 1 || len(after.Findings) != 1 || before.Findings[0].ID != after.Findings[0].ID || before.Findings[0].Anchor.Line == after.Findings[0].Anchor.Line {
		t.Errorf("before %+v\nafter %+v", before.Findings, after.Findings)
	}
	_, other := audit(t, map[string]string{"b/master.cf": fmt.Sprintf(reinjection, "10025"), "b/main.cf": ""})
	if other.Findings[0].ID == before.Findings[0].ID {
		t.Error("another file has the same id")
	}
}

// Another address for an entry of a file, or another port of a range, makes no other findings of
// those that are there.
func TestIDsStayWhenAddressesCome(t *testing.T) {
	t.Parallel()
	const proxy = "defaults\n mode tcp\nlisten a\n%s server b 127.0.0.1:10025\n"
	for _, tt := range []struct {
		name          string
		before, after map[string]string
		findings      int // after the change
	}{
		{"inet_interfaces", map[string]string{"main.cf": "inet_interfaces = 192.0.2.1\n", "master.cf": fmt.Sprintf(reinjection, "10025")},
			map[string]string{"main.cf": "inet_interfaces = 192.0.2.7, 192.0.2.1, 192.0.2.2\n", "master.cf": fmt.Sprintf(reinjection, "10025")}, 1},
		{"inet_interfaces, from all", map[string]string{"main.cf": "inet_interfaces = all\n", "master.cf": fmt.Sprintf(reinjection, "10025")},
			map[string]string{"main.cf": "inet_interfaces = 192.0.2.1, 127.0.0.1, 192.0.2.2\n", "master.cf": fmt.Sprintf(reinjection, "10025")}, 1},
		{"address of Dovecot", map[string]string{"dovecot.conf": fmt.Sprintf(listener, "address = 192.0.2.1")}, map[string]string{"dovecot.conf": fmt.Sprintf(listener, "address = 192.0.2.7, 192.0.2.1")}, 1},
		{"listen of Dovecot", map[string]string{"dovecot.conf": "listen = *, ::\n" + fmt.Sprintf(listener, "")}, map[string]string{"dovecot.conf": "listen = *, 2001:db8::1\n" + fmt.Sprintf(listener, "")}, 1},
		{"bind of HAProxy", map[string]string{"haproxy.cfg": fmt.Sprintf(proxy, " bind 192.0.2.1:10024-10025\n")}, map[string]string{"haproxy.cfg": fmt.Sprintf(proxy, " bind 192.0.2.7:10025,192.0.2.1:10023-10026\n")}, 5},
		{"listen of nginx", map[string]string{"nginx.conf": "events {}\nstream { server { listen 192.0.2.1:10025; proxy_pass 127.0.0.1:1; } }\n"},
			map[string]string{"nginx.conf": "events {}\nstream { server { listen 192.0.2.7:10025; listen 192.0.2.1:10024-10025; proxy_pass 127.0.0.1:1; } }\n"}, 3},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, before := audit(t, tt.before)
			_, after := audit(t, tt.after)
			ids := map[string]bool{}
			for i := range after.Findings {
				f := &after.Findings[i]
				if ids[f.ID] {
					t.Errorf("%s %s: its id is that of another finding", f.Rule.ID, f.Place())
				}
				ids[f.ID] = true
			}
			for i := range before.Findings {
				if f := &before.Findings[i]; !ids[f.ID] {
					t.Errorf("%s %s has another id", f.Rule.ID, f.Place())
				}
			}
			if len(before.Findings) == 0 || len(after.Findings) != tt.findings {
				t.Errorf("%v, then %v", shown(before), shown(after))
			}
		})
	}
}

// listener is a file of Dovecot with an internal listener.
const listener = "protocols = lmtp\nservice lmtp {\n  inet_listener lmtp {\n    port = 24\n    %s\n  }\n}\n"

// Every kind of file has a fix, or is known to have none.
func TestEditsOfEachKind(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ name, file, text, want string }{
		{"Postfix", "master.cf", "# ä\n10025\tinet\tn\t-\ty\t-\t-\tsmtpd\n  -o content_filter=\n  -o smtpd_authorized_xforward_hosts=127.0.0.0/8\n", "127.0.0.1:10025\tinet\tn\t-\ty\t-\t-\tsmtpd"},
		{"Compose", "compose.yml", "services:\n  postfix: # ä𝄞\n    ports:\n      - \"10025:10025\" # ä𝄞\n", "      - \"127.0.0.1:10025:10025\" # ä𝄞"},
		{"Compose, a list in brackets", "compose.yml", "services:\n  postfix:\n    ports: ['25:25', \"10025:10025/tcp\", 587:587] # [x]\n", "    ports: ['25:25', \"127.0.0.1:10025:10025/tcp\", 587:587] # [x]"},
		{"Compose, long syntax", "compose.yml", "services:\n  postfix:\n    ports:\n      - target: 10025\n        published: \"10025\"\n      - target: 25\n        published: 25\n", "        published: \"10025\"\n        host_ip: 127.0.0.1"},
		{"Compose, long syntax with an address", "compose.yml", "services:\n  postfix:\n    ports:\n      - published: 10025\n        target: 10025\n        host_ip: 0.0.0.0\n      - target: 25\n        published: 25\n", "        host_ip: 127.0.0.1"},
		{"Compose, a mapping", "compose.yml", "services:\n  postfix:\n    ports: [{target: 10025, published: \"10025\"}, {target: 25, published: 25}]\n", "    ports: [{target: 10025, published: \"10025\", host_ip: 127.0.0.1}, {target: 25, published: 25}]"},
		{"Compose, IPv6", "compose.yml", "services:\n  postfix:\n    ports:\n      - \"[::]:10025:10025\"\n", "      - \"[::1]:10025:10025\""},
		{"Dovecot with CRLF", "dovecot.conf", "protocols = lmtp\r\nservice lmtp {\r\n  inet_listener lmtp {\r\n    port = 24\r\n  }\r\n}\r\n", "    port = 24\r\n    address = 127.0.0.1"},
		{"Rspamd", "rspamd/local.d/worker-proxy.inc", "bind_socket = \"*:11332\"; # ä\nmilter = yes;\n", "bind_socket = \"localhost:11332\"; # ä"},
		{"OpenDKIM", "opendkim.conf", "Syslog yes\r\nSocket\tinet:8891@0.0.0.0\r\n", "Socket\tinet:8891@127.0.0.1"},
		{"OpenDMARC", "opendmarc.conf", "Socket inet:8893\n", "Socket inet:8893@127.0.0.1"},
		{"clamd", "clamd.conf", "TCPSocket 3310\nLogTime yes\n", "LogTime yes\nTCPAddr 127.0.0.1"},
		{"clamd, without the end of the line", "clamd.conf", "TCPSocket 3310", "TCPSocket 3310\nTCPAddr 127.0.0.1"},
		{"DKIMproxy", "dkimproxy_out.conf", "listen 0.0.0.0:10027\nrelay 127.0.0.1:10028\n", "listen 127.0.0.1:10027"},
		{"HAProxy", "haproxy.cfg", "listen a\n    mode tcp\n    bind *:10143 accept-proxy # ä\n    server b 127.0.0.1:143\n", "    bind 127.0.0.1:10143 accept-proxy # ä"},
		{"nginx", "nginx.conf", "mail {\n  auth_http 127.0.0.1:1;\n  server {\n    protocol imap;\n    listen 10143; # ä\n  }\n}\n", "    listen 127.0.0.1:10143; # ä"},
		{"Dovecot", "dovecot.conf", "protocols = lmtp\nservice lmtp {\n  inet_listener lmtp {\n    port = 24\n  }\n}\n", "    port = 24\n    address = 127.0.0.1"},
		{"Dovecot, an address", "dovecot.conf", "protocols = lmtp\nservice lmtp {\n  inet_listener lmtp {\n    address = *\n    port = 24\n  }\n}\n", "    address = 127.0.0.1"},
		{"options of Postgrey", "etc/default/postgrey", "# ä\nPOSTGREY_OPTS=\"--inet=0.0.0.0:10023 --delay=60\"\n", "POSTGREY_OPTS=\"--inet=127.0.0.1:10023 --delay=60\""},
		{"amavisd", "amavisd.conf", "use strict;\n$inet_socket_port = 10024;\n$inet_socket_bind = undef;\n1;\n", "$inet_socket_bind = '127.0.0.1';"},
		{"policyd-weight", "policyd-weight.conf", "$BIND_ADDRESS = 'all';\n$TCP_PORT = 12525;\n", "$BIND_ADDRESS = '127.0.0.1';"},
		{"Dovecot 2.4", "dovecot.conf", "dovecot_config_version = 2.4.0\ndovecot_storage_version = 2.4.0\nprotocols {\n  lmtp = yes\n}\nservice lmtp {\n  inet_listener lmtp {\n    port = 24\n  }\n}\n", "    port = 24\n    listen = 127.0.0.1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{tt.file: tt.text, "postfix/main.cf": "", "main.cf": ""}
			_, before := audit(t, files, tt.file)
			if len(before.Findings) != 1 || before.Findings[0].Listener.Edit == nil {
				t.Fatalf("findings %v, notices %v", shown(before), before.Decision.Notices)
			}
			e := before.Findings[0].Listener.Edit
			if e.Lines != tt.want {
				t.Errorf("lines %q, want %q", e.Lines, tt.want)
			}
			files[tt.file] = apply(t, tt.text, e)
			_, after := audit(t, files, tt.file)
			if len(after.Findings) > 0 || len(after.Open) != len(before.Open)-1 || after.Decision.Code != gate.ExitPass {
				t.Errorf("after the edit\n%s\nfindings %v, open %v, notices %v", files[tt.file], shown(after), after.Open, after.Decision.Notices)
			}
		})
	}
}

// apply makes an edit as a consumer of SARIF does: by lines and UTF-16 columns.
func apply(t *testing.T, text string, e *result.Replacement) string {
	t.Helper()
	start, end := offset(t, text, e.StartLine, e.StartColumn), offset(t, text, e.EndLine, e.EndColumn)
	if text[start:end] != e.Old {
		t.Fatalf("the region has %q, not %q", text[start:end], e.Old)
	}
	return text[:start] + e.Text + text[end:]
}

// offset returns the offset of a line and a column of UTF-16 code units.
func offset(t *testing.T, text string, line, column int) int {
	t.Helper()
	at := 0
	for range line - 1 {
		i := strings.IndexByte(text[at:], '\n')
		if i < 0 {
			t.Fatalf("no line %d in %q", line, text)
		}
		at += i + 1
	}
	units := 1
	for i, c := range text[at:] {
		if units >= column {
			return at + i
		}
		units++
		if c > 0xffff {
			units++
		}
	}
	return len(text)
}

// What is not decided is a notice with the place, not a finding, and not clean.
func TestUndecided(t *testing.T) {
	t.Parallel()
	_, c := audit(t, map[string]string{"compose.yml": "services:\n  postfix:\n    ports:\n      - \"${BIND}:10025:10025\"\n"})
	i := slices.IndexFunc(c.Decision.Notices, func(n result.Notice) bool { return n.Code == exposure.NoticeUndecided })
	if i < 0 || len(c.Findings) > 0 || c.Decision.Code != gate.ExitIncomplete || !c.Summary.Incomplete {
		t.Fatalf("findings %v, notices %v, code %d", shown(c), c.Decision.Notices, c.Decision.Code)
	}
	_, unknown := audit(t, map[string]string{"README": "x\n"}, "README")
	if !slices.ContainsFunc(unknown.Decision.Notices, func(n result.Notice) bool {
		return strings.HasPrefix(n.Message, "The files do not decide it: it is of no known kind of configuration file.")
	}) {
		t.Errorf("a file of no known kind: %v", unknown.Decision.Notices)
	}
	if n := c.Decision.Notices[i]; n.Anchor == nil || n.Anchor.Line != 4 || n.Target != "compose.yml" || n.Level != result.LevelError {
		t.Errorf("notice %+v", n)
	}
}

// A public port that takes a PROXY header is not bound to loopback, where its load balancer
// could not reach it; another port is.
func TestProxyPortStays(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		file, text string
		edit       bool
		fix        string
	}{
		{"haproxy.cfg", "listen a\n  mode tcp\n  bind :25 accept-proxy\n  server b 127.0.0.1:10025\n", false, "haproxy.cfg: in the frontend that binds port 25 with `accept-proxy`, add"},
		{"haproxy.cfg", "listen a\n  mode tcp\n  bind :10143 accept-proxy\n  server b 127.0.0.1:143\n", true, "haproxy.cfg:3: change `:10143` to `127.0.0.1:10143`"},
		{"dovecot.conf", strings.Replace(haproxy, "10143", "143", 1), false, "dovecot.conf: set `haproxy_trusted_networks` to the address of the load balancer only"},
		{"nginx.conf", "events {}\nmail {\n auth_http 127.0.0.1:1;\n server {\n  listen 993 proxy_protocol;\n  protocol imap;\n }\n}\n", false, "nginx.conf: in the `listen` directive of port 993"},
		{"postfix/master.cf", "25 inet n - y - 1 postscreen\n  -o postscreen_upstream_proxy_protocol=haproxy\n", false, "postfix/master.cf: "},
	} {
		_, c := audit(t, map[string]string{tt.file: tt.text, "postfix/main.cf": level})
		i := slices.IndexFunc(c.Findings, func(f exposure.Violation) bool { return f.Rule.ID == "MXS1007" })
		if i < 0 {
			t.Errorf("%s: findings %v", tt.text, shown(c))
			continue
		}
		f := &c.Findings[i]
		first, _, _ := strings.Cut(f.Remediation, "\n")
		if (f.Listener.Edit != nil) != tt.edit || !strings.HasPrefix(first, tt.fix) || !tt.edit && strings.Contains(f.Remediation, "127.0.0.1") {
			t.Errorf("%s: edit %+v\n%s", tt.text, f.Listener.Edit, f.Remediation)
		}
	}
}
