package rspamd

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/sockettest"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// uclScript reads the file of each line of its input with libucl, as Rspamd does, and writes it
// in JSON, or why it cannot.
const uclScript = `
local ucl = require "ucl"
for name in io.stdin:lines() do
  local parser = ucl.parser()
  local ok, err = parser:parse_file(name)
  if ok then
    io.stdout:write(ucl.to_format(parser:get_object(), 'json-compact'), "\n")
  else
    io.stdout:write("!", (tostring(err):gsub('\n', ' ')), "\n")
  end
  io.stdout:flush()
end
`

// A uclReader is a process of rspamadm(1) that reads one file after another.
type uclReader struct {
	to  io.Writer
	out *bufio.Scanner
}

// startUCL starts rspamadm. The test is skipped without it.
func startUCL(t *testing.T) *uclReader {
	t.Helper()
	program, err := exec.LookPath("rspamadm")
	if err != nil {
		t.Skip("rspamadm is not installed")
	}
	script := filepath.Join(t.TempDir(), "ucl.lua")
	if err := os.WriteFile(script, []byte(uclScript), 0o600); err != nil {
		t.Fatal(err)
	}
	to, out := sockettest.Talk(t, exec.Command(program, "lua", script))
	return &uclReader{to, out}
}

// ask returns what libucl reads of a file, and whether it accepts it.
func (u *uclReader) ask(t *testing.T, path string) (root map[string]any, ok bool, problem string) {
	t.Helper()
	if _, err := fmt.Fprintln(u.to, path); err != nil || !u.out.Scan() {
		t.Fatalf("rspamadm ended: %v %v", err, u.out.Err())
	}
	if problem, refused := strings.CutPrefix(u.out.Text(), "!"); refused {
		return nil, false, problem
	}
	decoder := json.NewDecoder(strings.NewReader(u.out.Text()))
	decoder.UseNumber()
	if err := decoder.Decode(&root); err != nil {
		return nil, false, err.Error() // an array, or bytes that are no JSON
	}
	return root, true, ""
}

// asNodes returns what libucl read as this package has it: a node for each value of a key.
func asNodes(key string, value any) []*node {
	f := source.NewFile("libucl", "libucl", "")
	switch v := value.(type) {
	case []any:
		var list []*node
		for _, item := range v {
			if inner, nested := item.([]any); nested {
				n := &node{key: key, file: f, group: true}
				for _, i := range inner {
					n.children = append(n.children, asNodes("", i)...)
				}
				list = append(list, n)
				continue
			}
			list = append(list, asNodes(key, item)...)
		}
		return list
	case map[string]any:
		n := &node{key: key, file: f, group: true}
		for _, k := range slices.Sorted(maps.Keys(v)) {
			n.children = append(n.children, asNodes(k, v[k])...)
		}
		return []*node{n}
	}
	return []*node{{key: key, file: f, text: fmt.Sprint(value)}}
}

// opened returns what a reading opens, with what it says of passwords, without places.
func opened(c listeners.Config) (list []string) {
	for _, l := range c.Listeners {
		service, _, _ := strings.Cut(l.Service, ", number ") // libucl has some values twice
		line := fmt.Sprintf("%s = %s %s", service, l.Address, l.Protocol)
		for _, s := range l.Settings {
			words := strings.Fields(s.Value)
			slices.Sort(words)
			words = slices.Compact(words)
			line += fmt.Sprintf("; %s=%s", s.Name, strings.Join(words, " "))
		}
		list = append(list, line)
	}
	slices.Sort(list)
	return slices.Compact(list)
}

// commented is an array that begins with a comment: libucl takes blanks behind it, and quotation
// marks behind these, for a part of the first value.
var commented = regexp.MustCompile(`\[\s*(?:#|/\*)`)

