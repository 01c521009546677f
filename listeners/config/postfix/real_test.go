package postfix

import (
	"os"
	"slices"
	"strings"
	"testing"
)

// TestDebian reads what Debian's package ships, and its commented services as well.
func TestDebian(t *testing.T) {
	text := map[string]string{}
	for name, path := range map[string]string{"main.cf": "/usr/share/postfix/main.cf.debian", "master.cf": "/usr/share/postfix/master.cf.dist"} {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Skipf("Postfix is not installed: %v", err)
		}
		text[name] = string(data)
	}
	brief := func() (got []string) {
		c := read(t, text)
		for _, l := range c.Listeners {
			port, _, _ := strings.Cut(l.At.Text, " ")
			if !l.All() || !strings.HasPrefix(l.Service, port) {
				t.Errorf("%s: %+v", port, l)
			}
			got = append(got, strings.Join([]string{port, l.Product, string(l.Role), string(l.Tunnel)}, " "))
		}
		if len(c.Doubts) > 0 {
			t.Errorf("doubts: %v", c.Doubts)
		}
		return got
	}
	want := []string{"smtp Postfix smtpd mta "}
	if got := brief(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	// The commented services are the usual ones.
	var lines []string
	for line := range strings.Lines(text["master.cf"]) {
		if bare := strings.TrimPrefix(line, "#"); strings.Contains(bare, " inet ") && !strings.Contains(bare, ":") || strings.HasPrefix(bare, "  -o ") {
			line = bare
		}
		lines = append(lines, line)
	}
	text["master.cf"] = strings.Join(lines, "")
	want = []string{"smtp Postfix postscreen mta ", "submission Postfix smtpd submission ", "submissions Postfix smtpd submission ssl", "628 Postfix qmqpd reinjection "}
	if got := brief(); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q\n%s", got, want, text["master.cf"])
	}
}

// TestHosts reads the files of hosts that the end-to-end tests scan.
func TestHosts(t *testing.T) {
	const dir = "../../../internal/e2e/testdata/hosts/"
	for name, want := range map[string][]string{
		"closed": {
			"25 inet: invalid IP 25 Postfix postscreen mta", "587 inet: invalid IP 587 Postfix smtpd submission",
			"127.0.0.1:10025 inet: 127.0.0.1 10025 Postfix smtpd reinjection", "127.0.0.1:10028 inet: 127.0.0.1 10028 Postfix smtpd reinjection",
			"25 inet -> filter 127.0.0.1:10024", "25 inet -> milter 127.0.0.1:8891", "25 inet -> policy 127.0.0.1:10023",
			"587 inet -> filter 127.0.0.1:10024", "587 inet -> milter 127.0.0.1:8891", "587 inet -> policy 127.0.0.1:10023",
		},
		"exposed": {
			"25 inet: invalid IP 25 Postfix smtpd mta", "587 inet: invalid IP 587 Postfix smtpd submission", "10025 inet: invalid IP 10025 Postfix smtpd reinjection",
			"10028 inet: invalid IP 10028 Postfix smtpd reinjection", "10029 inet: invalid IP 10029 Postfix smtpd mta",
			"25 inet -> filter 127.0.0.1:10024", "25 inet -> milter 127.0.0.1:8891", "25 inet -> policy 127.0.0.1:10023",
			"587 inet -> filter 127.0.0.1:10024", "587 inet -> milter 127.0.0.1:8891", "587 inet -> policy 127.0.0.1:10023",
			"10029 inet -> filter 127.0.0.1:10024", "10029 inet -> milter 127.0.0.1:8891", "10029 inet -> policy 127.0.0.1:10023",
		},
		"proxies": {"10025 inet: invalid IP 10025 Postfix smtpd mta", "10026 inet: invalid IP 10026 Postfix smtpd mta", "10027 inet: invalid IP 10027 Postfix postscreen mta", "10465 inet: invalid IP 10465 Postfix smtpd submission tls"},
		"signer": {
			"25 inet: invalid IP 25 Postfix smtpd mta", "587 inet: invalid IP 587 Postfix smtpd submission", "127.0.0.1:10028 inet: 127.0.0.1 10028 Postfix smtpd reinjection",
			"587 inet -> filter 127.0.0.1:10027",
		},
		"swapped": {"10031 inet: invalid IP 10031 Postfix smtpd mta"},
	} {
		text := map[string]string{}
		for _, file := range []string{"main.cf", "master.cf"} {
			data, err := os.ReadFile(dir + name + "/etc/postfix/" + file)
			if err != nil {
				t.Fatal(err)
			}
			text[file] = string(data)
		}
		var got []string
		for _, line := range lines(read(t, text)) {
			line, _, _ = strings.Cut(line, ";") // without causes
			_, line, _ = strings.Cut(line, " ") // without places
			got = append(got, line)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: got\n\t%s\nwant\n\t%s", name, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
		}
	}
}
