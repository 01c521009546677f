package rspamd

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/listeners/config/sockettest"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// A maker generates configurations.
type maker struct {
	*rand.Rand
	port     int
	noArrays bool
}

func (m *maker) one(list ...string) string { return list[m.IntN(len(list))] }

// bind returns a value of bind_socket, with a port that is not used yet.
func (m *maker) bind() string {
	m.port++
	host := m.one("*:", "*v4:", "*v6:", "127.0.0.1:", "[::1]:", "10.0.0.5:", "[fd00::5]:", "0.0.0.0:", "[::]:", "127.0.0.9:", ":", "LOCALHOST:")
	return fmt.Sprintf("%s%d%s", host, m.port, m.one("", "", "", ":5"))
}

// binds writes several values of bind_socket in one of the ways that mean the same.
func (m *maker) binds() string {
	var quoted []string
	for range 1 + m.IntN(4) {
		quoted = append(quoted, m.one(`"%s"`, `'%s'`))
		quoted[len(quoted)-1] = fmt.Sprintf(quoted[len(quoted)-1], m.bind())
	}
	if !m.noArrays && m.IntN(3) == 0 {
		return m.array("bind_socket", quoted...)
	}
	var b strings.Builder
	for _, q := range quoted {
		key := m.one("bind_socket = ", "bind_socket: ", "bind_socket ", "\"bind_socket\" = ")
		if strings.Contains(q, "[") { // after which a key without = would begin an array
			key = "bind_socket = "
		}
		b.WriteString(key + q + m.one(";", ";", " ; # x") + "\n")
	}
	return b.String()
}

// main writes an rspamd.conf for a daemon that keeps its files in a folder, with files that it
// includes.
func (m *maker) main(dir, home string) map[string]string {
	var b strings.Builder
	fmt.Fprintf(&b, "options { pidfile = \"%[1]s/pid\"; filters = \"\"; control_socket = \"%[1]s/control mode=0600\"; cache_file = \"%[1]s/c\"; "+
		"url_tld = \"%[2]s/tld\"; hs_cache_dir = \"%[1]s\"; tempdir = \"%[1]s\"; dns { nameserver = [\"127.0.0.1\"]; } }\nlogging { type = \"console\"; level = \"error\"; }\n", home, dir)
	files := map[string]string{"tld": "com\n"}
	for _, kind := range []string{"normal", "controller", "rspamd_proxy"} {
		body := m.one("", "# bind_socket = \"*:1\";\n", "/* bind_socket = \"*:1\"; /* x */ */\n") + m.binds() + "count = 1;\n"
		switch kind {
		case "controller":
			body += "password = \"x y\";\n"
		case "rspamd_proxy":
			body += "milter = yes;\nupstream \"local\" {\n default = yes;\n self_scan = yes;\n}\n"
		}
		if m.IntN(3) == 0 {
			name := "worker-" + kind + ".inc"
			files[name] = body
			body = fmt.Sprintf(m.one(".include \"%s/%s\"\n", ".include(try=true; priority=1) \"%s/%s\"\n"), dir, name)
		}
		if m.IntN(2) == 0 {
			fmt.Fprintf(&b, "worker \"%s\" {\n%s}\n", kind, body)
		} else {
			fmt.Fprintf(&b, "worker {\ntype = %q;\n%s}\n", kind, body)
		}
	}
	if m.IntN(3) == 0 {
		b.WriteString("worker \"fuzzy\" { enabled = false; bind_socket = \"*:1\"; }\n")
	}
	files["rspamd.conf"] = b.String()
	return files
}

// account makes a folder that all can enter, with one in it that the user of Rspamd owns.
func account(t *testing.T) (dir, home string) {
	t.Helper()
	u, err := user.Lookup("_rspamd")
	if err != nil {
		t.Skip(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	dir, err = os.MkdirTemp("", "rspamd")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	home = filepath.Join(dir, "home")
	for _, err := range []error{os.Chmod(dir, 0o755), os.Mkdir(home, 0o700), os.Chown(home, uid, -1)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir, home
}

// TestRspamdListens compares what is read of generated files with what Rspamd listens on.
func TestRspamdListens(t *testing.T) {
	compared := 0
	for run := range sockettest.Runs(t, 3, "rspamd") {
		m := &maker{Rand: rand.New(rand.NewPCG(uint64(run), 1)), port: 2000}
		dir, home := account(t)
		files := m.main(dir, home)
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(dir, "rspamd.conf")
		tree := &source.Tree{FS: os.DirFS("/")}
		f, err := tree.Read(strings.TrimPrefix(path, "/"))
		if err != nil {
			t.Fatal(err)
		}
		c := Main(tree, f)
		check(t, c)
		predicted := families(sockettest.Predicted(c))
		got, messages := sockettest.Counting(t, len(predicted), "exec rspamd -f -i -u _rspamd -g _rspamd -c "+path)
		if !slices.Equal(got, predicted) || len(c.Doubts) > 0 {
			t.Fatalf("run %d:\nlistens on %q\npredicted  %q\n%v\n%v\n%s", run, got, predicted, c.Doubts, files, messages)
		}
		compared += len(got)
	}
	t.Logf("%d listeners compared", compared)
}

// families returns sockets with two of one family in place of one of both, as Rspamd opens them.
func families(sockets []string) (list []string) {
	for _, s := range sockets {
		if port, ok := strings.CutPrefix(s, "*:"); ok {
			list = append(list, "0.0.0.0:"+port, "[::]:"+port)
		} else {
			list = append(list, s)
		}
	}
	slices.Sort(list)
	return list
}
