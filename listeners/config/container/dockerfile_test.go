package container

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/command"
	"github.com/mxsweep/mxsweep/listeners/source"
)

const exec = `CMD ["postgrey", "--inet=0.0.0.0:10023"]`

var dockerfileTests = []struct {
	name, text string
	want       []string
}{
	{"exec form", "FROM debian\n" + exec + "\n", []string{
		"Dockerfile:2:26-39 CMD inet 0.0.0.0:10023 0.0.0.0",
	}},
	{"shell form with variables", "FROM debian\nARG PORT=10023\nENV HOST=10.0.0.5\nENV OPTS=\"--delay=60 --inet=$HOST:${PORT}\"\nCMD exec postgrey \\\n  # a comment\n\n  $OPTS\n", []string{
		"Dockerfile:3:10-18 CMD inet 10.0.0.5:10023 10.0.0.5",
	}},
	{"the old form of ENV, and no variables in the exec form", "from debian\nenv OPTS --inet=10.0.0.5:1\ncmd postgrey $OPTS\n", []string{
		"Dockerfile:2:17-27 CMD inet 10.0.0.5:1 10.0.0.5",
	}},
	{"ENTRYPOINT with CMD", "FROM debian\nENTRYPOINT [\"/usr/bin/tini\", \"--\", \"postgrey\"]\nCMD [\"--inet\", \"[::1]:10023\"]\n", []string{
		"Dockerfile:3:17-28 ENTRYPOINT inet ::1:10023 ::1",
	}},
	{"a script that starts CMD", "FROM debian\nCOPY run.sh /\nENTRYPOINT [\"/run.sh\"]\n" + exec + "\n", []string{
		"Dockerfile:4:26-39 CMD inet 0.0.0.0:10023 0.0.0.0; doubt: /run.sh may start something else",
	}},
	{"only the last stage, and the last CMD", "FROM debian AS a\n" + exec + "\nFROM alpine\nCMD [\"x\"]\nCMD postgrey --inet=127.0.0.1:1\n", []string{
		"Dockerfile:5:21-32 CMD inet 127.0.0.1:1 127.0.0.1",
	}},
	{"a stage that is based on another one", "ARG P=10023\nFROM debian AS base\nARG P\nENV P=$P\nCMD postgrey --inet=:$P\nFROM base\n", []string{
		"Dockerfile:5:21-22 CMD inet :10023 invalid IP",
	}},
	{"ENTRYPOINT resets the CMD of the base, not its own", "FROM debian AS base\n" + exec + "\nFROM BASE\nENTRYPOINT [\"x\"]\n", nil},
	{"here-documents", "FROM debian\nRUN <<EOF cat <<-\"B\" > /x\nCMD postgrey --inet=0.0.0.0:1\nEOF\nCMD postgrey --inet=0.0.0.0:2\n\tB\nCOPY <<X /y\nCMD postgrey --inet=0.0.0.0:3\nX\nRUN echo \"a <<Z b\"\nCMD postgrey --inet=0.0.0.0:4\nZ\n", []string{
		"Dockerfile:11:21-30 CMD inet 0.0.0.0:4 0.0.0.0",
	}},
	{"another escape character", "# syntax=x\n# escape=`\nFROM debian\nCMD postgrey `\n  --inet=0.0.0.0:4\n", []string{
		"Dockerfile:5:10-19 CMD inet 0.0.0.0:4 0.0.0.0",
	}},
	{"a list that is none is a script", "FROM debian\nCMD ['postgrey', '--inet=0.0.0.0:1']\nFROM x\nCMD [ -f x ] && postgrey --inet=0.0.0.0:1\n", []string{
		"Dockerfile:4:33-42 CMD inet 0.0.0.0:1 0.0.0.0",
	}},
	{"a mark of the byte order, CRLF, and escaped characters", "\ufeffFROM debian\r\nCMD [\"postgrey\",\"--inet=0.0.0.0\\u003a1\"]\r\n", []string{
		"Dockerfile:2:5-6 CMD inet 0.0.0.0:1 0.0.0.0",
	}},
	{"an argument without a value", "FROM debian\nARG PORT\nENV O=--inet=0.0.0.0:$PORT\nCMD postgrey $O\n", []string{
		"Dockerfile:3:14-22 doubt: a port of Postgrey is not known: the variable PORT has no value in the files",
	}},
	{"what RUN and ONBUILD start", "FROM debian\nRUN postgrey --inet=0.0.0.0:1\nONBUILD CMD postgrey --inet=0.0.0.0:1\nHEALTHCHECK CMD postgrey --inet=0.0.0.0:1\n", nil},
	{"nothing", "# x\n", nil},
}

