package configured_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure/gate"
)

// A mail server in a container with its files, published on all addresses.
const (
	published = "services:\n  mx:\n    image: example/postfix\n    volumes: ['./postfix:/etc/postfix']\n    ports:\n      - \"25:25\"\n"
	smtp      = "smtp inet n - y - - smtpd\n"
	level     = "compatibility_level = 3.6\n"
)

// mx returns the files of a mail server with a main.cf, and a compose file.
func mx(main, compose string) map[string]string {
	return map[string]string{"compose.yml": compose, "postfix/master.cf": smtp, "postfix/main.cf": level + main}
}

// controller is a controller of Rspamd that listens on all addresses.
func controller(text string) map[string]string {
	return map[string]string{"local.d/worker-controller.inc": "bind_socket = \"*:11334\";\n" + text}
}

// subnet returns the compose file with a network.
func subnet(network string) string {
	return published + "    networks: [mail]\nnetworks:\n  mail:\n" + network
}

// pod returns a Service that leads to the target port of a pod with a variable.
func pod(target, env string) map[string]string {
	return map[string]string{"k.yml": "apiVersion: v1\nkind: Service\nspec: {type: LoadBalancer, allocateLoadBalancerNodePorts: false, selector: {app: mx}, ports: [{port: 587, targetPort: " + target + "}]}\n---\n" +
		"apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: mx}\nspec:\n  template:\n    metadata: {labels: {app: mx}}\n    spec: {containers: [{name: a,\n      image: boky/postfix,\n      ports: [{name: smtp, containerPort: 587}],\n      env: [" + strings.TrimPrefix(env, "- ") + "]}]}\n"}
}

// ufw has a rule of ufw that drops ports 8140 and 8141.
const ufw = "*filter\n### tuple ### deny tcp 8140,8141 0.0.0.0/0 any 0.0.0.0/0 in\n-A ufw-user-input -p tcp -m multiport --dports 8140:8141 -j DROP\nCOMMIT\n"

const relay = "MXS1502 critical postfix/main.cf:2 Relaying allowed for strangers behind address translation"

