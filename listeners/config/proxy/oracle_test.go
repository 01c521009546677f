package proxy

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// oracleRuns is how many configurations the tests generate that start HAProxy and nginx, each
// in a network namespace of its own: with MXSWEEP_ORACLE_RUNS=400 they compare more than
// 10,000 listeners.
func oracleRuns(t *testing.T, program string) int {
	n, err := strconv.Atoi(os.Getenv("MXSWEEP_ORACLE_RUNS"))
	if err != nil && os.Getenv("MXSWEEP_E2E") != "" {
		n, err = 3, nil
	}
	if err != nil || os.Getuid() != 0 {
		t.Skip("starts daemons in network namespaces: set MXSWEEP_ORACLE_RUNS=400, as root")
	}
	for _, p := range []string{program, "unshare", "ip", "ss"} {
		if _, err := exec.LookPath(p); err != nil {
			t.Skipf("%s is not installed", p)
		}
	}
	return n
}

// listening starts a daemon by a shell command that ends when the daemon listens, and returns
// what listens then; ok is false if it refused its configuration.
func listening(t *testing.T, command string) (sockets []string, ok bool, messages string) {
	t.Helper()
	script := "ip link set lo up && { " + command + "; } >&2 && ss -Hltn"
	cmd := exec.Command("unshare", "--net", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script)
	var out, errors strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errors
	err := cmd.Run()
	for line := range strings.Lines(out.String()) {
		if fields := strings.Fields(line); len(fields) > 3 {
			sockets = append(sockets, fields[3])
		}
	}
	slices.Sort(sockets)
	return sockets, err == nil, errors.String()
}

// predicted returns what ss shows of the listeners of a configuration, and whether the daemon
// starts.
func predicted(c listeners.Config) (sockets []string, starts bool) {
	starts = true
	for _, d := range c.Doubts {
		starts = starts && !strings.HasSuffix(d.Problem, "does not start") && !strings.HasPrefix(d.Problem, "no file of ")
	}
	for _, l := range c.Listeners {
		host := l.Address.String()
		switch {
		case l.Address.IsUnspecified() && l.Address.Is6() && !l.V6Only:
			host = "*"
		case l.Address.Is6():
			host = "[" + host + "]"
		}
		sockets = append(sockets, fmt.Sprintf("%s:%d", host, l.Port))
	}
	slices.Sort(sockets)
	return sockets, starts
}

// compare compares what is read of a configuration with what the daemon does. If it is mutated,
// the daemon may refuse it for what no reader looks at.
func compare(t *testing.T, run int, path string, read reader, command string, mutated bool) (compared int) {
	t.Helper()
	tree := &source.Tree{FS: os.DirFS("/")}
	f, err := tree.Read(strings.TrimPrefix(filepath.ToSlash(path), "/"))
	if err != nil {
		t.Fatal(err)
	}
	c := read(tree, f)
	check(t, c)
	want, ok, messages := listening(t, command)
	got, starts := predicted(c)
	unsure := len(c.Doubts) > 0 || slices.ContainsFunc(c.Listeners, func(l listeners.Listener) bool { return l.Doubt != "" })
	doubtful := mutated && (!ok || unsure)
	if !doubtful && (ok != starts || ok && !slices.Equal(got, want)) {
		t.Fatalf("run %d: starts: %t, predicted %t\nlistens on %q\npredicted  %q\ndoubts %v\n%s\n%s", run, ok, starts, want, got, c.Doubts, f.Text, messages)
	}
	if !ok || doubtful {
		return 0
	}
	return len(want)
}

// compareMutated compares the same after a few bytes of the file were changed.
func (m *maker) compareMutated(t *testing.T, run int, path string, read reader, command string) (compared int) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	const bytes = "\"'\\ #$;{}:,\t.-@[]*x01"
	for range 1 + m.IntN(2) {
		i := m.IntN(len(text))
		switch b := bytes[m.IntN(len(bytes))]; m.IntN(3) {
		case 0:
			text[i] = b
		case 1:
			text = slices.Delete(text, i, i+1)
		default:
			text = slices.Insert(text, i, b)
		}
	}
	if err := os.WriteFile(path, text, 0o600); err != nil {
		t.Fatal(err)
	}
	return compare(t, run, path, read, command, true)
}

// A maker generates configurations.
type maker struct {
	*rand.Rand
	port int
}

func (m *maker) one(list ...string) string { return list[m.IntN(len(list))] }

// next returns a port that is not used yet.
func (m *maker) next() string {
	m.port++
	return strconv.Itoa(m.port)
}

