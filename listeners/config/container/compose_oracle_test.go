package container

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	osexec "os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/sockettest"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// composeScript calls what the command "docker-compose config" of Debian's 1.29 calls, for each
// folder of its input, and writes the ports of all services, or the error.
const composeScript = `
import sys, json
try:
    from compose.cli.command import get_config_from_options
except ImportError:
    sys.exit(3)
for line in sys.stdin:
    try:
        c = get_config_from_options(line.strip(), {})
        ports = [p for s in c.services if s.get('network_mode') != 'host' for p in s.get('ports', []) for p in [dict(p.repr(), service=s['name'])]]
        out = {'ports': [{k: str(v) for k, v in p.items()} for p in ports]}
    except BaseException as e:
        out = {'error': str(getattr(e, 'msg', e)) or repr(e)}
    print(json.dumps(out), flush=True)
`

// A composer is a process of docker-compose that reads one project after another.
type composer struct {
	out *bufio.Scanner
	to  io.Writer
}

// startComposer starts docker-compose. The test is skipped without it.
func startComposer(t *testing.T) *composer {
	t.Helper()
	const python = "/usr/bin/python3" // for which Debian has its modules
	if _, err := os.Stat("/usr/bin/docker-compose"); err != nil {
		t.Skip("docker-compose is not installed")
	}
	cmd := osexec.Command(python, "-c", composeScript)
	cmd.Env = []string{"PATH=/usr/bin:/bin", "PYTHONWARNINGS=ignore"}
	to, out := sockettest.Talk(t, cmd)
	return &composer{out: out, to: to}
}

// composed is what docker-compose says of a project.
type composed struct {
	Ports []struct {
		Service, Target, Published, Protocol string
		IP                                   string `json:"external_ip"`
	}
	Error string
}

// ask returns the published TCP ports of the project in a folder, as names of listeners, or the
// error of docker-compose.
func (c *composer) ask(t *testing.T, dir string) (ports []string, problem string) {
	t.Helper()
	if _, err := fmt.Fprintln(c.to, dir); err != nil || !c.out.Scan() {
		t.Skipf("docker-compose is not the one of Debian 12: %v", err)
	}
	var out composed
	if err := json.Unmarshal(c.out.Bytes(), &out); err != nil {
		t.Fatalf("%v: %s", err, c.out.Bytes())
	}
	for _, p := range out.Ports {
		first, last, ok := publishedRange(p.Published)
		if !ok || p.Protocol != "" && !strings.EqualFold(p.Protocol, "tcp") {
			continue // a random port
		}
		for n := first; n <= last; n++ {
			ports = append(ports, fmt.Sprintf("services.%s.ports %s:%d:%s", p.Service, p.IP, n, p.Target))
		}
	}
	slices.Sort(ports)
	return slices.Compact(ports), out.Error
}

// A projectMaker generates projects that docker-compose 1.29 and Docker Compose 2 read alike.
type projectMaker struct {
	*rand.Rand
	files map[string]string
}

func (m *projectMaker) one(list ...string) string { return list[m.IntN(len(list))] }

// number writes a port, or a variable that has it.
func (m *projectMaker) number() string {
	n := fmt.Sprint(1 + m.IntN(30000))
	switch m.IntN(12) {
	case 0:
		return m.one("${P1}", "$P2", "${P1:-7}", "${P2-7}", "${P1:?none}", "${P2?none}", "${P1}0")
	case 1:
		return m.one("${NONE:-", "${NONE-", "${EMPTY:-") + n + "}"
	}
	return n
}

// short writes an entry of the short syntax.
func (m *projectMaker) short() string {
	host := m.one("", "", "", "127.0.0.1:", "0.0.0.0:", "10.0.0.5:", "[::1]:", "[::]:", "${BIND}:", "${NONE:-127.0.0.1}:", "${EMPTY:-10.0.0.9}:")
	text := host + m.number() + ":" + m.number()
	first, length := 1000+m.IntN(1000), m.IntN(3)
	switch m.IntN(8) {
	case 0:
		text = fmt.Sprintf("%s%d-%d:%d-%d", host, first, first+length, first+7, first+7+length)
	case 1:
		text = fmt.Sprintf("%s%d-%d:%d", host, first, first+1+length, first)
	case 2:
		text = m.number()
	}
	return text + m.one("", "", "", "/tcp", "/udp")
}