func TestSettings(t *testing.T) {
	t.Parallel()
	const v6 = "    enable_ipv6: true\n    ipam: {config: [{subnet: 172.22.1.0/24}, {subnet: 'fd00:1::/64'}]}\n"
	env := func(image, environment string) map[string]string {
		return map[string]string{"compose.yml": "services:\n  mx:\n    image: " + image + "\n    ports: ['25:25']\n    environment:\n      " + environment + "\n"}
	}
	for _, tt := range []struct {
		name  string
		files map[string]string
		code  gate.ExitCode
		want  []string
	}{
		// Who may relay.
		{"the pool of Docker", mx("mynetworks = 127.0.0.0/8 172.16.0.0/12\n", published), gate.ExitFail, []string{relay}},
		{"the subnet of the network", mx("mynetworks = 127.0.0.0/8, 172.22.1.0/24\n", subnet("    ipam: {config: [{subnet: 172.22.1.0/24}]}\n")), gate.ExitFail, []string{relay}},
		{"its gateway alone", mx("mynetworks = 172.22.1.254\n", subnet("    ipam: {config: [{subnet: 172.22.1.0/24, gateway: 172.22.1.254}]}\n")), gate.ExitFail, []string{relay}},
		{"another subnet", mx("mynetworks = 172.23.0.0/16\n", subnet("    ipam: {config: [{subnet: 172.22.1.0/24}]}\n")), gate.ExitPass, nil},
		{"its gateway is excluded", mx("mynetworks = !172.22.1.1 172.22.1.0/24\n", subnet("    ipam: {config: [{subnet: 172.22.1.0/24}]}\n")), gate.ExitPass, nil},
		{"part of the pool", mx("mynetworks = 172.20.0.0/16\n", published), gate.ExitIncomplete, nil},
		{"the network has IPv6", mx("mynetworks = 172.16.0.0/12\n", subnet(v6)), gate.ExitPass, nil},
		{"an external network", mx("mynetworks = 172.16.0.0/12\n", subnet("    external: true\n")), gate.ExitIncomplete, nil},
		{"an external network, and nobody else may relay", mx("mynetworks = 127.0.0.0/8\n", subnet("    external: true\n")), gate.ExitPass, nil},
		{"published for IPv4 alone", mx("mynetworks = 172.16.0.0/12\n", strings.Replace(published, "25:25", "0.0.0.0:25:25", 1)), gate.ExitPass, nil},
		{"published on an IPv6 address", mx("mynetworks = 172.16.0.0/12\n", strings.Replace(published, "25:25", "[2001:db8::1]:25:25", 1)), gate.ExitFail, []string{relay}},
		{"published on loopback", mx("mynetworks = 172.16.0.0/12\n", strings.Replace(published, "25:25", "127.0.0.1:25:25", 1)), gate.ExitPass, nil},
		{"not published", mx("mynetworks = 172.16.0.0/12\n", strings.Replace(published, "    ports:\n      - \"25:25\"\n", "", 1)), gate.ExitPass, nil},
		{"the network of containers, on the host", map[string]string{"master.cf": smtp, "main.cf": level + "mynetworks = 172.16.0.0/12\n"}, gate.ExitPass, nil},
		{"only those who log in", mx("mynetworks = 172.16.0.0/12\nsmtpd_relay_restrictions = permit_sasl_authenticated, reject\n", published), gate.ExitPass, nil},
		{"all others are rejected first", mx("mynetworks = 172.16.0.0/12\nsmtpd_client_restrictions = permit_sasl_authenticated, reject\n", published), gate.ExitPass, nil},
		{"who is in a table", mx("mynetworks = hash:/etc/postfix/networks\n", published), gate.ExitIncomplete, nil},
		{"by an option of the service", map[string]string{"compose.yml": published, "postfix/main.cf": level, "postfix/master.cf": "smtp inet n - y - - smtpd\n  -o mynetworks=172.16.0.0/12\n"}, gate.ExitFail,
			[]string{strings.Replace(relay, "main.cf", "master.cf", 1)}},
		{"by the style", mx("mynetworks_style = subnet\n", published), gate.ExitFail, []string{relay}},
		{"by the default style", mx("", published), gate.ExitPass, nil},
		{"everybody", map[string]string{"master.cf": smtp, "main.cf": level + "mynetworks = 127.0.0.0/8 0.0.0.0/0\n"}, gate.ExitFail,
			[]string{"MXS1501 critical main.cf:2 Relaying allowed for all addresses"}},
		{"everybody, on loopback", map[string]string{"master.cf": "127.0.0.1:smtp inet n - y - - smtpd\n", "main.cf": level + "mynetworks = 0.0.0.0/0\n"}, gate.ExitPass, nil},
		{"everybody of IPv6", map[string]string{"master.cf": smtp, "main.cf": level + "mynetworks = [::]/0\n"}, gate.ExitFail,
			[]string{"MXS1501 critical main.cf:2 Relaying allowed for all addresses"}},
		{"everybody, and nobody may relay", map[string]string{"master.cf": smtp, "main.cf": "mynetworks = 0.0.0.0/0\nsmtpd_relay_restrictions = reject_unauth_destination\n"}, gate.ExitPass, nil},
		{"everybody, and all are rejected", map[string]string{"master.cf": smtp, "main.cf": level + "mynetworks = 0.0.0.0/0\nsmtpd_client_restrictions = reject\n"}, gate.ExitPass, nil},
		{"everybody, and nobody may relay, published", mx("mynetworks = 0.0.0.0/0\nsmtpd_relay_restrictions = reject_unauth_destination\n", published), gate.ExitPass, nil},
		{"everybody, published", mx("mynetworks = 0.0.0.0/0\n", published), gate.ExitFail, []string{"MXS1501 critical postfix/main.cf:2 Relaying allowed for all addresses"}},
		{"link-local addresses", map[string]string{"master.cf": smtp, "main.cf": level + "mynetworks = 127.0.0.0/8 [::1]/128 [fe80::]/10\n"}, gate.ExitPass, nil},

		// The same by the environment of an image.
		{"PERMIT_DOCKER", env("mailserver/docker-mailserver", "PERMIT_DOCKER: network"), gate.ExitFail, []string{strings.Replace(relay, "postfix/main.cf:2", "compose.yml:6", 1)}},
		{"PERMIT_DOCKER for the own network", env("mailserver/docker-mailserver", "PERMIT_DOCKER: connected-networks"), gate.ExitFail, []string{strings.Replace(relay, "postfix/main.cf:2", "compose.yml:6", 1)}},
		{"PERMIT_DOCKER for nobody", env("mailserver/docker-mailserver", "PERMIT_DOCKER: none"), gate.ExitPass, nil},
		{"PERMIT_DOCKER by a variable", env("mailserver/docker-mailserver", "PERMIT_DOCKER: ${P}"), gate.ExitIncomplete, nil},

		{"Mailu, published without an address", map[string]string{"compose.yml": "services:\n  front:\n    image: ${ORG:-ghcr.io/mailu}/nginx:master\n    ports: ['25:25']\n    env_file: mailu.env\nnetworks:\n  default:\n    ipam: {config: [{subnet: 192.168.203.0/24}]}\n", "mailu.env": "SUBNET=192.168.203.0/24\n"}, gate.ExitFail,
			[]string{strings.Replace(relay, "postfix/main.cf:2", "compose.yml:3", 1)}},
		{"Mailu, published on an address of IPv4", map[string]string{"compose.yml": "services:\n  front:\n    image: ${ORG:-ghcr.io/mailu}/nginx:master\n    ports: ['192.0.2.1:25:25']\n    env_file: mailu.env\n", "mailu.env": "SUBNET=192.168.203.0/24\n"}, gate.ExitPass, nil},
		{"a pod whose image trusts private ranges", pod("smtp", "- {name: X, value: y}"), gate.ExitFail, []string{strings.Replace(relay, "postfix/main.cf:2", "k.yml:12", 1)}},
		{"a pod whose environment trusts nobody else", pod("smtp", "- {name: MYNETWORKS, value: 127.0.0.0/8}"), gate.ExitPass, nil},
		{"a pod whose environment is elsewhere", pod("587", "- {name: MYNETWORKS, valueFrom: {secretKeyRef: {name: a, key: b}}}"), gate.ExitIncomplete, nil},
		{"a pod whose environment is a ConfigMap", pod("587", "], envFrom: [{configMapRef: {name: a}}"), gate.ExitIncomplete, nil},

		// Rules of packet filters.
		{"a rule of ufw that a published port bypasses", map[string]string{"compose.yml": "services:\n  mx:\n    image: example/app\n    ports: ['8140:143', '127.0.0.1:8141:143']\n", "etc/ufw/user.rules": ufw}, gate.ExitPass,
			[]string{"MXS1508 medium etc/ufw/user.rules:3 Firewall rule that a published port bypasses"}},
		{"the same with a rule that holds", map[string]string{"compose.yml": "services:\n  mx:\n    image: example/app\n    ports: ['8140:143']\n", "etc/ufw/user.rules": ufw,
			"nftables.conf": "table ip filter {\n chain DOCKER-USER {\n  type filter hook forward priority -1;\n  tcp dport 143 drop\n }\n}\n"}, gate.ExitPass, nil},
		{"a rule for a port of the host", map[string]string{"main.cf": "", "master.cf": "127.0.0.1:8140 inet n - y - - smtpd\n8141 inet n - y - - spawn argv=/x\n", "etc/ufw/user.rules": ufw}, gate.ExitPass, nil},

		// Who needs no password.
		{"a private range", controller("secure_ip = \"192.168.0.0/16\";\n"), gate.ExitFail, []string{
			"MXS1209 high local.d/worker-controller.inc:1 Rspamd controller bound to all addresses",
			"MXS1504 medium local.d/worker-controller.inc:2 Rspamd controller needs no password from a whole private range"}},
		{"everybody needs none", controller("secure_ip = \"0.0.0.0/0\";\n"), gate.ExitFail, []string{
			"MXS1209 high local.d/worker-controller.inc:1 Rspamd controller bound to all addresses",
			"MXS1503 critical local.d/worker-controller.inc:2 Rspamd controller needs no password from strangers"}},
		{"single hosts", controller("secure_ip = \"192.0.2.1\"; secure_ip = \"::1\";\n"), gate.ExitFail, []string{
			"MXS1209 high local.d/worker-controller.inc:1 Rspamd controller bound to all addresses"}},
		{"a private range, on loopback", map[string]string{"local.d/worker-controller.inc": "secure_ip = \"10.0.0.0/8\";\n"}, gate.ExitPass, nil},
		{"the password of the documentation, which is refused", controller("password = \"q1\";\n"), gate.ExitFail, []string{
			"MXS1209 high local.d/worker-controller.inc:1 Rspamd controller bound to all addresses"}},
		{"no password", map[string]string{"rspamd.conf": "worker \"controller\" { bind_socket = \"*:11334\"; }\n"}, gate.ExitFail, []string{
			"MXS1209 high rspamd.conf:1 Rspamd controller bound to all addresses",
			"MXS1507 critical rspamd.conf:1 Rspamd controller has no password"}},

		// Whose PROXY header counts.
		{"Dovecot trusts everybody", map[string]string{"dovecot.conf": haproxy + "haproxy_trusted_networks = 0.0.0.0/0 ::/0\n"}, gate.ExitFail, []string{
			"MXS1007 medium dovecot.conf:4 PROXY protocol listener bound to all addresses",
			"MXS1505 high dovecot.conf:8 PROXY header taken from all addresses"}},
		{"Dovecot trusts a private range", map[string]string{"dovecot.conf": haproxy + "haproxy_trusted_networks = 10.0.0.0/8\n"}, gate.ExitPass, []string{
			"MXS1007 medium dovecot.conf:4 PROXY protocol listener bound to all addresses",
			"MXS1506 low dovecot.conf:8 PROXY header taken from a whole private range"}},
		{"Dovecot trusts a host", map[string]string{"dovecot.conf": haproxy + "haproxy_trusted_networks = 10.0.0.5\n"}, gate.ExitPass, []string{
			"MXS1007 medium dovecot.conf:4 PROXY protocol listener bound to all addresses"}},
		{"HAProxy expects one from everybody", map[string]string{"haproxy.cfg": "listen a\n mode tcp\n bind :143\n tcp-request connection expect-proxy layer4\n server a 192.0.2.1:143\n"}, gate.ExitFail, []string{
			"MXS1505 high haproxy.cfg:4 PROXY header taken from all addresses"}},
		{"HAProxy expects one from a host", map[string]string{"haproxy.cfg": "listen a\n mode tcp\n bind :143\n acl lb src 192.0.2.7\n tcp-request connection expect-proxy layer4 if lb\n server a 192.0.2.1:143\n"}, gate.ExitPass, nil},
		{"HAProxy expects one from a file", map[string]string{"haproxy.cfg": "listen a\n mode tcp\n bind :143\n tcp-request connection expect-proxy layer4 if { src -f /etc/lbs }\n server a 192.0.2.1:143\n"}, gate.ExitIncomplete, nil},
		{"Exim trusts everybody", map[string]string{"exim.conf": "primary_hostname = mx.example\ndaemon_smtp_ports = 25\nhosts_proxy = 192.0.2.7 : *\nbegin acl\n"}, gate.ExitFail, []string{
			"MXS1505 high exim.conf:3 PROXY header taken from all addresses"}},
		{"Exim trusts a private range", map[string]string{"exim.conf": "primary_hostname = mx.example\ndaemon_smtp_ports = 25\nhosts_proxy = <; 10.0.0.0/8 ; fd00::/8\nbegin acl\n"}, gate.ExitPass, []string{
			"MXS1506 low exim.conf:3 PROXY header taken from a whole private range"}},
		{"Exim trusts hosts", map[string]string{"exim.conf": "primary_hostname = mx.example\ndaemon_smtp_ports = 25\nhosts_proxy = 192.0.2.7 : 2001::db8::::7\nbegin acl\n"}, gate.ExitPass, nil},
		{"Exim trusts a list with a name", map[string]string{"exim.conf": "primary_hostname = mx.example\ndaemon_smtp_ports = 25\nhosts_proxy = +balancers\nbegin acl\n"}, gate.ExitIncomplete, nil},
		{"nginx trusts everybody", map[string]string{"nginx.conf": "events {}\nmail {\n auth_http 127.0.0.1:1;\n server {\n  listen 143 proxy_protocol;\n  protocol imap;\n  set_real_ip_from 0.0.0.0/0;\n }\n}\n"}, gate.ExitFail, []string{
			"MXS1007 medium nginx.conf:5 PROXY protocol listener bound to all addresses",
			"MXS1505 high nginx.conf:7 PROXY header taken from all addresses"}},
		{"nginx of the web", map[string]string{"nginx.conf": "events {}\nhttp { server {\n  listen 80 proxy_protocol;\n  set_real_ip_from 0.0.0.0/0;\n } }\n"}, gate.ExitPass, []string{
			"MXS1007 medium nginx.conf:3 PROXY protocol listener bound to all addresses"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, c := audit(t, tt.files)
			if got := shown(c); !slices.Equal(got, tt.want) || c.Decision.Code != tt.code {
				t.Errorf("code %d, findings\n\t%s\nwant code %d\n\t%s\nnotices %v", c.Decision.Code, strings.Join(got, "\n\t"), tt.code, strings.Join(tt.want, "\n\t"), c.Decision.Notices)
			}
		})
	}
}

