package bench

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// program runs a program of the bench and returns what it prints.
func program(t *testing.T, name string, args ...string) string {
	t.Helper()
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("no python3")
	}
	out, err := exec.Command(python, append([]string{name}, args...)...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// file writes a file of the test.
func file(t *testing.T, name, text string) string {
	t.Helper()
	name = filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return name
}

func TestTruthIsTheSameEachTime(t *testing.T) {
	first := program(t, "truth", "open", "24", "10.96.0.0/20")
	if again := program(t, "truth", "open", "24", "10.96.0.0/20"); first != again || strings.Count(first, "\n") != 24 {
		t.Errorf("first:\n%s\nthen:\n%s", first, again)
	}
	if svc := program(t, "truth", "svc-silent", "2", "10.96.0.0/20"); strings.Count(svc, " silent\n") != 2 || strings.Count(svc, "\n") != 6 {
		t.Errorf("svc-silent:\n%s", svc)
	}
}

// TestScoreReadsEveryScanner has each scanner report one true and one false port.
func TestScoreReadsEveryScanner(t *testing.T) {
	truth := file(t, "truth", "10.96.0.1 10025 postfix\n10.96.0.2 10143 imap\n")
	measured := file(t, "measured", `{"label": "x"}`)
	for _, tt := range []struct {
		scanner, output string
		named           int
	}{
		{"mxsweep", `{"ip": "10.96.0.1", "port": 10025, "state": "open", "service": {"name": "smtp"}}` + "\n" +
			`{"ip": "10.96.0.1", "port": 10026, "state": "open"}` + "\n" + `{"ip": "10.96.0.2", "port": 10143, "state": "closed"}`, 1},
		{"masscan", "#masscan\nopen tcp 10025 10.96.0.1 1790000000\nopen tcp 10026 10.96.0.1 1790000000\n", 0},
		{"nmap -oG", "Host: 10.96.0.1 ()\tPorts: 10025/open/tcp/////, 10026/open/tcp/////\n", 0},
		{"nmap -oX", `<nmaprun><host starttime="1"><address addr="10.96.0.1" addrtype="ipv4"/><ports>` +
			`<port protocol="tcp" portid="10025"><state state="open"/><service name="smtp" product="Postfix" method="probed" conf="10"/></port>` +
			`<port protocol="tcp" portid="10026"><state state="open"/><service name="smtp" method="table" conf="3"/></port></ports></host></nmaprun>`, 1},
		{"zmap", "saddr,sport\n10.96.0.1,10025\n10.96.0.1,10026\n", 0},
	} {
		t.Run(tt.scanner, func(t *testing.T) {
			var got struct{ True, Found, False, Named int }
			if err := json.Unmarshal([]byte(program(t, "score", truth, measured, file(t, "out", tt.output))), &got); err != nil {
				t.Fatal(err)
			}
			if got.True != 2 || got.Found != 1 || got.False != 1 || got.Named != tt.named {
				t.Errorf("got %+v, want 1 of 2 found, 1 false, %d named", got, tt.named)
			}
		})
	}
}

// TestRatiosStateThePromises compares runs of which one promise is kept, and one is not.
func TestRatiosStateThePromises(t *testing.T) {
	run := func(label, wall, memory string) string {
		return `{"label": "` + label + `", "wall_s": ` + wall + `, "tx": 1, "tx_window_s": 1, "pps": 1000, "user_s": 1, "sys_s": 1, "rss_mib": ` + memory +
			`, "timed_out": false, "true": 400, "found": 400, "false": 0, "named": 400}` + "\n"
	}
	runs := file(t, "svc.jsonl", run("mxsweep", "3", "20")+run("nmap-sV", "10", "60")+run("mxsweep", "5", "20")+run("nmap-sV", "10", "60"))
	for _, tt := range []struct{ name, want string }{
		{"svc", "wall time 0.40   <= 0.5: yes"},
		{"svc-delay", "wall time 0.40   <= 0.3: NO"},
	} {
		if got := program(t, "ratios", tt.name, runs); !strings.Contains(got, tt.want) || !strings.Contains(got, "all 400 found in 2 of 2 runs, 0 false") {
			t.Errorf("%s: no %q in\n%s", tt.name, tt.want, got)
		}
	}
	if got := program(t, "table", runs); !strings.Contains(got, "| mxsweep | 4.00 (3.00-5.00) |") {
		t.Errorf("the table is\n%s", got)
	}
}
