package command

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
	"github.com/mxsweep/mxsweep/listeners/config/sockettest"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// A maker generates files of /etc/default.
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

// assign writes an assignment of the shell in one of the ways that mean the same.
func (m *maker) assign(name, value string) string {
	before := m.one("", "", "# "+name+"=\"--inet=1\"\n", "\n", "true || echo '\n"+name+"=2\n'\n", "X=\"it's\" # "+name+"=1\n", "X=1; ", "if false; then "+name+"=1; fi\n", ": ${"+name+":=--inet=1}; ", "cat >/dev/null <<E\n"+name+"=1\nE\n", "f() { "+name+"=7; }\n")
	export := m.one("", "", "export ")
	first, last, split := strings.Cut(value, " ")
	switch m.IntN(7) {
	case 0:
		value = "'" + value + "'"
	case 1:
		if split {
			value = `"` + first + " \\\n  " + last + `"`
		} else {
			value = first[:1] + `""` + first[1:]
		}
	case 2:
		before += "V_1='" + value + "'\n"
		value = m.one(`"$V_1"`, `"${V_1}"`, "$V_1", "${UNSET_X:-$V_1}", "${V_1:-7}")
	case 3:
		if split {
			before += name + "='" + last + "'\n"
			value = `"` + first + " $" + name + `"`
		} else {
			value = "'" + first + "'" + `""`
		}
	default:
		value = `"` + value + `"`
	}
	return before + export + name + "=" + value + m.one("\n", " # x\n", "\n\n")
}

// A startable is a daemon whose file is generated.
type startable struct {
	file    string
	program string
	more    string // options that it needs, and that open nothing; DIR is a folder of its own
	text    func(m *maker) string
}

var daemons = []startable{
	{"postgrey", "/usr/sbin/postgrey", "--dbdir=DIR --pidfile=DIR/pid --user=postgrey --group=postgrey", func(m *maker) string {
		endpoint := m.one("127.0.0.1:", "10.0.0.5:", "[::1]:", "*:", ":", "[fd00::5]:", "127.0.0.9:", "0.0.0.0:") + m.next()
		return m.assign("POSTGREY_OPTS", m.one("--delay=60 ", "")+m.one("--inet=", "--inet ", "-i ", "-inet ", "-i ")+endpoint+m.one("", " --max-age=3"))
	}},
	{"opendkim", "/usr/sbin/opendkim", "-f -x DIR/conf", milterText},
	{"opendmarc", "/usr/sbin/opendmarc", "-f -c DIR/conf", milterText},
	{"spamass-milter", "/usr/sbin/spamass-milter", "", func(m *maker) string {
		return milterText(m) + m.assign("OPTIONS", "-u nobody -i 127.0.0.1"+m.one("", " -m"))
	}},
	{"postsrsd", "/usr/sbin/postsrsd", "-d a.example -s DIR/secret", func(m *maker) string {
		text := m.assign("SRS_FORWARD_PORT", m.next()) + m.assign("SRS_REVERSE_PORT", m.next())
		return text + m.assign("SRS_LISTEN_ADDR", m.one("127.0.0.1", "10.0.0.5", "0.0.0.0", "::1", "fd00::5"))
	}},
	{"spamd", "/usr/sbin/spamd", "-u nobody --pidfile=DIR/pid -L --max-children=1 --min-children=1", func(m *maker) string {
		text := m.one("--create-prefs", "-L") + m.one("", " -lp ", " --port=", " -p ", " -Lp")
		if strings.HasSuffix(text, "s") || strings.HasSuffix(text, "L") {
			text += " -p "
		}
		text += m.next()
		for range m.IntN(5) {
			host := m.one("127.0.0.1", "10.0.0.5", "[::1]", "[fd00::5]", "127.0.0.9", "*")
			text += m.one(" --listen ", " --listen=", " -i ", " --ip-address=", " --listen-ip ") + host + ":" + m.next()
		}
		return m.assign("OPTIONS", text+m.one("", " -i 127.0.0.8", " -i 10.0.0.5", " --listen fd00::5"))
	}},
}

func milterText(m *maker) string {
	return m.assign("SOCKET", m.one("inet:", "INET:", "inet6:", "inet:")+m.next()) + "case $SOCKET in inet6*) ;; esac\n"
}

// TestDefaultsListen compares what is read of generated files with what the daemons listen on
// when a shell has read the files.
func TestDefaultsListen(t *testing.T) {
	compared := map[string]int{}
	for run := range sockettest.Runs(t, 2, "sh") {
		m := &maker{rand.New(rand.NewPCG(uint64(run), 3)), 2000}
		dir, err := os.MkdirTemp("", "defaults")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		var script, texts strings.Builder
		var want []string
		for i := range 12 {
			d := daemons[m.IntN(len(daemons)-1)]
			if i == 0 {
				d = daemons[len(daemons)-1]
			}
			if _, err := exec.LookPath(d.program); err != nil {
				continue
			}
			path, sockets := d.prepare(t, m, filepath.Join(dir, strconv.Itoa(i)), &texts)
			want = append(want, sockets...)
			compared[d.file] += len(sockets)
			fmt.Fprintf(&script, "( . %s/%s\n exec %s ) &\n", path, d.file, d.command(path))
		}
		slices.Sort(want)
		got, messages := sockettest.Counting(t, len(want), script.String()+"wait")
		if !slices.Equal(got, want) {
			t.Fatalf("run %d:\nlistens on %q\npredicted  %q\n%s\n%s", run, got, want, texts.String(), messages)
		}
	}
	t.Logf("listeners compared: %v", compared)
}

// prepare makes the folder of a daemon, with a generated file, and returns it with the sockets
// that are read of the file.
func (d *startable) prepare(t *testing.T, m *maker, dir string, texts *strings.Builder) (string, []string) {
	t.Helper()
	text := d.text(m)
	fmt.Fprintf(texts, "== %s\n%s", d.file, text)
	for name, content := range map[string]string{d.file: text, "conf": "", "secret": "secret"} {
		for _, err := range []error{os.MkdirAll(dir, 0o777), os.Chmod(filepath.Dir(dir), 0o777), os.Chmod(dir, 0o777), os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644)} {
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	c := Defaults(nil, source.NewFile(d.file, d.file, text))
	check(t, c)
	if len(c.Doubts) > 0 {
		t.Fatalf("doubts %v\n%s", c.Doubts, text)
	}
	return dir, d.expand(c)
}

// expand returns the sockets of listeners: spamd opens one of each family for every address.
func (d *startable) expand(c listeners.Config) []string {
	sockets := sockettest.Predicted(c)
	for _, s := range slices.Clone(sockets) {
		if port, ok := strings.CutPrefix(s, "*:"); ok && d.file == "spamd" {
			sockets = slices.DeleteFunc(sockets, func(o string) bool { return o == s })
			sockets = append(sockets, "0.0.0.0:"+port, "[::]:"+port)
		}
	}
	return sockets
}

// command returns the command line of the table, with what the daemon needs.
func (d *startable) command(dir string) string {
	s, defaults := defaultsOf(d.file)
	return strings.Replace(defaults.Command, s.Programs[0], d.program, 1) + " " + strings.ReplaceAll(d.more, "DIR", dir)
}