// ports returns a port or a range.
func (m *maker) ports() string {
	first := m.next()
	if m.IntN(6) > 0 {
		return first
	}
	m.port += m.IntN(4)
	return first + "-" + strconv.Itoa(m.port)
}

// bind returns an address for HAProxy.
func (m *maker) bind() string {
	prefix := m.one("", "", "", "ipv4@", "ipv6@", "stream+", "stream+ipv6@")
	host := m.one("", "*", "127.0.0.1", "127.0.0.9", "0.0.0.0", "localhost", "${HOST}")
	switch {
	case strings.Contains(prefix, "6@"):
		host = m.one("", "*", "::", "::1", "[::1]", "[::]", "${HOST6}", "[0:0::0:1]")
	case prefix == "" && m.IntN(3) == 0:
		host = m.one("::", "::1", "[::1]", "[::]", "${HOST6}")
	}
	return prefix + host + ":" + m.ports() + m.one("", "", "", "", "x", " ")
}

// quote writes a word in one of the ways that mean the same.
func (m *maker) quote(s string) string {
	s = strings.TrimSpace(s)
	switch m.IntN(6) {
	case 0:
		return `"` + s + `"`
	case 1:
		return "'" + s + "'"
	case 2:
		return strings.Replace(s, ":", `\x3a`, 1)
	case 3:
		return s[:1] + `""` + s[1:]
	case 4:
		return `"` + s[:len(s)-1] + `"'` + s[len(s)-1:] + "'"
	}
	return s
}

// haproxy returns a haproxy.cfg.
func (m *maker) haproxy(dir string) string {
	var b strings.Builder
	b.WriteString("global\n setenv HOST 127.0.0.2 # x\n setenv HOST6 \"::1\"\n setenv T \"${HOST6}x\"\n")
	if m.IntN(3) == 0 {
		fmt.Fprintf(&b, " stats socket %s:%s level admin\n", m.one("ipv4@127.0.0.1", "127.0.0.3", "ipv6@::1"), m.next())
	}
	const timeouts = " mode tcp\n timeout connect 3s\n timeout client 3s\n timeout server 3s\n"
	b.WriteString("defaults d\n" + timeouts + "defaults off\n" + timeouts + " disabled\ndefaults e from d\n")
	for i := range 20 {
		kind := m.one("frontend", "listen", "listen", "backend")
		depth := 0
		for m.IntN(5) == 0 && depth < 3 {
			fmt.Fprintf(&b, ".if %s # x\n", m.one("0", "1", "1", "", "7"))
			depth++
		}
		fmt.Fprintf(&b, "%s s%d%s\n", m.one(kind, "'"+kind+"'"), i, m.one("", "", " from d", " from e", " from off"))
		for range 1 + m.IntN(3) {
			line := m.one(" bind ", "\tbind\t", "bind  ") + m.quote(m.bind())
			if m.IntN(5) == 0 {
				line += "," + m.bind()
			}
			if m.IntN(9) == 0 {
				line = fmt.Sprintf(" bind %s/%d", dir, m.port)
			}
			b.WriteString(line + m.one("", " name ssl", " accept-proxy", " v4v6", " v6only", " name a\\ b", " backlog 7") + m.one("", " # x", "#x", " ", "\r") + "\n")
		}
		if kind != "frontend" {
			b.WriteString(" server a 127.0.0.1:1 send-proxy\n")
		}
		b.WriteString(m.one("", "", "", " disabled\n", " enabled\n"))
		for ; depth > 0; depth-- {
			b.WriteString(m.one("", ".else\n", ".elif 1\n", ".elif 0\n") + ".endif\n")
		}
	}
	if m.IntN(8) == 0 {
		b.WriteString("listen wrong\n bind " + m.one("127.0.0.1:0", "127.0.0.1", "'127.0.0.1:1", ":9-8", ":", ":70000", `"":`, ":x1") + "\n")
	}
	return b.String()
}

// TestHAProxyListens compares what is read of generated files with what HAProxy listens on.
func TestHAProxyListens(t *testing.T) {
	compared, mutated := 0, 0
	for run := range oracleRuns(t, "haproxy") {
		m := &maker{rand.New(rand.NewPCG(uint64(run), 1)), 2000}
		dir := t.TempDir()
		path := filepath.Join(dir, "haproxy.cfg")
		if err := os.WriteFile(path, []byte(m.haproxy(dir)), 0o600); err != nil {
			t.Fatal(err)
		}
		command := "haproxy -D -f " + path
		compared += compare(t, run, path, HAProxy, command, false)
		mutated += m.compareMutated(t, run, path, HAProxy, command)
	}
	t.Logf("%d listeners compared, and %d of mutated files", compared, mutated)
}
