//go:build linux

package e2e

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"os"
	"os/user"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const logDir = "/var/log/e2e"

// inside is the life of process 1 of a host: it lays out the files, starts
// the daemons, says "ready" when they listen and ends when its standard input
// does. The kernel then ends all that it started.
func inside(name string) int {
	known := slices.Concat(specs, proofHosts(), []spec{proxyHost, trustingHost})
	i := slices.IndexFunc(known, func(s spec) bool { return s.name == name })
	if i < 0 {
		fmt.Fprintf(os.Stderr, "no host %q\n", name)
		return 2
	}
	ended := make(chan int)
	go func() {
		io.Copy(io.Discard, os.Stdin)
		ended <- 0
	}()
	go func() {
		if err := settle(known[i]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			ended <- 1
			return
		}
		fmt.Println("ready")
	}()
	return <-ended
}

func settle(s spec) error {
	if s.ownPackages {
		if err := s.ownRoot(); err != nil {
			return err
		}
	}
	if err := ownFiles(s.ownPackages); err != nil {
		return err
	}
	if err := configure(s); err != nil {
		return err
	}
	if err := syslog(); err != nil {
		return err
	}
	if err := nameServer(); err != nil {
		return err
	}
	if err := setUp(s); err != nil {
		return err
	}
	for _, d := range s.daemons {
		if err := start(d); err != nil {
			return err
		}
	}
	go reap()
	if s.played != nil {
		if err := play(s.played()); err != nil {
			return err
		}
	}
	return awaitPorts(s)
}

// configure writes the host's configuration.
func configure(s spec) error {
	fqdn := s.name + ".e2e.invalid"
	if err := syscall.Sethostname([]byte(fqdn)); err != nil {
		return fmt.Errorf("setting the host name: %w", err)
	}
	files := map[string]string{
		"/etc/hostname":     fqdn + "\n",
		"/etc/mailname":     fqdn + "\n",
		"/etc/hosts":        "127.0.0.1 localhost\n::1 localhost\n" + address4(s.n) + " " + fqdn + " " + s.name + "\n",
		"/etc/resolv.conf":  "nameserver 127.0.0.1\noptions timeout:1 attempts:1\n",
		"/var/log/mail.log": "", // postlogd writes it
	}
	var err error
	if files["/etc/ssl/e2e.pem"], files["/etc/ssl/e2e.key"], err = certificate(fqdn); err != nil {
		return err
	}
	root := "testdata/hosts/" + s.name
	err = fs.WalkDir(configs, root, func(p string, e fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) && p == root {
			return nil // it has what its packages brought
		}
		if err != nil || e.IsDir() {
			return err
		}
		text, err := configs.ReadFile(p)
		files[strings.TrimPrefix(p, root)] = string(text)
		return err
	})
	if err != nil {
		return err
	}
	for name, text := range files {
		if err := os.MkdirAll(path.Dir(name), 0o755); err != nil {
			return err
		}
		os.Remove(name) // may be a link to elsewhere
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	for _, d := range append([]dir{{logDir, "root"}}, s.dirs...) {
		if err := d.make(); err != nil {
			return err
		}
	}
	return own("/var/log/amavis.log", "amavis")
}

func (d dir) make() error {
	if err := os.MkdirAll(d.path, 0o755); err != nil {
		return err
	}
	return own(d.path, d.owner)
}

// own gives a file, made if need be, to a user and its first group.
func own(name, owner string) error {
	u, err := user.Lookup(owner)
	if err != nil {
		return err
	}
	uid, _ := strconv.Atoi(u.Uid)
	gid, _ := strconv.Atoi(u.Gid)
	if f, err := os.OpenFile(name, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o644); err == nil {
		f.Close()
	}
	return os.Chown(name, uid, gid)
}

// syslog writes what the daemons log to /dev/log into a file.
func syslog() error {
	socket, err := net.ListenPacket("unixgram", "/dev/log")
	if err != nil {
		return err
	}
	if err := os.Chmod("/dev/log", 0o666); err != nil {
		return err
	}
	log, err := os.OpenFile("/var/log/syslog", os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		return err
	}
	go func() {
		buf := make([]byte, 8192)
		for {
			n, _, err := socket.ReadFrom(buf)
			if err != nil {
				return
			}
			log.Write(append(buf[:n:n], '\n'))
		}
	}()
	return nil
}

// start starts a daemon with its output in a log of its own.
func start(d daemon) error {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()
	log, err := os.OpenFile(filepath.Join(logDir, d.name), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o666)
	if err != nil {
		return err
	}
	defer log.Close()
	_, err = os.StartProcess(d.argv[0], d.argv, &os.ProcAttr{
		Dir: "/",
		Env: []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
			"LANG=C", "TZ=UTC", "HOME=/root"},
		Files: []*os.File{null, log, log},
		Sys:   &syscall.SysProcAttr{Setsid: true},
	})
	if err != nil {
		return fmt.Errorf("starting %s: %w", d.name, err)
	}
	return nil
}

// reap takes the exit status of every process that ends: process 1 inherits
// those whose parents went into the background.
func reap() {
	for {
		if _, err := syscall.Wait4(-1, nil, 0, nil); err == syscall.ECHILD {
			time.Sleep(time.Second)
		}
	}
}

// awaitPorts returns when all ports of the host listen. Otherwise the error
// holds the end of each log.
func awaitPorts(s spec) error {
	var missing []int
	for end := time.Now().Add(startLimit); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		missing = missing[:0]
		for _, port := range s.listen {
			if !listens(port) {
				missing = append(missing, port)
			}
		}
		if len(missing) == 0 {
			return nil
		}
	}
	var b strings.Builder
	logs, _ := filepath.Glob(logDir + "/*")
	for _, name := range append(logs, "/var/log/mail.log", "/var/log/syslog", "/var/log/dovecot.log", "/var/log/amavis.log") {
		text, _ := os.ReadFile(name)
		fmt.Fprintf(&b, "\n== %s\n%s", name, text[max(0, len(text)-2000):])
	}
	return fmt.Errorf("ports %v do not listen after %v%s", missing, startLimit, b.String())
}

// listens reports whether a TCP socket of this network namespace listens on
// the port.
func listens(port int) bool { return listensIn(os.Getpid(), port) }

// listensIn is listens for the network namespace of another process.
func listensIn(pid, port int) bool {
	suffix := fmt.Sprintf(":%04X", port)
	for _, name := range []string{"tcp", "tcp6"} {
		text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/net/%s", pid, name))
		for line := range strings.Lines(string(text)) {
			// proc(5): sl, local address, remote address, state; 0A is LISTEN.
			f := strings.Fields(line)
			if len(f) > 3 && f[3] == "0A" && strings.HasSuffix(f[1], suffix) {
				return true
			}
		}
	}
	return false
}
