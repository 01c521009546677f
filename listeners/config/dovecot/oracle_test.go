package dovecot

import (
	"bytes"
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"os/exec"
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

// doveconf returns the output of doveconf(1) for a file, as the daemon takes it, or its
// error. It is skipped without doveconf of 2.3.
func doveconf(t *testing.T, file string, args ...string) (out, problem string) {
	t.Helper()
	program, err := exec.LookPath("doveconf")
	if err != nil {
		t.Skip("doveconf is not installed")
	}
	cmd := exec.Command(program, append([]string{"-x", "-c", file}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Run(); err != nil {
		lines := strings.Split(strings.TrimSpace(stderr.String()), "\n")
		return "", lines[len(lines)-1]
	}
	return stdout.String(), ""
}

// asked is what doveconf says of a configuration: settings by their paths, of which the
// sections without names have numbers, and the sections in their order.
type asked struct {
	set      map[string]string
	services []string
	inets    map[string][]string
}

// parseDoveconf reads the output of doveconf without -n.
func parseDoveconf(out string) asked {
	a := asked{set: map[string]string{}, inets: map[string][]string{}}
	var path []string
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		at := strings.Join(path, "/")
		switch {
		case line == "}":
			path = path[:len(path)-1]
		case strings.HasSuffix(line, "{") && !strings.Contains(line, " = "): // no value that ends in it
			key, name, _ := strings.Cut(strings.TrimSpace(strings.TrimSuffix(line, "{")), " ")
			name = strings.Trim(name, `"`)
			if key == "inet_listener" && len(path) == 1 {
				id := name + "#" + strconv.Itoa(len(a.inets[at]))
				a.inets[at] = append(a.inets[at], id)
				name = id
			}
			path = append(path, key+" "+name)
			if key == "service" {
				a.services = append(a.services, path[0])
			}
		default:
			key, value, _ := strings.Cut(line, " = ")
			key = strings.TrimSuffix(key, " =")
			if n := len(value); n > 1 && value[0] == '"' && value[n-1] == '"' {
				value = value[1 : n-1]
			}
			a.set[strings.TrimPrefix(at+"/"+key, "/")] = value
		}
	}
	return a
}

// listeners returns what Dovecot opens: "service name port address ssl haproxy".
func (a asked) listeners() []string {
	list := []string{}
	protocols := strings.Fields(a.set["protocols"])
	for _, s := range a.services {
		p := a.set[s+"/protocol"]
		if a.set[s+"/executable"] == "" || p != "" && !slices.Contains(protocols, p) {
			continue
		}
		for _, id := range a.inets[s] {
			at := s + "/inet_listener " + id + "/"
			port := a.set[at+"port"]
			if port == "0" || a.set[at+"ssl"] == "yes" && a.set["ssl"] == "no" {
				continue
			}
			addresses := a.set[at+"address"]
			if addresses == "" {
				addresses = a.set["listen"]
			}
			name, _, _ := strings.Cut(id, "#")
			if name == "" {
				name = port
			}
			for _, address := range strings.FieldsFunc(addresses, func(c rune) bool { return c == ',' || c == ' ' }) {
				list = append(list, fmt.Sprintf("%s %s %s %s %s %s", s, name, port, address, a.set[at+"ssl"], a.set[at+"haproxy"]))
			}
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// asDoveconf writes listeners that were read in the same way.
func asDoveconf(all []listeners.Listener) []string {
	list := []string{}
	yes := map[bool]string{true: "yes", false: "no"}
	for i := range all {
		l := &all[i]
		hosts := []string{l.Host}
		if !l.Address.IsValid() && l.Doubt == "" {
			hosts = []string{"*", "::"}
			if strings.Contains(l.Host, "[::]") {
				hosts[1] = "[::]"
			}
		}
		for _, host := range hosts {
			name := l.Service
			if before, _, ok := strings.Cut(name, " #"); ok {
				name = before
			}
			name = strings.TrimSuffix(name, " "+l.Host)
			_, haproxy := l.Setting("haproxy")
			list = append(list, fmt.Sprintf("%s %d %s %s %s", name, l.Port, host, yes[l.Tunnel != ""], yes[haproxy]))
		}
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// refusals are what doveconf says of configurations with which Dovecot does not start,
// and that the reader has to notice.
var refusals = []string{
	"Garbage after", "Expecting '{'", "Unexpected '}'", "Missing '}'", "No matches", "Recursive include", "Invalid port number",
	"Invalid boolean value", "duplicate listener", "Unknown protocol", "listen can't be set empty", "is missing name",
	"Unknown setting: service {", "Unknown setting: service/",
}

// booleanLine is where doveconf finds a value that is no boolean.
var booleanLine = regexp.MustCompile(`(\S+) line (\d+): Invalid boolean value`)

// otherBoolean reports whether a problem is one of a boolean that has nothing to do with listeners.
func otherBoolean(text map[string]string, problem string) bool {
	m := booleanLine.FindStringSubmatch(problem)
	if m == nil {
		return false
	}
	for name, data := range text {
		lines := strings.Split(data, "\n")
		if n, _ := strconv.Atoi(m[2]); strings.HasSuffix(m[1], "/"+name) && n <= len(lines) {
			return !strings.Contains(lines[n-1], "ssl") && !strings.Contains(lines[n-1], "haproxy")
		}
	}
	return false
}

// TestDoveconf compares what is read of generated files with what doveconf(1) reads. A run is one
// configuration with the files that it includes; in one of six a few bytes are changed.
func TestDoveconf(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "dovecot.conf")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	out, _ := doveconf(t, empty)
	debian := parseDoveconf(out).set["protocols"] == ""
	var files, compared, refused, other atomic.Int64
	sockettest.Share(t, sockettest.Count(t, 20), func(t *testing.T, runs iter.Seq[int]) {
		for run := range runs {
			h := &host{Rand: rand.New(rand.NewPCG(uint64(run), 3))}
			switch count, starts, known := compareDoveconf(t, run, h.files(), debian); {
			case starts:
				files.Add(1)
				compared.Add(int64(count))
			case known:
				refused.Add(1)
			default:
				other.Add(1)
			}
		}
	})
	t.Logf("%d configurations with %d listeners compared, %d that Dovecot refuses, %d more that it refuses for what the reader does not know",
		files.Load(), compared.Load(), refused.Load(), other.Load())
}

// compareDoveconf compares one configuration, and returns how many listeners it has, whether
// Dovecot starts, and if not, whether the reader has to notice that.
func compareDoveconf(t *testing.T, run int, text map[string]string, debian bool) (count int, starts, known bool) {
	t.Helper()
	dir := t.TempDir()
	write(t, dir, text)
	out, problem := doveconf(t, filepath.Join(dir, "dovecot.conf"))
	tree := &source.Tree{FS: os.DirFS(dir)}
	f, err := tree.Read("dovecot.conf")
	if err != nil {
		t.Fatal(err)
	}
	r := newReading(tree, f)
	r.debian = debian
	c := r.read()
	got := asDoveconf(c.Listeners)
	show := func() string {
		var b strings.Builder
		for name, data := range text {
			fmt.Fprintf(&b, "=== %s\n%s", name, data)
		}
		return b.String()
	}
	if problem != "" {
		if !slices.ContainsFunc(refusals, func(s string) bool { return strings.Contains(problem, s) }) ||
			strings.Contains(problem, "unix_listener") || otherBoolean(text, problem) {
			return 0, false, false
		}
		doubtful := len(c.Doubts) > 0 || slices.ContainsFunc(c.Listeners, func(l listeners.Listener) bool { return l.Doubt != "" })
		if !doubtful {
			t.Fatalf("run %d: Dovecot does not start, and there is no doubt: %s\n%s", run, problem, show())
		}
		return 0, false, true
	}
	want := parseDoveconf(out).listeners()
	if slices.ContainsFunc(c.Doubts, func(d listeners.Doubt) bool { return strings.Contains(d.Problem, "not a regular file") }) {
		return 0, false, false // Dovecot takes a folder that is included for an empty file
	}
	if len(c.Doubts) > 0 {
		t.Fatalf("run %d: Dovecot starts: %v\n%s", run, c.Doubts, show())
	}
	if !slices.Equal(got, want) {
		t.Fatalf("run %d: got\n\t%s\nwant\n\t%s\n%s", run, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"), show())
	}
	return len(want), true, true
}
