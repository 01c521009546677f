package main

import (
	"bufio"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestTalk talks to each kind of server.
func TestTalk(t *testing.T) {
	for _, tt := range []struct{ kind, sent, want string }{
		{"postfix", "EHLO a\r\nQUIT\r\n", "220 mx-a.lab.test ESMTP Postfix (Debian/GNU)\n250-mx-a.lab.test\n250-PIPELINING\n250-SIZE 10240000\n250-STARTTLS\n250-8BITMIME\n250 SMTPUTF8\n221 2.0.0 Bye\n"},
		{"amavis", "x\r\nQUIT\r\n", "220 [127.0.0.1] ESMTP amavisd-new service ready\n502 5.5.2 Error: command not recognized\n221 2.0.0 Bye\n"},
		{"imap", "a1 logout\r\n", "* OK [CAPABILITY " + capabilities + "] Dovecot ready.\n* BYE Logging out\na1 OK Logout completed.\n"},
		{"silent", "\nrequest=x\n\n", "action=DUNNO\n"},
	} {
		t.Run(tt.kind, func(t *testing.T) {
			ours, theirs := net.Pipe()
			defer ours.Close()
			go server{name: "mx-a.lab.test", kind: tt.kind}.talk(theirs)
			ours.SetDeadline(time.Now().Add(time.Minute))
			go func() { _, _ = ours.Write([]byte(tt.sent)) }()
			got, lines := "", bufio.NewScanner(ours)
			for len(got) < len(tt.want) && lines.Scan() {
				got += strings.TrimSpace(lines.Text()) + "\n"
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestReadTruthRefuses(t *testing.T) {
	for _, text := range []string{"10.96.0.1 25\n", "10.96.0.1 25 sendmail\n"} {
		name := filepath.Join(t.TempDir(), "truth")
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if list, err := readTruth(name); err == nil {
			t.Errorf("%q: no error, but %v", text, list)
		}
	}
}
