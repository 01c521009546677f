//go:build linux

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/gate"
	"github.com/mxsweep/mxsweep/result"
)

// The network of the container, as Docker makes one: the engine is its gateway.
const (
	engine        = prefix + "engine"
	engineNumber  = 61
	innerNetwork  = "172.30.7.0/24"
	engineAddress = "172.30.7.1"
	innerAddress  = "172.30.7.10"
)

// trustingHost is the container: Postfix lets the network of containers relay, and the
// controller of Rspamd wants no password from it.
var trustingHost = spec{
	name: "trusting", n: 60,
	about: "Postfix and Rspamd that trust the network from which address translation makes everybody come",
	setup: append(postfixSetup("trusting"),
		"postconf -e 'mynetworks=127.0.0.0/8 "+innerNetwork+"'",
		"mkdir -p /etc/rspamd/local.d",
		`printf 'bind_socket = "*:11334";\npassword = "an e2e password";\nsecure_ip = "`+innerNetwork+`";\n' >/etc/rspamd/local.d/worker-controller.inc`,
		"install -d -o _rspamd -g _rspamd /run/rspamd /var/lib/rspamd /var/log/rspamd",
	),
	daemons: []daemon{postfixDaemon},
	units: []unit{
		{name: "rspamd", start: "exec /usr/bin/rspamd -c /etc/rspamd/rspamd.conf -f -u _rspamd -g _rspamd", port: 11334},
	},
	listen: []int{25, 11334},
}

// trustingCompose is what publishes its ports.
const trustingCompose = `services:
  mx:
    image: example/postfix
    volumes: ["./postfix:/etc/postfix"]
    ports: ["25:25"]
    networks: [mail]
  scan:
    image: example/rspamd
    volumes: ["./rspamd/local.d:/etc/rspamd/local.d"]
    ports: ["11334:11334"]
    networks: [mail]
networks:
  mail:
    ipam:
      config: [{subnet: ` + innerNetwork + `}]
`

// TestTranslated proves MXS1502 and MXS1503 on real daemons: behind address translation, and
// behind a proxy as docker-proxy is for IPv6, strangers may relay and need no password. After
// the edits of the findings they may not, and need one.
func TestTranslated(t *testing.T) {
	needPrograms(t, []string{"/usr/sbin/postfix", "/usr/bin/rspamd", "/usr/bin/socat", "/usr/bin/nsenter"})
	gate.Namespaces(t, "ip", "nft")
	n := base(t)
	if err := n.add([]spec{trustingHost}); err != nil {
		t.Fatal(err)
	}
	h := n.hosts[trustingHost.name]
	n.publish(t, h)
	ways := []string{address4(engineNumber), "[" + address6(engineNumber) + "]"} // address translation, proxy
	for _, to := range ways {
		relay(t, to+":25", "250")
		controller(t, to+":11334", "", "200")
	}

	dir := filepath.Join(t.TempDir(), "mail")
	bypass(t, dir)
	files := map[string]string{ // of the container, by their names beside the compose file
		"postfix/main.cf":                      "/etc/postfix/main.cf",
		"postfix/master.cf":                    "/etc/postfix/master.cf",
		"rspamd/local.d/worker-controller.inc": "/etc/rspamd/local.d/worker-controller.inc",
	}
	writeText(t, filepath.Join(dir, "compose.yml"), trustingCompose)
	for name, from := range files {
		writeText(t, filepath.Join(dir, name), readText(t, h.path(from)))
	}
	edited := map[string]bool{}
	for _, f := range configFindings(t, dir) {
		if e := f.Listener.Edit; e != nil && (f.Rule == "MXS1502" || f.Rule == "MXS1503") {
			name := "/" + f.Anchor.File // of no checkout
			writeText(t, name, replaced(t, readText(t, name), e))
			edited[f.Rule] = true
		}
	}
	if len(edited) != 2 {
		t.Fatalf("edits of %v, want those of MXS1502 and MXS1503", edited)
	}
	for _, f := range configFindings(t, dir) {
		if strings.HasPrefix(f.Rule, "MXS15") {
			t.Errorf("after the edits: %s at %+v", f.Rule, f.Anchor)
		}
	}
	for name, to := range files {
		writeText(t, h.path(to), readText(t, filepath.Join(dir, name)))
	}
	if out, err := h.shell("postfix check && postfix reload && rspamadm configtest && systemctl restart rspamd"); err != nil {
		t.Fatalf("applying the edits: %v: %s", err, out)
	}
	h.awaitListening(t, trustingHost.listen)
	for _, to := range ways {
		relay(t, to+":25", "454")
		controller(t, to+":11334", "", "401")
		controller(t, to+":11334", "an e2e password", "200")
	}
}

// closedInput drops the ports of the engine where a firewall usually does.
const closedInput = `table inet closed {
	chain input {
		type filter hook input priority 0; policy accept;
		tcp dport { 25, 11334 } drop
	}
}
`