// entry writes an entry in one of the ways of YAML, in a list of the flow style or not.
func (m *projectMaker) entry(flow bool) string {
	if m.IntN(4) > 0 {
		text := m.short()
		quoted := m.one(`"`, "'")
		if plain := !strings.ContainsAny(text, "[]{}") && !sexagesimal.MatchString(" "+text+" "); plain && m.IntN(3) == 0 {
			quoted = ""
		}
		return quoted + text + quoted
	}
	pairs := []string{"target: " + fmt.Sprint(1+m.IntN(9999))}
	if m.IntN(5) > 0 {
		n := m.number()
		if n[0] == '$' || m.IntN(4) == 0 {
			n = `"` + n + `"`
		}
		pairs = append(pairs, "published: "+n)
	}
	for _, more := range []string{m.one("", "protocol: tcp", "protocol: udp"), m.one("", "", "mode: host", "mode: ingress")} {
		if more != "" {
			pairs = append(pairs, more)
		}
	}
	m.Shuffle(len(pairs), func(i, j int) { pairs[i], pairs[j] = pairs[j], pairs[i] })
	if flow || m.IntN(3) == 0 {
		return "{" + strings.Join(pairs, ", ") + "}"
	}
	return strings.Join(pairs, "\n        ")
}

// service writes what is in a service; name is one that it may extend, "" for none.
func (m *projectMaker) service(extend string, anchors bool) string {
	lines := []string{m.one("image: x/postfix:3", "image: \"${IMAGE:-x}\"", "image: x # y", "build: .")}
	if m.IntN(5) > 0 {
		var entries []string
		flow := m.IntN(3) == 0
		for range 1 + m.IntN(4) {
			entries = append(entries, m.entry(flow))
		}
		if flow {
			lines = append(lines, "ports: ["+strings.Join(entries, m.one(", ", ",\n      "))+"]")
		} else {
			lines = append(lines, "ports:"+m.one("", " # x")+"\n      - "+strings.Join(entries, m.one("\n", " # y\n", "\n\n")+"      - "))
		}
	}
	switch m.IntN(12) {
	case 0:
		lines = append(lines, "network_mode: "+m.one("host", "bridge", "\"host\""))
	case 1:
		lines = append(lines, "expose: [\"25\", '26']")
	case 2:
		lines = append(lines, "environment:\n      - A=${P1}\n      - B=$$C")
	case 3:
		lines = append(lines, "command: a b: c", "restart: always")
		lines[len(lines)-2] = "command: [a, 'b: c', \"$$D\"]"
	case 4:
		lines = append(lines, "profiles: [mail]")
	}
	switch {
	case extend != "" && m.IntN(2) == 0:
		lines = append(lines, m.one("extends: "+extend, "extends: {service: "+extend+"}", "extends:\n      service: "+extend))
	case m.files["base.yml"] != "" && m.IntN(2) == 0:
		lines = append(lines, m.one("extends: {file: base.yml, service: base}", "extends:\n      file: ./base.yml\n      service: base"))
	case anchors && m.IntN(2) == 0:
		lines = append(lines, m.one("<<: *more", "<<: [*more]"))
	}
	m.Shuffle(len(lines), func(i, j int) { lines[i], lines[j] = lines[j], lines[i] })
	return "    " + strings.Join(lines, "\n    ") + "\n"
}

