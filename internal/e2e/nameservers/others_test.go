//go:build linux

package nameservers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/domains"
)

// others are the programs with which mxsweep is compared. Each is run by the shell, after which the
// domain follows.
var others = []struct{ name, variable string }{
	{"checkdmarc", "MXSWEEP_CHECKDMARC"},
	{"mxcheck", "MXSWEEP_MXCHECK"},
}

// otherTable is where the comparison is.
const otherTable = "../../../docs/domain-comparison.md"

// otherHead is the beginning of the comparison.
const otherHead = `# mxsweep domain beside checkdmarc and mxcheck

How many of the hosts that ` + "`mxsweep domain`" + ` lists for the domains of [domain-zones.md](domain-zones.md)
checkdmarc 5.17.5 and mxcheck v2.0.0 name as well, with the exit codes. A host counts if one of its
addresses is in the output, or its name if it has no address. The other programs do not set out to
list hosts: checkdmarc validates records, mxcheck looks at each MX. They say more than mxsweep about
DMARC, BIMI and reverse names. Both are asked to look at no port. Each line of the table is a run on
the same servers:

    MXSWEEP_CHECKDMARC='checkdmarc -n 127.0.0.1 --skip-tls' MXSWEEP_MXCHECK='mxcheck -n -p -d 127.0.0.1 -s' \
        MXSWEEP_E2E=1 go test -run '^TestOtherPrograms$' ./internal/e2e/nameservers -update

| domain | what is wrong | mxsweep | exit code | checkdmarc | exit code | mxcheck | exit code |
| --- | --- | --- | --- | --- | --- | --- | --- |
`

// TestOtherPrograms runs other programs on the same domains, and with -update writes down how many of
// the hosts they name.
func TestOtherPrograms(t *testing.T) {
	for _, o := range others {
		if os.Getenv(o.variable) == "" {
			t.Skipf("%s does not say how %s is run", o.variable, o.name)
		}
	}
	r := servers(t)
	// mxcheck also asks the resolver of the system.
	file := filepath.Join(r.dir, "resolv.conf")
	if err := os.WriteFile(file, []byte("nameserver "+resolver+"\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := r.run("", "mount", "--bind", file, "/etc/resolv.conf"); err != nil {
		t.Fatal(err)
	}
	got := otherHead
	for i, s := range r.lookAll(t, resolver) {
		c := cases[i]
		got += fmt.Sprintf("| %s | %s | %d | %d |", c.name, c.what, len(s.domain.Hosts), s.exit)
		for _, o := range others {
			out, exit := r.other(t, os.Getenv(o.variable)+" "+c.name)
			got += fmt.Sprintf(" %d | %s |", named(s.domain, out), exit)
		}
		got += "\n"
	}
	if *update {
		if err := os.WriteFile(otherTable, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// otherLimit is how long another program may run on one domain.
const otherLimit = 60 * time.Second

// other returns what a program prints, and its exit code.
func (r *running) other(t *testing.T, line string) (output, exit string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), otherLimit)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-c", line)
	cmd.Dir, cmd.WaitDelay = r.dir, time.Second
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+r.authority(), "REQUESTS_CA_BUNDLE="+r.authority())
	out, err := cmd.CombinedOutput()
	var code *exec.ExitError
	if err != nil && !errors.As(err, &code) {
		t.Fatal(err)
	}
	return string(out), fmt.Sprint(cmd.ProcessState.ExitCode())
}

// named is how many hosts of the domain an output names.
func named(d *domains.Domain, output string) (n int) {
	words := map[string]bool{}
	for _, w := range strings.FieldsFunc(output, func(c rune) bool { return strings.ContainsRune(" \t\r\n\"',;()[]/", c) }) {
		words[strings.TrimSuffix(w, ".")] = true
		if _, value, ok := strings.Cut(w, "ip4:"); ok {
			words[value] = true
		}
	}
	for _, h := range d.Hosts {
		found := len(h.Addresses) == 0 && words[h.Name]
		for _, a := range h.Addresses {
			found = found || words[a.String()]
		}
		if found {
			n++
		}
	}
	return n
}
