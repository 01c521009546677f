package proxy

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/sockettest"
	"github.com/mxsweep/mxsweep/listeners/source"
)

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

// A tally is what was compared.
type tally struct{ files, sockets, mutated, refused atomic.Int64 }

func (c *tally) String() string {
	return fmt.Sprintf("%d files with %d sockets compared, and %d mutated files; the daemon refused %d more, or the reader had doubts", c.files.Load(), c.sockets.Load(), c.mutated.Load(), c.refused.Load())
}

// A daemon is one whose files are compared with what it listens on.
type daemon struct {
	read    reader
	command string // in front of the path of a file; it ends when the daemon listens
	room    *sockettest.Room
	tally   *tally
}

// compare compares what is read of a configuration with what the daemon does. If it is mutated,
// the daemon may refuse it for what no reader looks at.
func (d *daemon) compare(t *testing.T, run int, path string, mutated bool) {
	t.Helper()
	tree := &source.Tree{FS: os.DirFS("/")}
	f, err := tree.Read(strings.TrimPrefix(filepath.ToSlash(path), "/"))
	if err != nil {
		t.Fatal(err)
	}
	c := d.read(tree, f)
	check(t, c)
	want, ok, messages := d.room.Start(t, d.command+path)
	got, starts := predicted(c)
	unsure := len(c.Doubts) > 0 || slices.ContainsFunc(c.Listeners, func(l listeners.Listener) bool { return l.Doubt != "" })
	doubtful := mutated && (!ok || unsure)
	if !doubtful && (ok != starts || ok && !slices.Equal(got, want)) {
		t.Fatalf("run %d: starts: %t, predicted %t\nlistens on %q\npredicted  %q\ndoubts %v\n%s\n%s", run, ok, starts, want, got, c.Doubts, f.Text, messages)
	}
	switch {
	case !ok || doubtful:
		d.tally.refused.Add(1)
	case mutated:
		d.tally.mutated.Add(1)
		d.tally.sockets.Add(int64(len(want)))
	default:
		d.tally.files.Add(1)
		d.tally.sockets.Add(int64(len(want)))
	}
}

// compareMutated compares the same after a few bytes of the file were changed, and after lines
// were.
func (m *maker) compareMutated(t *testing.T, run int, path string, d *daemon) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, mutate := range []func([]byte) []byte{m.mutateBytes, m.mutateLines, m.mutateLines} {
		if err := os.WriteFile(path, mutate(slices.Clone(text)), 0o600); err != nil {
			t.Fatal(err)
		}
		d.compare(t, run, path, true)
	}
}

// mutateBytes changes a few bytes.
func (m *maker) mutateBytes(text []byte) []byte {
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
	return text
}

// digits is a number in a text.
var digits = regexp.MustCompile(`\d+`)

// mutateLines moves, removes or copies a few lines, or changes numbers in them.
func (m *maker) mutateLines(text []byte) []byte {
	lines := strings.SplitAfter(string(text), "\n")
	for range 1 + m.IntN(3) {
		i, j := m.IntN(len(lines)), m.IntN(len(lines))
		switch m.IntN(5) {
		case 0:
			lines[i], lines[j] = lines[j], lines[i]
		case 1:
			lines = slices.Delete(lines, i, i+1)
		case 2:
			lines = slices.Insert(lines, j, lines[i])
		default:
			lines[i] = digits.ReplaceAllStringFunc(lines[i], func(number string) string { return m.one(number, m.next(), "0", "7"+number, "00"+number) })
		}
	}
	return []byte(strings.Join(lines, ""))
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

// TestHAProxyListens compares what is read of generated files with what HAProxy listens on, and
// the same of each after a few bytes or lines were changed. A run is four files, of about twenty
// sections with forty listeners; HAProxy is started with each.
func TestHAProxyListens(t *testing.T) {
	n, compared := sockettest.Runs(t, 3, "haproxy"), &tally{}
	sockettest.Share(t, n, func(t *testing.T, runs iter.Seq[int]) {
		d := &daemon{HAProxy, "haproxy -D -f ", sockettest.NewRoom(t), compared}
		dir := t.TempDir()
		for run := range runs {
			m := &maker{rand.New(rand.NewPCG(uint64(run), 1)), 2000}
			path := filepath.Join(dir, "haproxy.cfg")
			if err := os.WriteFile(path, []byte(m.haproxy(dir)), 0o600); err != nil {
				t.Fatal(err)
			}
			d.compare(t, run, path, false)
			m.compareMutated(t, run, path, d)
		}
	})
	t.Log(compared)
}
