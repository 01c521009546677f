//go:build linux

package nameservers

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/miekg/dns"

	"github.com/mxsweep/mxsweep/internal/gate"
)

// world is what the tests share.
var world running

// running is the servers that run, in a folder of their own.
type running struct {
	once    sync.Once
	err     error
	dir     string
	command string // the mxsweep under test
	started []*exec.Cmd
}

// servers starts all servers, once.
func servers(t testing.TB) *running {
	t.Helper()
	gate.Namespaces(t, programs...)
	world.once.Do(func() { world.err = world.start() })
	if world.err != nil {
		t.Fatal(world.err)
	}
	return &world
}

// start builds the command, signs the zones and starts the servers.
func (r *running) start() (err error) {
	if r.dir, err = os.MkdirTemp("", "mxsweep-nameservers-"); err != nil {
		return err
	}
	if err := os.Chmod(r.dir, 0o755); err != nil {
		return err
	}
	if err := r.build(); err != nil {
		return err
	}
	if err := r.zones(); err != nil {
		return err
	}
	if err := errors.Join(r.silent(), r.web()); err != nil {
		return err
	}
	for _, s := range daemons {
		if err := r.daemon(s); err != nil {
			return err
		}
	}
	return r.await()
}

// build takes the command that MXSWEEP_BIN names, or builds one.
func (r *running) build() error {
	if r.command = os.Getenv("MXSWEEP_BIN"); r.command != "" {
		return nil
	}
	r.command = filepath.Join(r.dir, "mxsweep")
	return r.run("", "go", "build", "-o", r.command, "github.com/mxsweep/mxsweep/cmd/mxsweep")
}

// run runs a program to its end, in a folder of the run; "" is this one.
func (r *running) run(folder, name string, args ...string) error {
	_, err := r.output(folder, name, args...)
	return err
}

// output is run, and returns what the program printed.
func (r *running) output(folder, name string, args ...string) (string, error) {
	cmd := exec.Command(name, args...)
	if folder != "" {
		cmd.Dir = filepath.Join(r.dir, folder)
	}
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("running %q: %w: %s", cmd.Args, err, out)
	}
	return string(out), err
}

// daemon starts a daemon in the foreground.
func (r *running) daemon(d daemon) error {
	folder := filepath.Join(r.dir, d.name)
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "conf"), []byte(d.conf(r.dir)), 0o644); err != nil {
		return err
	}
	log, err := os.Create(filepath.Join(folder, "log"))
	if err != nil {
		return err
	}
	defer log.Close()
	cmd := exec.Command(d.program, d.args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = folder, log, log
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting %s: %w", d.name, err)
	}
	r.started = append(r.started, cmd)
	return nil
}

// silent listens at the address of the server that never replies.
func (r *running) silent() error {
	socket, err := net.ListenPacket("udp", silentAddress+":53")
	if err != nil {
		return err
	}
	go func() {
		buf := make([]byte, 512)
		for {
			if _, _, err := socket.ReadFrom(buf); err != nil {
				return
			}
		}
	}()
	return nil
}

// startLimit is how long the servers may take to answer. It only ends what hangs.
const startLimit = time.Minute

// await returns when each server answers for its zones, and the resolvers for all of them.
func (r *running) await() error {
	end := time.Now().Add(startLimit)
	for _, z := range zones {
		if z.server == "" || z.fault != "" {
			continue
		}
		for _, address := range []string{z.server, resolver, plainResolver} {
			var err error
			for err = ask(address, z.name); err != nil; err = ask(address, z.name) {
				if time.Now().After(end) {
					return fmt.Errorf("%s at %s: %w%s", z.name, address, err, r.logs())
				}
				time.Sleep(50 * time.Millisecond)
			}
		}
	}
	return nil
}

// ask asks a server for the SOA record of a zone.
func ask(address, zone string) error {
	client := dns.Client{Timeout: 2 * time.Second}
	m, _, err := client.Exchange(new(dns.Msg).SetQuestion(dns.Fqdn(zone), dns.TypeSOA), net.JoinHostPort(address, "53"))
	switch {
	case err != nil:
		return err
	case m.Rcode != dns.RcodeSuccess || len(m.Answer) == 0:
		return fmt.Errorf("the reply is %s with %d records", dns.RcodeToString[m.Rcode], len(m.Answer))
	}
	return nil
}

// logs returns the ends of the logs of the daemons.
func (r *running) logs() (all string) {
	for _, d := range daemons {
		text, err := os.ReadFile(filepath.Join(r.dir, d.name, "log"))
		if err != nil {
			text = []byte(err.Error())
		}
		all += fmt.Sprintf("\n== %s\n%s", d.name, text[max(0, len(text)-2000):])
	}
	return all
}

// close ends the servers.
func (r *running) close() error {
	var errs []error
	for _, cmd := range r.started {
		errs = append(errs, cmd.Process.Kill())
		_ = cmd.Wait() // killed is how it ends
	}
	if r.dir != "" {
		errs = append(errs, os.RemoveAll(r.dir))
	}
	return errors.Join(errs...)
}
