//go:build linux

package nameservers

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/internal/gate"
)

// The hosts of bind.test are in a network namespace of their own, behind a cable.
const (
	mailNamespace = "mail"
	relayAddress  = "203.0.113.25" // old-relay.bind.test, which only SPF names
	imapAddress   = "203.0.113.23" // imap.bind.test, which SRV records name
)

// TestWalk: from a domain to a finding on a host that nobody would have named. The MX records lead to
// a filter service, but Postfix on the relay that SPF still allows to send takes connections from
// everybody. Dovecot runs where an SRV record says, and nothing where another one does.
func TestWalk(t *testing.T) {
	t.Parallel()
	r := servers(t)
	for _, program := range []string{"/usr/sbin/postfix", "/usr/sbin/dovecot"} {
		if _, err := os.Stat(program); err != nil {
			gate.Lack(t, err.Error())
		}
	}
	if err := r.mailHosts(); err != nil {
		t.Fatal(err)
	}
	scope := filepath.Join(r.dir, "scope.txt")
	if err := os.WriteFile(scope, []byte("203.0.113.0/24\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(r.command, "scan", "--domain", "bind.test", "--resolver", resolver, "--scope", scope,
		"--vantage", "internet", "--fail-on", "any:low", "--color", "never", "--progress", "never")
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	_ = cmd.Run()
	t.Logf("%s%s", out.Bytes(), errs.Bytes())
	if code := cmd.ProcessState.ExitCode(); code != 1 {
		t.Errorf("exit code %d", code)
	}
	for _, want := range []string{
		"LOW  MXS1609", "spf a:old-relay.bind.test of bind.test leads to the host", "Postfix smtpd", // past the filter
		"MXS1603", "Dovecot", // nothing listens on 465, Dovecot on 993
		"mx.filter.nsd.test (198.51.100.11", // to ask for
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("%q is missing", want)
		}
	}
}

// mailHosts makes the namespace of the hosts, and starts their daemons in it.
func (r *running) mailHosts() error {
	for _, line := range []string{
		"netns add " + mailNamespace,
		"link add to-mail type veth peer name eth0 netns " + mailNamespace,
		"addr add 203.0.113.1/24 dev to-mail",
		"link set to-mail up",
		"-n " + mailNamespace + " link set lo up",
		"-n " + mailNamespace + " addr add 203.0.113.20/24 dev eth0",
		"-n " + mailNamespace + " addr add " + imapAddress + "/24 dev eth0",
		"-n " + mailNamespace + " addr add " + relayAddress + "/24 dev eth0",
		"-n " + mailNamespace + " link set eth0 up",
	} {
		if err := r.run("", "ip", strings.Fields(line)...); err != nil {
			return err
		}
	}
	if err := r.postfix(); err != nil {
		return err
	}
	return r.dovecot()
}

// listening starts a program in the namespace of the mail hosts, and waits for its address.
func (r *running) listening(folder, address string, program ...string) error {
	log, err := os.Create(filepath.Join(r.dir, folder, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command("ip", append([]string{"netns", "exec", mailNamespace}, program...)...)
	cmd.Stdout, cmd.Stderr = log, log
	if err := cmd.Start(); err != nil {
		return err
	}
	r.started = append(r.started, cmd)
	for end := time.Now().Add(startLimit); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		if conn, err := net.Dial("tcp", address); err == nil {
			return conn.Close()
		}
	}
	text, _ := os.ReadFile(log.Name())
	return fmt.Errorf("%s does not listen: %s", address, text)
}

// dovecot starts Dovecot with IMAP over TLS.
func (r *running) dovecot() error {
	dir := filepath.Join(r.dir, "dovecot")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	conf := fmt.Sprintf(`base_dir = %[1]s/run
state_dir = %[1]s/state
log_path = /dev/stderr
protocols = imap
listen = %[2]s
ssl_cert = <%[3]s
ssl_key = <%[4]s
service imap-login {
  inet_listener imap {
    port = 0
  }
  inet_listener imaps {
    port = 993
    ssl = yes
  }
}
passdb {
  driver = static
  args = nopassword=y
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=%[1]s
}
`, dir, imapAddress, r.certificate(), r.key())
	if err := os.WriteFile(filepath.Join(dir, "conf"), []byte(conf), 0o644); err != nil {
		return err
	}
	return r.listening("dovecot", imapAddress+":993", "/usr/sbin/dovecot", "-F", "-c", filepath.Join(dir, "conf"))
}

// postfix starts Postfix with a configuration of its own.
func (r *running) postfix() error {
	dir := filepath.Join(r.dir, "postfix")
	owner, err := user.Lookup("postfix")
	if err != nil {
		return err
	}
	uid, _ := strconv.Atoi(owner.Uid)
	gid, _ := strconv.Atoi(owner.Gid)
	for _, folder := range []string{"etc", "spool", "data"} {
		if err := os.MkdirAll(filepath.Join(dir, folder), 0o755); err != nil {
			return err
		}
	}
	if err := os.Chown(filepath.Join(dir, "data"), uid, gid); err != nil {
		return err
	}
	files := map[string]string{
		"main.cf": fmt.Sprintf(`compatibility_level = 3.6
myhostname = old-relay.bind.test
mydestination = bind.test
queue_directory = %[1]s/spool
data_directory = %[1]s/data
inet_interfaces = %[2]s
inet_protocols = ipv4
maillog_file = /var/log/mail.log
alias_maps =
local_recipient_maps =
default_transport = discard:
local_transport = discard:
`, dir, relayAddress),
		"master.cf": `smtp inet n - n - - smtpd
rewrite unix - - n - - trivial-rewrite
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
error unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
postlog unix-dgram n - n - 1 postlogd
proxymap unix - - n - - proxymap
`,
	}
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, "etc", name), []byte(text), 0o644); err != nil {
			return err
		}
	}
	return r.listening("postfix", relayAddress+":25", "/usr/sbin/postfix", "-c", filepath.Join(dir, "etc"), "start-fg")
}