func TestDockerfile(t *testing.T) {
	for _, tt := range dockerfileTests {
		t.Run(tt.name, func(t *testing.T) {
			c := Dockerfile(&source.Tree{FS: fstest.MapFS{}}, source.NewFile("Dockerfile", "Dockerfile", tt.text))
			if got := shown(c); !slices.Equal(got, tt.want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(tt.want, "\n\t"))
			}
			for _, l := range c.Listeners {
				if l.Through != listeners.ThroughContainer {
					t.Errorf("%s is reached %q", l.Service, l.Through)
				}
			}
		})
	}
}

// TestTarget holds that a target is a stage by its name or its number.
func TestTarget(t *testing.T) {
	list, _ := instructions(source.NewFile("x", "x", "FROM a AS one\nCMD 1\nFROM b as two\nCMD 2\nFROM c\nCMD 3\n"))
	for target, want := range map[string]string{"": "3", "ONE": "1", "1": "2", "two": "2", "2": "3"} {
		if img, _ := imageOf(list, nil, target); img == nil || img.cmd.script.String() != want {
			t.Errorf("target %q: %+v", target, img)
		}
	}
	if img, _ := imageOf(list, nil, "x"); img != nil {
		t.Errorf("a stage that is not there: %+v", img)
	}
}

// TestCopies holds which files an image has, and which only a stage has that it does not use.
func TestCopies(t *testing.T) {
	files := fstest.MapFS{"a/Dockerfile": {}, "a/conf/x": {}, "a/conf/y": {}, "root/etc/x": {}}
	for _, tt := range []struct{ text, context, want string }{
		{"FROM a\nCOPY conf /etc/x\n", "", "a/conf"},
		{"FROM a\nCOPY --chown=1:1 [\"conf/x\", \"conf/y\", \"/etc/\"]\n", "a", "a/conf/x a/conf/y"},
		{"FROM a\nARG D=conf\nADD $D/* /etc/\n", "a", "a/conf"},
		{"FROM a AS b\nCOPY conf /src\nFROM a\n", "a", ""},
		{"FROM a AS b\nCOPY conf /src\nFROM a\nCOPY --from=b /src/x /etc\n", "a", "a/conf"},
		{"FROM a AS b\nCOPY conf /src\nFROM a\nCOPY --from=0 /bin /bin\n", "a", ""},
		{"FROM a AS b\nCOPY conf /etc/x\nFROM b\n", "a", "a/conf"},
		{"FROM a\nCOPY c*/[x] /etc/\n", "a", "a/conf/x"},
		{"FROM a\nCOPY conf /tests/conf\n", "", ""},
		{"FROM a\nCOPY conf /usr/src/conf\nCOPY conf/x conf/\n", "", ""},
		{"FROM a\nWORKDIR /etc\nWORKDIR x\nCOPY conf .\n", "", "a/conf"},
		{"FROM a AS b\nWORKDIR /src\nFROM b\nCOPY conf .\n", "", ""},
		{"FROM a AS b\nWORKDIR /src\nCOPY conf c\nFROM a\nCOPY --from=b /src/c/x /etc/\n", "", "a/conf"},
		{"FROM a\nCOPY . /\n", "a", ""}, // with the Dockerfile itself
		{"FROM a\nCOPY . /\n", "root", "root"},
		{"FROM a\nCOPY . /app\n", "root", ""},
		{"FROM a\nCOPY <<X /etc/x\nCOPY conf /etc\nX\n", "a", ""},
		{"FROM a\nADD https://x/conf /etc\nCOPY ../conf /etc\n", "a", ""},
	} {
		var c listeners.Config
		f := source.NewFile("a/Dockerfile", "a/Dockerfile", tt.text)
		list, _ := instructions(f)
		img, _ := imageOf(list, nil, "")
		img.mounts(&c, &source.Tree{FS: files}, f, tt.context, listeners.Mount{Service: "s"})
		var got []string
		for _, m := range c.Mounts {
			got = append(got, m.Name)
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%q in %q: got %q, want %q", tt.text, tt.context, got, tt.want)
		}
	}
}

