//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// greetings is what comes first on every port of the hosts: a pattern, or how
// the wait ends without a byte.
var greetings = []struct {
	host  string
	port  int
	first string
}{
	{"exposed", 25, `^220 exposed\.e2e\.invalid ESMTP Postfix\r\n$`},
	{"exposed", 587, `^220 exposed\.e2e\.invalid ESMTP Postfix\r\n$`},
	{"exposed", 8891, "silent"},
	{"exposed", 9998, "silent"},
	{"exposed", 10023, "silent"},
	{"exposed", 10024, `^220 \[10\.79\.0\.11\] ESMTP amavis`},
	{"exposed", 10025, `^554 5\.7\.1 .*Client host rejected: Access denied\r\n$`},
	{"exposed", 10026, "closed"},
	{"exposed", 10028, `^220 exposed\.e2e\.invalid ESMTP Postfix\r\n$`},
	{"exposed", 10029, "silent"},
	{"closed", 25, `^220-closed\.e2e\.invalid ESMTP Postfix\r\n`},
	{"closed", 587, `^220 closed\.e2e\.invalid ESMTP Postfix\r\n$`},
	{"closed", 8891, "refused"},
	{"closed", 10023, "refused"},
	{"closed", 10024, "refused"},
	{"closed", 10025, "refused"},
	{"closed", 10028, "refused"},
	{"store", 24, `^220 store\.e2e\.invalid Dovecot`},
	{"store", 143, `^\* OK .*Dovecot`},
	{"store", 993, "silent"},
	{"store", 10143, `^\* OK .*Dovecot`},
	{"store", 10144, "closed"},
	{"store", 12345, `^VERSION\t1\t`},
	{"front", 143, `^\* OK IMAP4 ready\r\n$`},
	{"front", 993, "silent"},
	{"front", 10025, `^220 front\.e2e\.invalid ESMTP ready\r\n$`},
	{"front", 10110, `^\+OK POP3 ready`},
	{"front", 10143, `^\* OK IMAP4 ready\r\n$`},
	{"policy", 2501, "silent"},
	{"policy", 8552, "silent"},
	{"policy", 10023, "silent"},
	{"policy", 10040, "silent"},
	{"policy", 12525, "silent"},
	{"swapped", 8891, "silent"},
	{"swapped", 10023, `^220 \[10\.79\.0\.17\] ESMTP amavis`},
	{"swapped", 10024, "silent"},
	{"swapped", 10025, `^\* OK .*Dovecot`},
	{"swapped", 10031, `^220 swapped\.e2e\.invalid ESMTP Postfix\r\n$`},
	{"swapped", 10143, `^220 swapped\.e2e\.invalid Dovecot`},
	{"signer", 10025, `^421 Internal error \(Next hop is down\)\n$`},
	{"signer", 10027, `^220 signer\.e2e\.invalid ESMTP Postfix\r\n$`},
	{"signer", 10028, "refused"},
	{"signer", 10029, "closed"},
	{"signer", 10031, "silent"},
	{"silent", 25, "no answer"},
}

// TestDaemonsAnswer checks the hosts themselves, from the scanner's
// namespace, by what each port says first. The other tests rest on it.
func TestDaemonsAnswer(t *testing.T) {
	n := hosts(t)
	for _, tt := range greetings {
		t.Run(fmt.Sprintf("%s:%d", tt.host, tt.port), func(t *testing.T) {
			t.Parallel()
			addr := net.JoinHostPort(address4(n.hosts[tt.host].n), strconv.Itoa(tt.port))
			got := ""
			inNamespace(t, scanner, func() { got = firstBytes(addr, tt.first) })
			if got != tt.first && !regexp.MustCompile(tt.first).MatchString(got) {
				t.Errorf("says %q, want %q", got, tt.first)
			}
		})
	}
}

// firstBytes returns what a port says first, or how the wait for it ended:
// "refused", "no answer", "silent", "closed" or an error. Where want is a wait without
// an event it is short; any other takes as long as a busy machine needs.
func firstBytes(addr, want string) string {
	connect, read := clientLimit, clientLimit
	switch want {
	case "no answer":
		connect = time.Second
	case "silent":
		read = 2 * time.Second // shorter than any daemon's own patience
	}
	conn, err := net.DialTimeout("tcp", addr, connect)
	var failure net.Error
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "refused"
	case errors.As(err, &failure) && failure.Timeout():
		return "no answer"
	case err != nil:
		return err.Error()
	}
	defer conn.Close()
	conn.SetReadDeadline(time.Now().Add(read))
	buf := make([]byte, 1024)
	k, err := conn.Read(buf)
	switch {
	case k > 0:
		return string(buf[:k])
	case errors.Is(err, io.EOF):
		return "closed"
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "silent"
	}
	return err.Error()
}