// project generates the files of a project.
func (m *projectMaker) project() map[string]string {
	m.files = map[string]string{".env": "P1=1025\nP2='2525' # x\nBIND=127.0.0.9\n" + m.one("", "EMPTY=\n", "# NONE=1\n")}
	if m.IntN(3) == 0 {
		text := m.service("", false)
		m.files["base.yml"] = m.one("", "version: \"3.8\"\n") + "services:\n  base:\n" + text
	}
	anchors := m.IntN(3) == 0
	main := m.one("", "version: '3.8'\n", "version: \"3\"\n", "# x\n")
	if anchors {
		main += "x-more: &more\n  ports: [\"" + m.short() + "\"]\n"
	}
	main += "services:\n"
	before := ""
	for i := range 1 + m.IntN(4) {
		name := fmt.Sprintf("s%d", i)
		main += "  " + m.one(name, `"`+name+`"`) + ":\n" + m.service(before, anchors)
		before = name
	}
	m.files["docker-compose.yml"] = main
	if m.IntN(4) == 0 {
		base := m.files["base.yml"] // the versions differ in what comes first, an override or what it extends
		delete(m.files, "base.yml")
		m.files["docker-compose.override.yml"] = m.one("", "version: '3.8'\n") + "services:\n  s0:\n" + m.service("", false)
		if base != "" {
			m.files["base.yml"] = base
		}
	}
	return m.files
}

// mutate changes a few bytes of one of the files.
func (m *projectMaker) mutate() {
	name := m.one("docker-compose.yml", "docker-compose.yml", "base.yml", "docker-compose.override.yml", ".env")
	m.files[name] = sockettest.Mutate(m.Rand, m.files[name], "{}[]#$\"':- \n&*/0,\t\xc3", 2, 20)
}

// sexagesimal is a number of YAML 1.1 that version 2 takes for text: 1:30 is 90 (YAML 1.1, int).
var sexagesimal = regexp.MustCompile(`[\s\[,][-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+[\s,\]]`)

// octal is a number that begins with 0: version 1 takes it for an octal one.
var octal = regexp.MustCompile(`\b0\d`)

// TestDockerCompose compares the ports that are read of generated and mutated projects with those
// of docker-compose 1.29. A run is one project, of one to four services in up to four files, and
// the same with a few bytes changed; one process of docker-compose reads all of them. What one of
// the two versions refuses is not compared.
func TestDockerCompose(t *testing.T) {
	asked := startComposer(t)
	compared, listened, refused, doubted := 0, 0, 0, 0
	for run := range sockettest.Count(t, 15) {
		m := &projectMaker{Rand: rand.New(rand.NewPCG(uint64(run), 6))}
		dir := t.TempDir()
		m.project()
		for _, mutated := range []bool{false, true} {
			if mutated {
				m.mutate()
			}
			for name, text := range m.files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			want, problem := asked.ask(t, dir)
			tree := &source.Tree{FS: os.DirFS(dir), Dir: dir}
			f, err := tree.Read("docker-compose.yml")
			if err != nil {
				refused++
				continue
			}
			c := Compose(tree, f)
			broken := len(c.Doubts) > 0 && strings.Contains(c.Doubts[0].Problem, "could not load")
			if mutated { // docker-compose 1.29 removes blanks around a number
				broken = broken || slices.ContainsFunc(c.Doubts, func(d listeners.Doubt) bool { return strings.HasSuffix(d.Problem, "is not a number") })
			}
			got := publishedPorts(c)
			switch {
			case mutated && (problem != "" || octal.MatchString(m.shown())):
				refused++
			case mutated && broken:
				doubted++
			case problem != "", broken, !slices.Equal(got, want) && !sexagesimal.MatchString(m.files["docker-compose.yml"]):
				t.Fatalf("run %d, mutated %t: docker-compose: %s\nhas  %q\nread %q\n%v\n%s", run, mutated, problem, want, got, c.Doubts, m.shown())
			default:
				compared++
				listened += len(want)
			}
		}
	}
	t.Logf("%d projects with %d ports compared, %d that docker-compose refuses, %d that only it accepts", compared, listened, refused, doubted)
}

// publishedPorts returns the names of the listeners that are published.
func publishedPorts(c listeners.Config) (list []string) {
	for _, l := range c.Listeners {
		if l.Through == listeners.ThroughPublished {
			list = append(list, l.Service)
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// shown returns the files of a project.
func (m *projectMaker) shown() string {
	var b strings.Builder
	for name, text := range m.files {
		fmt.Fprintf(&b, "=== %s\n%s", name, text)
	}
	return b.String()
}