// haproxy is a Dovecot whose only listener expects the PROXY header.
const haproxy = "protocols = imap\nservice imap-login {\n  inet_listener imap {\n    port = 10143\n    haproxy = yes\n  }\n}\n"

// The finding is at the setting, and names the published port and the network.
func TestSettingEvidence(t *testing.T) {
	t.Parallel()
	_, c := audit(t, mx("mynetworks = 127.0.0.0/8 172.22.1.0/24\n", subnet("    ipam:\n      config:\n        - subnet: 172.22.1.0/24\n")))
	if len(c.Findings) != 1 {
		t.Fatalf("findings %v", shown(c))
	}
	f := &c.Findings[0]
	if f.Anchor.Text[f.Anchor.Column-1:f.Anchor.EndColumn-1] != "127.0.0.0/8 172.22.1.0/24" || f.Listener.Name != "mynetworks" || f.Confidence != 7 {
		t.Errorf("at %+v, listener %+v, confidence %d", f.Anchor, f.Listener, f.Confidence)
	}
	want := []string{
		"mynetworks has 172.22.1.0/24, and with it the address that address translation gives to clients",
		"port 25 of the container is published as port 25/tcp (compose.yml:6)",
		"the network of the container has no IPv6: docker-proxy passes connections over IPv6 on, with the address of the gateway of that network (compose.yml:9)",
		"the file configures Postfix smtpd (smtp), in the role mta",
	}
	if !slices.Equal(f.Evidence, want) {
		t.Errorf("evidence\n\t%s", strings.Join(f.Evidence, "\n\t"))
	}
	var causes []string
	for _, w := range f.Listener.Causes {
		causes = append(causes, fmt.Sprintf("%s:%d", w.Anchor.File, w.Anchor.Line))
	}
	if !slices.Equal(causes, []string{"compose.yml:6", "compose.yml:9"}) {
		t.Errorf("causes at %q", causes)
	}
}

