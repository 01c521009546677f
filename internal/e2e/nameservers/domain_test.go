//go:build linux

package nameservers

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/mxsweep/mxsweep/domains"
	"github.com/mxsweep/mxsweep/report/mailhosts"
)

// A sight is what the command says of one domain.
type sight struct {
	domain *domains.Domain
	exit   int
	stderr string
}

// look runs "mxsweep domain" on one domain with further arguments.
func (r *running) look(resolver, name string, args ...string) (*sight, error) {
	args = append([]string{"domain", "--resolver", resolver, "-o", "json", name}, args...)
	cmd := exec.Command(r.command, args...)
	cmd.Env = append(os.Environ(), "SSL_CERT_FILE="+r.authority())
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		return nil, err
	}
	var report mailhosts.Report
	if err := json.Unmarshal(out.Bytes(), &report); err != nil || len(report.Domains) != 1 {
		return nil, fmt.Errorf("%v: exit code %d, %w: %s", args, cmd.ProcessState.ExitCode(), err, errs.Bytes())
	}
	return &sight{report.Domains[0], cmd.ProcessState.ExitCode(), errs.String()}, nil
}

// parallel is how many commands run at once: some wait for servers.
const parallel = 8

// lookAll looks at all cases.
func (r *running) lookAll(t *testing.T, resolver string) []*sight {
	t.Helper()
	sights, errs := make([]*sight, len(cases)), make([]error, len(cases))
	slots := make(chan struct{}, parallel)
	var wg sync.WaitGroup
	for i, c := range cases {
		wg.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			sights[i], errs[i] = r.look(resolver, c.name, c.args...)
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	return sights
}

// row is a line of the table about one domain.
func row(c broken, s *sight) string {
	d := s.domain
	var faults, gaps []string
	for _, f := range d.Faults {
		text := f.ID
		if _, cause, ok := strings.Cut(f.Text, " has no usable policy: "); ok {
			text += " (" + cause + ")"
		}
		faults = append(faults, text)
	}
	for _, g := range d.Gaps { // of one question, asked for several purposes, there are several
		if text := fmt.Sprintf("%s %s: %s", g.Type, g.Name, g.Cause); !slices.Contains(gaps, text) {
			gaps = append(gaps, text)
		}
	}
	return fmt.Sprintf("| %s | %s | %s | %s | %s | %s | %d |\n", c.name, c.what, d.Mail, hostList(d), list(faults, 3), list(gaps, 2), s.exit)
}

// list joins texts, of which it names at most some.
func list(texts []string, most int) string {
	if n := len(texts) - most; n > 1 {
		texts = append(texts[:most:most], fmt.Sprintf("%d more", n))
	}
	return strings.Join(texts, "; ")
}

// hostList is the hosts and networks of a domain with their addresses.
func hostList(d *domains.Domain) string {
	var all []string
	for _, h := range d.Hosts {
		text := strings.TrimSpace(h.Name + " " + strings.Trim(fmt.Sprint(h.Addresses), "[]"))
		if len(h.TLSA) > 0 {
			text += " (TLSA)"
		}
		all = append(all, text)
	}
	for _, n := range d.Networks {
		all = append(all, n.Prefix.String())
	}
	return list(all, 4)
}