// TestDockerfileBounds reads what would take long without bounds.
func TestDockerfileBounds(t *testing.T) {
	for name, text := range map[string]string{
		"stages":       strings.Repeat("FROM a AS b\nENV A=1\n", 100_000),
		"instructions": "FROM a\n" + strings.Repeat("ENV A=$A$A\n", 100_000),
		"copies":       "FROM a AS b\n" + strings.Repeat("COPY a /a\n", 5_000) + "FROM c\n" + strings.Repeat("COPY --from=b "+strings.Repeat("/a ", 1_000)+" /x\n", 1_000),
		"documents":    "FROM a\n" + strings.Repeat("RUN <<A <<B <<C\n", 20_000),
	} {
		t.Run(name, func(t *testing.T) {
			c := Dockerfile(&source.Tree{FS: fstest.MapFS{}}, source.NewFile("Dockerfile", "Dockerfile", text))
			if cut := name == "stages" || name == "instructions"; cut != (len(c.Doubts) > 0) {
				t.Errorf("doubts %v", c.Doubts)
			}
		})
	}
}

func FuzzDockerfile(f *testing.F) {
	for _, tt := range dockerfileTests {
		f.Add(tt.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		tree := &source.Tree{FS: fstest.MapFS{"Dockerfile": {}, "a/b": {}}}
		for _, l := range Dockerfile(tree, source.NewFile("Dockerfile", "Dockerfile", text)).Listeners {
			if l.Port == 0 || l.At.Line < 1 || l.Through != listeners.ThroughContainer {
				t.Errorf("listener without a port or a place, or not in a container: %+v", l)
			}
		}
	})
}

// FuzzPlaced holds that what is placed has the value of the scalar.
func FuzzPlaced(f *testing.F) {
	f.Add("a: >\n  b c\n  d\n")
	f.Add("a: 'b''c' # d")
	f.Fuzz(func(t *testing.T, text string) {
		file := source.NewFile("x", "x", text)
		for _, d := range documents(file) {
			_ = d.decode(everyScalar(func(value string, placed command.Text) {
				if len(value) < maxScalar && placed.String() != value {
					t.Errorf("%q becomes %q", value, placed)
				}
				if at, ok := placed.At(); ok && at.Line < 1 {
					t.Errorf("%q is at %+v", value, at)
				}
			}, file))
		}
	})
}

// Example of the listeners in a container whose port is published.
func ExampleDockerfile() {
	f := source.NewFile("Dockerfile", "Dockerfile", "FROM debian\n"+exec+"\n")
	c := Dockerfile(&source.Tree{FS: fstest.MapFS{}}, f)
	fmt.Println(c.Listeners[0].Product, c.Listeners[0].Port, c.Listeners[0].Through)
	// Output: Postgrey 10023 container
}

// TestPatterns holds how many folders are read for patterns where each link leads to its folder.
func TestPatterns(t *testing.T) {
	files := &counting{fsys: fstest.MapFS{"Dockerfile": {}, "z": {}, "main.cf": {}}}
	for i := range 8 {
		files.fsys[fmt.Sprint("l", i)] = &fstest.MapFile{Data: []byte("."), Mode: fs.ModeSymlink}
	}
	for pattern, want := range map[string]int{"*/*/z": 4, "*/*/*/*/*/*/*/*/z": 0} {
		files.read = 0
		c := Dockerfile(&source.Tree{FS: files}, source.NewFile("Dockerfile", "Dockerfile", "FROM a\nCOPY "+pattern+" /etc/\n"))
		if files.read > want || (len(c.Mounts) > 0) != (want > 0) {
			t.Errorf("%s: %d folders were read, %d mounts", pattern, files.read, len(c.Mounts))
		}
	}
}

// counting counts the folders that are read.
type counting struct {
	fsys fstest.MapFS
	read int
}

func (c *counting) Open(name string) (fs.File, error)          { return c.fsys.Open(name) }
func (c *counting) ReadLink(name string) (string, error)       { return c.fsys.ReadLink(name) }
func (c *counting) Lstat(name string) (fs.FileInfo, error)     { return c.fsys.Lstat(name) }
func (c *counting) ReadDir(name string) ([]fs.DirEntry, error) { c.read++; return c.fsys.ReadDir(name) }
