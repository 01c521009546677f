package rspamd

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// read reads files, of which the first one is given to the reader.
func read(t *testing.T, files ...string) listeners.Config {
	t.Helper()
	fsys := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	tree := &source.Tree{FS: fsys}
	f, err := tree.Read(files[0])
	if err != nil {
		t.Fatal(err)
	}
	reader := Worker
	switch {
	case strings.HasSuffix(files[0], "rspamd.conf"):
		reader = Main
	case strings.Contains(files[0], "rspamd.conf."):
		reader = End
	}
	c := reader(tree, f)
	check(t, c)
	return c
}

// check reports what no reader may return.
func check(t *testing.T, c listeners.Config) {
	t.Helper()
	seen := map[string]bool{}
	for _, l := range c.Listeners {
		if l.Port == 0 || l.Role == "" || seen[l.Service] || l.At.Line < 1 {
			t.Errorf("a listener without a port, a role, a name of its own or a place: %+v", l)
		}
		seen[l.Service] = true
	}
	for _, d := range c.Doubts {
		if d.Problem == "" || d.At.Line < 1 {
			t.Errorf("a doubt without a place: %+v", d)
		}
	}
}

// shown writes what files configure, one line each.
func shown(c listeners.Config) []string {
	var lines []string
	for _, l := range c.Listeners {
		line := fmt.Sprintf("%s:%d:%d-%d %s = %s %s/%s/%s", l.At.File, l.At.Line, l.At.Column, l.At.EndColumn, l.Service, l.Address, l.Product, l.Role, l.Protocol)
		if l.V6Only {
			line += " v6only"
		}
		for _, s := range l.Settings {
			line += "; " + s.Name + "=" + s.Value
		}
		for _, cause := range l.Causes {
			line += "; " + cause.Why
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

const main = `worker "normal" {
    bind_socket = "localhost:11333";
    .include "$CONFDIR/worker-normal.inc"
    .include(try=true; priority=1,duplicate=merge) "$LOCAL_CONFDIR/local.d/worker-normal.inc"
    .include(try=true; priority=10) "$LOCAL_CONFDIR/override.d/worker-normal.inc"
}
worker "fuzzy" { bind_socket = "localhost:11335"; count = -1; # disabled
}
`

var rspamdTests = []struct {
	name  string
	files []string
	want  []string
}{
	{"rspamd.conf as shipped", []string{"etc/rspamd/rspamd.conf", main}, []string{
		"etc/rspamd/rspamd.conf:2:20-35 worker normal localhost:11333 = 127.0.0.1 Rspamd/antispam/rspamd-http",
	}},
	{"local.d and override.d", []string{"etc/rspamd/rspamd.conf", main, "etc/rspamd/local.d/worker-normal.inc", "bind_socket = \"*:11333\";", "etc/rspamd/override.d/worker-normal.inc", "bind_socket = [\"10.0.0.5:11333\", \"[::1]:11333\"]"}, []string{
		"etc/rspamd/override.d/worker-normal.inc:1:17-31 worker normal 10.0.0.5:11333 = 10.0.0.5 Rspamd/antispam/rspamd-http",
		"etc/rspamd/override.d/worker-normal.inc:1:35-46 worker normal [::1]:11333 = ::1 Rspamd/antispam/rspamd-http",
	}},
	{"a worker alone", []string{"local.d/worker-controller.inc", "# x\nbind_socket = \"*:11334\";\nbind_socket = *v4:1134\nbind_socket \"*v6:1135\"\nbind_socket: \"/run/x mode=0666\"\npassword = \"q1\";\nenable_password = \"$2$abc\"\nsecure_ip = \"10.0.0.0/8\"; secure_ip = 172.16.0.0/12;\n"}, []string{
		"local.d/worker-controller.inc:2:16-23 worker controller *:11334 = invalid IP Rspamd controller/admin/http; secure_ip=10.0.0.0/8 172.16.0.0/12; login=default; enable_login=set",
		"local.d/worker-controller.inc:3:15-23 worker controller *v4:1134 = 0.0.0.0 Rspamd controller/admin/http; secure_ip=10.0.0.0/8 172.16.0.0/12; login=default; enable_login=set",
		"local.d/worker-controller.inc:4:14-22 worker controller *v6:1135 = :: Rspamd controller/admin/http v6only; secure_ip=10.0.0.0/8 172.16.0.0/12; login=default; enable_login=set",
	}},
	{"the default of a worker", []string{"override.d/worker-proxy.inc", "milter = no;\n/* bind_socket = \"*:1\" /* x */ */\nupstream \"local\" {\n default = yes; hosts = \"a:1\"; }\n"}, []string{
		"override.d/worker-proxy.inc:1:1-2 worker rspamd_proxy localhost:11332 = 127.0.0.1 Rspamd proxy/antispam/rspamd-http; bind_socket is not set; rspamd.conf has localhost:11332",
	}},
	{"old sections, and what is off", []string{"rspamd.conf", "worker {\n type = \"controller\";\n bind_socket = \"10.0.0.5:1:5\";\n}\nworker normal { enabled = false; bind_socket = \"*:2\"; }\nother { worker { type = normal; bind = 1 } }\nworker \"normal\" { listen = \"systemd:0\" }\n"}, []string{
		"rspamd.conf:3:17-29 worker controller 10.0.0.5:1:5 = 10.0.0.5 Rspamd controller/admin/http; login=none",
	}},
	{"what is computed", []string{"worker-normal.inc", "bind_socket = \"{= env.X =}:1\";\nbind_socket = \"*:x\";\n.include \"/etc/none\"\nbind_socket = \"10.0.0.5\""}, []string{
		"worker-normal.inc:4:16-24 worker normal 10.0.0.5 = 10.0.0.5 Rspamd/antispam/rspamd-http",
		`worker-normal.inc:3:11-20 doubt: "/etc/none" is not in the files`,
		`worker-normal.inc:1:16-29 doubt: bind_socket "{= env.X =}:1" is computed`,
		`worker-normal.inc:2:16-19 doubt: bind_socket "*:x" has no valid port`,
	}},
	{"no host, and no port", []string{"worker-normal.inc", "bind_socket = \":1\";\nbind_socket = \"127.0.0.1:\";\nbind_socket = \"::1\";\n"}, []string{
		"worker-normal.inc:1:16-18 worker normal :1 ::1 = ::1 Rspamd/antispam/rspamd-http",
		"worker-normal.inc:1:16-18 worker normal :1 = 127.0.0.1 Rspamd/antispam/rspamd-http",
		`worker-normal.inc:2:16-26 doubt: bind_socket "127.0.0.1:" has no valid port`,
		`worker-normal.inc:3:16-19 doubt: bind_socket "::1" has no valid port`,
	}},
	{"the first value of a switch counts", []string{"rspamd.conf", "worker normal { count = -1; count = 1; bind_socket = \"*:1\"; }\nworker normal { count = 1; count = -1; bind_socket = \"*:2\"; }\nworker normal { enabled = false; enabled = true; bind_socket = \"*:3\"; }\n"}, []string{
		"rspamd.conf:2:55-58 worker normal *:2 = invalid IP Rspamd/antispam/rspamd-http",
	}},
	{"arrays of files that are merged", []string{"worker-normal.inc", "bind_socket = [\"*:1\"];\n", "local.d/worker-normal.inc", "bind_socket = [\"*:2\"];\n"}, []string{
		"worker-normal.inc:1:17-20 worker normal *:1 = invalid IP Rspamd/antispam/rspamd-http",
		"local.d/worker-normal.inc:1:17-20 worker normal *:2 = invalid IP Rspamd/antispam/rspamd-http",
	}},
	{"brackets and escapes in values", []string{"worker-normal.inc", "x = a{b}c[d]e; bind_socket = [a[0]:1, *:2]\nbind_socket = \"*\\:3\"; y \nbind_socket = \"*:4\";\nz # x\n= \"*:5\"; bind_socket=*:6#7\n"}, []string{
		`worker-normal.inc:1:31-37 worker normal a[0]:1 = invalid IP Rspamd/antispam/rspamd-http; doubt: the address of "a[0]" is not in the files`,
		`worker-normal.inc:1:39-42 worker normal *:2 = invalid IP Rspamd/antispam/rspamd-http`,
		`worker-normal.inc:2:16-20 worker normal *:3 = invalid IP Rspamd/antispam/rspamd-http`,
		`worker-normal.inc:5:22-25 worker normal *:6 = invalid IP Rspamd/antispam/rspamd-http`,
	}},
	{"how files are included", []string{"rspamd.conf", "worker normal {\n.include(priority=2,duplicate=merge) \"a.inc\"\n.include(glob=true; try=true) \"b*.inc\"\n.include \"c*.inc\"\n}\n", "a.inc", "bind_socket = \"*:1\";\n", "b1.inc", "bind_socket = \"*:2\"; enabled = yes;\n", "c1.inc", "bind_socket = \"*:3\";\n"}, []string{
		"a.inc:1:16-19 worker normal *:1 = invalid IP Rspamd/antispam/rspamd-http",
		`rspamd.conf:4:11-17 doubt: "c*.inc" is not in the files`,
	}},
	{"a fuzzy storage", []string{"local.d/worker-fuzzy.inc", "count = 1;\nbind_socket = \"*:11335\";"}, []string{
		"local.d/worker-fuzzy.inc:2:16-23 worker fuzzy *:11335 = invalid IP Rspamd fuzzy/antispam/rspamd-fuzzy; doubt: the fuzzy storage of older releases takes UDP only",
	}},
}

func TestRspamd(t *testing.T) {
	for _, tt := range rspamdTests {
		t.Run(tt.name, func(t *testing.T) {
			if got := shown(read(t, tt.files...)); !slices.Equal(got, tt.want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(tt.want, "\n\t"))
			}
		})
	}
}

// TestBounded reads files that would take long, or much memory, without bounds.
func TestBounded(t *testing.T) {
	for name, text := range map[string]string{
		"includes": strings.Repeat(".include \"rspamd.conf\"\n", 10_000),
		"nesting":  strings.Repeat("a {", 200_000),
		"arrays":   "a = " + strings.Repeat("[", 200_000),
		"comments": strings.Repeat("/*", 200_000),
		"binds":    "worker normal { " + strings.Repeat("bind_socket = \"*:1\";\n", 100_000) + "}",
		"texts":    strings.Repeat("a = <<EOD\n", 50_000),
	} {
		t.Run(name, func(t *testing.T) { read(t, "rspamd.conf", text) })
	}
}

func FuzzRspamd(f *testing.F) {
	for _, tt := range rspamdTests {
		f.Add(tt.files[1], tt.files[len(tt.files)-1])
	}
	f.Fuzz(func(t *testing.T, text, other string) {
		tree := &source.Tree{FS: fstest.MapFS{"rspamd.conf": {Data: []byte(text)}, "local.d/worker-normal.inc": {Data: []byte(other)}, "rspamd.conf.override": {Data: []byte(other)}}}
		if f, err := tree.Read("rspamd.conf"); err == nil {
			check(t, Main(tree, f))
		}
		if f, err := tree.Read("local.d/worker-normal.inc"); err == nil {
			check(t, Worker(tree, f))
		}
		if f, err := tree.Read("rspamd.conf.override"); err == nil {
			check(t, End(tree, f))
		}
	})
}

// TestEnds reads the files that rspamd.conf includes at its end.
func TestEnds(t *testing.T) {
	const (
		local    = "worker \"controller\" {\n  bind_socket = \"*:11334\";\n}\n"
		override = "worker \"normal\" { bind_socket = \"10.0.0.5:11333\"; }\n"
	)
	want := []string{
		"e/rspamd.conf.local:2:18-25 worker controller *:11334 = invalid IP Rspamd controller/admin/http",
		"e/rspamd.conf.override:1:34-48 worker normal 10.0.0.5:11333 = 10.0.0.5 Rspamd/antispam/rspamd-http",
	}
	for _, files := range [][]string{
		{"e/rspamd.conf.local", local, "e/rspamd.conf.override", override},
		{"e/rspamd.conf.override", override, "e/rspamd.conf.local", local},
		{"e/rspamd.conf", ".include(try=true; priority=1,duplicate=merge) \"$LOCAL_CONFDIR/rspamd.conf.local\"\n.include(try=true; priority=10) \"$LOCAL_CONFDIR/rspamd.conf.override\"\n.include \"$CONFDIR/worker-controller.inc\"\n", "e/rspamd.conf.override", override, "e/rspamd.conf.local", local},
	} {
		if got := shown(read(t, files...)); !slices.Equal(got, want) {
			t.Errorf("%s: got\n\t%s\nwant\n\t%s", files[0], strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
		}
	}
}
