package lab

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// python skips a test where the laboratory's programs cannot run.
func python(t *testing.T) {
	t.Helper()
	if out, err := exec.Command("/usr/bin/python3", "-c", "import sys; sys.exit(sys.version_info < (3, 9))").CombinedOutput(); err != nil {
		t.Skipf("no Python 3.9 or later in /usr/bin/python3: %v %s", err, out)
	}
}

// TestProgramAndTruthAgree has the program compare itself with truth.json.
func TestProgramAndTruthAgree(t *testing.T) {
	python(t)
	if out, err := exec.Command("./lab", "check").CombinedOutput(); err != nil {
		t.Errorf("lab check: %v\n%s", err, out)
	}
}

// TestTruth holds truth.json to what its readers rely on.
func TestTruth(t *testing.T) {
	text, err := os.ReadFile("truth.json")
	if err != nil {
		t.Fatal(err)
	}
	var truth struct {
		Hosts []struct {
			Name   string `json:"name"`
			Number int    `json:"number"`
			About  string `json:"about"`
			Ports  []struct {
				Port     int    `json:"port"`
				Bind     string `json:"bind"`
				Product  string `json:"product"`
				Behind   string `json:"behind"`
				Protocol string `json:"protocol"`
				Package  string `json:"package"`
				Internal *bool  `json:"internal"`
				ACL      string `json:"acl"`
				TLS      string `json:"tls"`
				Role     string `json:"role"`
				Note     string `json:"note"`
			} `json:"ports"`
		} `json:"hosts"`
	}
	d := json.NewDecoder(strings.NewReader(string(text)))
	d.DisallowUnknownFields()
	if err := d.Decode(&truth); err != nil {
		t.Fatal(err)
	}
	names, numbers := map[string]bool{}, map[int]bool{}
	for _, h := range truth.Hosts {
		if names[h.Name] || numbers[h.Number] || h.Number < 2 || h.Number > 249 || h.About == "" {
			t.Errorf("host %q: its name or number is another one's, its number is not below the scanner's, or nothing tells what it is about", h.Name)
		}
		names[h.Name], numbers[h.Number] = true, true
		ports := map[int]bool{}
		for _, p := range h.Ports {
			if ports[p.Port] || p.Port < 1 || p.Port > 65535 || p.Product == "" || p.Protocol == "" || p.Internal == nil {
				t.Errorf("host %q: port %d is a duplicate, or lacks product, protocol or internal", h.Name, p.Port)
			}
			ports[p.Port] = true
			if p.Bind != "*" && p.Bind != "0.0.0.0" && p.Bind != "[::]" && p.Bind != "127.0.0.1" {
				t.Errorf("host %q: port %d is bound to %q, which no reader knows", h.Name, p.Port, p.Bind)
			}
		}
	}
	if len(truth.Hosts) < 20 {
		t.Errorf("only %d hosts", len(truth.Hosts))
	}
}

// TestScoreOfNmap: a name that nmap takes from the number of a port does not count.
func TestScoreOfNmap(t *testing.T) {
	python(t)
	report := filepath.Join(t.TempDir(), "report.xml")
	if err := os.WriteFile(report, []byte(`<nmaprun><host><address addr="10.77.0.12" addrtype="ipv4"/><address addr="02:4d:58:00:00:0c" addrtype="mac"/><ports>
<port protocol="tcp" portid="25"><state state="open"/><service name="smtp" product="Postfix smtpd" method="probed" conf="10"/></port>
<port protocol="tcp" portid="587"><state state="open"/><service name="submission" product="Postfix" method="table" conf="3"/></port>
<port protocol="tcp" portid="10025"><state state="closed"/></port></ports></host></nmaprun>`), 0o600); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command("./score", report, "--only", "classic-closed").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "found 2/2  ghosts 0  protocol right 1 wrong 0 none 1  product right 1 wrong 0 none 1") {
		t.Errorf("score: %v\n%s", err, out)
	}
}