// bypass proves MXS1508: packets for a published port never come to the rules for input, which
// mxsweep names.
func bypass(t *testing.T, dir string) {
	t.Helper()
	nft(t, engine, closedInput)
	relay(t, address4(engineNumber)+":25", "250")
	nft(t, engine, "delete table inet closed\n")
	writeText(t, filepath.Join(dir, "compose.yml"), trustingCompose)
	name := filepath.Join(dir, "nftables.conf")
	writeText(t, name, closedInput)
	lines := map[int]int{}
	for _, f := range configFindings(t, dir) {
		if f.Rule == "MXS1508" {
			lines[f.Anchor.Line]++
		}
	}
	if len(lines) != 1 || lines[4] != 2 {
		t.Errorf("MXS1508 on lines %v, want two on line 4", lines)
	}
	if err := os.Remove(name); err != nil {
		t.Fatal(err)
	}
}

// nft loads rules into a namespace.
func nft(t *testing.T, namespace, text string) {
	t.Helper()
	cmd := exec.Command("ip", "netns", "exec", namespace, "nft", "-f", "-")
	cmd.Stdin = strings.NewReader(text)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("nft in %s: %v: %s", namespace, err, out)
	}
}

// publish makes the engine: ports of its own address lead to those of the host, over IPv4 by
// address translation with masquerading, over IPv6 by a proxy.
func (n *network) publish(t *testing.T, h *host) {
	t.Helper()
	if err := n.join(engine, engineNumber); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		"ip -n " + engine + " link add docker0 type veth peer name eth1 netns " + h.namespace,
		"ip -n " + engine + " addr add " + engineAddress + "/24 dev docker0",
		"ip -n " + engine + " link set docker0 up",
		"ip -n " + h.namespace + " addr add " + innerAddress + "/24 dev eth1",
		"ip -n " + h.namespace + " link set eth1 up",
		"ip netns exec " + engine + " sysctl -qw net.ipv4.ip_forward=1",
	} {
		words := strings.Fields(line)
		if err := runTool(words[0], words[1:]...); err != nil {
			t.Fatal(err)
		}
	}
	nft(t, engine, `table ip nat {
	chain in {
		type nat hook prerouting priority -100
		tcp dport { 25, 11334 } dnat to `+innerAddress+`
	}
	chain out {
		type nat hook postrouting priority 100
		oifname "docker0" masquerade
	}
}
`)
	for _, port := range h.listen {
		proxy := exec.Command("ip", "netns", "exec", engine, "socat", fmt.Sprintf("TCP6-LISTEN:%d,ipv6only=1,fork,reuseaddr", port), fmt.Sprintf("TCP4:%s:%d", innerAddress, port))
		if err := proxy.Start(); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { proxy.Process.Kill(); proxy.Wait() })
		eventually(t, fmt.Sprintf("socat listens on %d", port), func() bool {
			name, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", proxy.Process.Pid)) // ip before
			return string(name) == "socat\n" && listensIn(proxy.Process.Pid, port)
		})
	}
}

// relay asks from outside to relay mail to another domain.
func relay(t *testing.T, to, want string) {
	t.Helper()
	dial(t, scanner, to).smtp(t,
		[2]string{"EHLO stranger.example", "250"}, [2]string{"MAIL FROM:<a@stranger.example>", "250"},
		[2]string{"RCPT TO:<b@elsewhere.example>", want}, [2]string{"QUIT", "221"})
}

// controller asks the controller of Rspamd for what only those who log in may see.
func controller(t *testing.T, to, password, want string) {
	t.Helper()
	request := "GET /stat HTTP/1.0\r\n"
	if password != "" {
		request += "Password: " + password + "\r\n"
	}
	var status string
	eventually(t, fmt.Sprintf("%s answers %s", to, want), func() bool {
		c := dial(t, scanner, to)
		defer c.Close()
		if _, err := io.WriteString(c, request+"\r\n"); err != nil {
			return false
		}
		status, _ = c.r.ReadString('\n')
		return status != "" // a worker that starts ends connections without an answer
	})
	if !strings.Contains(status, " "+want+" ") {
		t.Errorf("%s with password %q: %q, want %s", to, password, status, want)
	}
}

// A configFinding is what TestTranslated reads of a finding.
type configFinding struct {
	Rule     string        `json:"rule"`
	Anchor   result.Anchor `json:"anchor"`
	Listener struct {
		Edit *result.Replacement `json:"edit"`
	} `json:"listener"`
}

// configFindings returns what mxsweep finds in a folder.
func configFindings(t *testing.T, dir string) []configFinding {
	t.Helper()
	out, err := exec.Command(command(t), "config", dir, "-o", "json").Output()
	var exit *exec.ExitError
	if err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) { // its ports stay published
		t.Fatal(err)
	}
	var doc struct {
		Findings []configFinding `json:"findings"`
	}
	if err := json.Unmarshal(out, &doc); err != nil {
		t.Fatal(err)
	}
	return doc.Findings
}

// replaced returns a text of ASCII with an edit of one line made.
func replaced(t *testing.T, text string, e *result.Replacement) string {
	t.Helper()
	lines := strings.SplitAfter(text, "\n")
	line := lines[e.StartLine-1]
	if e.StartLine != e.EndLine || line[e.StartColumn-1:e.EndColumn-1] != e.Old {
		t.Fatalf("edit %+v of %q", e, line)
	}
	lines[e.StartLine-1] = line[:e.StartColumn-1] + e.Text + line[e.EndColumn-1:]
	return strings.Join(lines, "")
}

// writeText writes a file, and its folder.
func writeText(t *testing.T, name, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}
