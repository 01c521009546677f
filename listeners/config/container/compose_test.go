package container

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// shown writes what a file configures, one line each.
func shown(c listeners.Config) []string {
	var lines []string
	for _, l := range c.Listeners {
		line := fmt.Sprintf("%s:%d:%d-%d %s %s", l.At.File, l.At.Line, l.At.Column, l.At.EndColumn, l.Service, l.Address)
		for _, s := range l.Settings {
			if !strings.HasPrefix(s.Name, "network ") { // see TestNetworks
				line += " " + s.Name + "=" + s.Value
			}
		}
		if l.Doubt != "" {
			line += "; doubt: " + l.Doubt
		}
		lines = append(lines, line)
	}
	for _, d := range c.Doubts {
		lines = append(lines, fmt.Sprintf("%s:%d:%d-%d doubt: %s", d.At.File, d.At.Line, d.At.Column, d.At.EndColumn, d.Problem))
	}
	return lines
}

// compose reads files below a folder of the test, of which the first is the main one.
func compose(t *testing.T, files ...string) []string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		name := filepath.Join(dir, files[i])
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tree := &source.Tree{FS: os.DirFS(dir), Dir: dir}
	f, err := tree.Read(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return shown(Compose(tree, f))
}

func TestCompose(t *testing.T) {
	for _, tt := range []struct {
		name  string
		files []string
		want  []string
	}{
		{"short and long syntax", []string{"compose.yml", `services:
  mx:
    image: example/postfix:3
    ports:
      - "25:25"
      - 127.0.0.1:10025:10025/tcp
      - '[::1]:10026:10026'
      - 53:53/udp
      - target: 587
        published: "1587"
        host_ip: 10.0.0.5
      - 8000-8001:9000-9001
`}, []string{
			"compose.yml:5:10-12 services.mx.ports :25:25 invalid IP image=example/postfix:3 target=25",
			"compose.yml:6:9-24 services.mx.ports 127.0.0.1:10025:10025 127.0.0.1 image=example/postfix:3 target=10025",
			"compose.yml:7:10-21 services.mx.ports ::1:10026:10026 ::1 image=example/postfix:3 target=10026",
			"compose.yml:10:21-25 services.mx.ports 10.0.0.5:1587:587 10.0.0.5 image=example/postfix:3 target=587",
			"compose.yml:12:9-18 services.mx.ports :8000:9000 invalid IP image=example/postfix:3 target=9000",
			"compose.yml:12:9-18 services.mx.ports :8001:9001 invalid IP image=example/postfix:3 target=9001",
		}},
		{"a port that is none", []string{"compose.yml", "services: {a: {ports: ['$$x']}}\n"}, []string{
			"compose.yml:1:1-1 doubt: Docker Compose could not load this file: Invalid containerPort: $x",
		}},
		{"variables", []string{"compose.yml", `services:
  a:
    ports:
      - "${SMTP_PORT:-25}:25"
      - "${BIND}:10025:10025"
      - "${NONE}:10026"
`, ".env", "BIND=127.0.0.1\n"}, []string{
			"compose.yml:4:10-26 services.a.ports :25:25 invalid IP target=25",
			"compose.yml:5:10-23 services.a.ports 127.0.0.1:10025:10025 127.0.0.1 target=10025",
			"compose.yml:6:10-17 doubt: variable NONE, on which a published port of service \"a\" depends, has no value in .env",
		}},
		{"the network of the host, and a random port", []string{"compose.yml", `services:
  a:
    network_mode: host
    ports: ["25:25"]
  b:
    ports: ["25"]
`}, []string{
			`compose.yml:3:5-17 doubt: service "a" uses the network of the host: it opens the ports of its daemons, which this file does not list`,
			`compose.yml:6:14-16 doubt: port 25 of service "b" is published at a random port of the host, on all addresses`,
		}},
		{"override, extends, include, anchors", []string{"compose.yaml", `include: [sub/compose.yml]
x-ports: &p
  ports: ["10027:10027"]
services:
  a:
    extends: {file: base.yml, service: base}
  b:
    <<: *p
`, "compose.override.yaml", "services:\n  a:\n    ports: ['10028:10028']\n",
			"base.yml", "services:\n  base:\n    ports:\n      - 10025:10025\n",
			"sub/compose.yml", "services:\n  c:\n    ports: ['127.0.0.1:24:24']\n"}, []string{
			"base.yml:4:9-14 services.a.ports :10025:10025 invalid IP target=10025",
			"compose.override.yaml:3:14-19 services.a.ports :10028:10028 invalid IP target=10028",
			"compose.yaml:3:12-17 services.b.ports :10027:10027 invalid IP target=10027",
			"sub/compose.yml:3:14-26 services.c.ports 127.0.0.1:24:24 127.0.0.1 target=24",
		}},
		{"commands", []string{"compose.yml", `services:
  a:
    image: x
    command: postgrey --inet="0.0.0.0:10023"
  b:
    image: x
    entrypoint: ["sh", "-c"]
    command:
      - |
        cd /
        exec postgrey --inet=$$HOST:$$PORT
    environment: [HOST=10.0.0.5]
    env_file: [{path: b.env}, none.env]
  c:
    network_mode: host
    command: >
      postgrey
      --inet=10.0.0.5:${PORT:-1}
  d:
    environment:
      MP_SMTP_BIND_ADDR: 0.0.0.0:25
      MP_UI_BIND_ADDR:
    command: mailpit
  e:
    command: postgrey --inet=${NONE}:1
  f:
    extends: a
`, "b.env", "# x\nexport PORT='10024' # y\n"}, []string{
			"compose.yml:4:31-44 services.a.command inet 0.0.0.0:10023 0.0.0.0",
			"compose.yml:12:24-32 services.b.entrypoint inet 10.0.0.5:10024 10.0.0.5",
			"compose.yml:18:14-23 services.c.command inet 10.0.0.5:1 10.0.0.5",
			"compose.yml:21:26-36 services.d.command smtp 0.0.0.0:25 0.0.0.0",
			"compose.yml:25:37-39 services.e.command inet :1 invalid IP; doubt: variable NONE has no value in .env",
			"compose.yml:4:31-44 services.f.command inet 0.0.0.0:10023 0.0.0.0",
			"compose.yml:13:5-13 doubt: a file of env_file is not among the files",
			`compose.yml:15:5-17 doubt: service "c" uses the network of the host: it opens the ports of its daemons, which this file does not list`,
			"compose.yml:23:14-21 doubt: a port of Mailpit is not known: the variable MP_UI_BIND_ADDR has no value in the files",
		}},
		{"commands of what is built", []string{"compose.yml", `services:
  a:
    build: {context: img, target: one, args: {HOST: 0.0.0.0}}
  b:
    build: img
    command: [--inet, "10.0.0.5:1"]
  c:
    build: {context: ., dockerfile: img/Dockerfile}
    entrypoint: postgrey
  d:
    build: {context: img, dockerfile: none}
`, "img/Dockerfile", "FROM x AS one\nARG HOST\nENV O=--inet=$HOST:10\nENTRYPOINT [\"postgrey\"]\nCMD [\"--inet=10.0.0.5:9\"]\nFROM one\nENTRYPOINT postgrey $O\n"}, []string{
			"img/Dockerfile:5:14-24 services.a.ENTRYPOINT inet 10.0.0.5:9 10.0.0.5",
			"img/Dockerfile:3:19-22 services.b.ENTRYPOINT inet :10 invalid IP; doubt: the variable HOST has no value in the files",
		}},
		{"a file outside of the tree", []string{"compose.yml", "include: [/dev/zero]\nservices: {}\n"}, []string{
			`compose.yml:1:1-1 doubt: Docker Compose could not load this file: "/dev/zero" is not among the files`,
		}},
		{"the same in a second document", []string{"compose.yml", "services: {}\n---\ninclude: [{path: b.yml, env_file: /dev/zero}]\n", "b.yml", "services: {}\n"}, []string{
			`compose.yml:1:1-1 doubt: Docker Compose could not load this file: compose.yml includes with env_file, which is not read`,
		}},
		{"another folder with variables", []string{"compose.yml", "include: [{path: b.yml, project_directory: ../..}]\n", "b.yml", "services: {}\n"}, []string{
			`compose.yml:1:1-1 doubt: Docker Compose could not load this file: compose.yml includes with project_directory, which is not read`,
		}},
		{"a file that two services extend", []string{"compose.yml", "services:\n  a: {extends: {file: base.yml, service: c}}\n  b: {extends: {file: base.yml, service: c}}\n",
			"base.yml", "services:\n  c:\n    ports: ['10025:25']\n"}, []string{
			"base.yml:3:14-19 services.a.ports :10025:25 invalid IP target=25",
			"base.yml:3:14-19 services.b.ports :10025:25 invalid IP target=25",
		}},
		{"two files of one name", []string{"compose.yml", "services:\n  a: {extends: {file: sub/a.yml, service: a}}\n  b: {extends: {file: sub/a.yml, service: a}}\n",
			"sub/a.yml", "services:\n  a: {extends: {file: common.yml, service: c}}\n", "common.yml", "services:\n  c: {ports: ['1:1']}\n", "sub/common.yml", "services:\n  c:\n    ports: ['10025:25']\n"}, []string{
			`compose.yml:1:1-1 doubt: Docker Compose could not load this file: "common.yml" may be common.yml or sub/common.yml`,
		}},
		{"a file of variables that the library would read", []string{"compose.yml", "include: [{path: b.yml, env_file: /dev/zero}]\n", "b.yml", "services: {}\n"}, []string{
			`compose.yml:1:1-1 doubt: Docker Compose could not load this file: compose.yml includes with env_file, which is not read`,
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := compose(t, tt.files...); !slices.Equal(got, tt.want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(tt.want, "\n\t"))
			}
		})
	}
}

func FuzzCompose(f *testing.F) {
	f.Add("services: {a: {ports: ['25:25', {target: 1, published: '2-3'}]}}")
	f.Add("services: {a: {ports: ['${X:?no}:25']}}")
	f.Fuzz(func(t *testing.T, text string) {
		tree := &source.Tree{FS: os.DirFS(t.TempDir())}
		for _, l := range Compose(tree, source.NewFile("compose.yml", "compose.yml", text)).Listeners {
			if l.Port == 0 || l.At.Line < 1 {
				t.Errorf("listener without a port or a place: %+v", l)
			}
		}
	})
}
