//go:build linux

package e2e

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// A client is a real client of a daemon, on the host itself unless said
// otherwise.
type client struct {
	net.Conn
	r *bufio.Reader
}

// clientLimit ends what hangs: no daemon takes so long, on however busy a machine.
const clientLimit = 2 * time.Minute

// dial connects from a namespace.
func dial(t *testing.T, namespace, addr string) *client {
	t.Helper()
	var conn net.Conn
	var err error
	inNamespace(t, namespace, func() { conn, err = net.DialTimeout("tcp", addr, clientLimit) })
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	conn.SetDeadline(time.Now().Add(clientLimit))
	return &client{conn, bufio.NewReader(conn)}
}

// reply reads one SMTP reply, all lines of it.
func (c *client) reply() (string, error) {
	var b strings.Builder
	for {
		line, err := c.r.ReadString('\n')
		b.WriteString(line)
		if err != nil {
			return b.String(), err
		}
		// RFC 5321, Section 4.2.1: a hyphen behind the code says that more follows.
		if len(line) < 4 || line[3] != '-' {
			return b.String(), nil
		}
	}
}

// smtp reads the greeting, sends each command and wants the code beside it.
func (c *client) smtp(t *testing.T, exchange ...[2]string) {
	t.Helper()
	for i, e := range append([][2]string{{"", "220"}}, exchange...) {
		if i > 0 {
			if _, err := fmt.Fprintf(c, "%s\r\n", e[0]); err != nil {
				t.Fatal(err)
			}
		}
		got, err := c.reply()
		if err != nil || !strings.HasPrefix(got, e[1]) {
			t.Fatalf("%s: %q gave %q, %v, want %s", c.RemoteAddr(), e[0], got, err, e[1])
		}
	}
}

// ask sends a request on a connection of its own and returns what comes until
// the empty line, or until the other side closes.
func ask(t *testing.T, namespace, addr, request string) string {
	t.Helper()
	c := dial(t, namespace, addr)
	defer c.Close()
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	for !strings.HasSuffix(b.String(), "\n\n") {
		line, err := c.r.ReadString('\n')
		b.WriteString(line)
		if err != nil {
			break
		}
	}
	return b.String()
}

// eventually asks until a condition holds, or clientLimit has passed.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(clientLimit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if holds() {
			return
		}
	}
	t.Fatalf("not seen within %v: %s", clientLimit, what)
}

// policyRequest is a complete request as Postfix sends it at RCPT
// (SMTPD_POLICY_README): the one that policy daemons write down.
func policyRequest(name string) string {
	return "request=smtpd_access_policy\nprotocol_state=RCPT\nprotocol_name=ESMTP\n" +
		"client_address=192.0.2.1\nclient_name=" + name + ".example.org\nreverse_client_name=" + name + ".example.org\n" +
		"helo_name=" + name + ".example.org\nsender=a@example.org\nrecipient=" + name + "@example.com\n" +
		"recipient_count=0\nqueue_id=\ninstance=" + name + ".1\nsize=100\nsasl_username=\n\n"
}