// TestScoreOfProxies: of a port with a proxy, the daemon alone tells nothing, and a daemon
// without one must not get one.
func TestScoreOfProxies(t *testing.T) {
	python(t)
	for service, want := range map[string]string{
		`"product": "HAProxy", "behind": {"product": "Dovecot"}`: "product right 1 wrong 0 none 0",
		`"product": "HAProxy"`:                                 "product right 0 wrong 1 none 0",
		`"product": "socat", "behind": {"product": "Dovecot"}`: "product right 0 wrong 1 none 0",
		`"product": "Dovecot"`:                                 "product right 0 wrong 0 none 1",
	} {
		proxied := `{"ip": "10.77.0.19", "port": 143, "state": "open", "service": {"name": "imap", ` + service + `}}`
		if out := scored(t, "proxied-imap", proxied); !strings.Contains(out, want) {
			t.Errorf("of %s score says\n%s, want %s", service, out, want)
		}
	}
	direct := `{"ip": "10.77.0.12", "port": 25, "state": "open", "service": {"name": "smtp", "product": "HAProxy", "behind": {"product": "Postfix smtpd"}}}`
	if out := scored(t, "classic-closed", direct); !strings.Contains(out, "product right 0 wrong 1") {
		t.Errorf("of a proxy before a daemon that has none score says\n%s", out)
	}
}

// scored is what score says of a report of some ports of a host.
func scored(t *testing.T, host, ports string) string {
	t.Helper()
	report := filepath.Join(t.TempDir(), "report.json")
	if err := os.WriteFile(report, []byte(`{"ports": [`+ports+`]}`), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("./score", report, "--only", host)
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState == nil || cmd.ProcessState.ExitCode() > 1 {
		t.Fatalf("score: %v\n%s", err, out)
	}
	return string(out)
}

// TestScore rates small reports of one host, with and without a mistake.
func TestScore(t *testing.T) {
	python(t)
	const (
		smtp = `{"ip": "10.77.0.12", "port": 25, "state": "open", "service": {"name": "smtp", "product": "Postfix", "confidence": 9}}`
		rest = `, {"ip": "10.77.0.12", "port": 587, "state": "open", "service": {"name": "smtp", "product": "Postfix"}}`
	)
	for _, tt := range []struct {
		name, ports string
		right       bool
		line        string
	}{
		{"right", smtp + rest, true, "found 2/2  ghosts 0  protocol right 2 wrong 0 none 0  product right 2 wrong 0"},
		{"not found", smtp, false, "not found\nfound 1/2"},
		{"wrong product", strings.Replace(smtp, "Postfix", "Exim", 1) + rest, false, "product wrong smtp Exim (confidence 9)\nfound 2/2"},
		{"wrong protocol", strings.Replace(smtp, `"smtp"`, `"imap"`, 1) + rest, false, "protocol wrong imap\nfound 2/2"},
		{"nothing told", strings.NewReplacer(`"smtp"`, `""`, "Postfix", "").Replace(smtp) + rest, true, "none 1"},
		{"ghost", smtp + rest + `, {"ip": "10.77.0.12", "port": 10025, "state": "open"}`, false, "GHOST 10.77.0.12 10025"},
		{"closed", smtp + rest + `, {"ip": "10.77.0.12", "port": 10025, "state": "closed"}`, true, "ghosts 0"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			report := filepath.Join(t.TempDir(), "report.json")
			if err := os.WriteFile(report, []byte(`{"ports": [`+tt.ports+`]}`), 0o600); err != nil {
				t.Fatal(err)
			}
			scored := exec.Command("./score", report, "--only", "classic-closed")
			out, err := scored.CombinedOutput()
			if scored.ProcessState == nil || scored.ProcessState.ExitCode() > 1 {
				t.Fatalf("score: %v\n%s", err, out)
			}
			if !strings.Contains(string(out), tt.line) || (err == nil) != tt.right {
				t.Errorf("score says %v, want %v with %q:\n%s", err, tt.right, tt.line, out)
			}
		})
	}
}