// The advice names the place and the entry that must go, and only what its files can have.
func TestSettingAdvice(t *testing.T) {
	t.Parallel()
	const dms = "services:\n  mx:\n    image: mailserver/docker-mailserver\n    ports: ['2525:25']\n    environment:\n      PERMIT_DOCKER: %s\n"
	const keep = "Or keep the address of the client: set `enable_ipv6: true` and an IPv6 subnet for the network of the container, or publish the port for IPv4 alone, as `0.0.0.0:%d:25`\n"
	boky := func(environment string) map[string]string {
		return map[string]string{"compose.yml": "services:\n  mx:\n    image: boky/postfix\n    ports: ['587:587']\n" + environment}
	}
	for _, tt := range []struct {
		name  string
		files map[string]string
		rule  string
		want  string
	}{
		{"a list of main.cf", mx("mynetworks = 127.0.0.0/8 172.16.0.0/12\n", published), "MXS1502",
			"postfix/main.cf:2: remove `172.16.0.0/12` from `mynetworks`, and let the other containers log in\n" + fmt.Sprintf(keep, 25) + "Verify: mxsweep config postfix/main.cf compose.yml"},
		{"the style", mx("mynetworks_style = subnet\n", published), "MXS1502",
			"postfix/main.cf:2: set `mynetworks_style` to `host`, or set `mynetworks` in main.cf to the addresses that may relay, such as `127.0.0.0/8 [::1]/128`, and let the other containers log in\n" + fmt.Sprintf(keep, 25) + "Verify: mxsweep config postfix/main.cf compose.yml"},
		{"all addresses", map[string]string{"master.cf": smtp, "main.cf": level + "mynetworks = 127.0.0.0/8 0.0.0.0/0\n"}, "MXS1501",
			"main.cf:2: remove `0.0.0.0/0` from `mynetworks`, and let the clients that must relay log in\nVerify: mxsweep config main.cf master.cf"},
		{"a variable whose word stands for a network", map[string]string{"compose.yml": fmt.Sprintf(dms, "network")}, "MXS1502",
			"compose.yml:6: set `PERMIT_DOCKER` so that it does not stand for `172.16.0.0/12`, and let the other containers log in\n" + fmt.Sprintf(keep, 2525) + "Verify: mxsweep config compose.yml"},
		{"the same for the own network", map[string]string{"compose.yml": fmt.Sprintf(dms, "connected-networks")}, "MXS1502",
			"compose.yml:6: set `PERMIT_DOCKER` so that it does not stand for the network of the container, and let the other containers log in\n" + fmt.Sprintf(keep, 2525) + "Verify: mxsweep config compose.yml"},
		{"a variable that is the list", boky("    environment: {MYNETWORKS: 0.0.0.0/0}\n"), "MXS1501",
			"compose.yml:5: remove `0.0.0.0/0` from `MYNETWORKS`, and let the clients that must relay log in\nVerify: mxsweep config compose.yml"},
		{"the default of an image", boky(""), "MXS1502",
			"compose.yml:3: set by the environment of the image which networks may relay, without `172.16.0.0/12`, and let the other containers log in\n" + strings.Replace(fmt.Sprintf(keep, 587), ":25`", ":587`", 1) + "Verify: mxsweep config compose.yml"},
		{"everybody needs no password", controller("secure_ip = \"0.0.0.0/0\";\n"), "MXS1503",
			"local.d/worker-controller.inc:2: remove `0.0.0.0/0` from `secure_ip`, and let others log in\nVerify: mxsweep config local.d/worker-controller.inc"},
		{"a private range needs none", controller("secure_ip = \"10.0.0.0/8\";\n"), "MXS1504",
			"local.d/worker-controller.inc:2: remove `10.0.0.0/8` from `secure_ip`, and set a strong `password`; name single hosts if some must do without\nVerify: mxsweep config local.d/worker-controller.inc"},
		{"a worker written by hand", map[string]string{"rspamd.conf": "worker \"controller\" { bind_socket = \"*:11334\"; }\n"}, "MXS1507",
			"rspamd.conf:1: set `password` and `enable_password` of this worker to what `rspamadm pw` prints\nVerify: mxsweep config rspamd.conf"},
		{"PROXY headers of everybody", map[string]string{"dovecot.conf": haproxy + "haproxy_trusted_networks = 0.0.0.0/0\n"}, "MXS1505",
			"dovecot.conf:8: replace `0.0.0.0/0` in `haproxy_trusted_networks` by the addresses of the load balancers\nVerify: mxsweep config dovecot.conf"},
		{"PROXY headers without a condition", map[string]string{"haproxy.cfg": "listen a\n mode tcp\n bind :143\n tcp-request connection expect-proxy layer4\n server a 192.0.2.1:143\n"}, "MXS1505",
			"haproxy.cfg:4: end the line with `if { src ADDRESS }`, with the addresses of the load balancers\nVerify: mxsweep config haproxy.cfg"},
		{"PROXY headers of a private range", map[string]string{"haproxy.cfg": "listen a\n mode tcp\n bind :143\n acl lb src 10.0.0.0/8\n tcp-request connection expect-proxy layer4 if lb\n server a 192.0.2.1:143\n"}, "MXS1506",
			"haproxy.cfg:5: replace `10.0.0.0/8` in the condition of expect-proxy by the addresses of the load balancers\nVerify: mxsweep config haproxy.cfg"},
	} {
		_, c := audit(t, tt.files)
		found := ""
		for i := range c.Findings {
			if f := &c.Findings[i]; f.Rule.ID == tt.rule {
				found = f.Remediation
				if f.Fixes != nil {
					t.Errorf("%s: fixes %q", tt.name, f.Fixes)
				}
			}
		}
		if found != tt.want {
			t.Errorf("%s: got\n%s\nwant\n%s\nof %v", tt.name, found, tt.want, shown(c))
		}
	}
}