// TestUCL compares what is read of generated and mutated files with what libucl reads, the
// library with which Rspamd reads its configuration. A run is two files, of up to seven workers
// with those that they include; one process of rspamadm(1) reads all of them.
func TestUCL(t *testing.T) {
	asked := startUCL(t)
	compared, listened, refused := 0, 0, 0
	for run := range sockettest.Count(t, 60) {
		m := &maker{Rand: rand.New(rand.NewPCG(uint64(run), 8)), port: 2000}
		dir := t.TempDir()
		files := m.workers(dir)
		for _, mutated := range []bool{false, true} {
			name := "rspamd.conf"
			if mutated {
				if m.IntN(2) == 0 {
					name = m.one(slices.Sorted(maps.Keys(files))...)
				}
				files[name] = m.mutate(files[name])
			}
			for name, text := range files {
				if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			path := filepath.Join(dir, "rspamd.conf")
			root, ok, problem := asked.ask(t, path)
			if name != "rspamd.conf" && ok { // with try=true a mistake in a file leaves it out
				_, ok, _ = asked.ask(t, filepath.Join(dir, name))
			}
			c := readMain(t, path)
			if !ok || commented.MatchString(files[name]) {
				if refused++; !mutated {
					t.Fatalf("run %d: libucl: %s\n%s", run, problem, show(files))
				}
				continue
			}
			theirs := newReading(nil, source.NewFile("rspamd.conf", "rspamd.conf", ""))
			theirs.sections(&node{children: nodesOf(root)})
			if got, want := opened(c), opened(theirs.c); !slices.Equal(got, want) {
				t.Fatalf("run %d, mutated %t: got\n\t%s\nwant\n\t%s\n%v\n%s", run, mutated, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"), c.Doubts, show(files))
			}
			compared++
			listened += len(c.Listeners)
		}
	}
	t.Logf("%d files with %d listeners compared, %d that libucl refuses", compared, listened, refused)
}

// show returns files with their names.
func show(files map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(files)) {
		fmt.Fprintf(&b, "=== %s\n%s\n", name, files[name])
	}
	return b.String()
}

// nodesOf returns the nodes of an object.
func nodesOf(root map[string]any) (list []*node) {
	for _, k := range slices.Sorted(maps.Keys(root)) {
		list = append(list, asNodes(k, root[k])...)
	}
	return list
}

// readMain reads a file of this machine as rspamd.conf.
func readMain(t *testing.T, path string) listeners.Config {
	t.Helper()
	tree := &source.Tree{FS: os.DirFS("/")}
	f, err := tree.Read(strings.TrimPrefix(path, "/"))
	if err != nil {
		t.Fatal(err)
	}
	return Main(tree, f)
}

// TestConfigdump compares what is read of generated files with what "rspamadm configdump" prints.
// A run is one rspamd.conf of up to seven workers, with the files that it includes. No value is an
// array: of one with further values of its key configdump does not print all, though Rspamd listens
// on all.
func TestConfigdump(t *testing.T) {
	program, err := exec.LookPath("rspamadm")
	if err != nil {
		t.Skip("rspamadm is not installed")
	}
	compared, listened := 0, 0
	for run := range sockettest.Count(t, 3) {
		m := &maker{Rand: rand.New(rand.NewPCG(uint64(run), 9)), port: 2000, noArrays: true}
		dir := t.TempDir()
		files := m.workers(dir)
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		path := filepath.Join(dir, "rspamd.conf")
		cmd := exec.Command(program, "configdump", "--compact", "-c", path)
		var messages strings.Builder
		cmd.Stderr = &messages
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("run %d: rspamadm configdump: %v: %s\n%s", run, err, messages.String(), show(files))
		}
		var root map[string]any
		decoder := json.NewDecoder(strings.NewReader(string(out)))
		decoder.UseNumber()
		if err := decoder.Decode(&root); err != nil {
			t.Fatalf("run %d: %v: %s", run, err, out)
		}
		theirs := newReading(nil, source.NewFile("rspamd.conf", "rspamd.conf", ""))
		theirs.sections(&node{children: nodesOf(root)})
		c := readMain(t, path)
		if got, want := opened(c), opened(theirs.c); !slices.Equal(got, want) || len(c.Doubts) > 0 {
			t.Fatalf("run %d: got\n\t%s\nwant\n\t%s\n%v\n%s", run, strings.Join(got, "\n\t"), strings.Join(want, "\n\t"), c.Doubts, show(files))
		}
		compared++
		listened += len(c.Listeners)
	}
	t.Logf("%d files with %d listeners compared", compared, listened)
}
