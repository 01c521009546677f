//go:build linux

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// A joinedDocument is what TestScanConfig reads of the JSON report.
type joinedDocument struct {
	Run struct {
		Joined []struct {
			IP     string `json:"ip"`
			Port   int    `json:"port"`
			State  string `json:"join"`
			Anchor struct {
				File string `json:"file"`
				Line int    `json:"line"`
			} `json:"anchor"`
		} `json:"joined"`
	} `json:"run"`
	Notices []struct {
		Code string `json:"code"`
	} `json:"notices"`
	Findings []struct {
		ID     string `json:"id"`
		Rule   string `json:"rule"`
		IP     string `json:"ip"`
		Port   int    `json:"port"`
		Anchor struct {
			File string `json:"file"`
			Line int    `json:"line"`
		} `json:"anchor"`
		OpenedBy struct {
			Name string `json:"name"`
		} `json:"opened_by"`
	} `json:"findings"`
}

// TestScanConfig compares what real daemons answer with the files of their hosts: all states
// of a port that files and a scan together can show.
func TestScanConfig(t *testing.T) {
	hosts(t)
	open, closed := filepath.Join(t.TempDir(), "open"), filepath.Join(t.TempDir(), "closed")
	copyConfig(t, "exposed", open)
	copyConfig(t, "closed", closed)
	master := filepath.Join(open, "etc/postfix/master.cf")
	text := readText(t, master)
	text = strings.Replace(text, "10029 inet", "10099 inet", 1) // one runs that is not configured, and the reverse
	if err := os.WriteFile(master, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	dropPort(t, prefix+"exposed", "10025")
	line := func(port string) int {
		before, _, _ := strings.Cut(text, "\n"+port+" inet")
		return strings.Count(before, "\n") + 2
	}
	args := []string{"scan", "-o", "json", "--progress", "never", "-p", "25,10025,10028,10029,10099", address4(11), address4(12)}
	plain := scanJoined(t, args, 1)
	doc := scanJoined(t, append(args, "--config", address4(11)+"="+open, "--config", address4(12)+"="+closed), 1)
	states := map[string]string{}
	for _, j := range doc.Run.Joined {
		key := j.IP + " " + strconv.Itoa(j.Port)
		states[key] = j.State
		if j.IP == address4(11) && j.Port == 10099 && j.Anchor.Line != line("10099") {
			t.Errorf("10099 is at %s:%d, want line %d", j.Anchor.File, j.Anchor.Line, line("10099"))
		}
	}
	for key, want := range map[string]string{
		address4(11) + " 25": "reachable", address4(11) + " 10028": "reachable", address4(11) + " 10025": "filtered",
		address4(11) + " 10029": "elsewhere", address4(11) + " 10099": "not-running",
		address4(12) + " 25": "reachable", address4(12) + " 10025": "loopback", address4(12) + " 10028": "loopback",
	} {
		if states[key] != want {
			t.Errorf("%s is %q, want %q", key, states[key], want)
		}
	}
	seen := map[string]bool{}
	for _, f := range doc.Findings {
		seen[f.Rule+" "+f.IP+" "+strconv.Itoa(f.Port)] = true
		if f.IP == address4(11) && f.Port == 10028 && (f.OpenedBy.Name == "" || f.Anchor.Line != line("10028") || !strings.HasSuffix(f.Anchor.File, "master.cf")) {
			t.Errorf("%s of port 10028 is opened by %+v at %+v, want line %d", f.Rule, f.OpenedBy, f.Anchor, line("10028"))
		}
	}
	if !seen["MXS1907 "+address4(11)+" 10025"] {
		t.Errorf("no finding for the port that only a filter protects: %v", seen)
	}
	ids := map[string]bool{}
	for _, f := range doc.Findings {
		ids[f.ID] = true
	}
	for _, f := range plain.Findings {
		if !ids[f.ID] {
			t.Errorf("%s of port %d has another id with --config", f.Rule, f.Port)
		}
	}
	unclear := scanJoined(t, append(args, "--config", open), 1)
	if !slices.ContainsFunc(unclear.Notices, func(n struct {
		Code string `json:"code"`
	}) bool {
		return n.Code == "MXS9075"
	}) {
		t.Errorf("nothing says that the host of the files is not known: %v", unclear.Notices)
	}
}

// copyConfig copies what a host has below its /etc to a folder.
func copyConfig(t *testing.T, host, to string) {
	t.Helper()
	from, err := configs.ReadDir("testdata/hosts/" + host)
	if err != nil || len(from) == 0 {
		t.Fatalf("no configuration of host %s: %v", host, err)
	}
	if err := os.CopyFS(to, os.DirFS("testdata/hosts/"+host)); err != nil {
		t.Fatal(err)
	}
}

// readText reads a file.
func readText(t *testing.T, name string) string {
	t.Helper()
	b, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// dropPort makes a host drop what arrives for a port, until the test ends.
func dropPort(t *testing.T, namespace, port string) {
	t.Helper()
	nft(t, namespace, "table inet scanconfig {\n\tchain c {\n\t\ttype filter hook input priority 0; policy accept;\n\t\ttcp dport "+port+" drop\n\t}\n}\n")
	t.Cleanup(func() { nft(t, namespace, "delete table inet scanconfig\n") })
}

// scanJoined runs the command and reads its JSON report.
func scanJoined(t *testing.T, args []string, code int) joinedDocument {
	t.Helper()
	out, got := mxsweep(t, scanner, args...)
	if got != code {
		t.Errorf("exit code %d, want %d", got, code)
	}
	if err := validate(t, out); err != nil {
		t.Errorf("the report does not follow the schema: %v", err)
	}
	var doc joinedDocument
	if err := json.Unmarshal(out, &doc); err != nil {
		t.Fatal(err)
	}
	return doc
}
