package lab

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// write writes a file of a test.
func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// TestScoreOfPeers: each of the open ports counts, words of the peer are translated, a
// module of zgrab2 that read nothing has not answered, and half a line is left out.
func TestScoreOfPeers(t *testing.T) {
	python(t)
	for _, tt := range []struct{ name, text, line string }{
		{"zgrab2", `{"ip": "10.77.0.12", "data": {"smtp-0-25": {"status": "success", "result": {"banner": "220 x"}}, "imap-2-25": {"status": "success", "result": {"banner": "220 x"}}}}
{"ip": "10.77.0.12", "data": {"smtp-0-587": {"status": "success", "result": {}}, "http-6-587": {"status": "io-timeout"}}}
{"ip": "fd77::12", "data": {"imap-2-25": {"status": "success", "result": {"banner": "220 x"}}}}
`, "found 4/4  ghosts 0  protocol right 1 wrong 1 none 2  product right 0 wrong 0 none 4"},
		{"fingerprintx", `{"ip": "10.77.0.12", "port": 25, "protocol": "smtps", "metadata": {"product": "Postfix"}}
{"ip": "10.77.0.12", "port": 587, "proto`, "found 2/2  ghosts 0  protocol right 1 wrong 0 none 1  product right 1 wrong 0 none 1"},
		{"nerva", `{"ip": "10.77.0.12", "port": 25, "protocol": "ftp"}`, "found 2/2  ghosts 0  protocol right 0 wrong 1 none 1  product right 0 wrong 0 none 2"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, tt.name+".jsonl", tt.text)
			out, _ := exec.Command("./score", filepath.Join(dir, tt.name+".jsonl"), "--only", "classic-closed").CombinedOutput()
			if !strings.Contains(string(out), tt.line) {
				t.Errorf("score does not say %q:\n%s", tt.line, out)
			}
		})
	}
}

// TestZgrab2Sections: each module is asked at each open port, under a name that tells both.
func TestZgrab2Sections(t *testing.T) {
	python(t)
	out, err := exec.Command("./peer", "sections").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		"[smtp]\nname=\"smtp-0-25\"\nport=25\ntrigger=\"25\"\n[smtp]\n",
		"[imap]\nname=\"imap-3-993\"\nport=993\ntrigger=\"993\"\nimaps=\"true\"\n",
	} {
		if !strings.Contains(string(out), want) {
			t.Errorf("the sections lack %q", want)
		}
	}
}

// TestBeside: the row of a scanner is replaced, another one is added, the rest stays.
func TestBeside(t *testing.T) {
	python(t)
	dir := t.TempDir()
	const head = "before\n\n| scanner | ports | protocol right, wrong, none | product right, wrong, none | seconds | connections per port | packets |\n" +
		"| --- | ---: | --- | --- | ---: | ---: | ---: |\n"
	write(t, dir, "page.md", head+"| mxsweep | 1 | old |\n| nmap -sV | 48 | kept |\n\nafter\n")
	write(t, dir, "mxsweep.json", `{"ports": [{"ip": "10.77.0.31", "port": 25, "state": "open", "service": {"name": "smtp", "product": "Exim"}}]}`)
	write(t, dir, "mxsweep.connections", `{"packets": 12345, "connections": [["10.77.0.31", 25, 3], ["10.77.0.31", 26, 9]]}`)
	write(t, dir, "mxsweep.took", `{"called": "mxsweep", "seconds": 12.3, "cut": false}`)
	write(t, dir, "zgrab2.jsonl", "")
	write(t, dir, "zgrab2.connections", `{"packets": 7, "connections": []}`)
	write(t, dir, "zgrab2.took", `{"called": "zgrab2, open ports", "seconds": 600, "cut": true}`)
	page := filepath.Join(dir, "page.md")
	for range 2 { // the second time changes nothing
		if out, err := exec.Command("./beside", dir, page).CombinedOutput(); err != nil {
			t.Fatalf("beside: %v\n%s", err, out)
		}
	}
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	want := head + "| mxsweep | 1 | 1, 0, 0 | 1, 0, 0 | 12 | 3.0 | 12,345 |\n| nmap -sV | 48 | kept |\n" +
		"| zgrab2, open ports | 172 | 0, 0, 157 | 0, 0, 157 | more than 600 | 0.0 | 7 |\n\nafter\n"
	if string(text) != want {
		t.Errorf("the page is\n%s\nwant\n%s", text, want)
	}
}
