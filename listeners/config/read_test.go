package config

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

func TestRead(t *testing.T) {
	tree := func() *source.Tree {
		return &source.Tree{FS: fstest.MapFS{
			"etc/dkimproxy/dkimproxy_out.conf": {Data: []byte("listen 0.0.0.0:10027\n")},
			"etc/clamav/clamd.conf":            {Data: []byte("TCPSocket 3310\n")},
			"compose/docker-compose.prod.yml":  {Data: []byte("services: {a: {ports: ['25:25']}}\n")},
			"compose/stack.yml":                {Data: []byte("services:\n  a:\n    image: x\n    ports: ['26:25']\n")},
			"compose/compose.override.yml":     {Data: []byte("services: {a: {ports: ['27:25']}}\n")},
			"other/services.yml":               {Data: []byte("services:\n  a: 1\n")},
			"etc/dovecot/dovecot.conf":         {Data: []byte("protocols = none\n!include conf.d/*.conf\n")},
			"etc/dovecot/conf.d/master.conf":   {Data: []byte("service auth {\n  inet_listener {\n    port = 12345\n  }\n}\n")},
			"extra/ports.conf":                 {Data: []byte("service auth {\n  inet_listener {\n    port = 12346\n  }\n}\n")},
			"etc/motd":                         {Data: []byte("hello\n")},
			".git/opendkim.conf":               {Data: []byte("Socket inet:8891\n")},
		}}
	}
	c, found, err := Read(tree(), ".", "etc/clamav")
	if err != nil || len(c.Listeners) != 7 || len(c.Doubts) != 0 || len(found) != 7 {
		t.Errorf("got %+v, files %v, %v", c, found, err)
	}
	if c, _, err = Read(tree(), "etc/motd"); err != nil || len(c.Doubts) != 1 {
		t.Errorf("a named file of no kind: %+v, %v", c, err)
	}
	if _, _, err = Read(tree(), "none"); err == nil {
		t.Error("no error for a path that does not exist")
	}
}

// TestReadParts reads the files of nginx: one that another includes counts once, and one that
// none includes is read by itself.
func TestReadParts(t *testing.T) {
	tree := &source.Tree{FS: fstest.MapFS{
		"a/etc/nginx/nginx.conf":            {Data: []byte("http { include /etc/nginx/sites-enabled/*; }\n")},
		"a/etc/nginx/sites-enabled/default": {Data: []byte("server { listen 80; }\n")},
		"b/sites-enabled/mail":              {Data: []byte("server { listen 8080; }\n")},
		"b/haproxy/haproxy.cfg":             {Data: []byte("listen imap\n bind :143\n")},
	}}
	c, found, err := Read(tree, ".")
	if err != nil || len(c.Listeners) != 3 || len(c.Doubts) != 0 || len(found) != 3 {
		t.Errorf("got %+v, files %v, %v", c, found, err)
	}
}

// TestReadYAML reads files of Docker Compose and Kubernetes that their names do not show.
func TestReadYAML(t *testing.T) {
	long := strings.Repeat("# a line of a license\n", 500)
	const service = "apiVersion: v1\nkind: Pod\nmetadata: {name: s}\nspec: {containers: [{name: c, ports: [{hostPort: 10025}]}]}\n"
	for name, tt := range map[string]struct{ file, text, want string }{
		"behind a license":         {"stack.yml", long + "services:\n  a:\n    image: x\n    ports: ['26:25']\n", "stack.yml:504 26"},
		"behind fragments":         {"stack.yml", "x-a: &a\n" + strings.Repeat("  b: c\n", 1) + "  d: " + strings.Repeat("d", 9000) + "\nservices:\n  a:\n    ports: ['26:25']\n", "stack.yml:6 26"},
		"with an anchor":           {"stack.yml", "services: &s\n  a:\n    ports: ['26:25']\n", "stack.yml:3 26"},
		"with an alias":            {"stack.yml", "x-s: &s\n  a:\n    ports: ['26:25']\nservices: *s\n", "stack.yml:3 26"},
		"with a merged service":    {"stack.yml", "x-s: &s\n  a: {ports: ['26:25']}\nservices:\n  <<: *s\n", "stack.yml:1 26"},
		"with quotation marks":     {"stack.yaml", "\"services\" :\n  \"a\":\n    \"ports\": ['26:25']\n", "stack.yaml:3 26"},
		"in flow style":            {"stack.yml", "services: {a: {image: x, ports: ['26:25']}}\n", "stack.yml:1 26"},
		"all in flow style":        {"stack.yml", "# x\n{services: {a: {image: x, ports: ['26:25']}}}\n", "stack.yml:2 26"},
		"in a second document":     {"stack.yml", "---\nx-a: 1\n--- # y\nservices: {a: {ports: ['26:25']}}\n", "stack.yml:4 26"},
		"indented":                 {"stack.yml", "  # x\n  services:\n    a:\n      ports: ['26:25']\n", "stack.yml:4 26"},
		"the network of the host":  {"stack.yml", "services: {a: {network_mode: host}}\n", `stack.yml: service "a" uses the network of the host: it opens the ports of its daemons, which this file does not list`},
		"JSON":                     {"stack.json", "{\n \"services\": {\"a\": {\"image\": \"x\", \"ports\": [\"26:25\"]}}\n}\n", "stack.json:2 26"},
		"JSON of others":           {"package.json", "{\"services\": {\"a\": {\"url\": \"x\"}}}\n", ""},
		"services of others":       {"services.yml", "services:\n  a: {class: x}\n", ""},
		"a mistake":                {"stack.yml", "services:\n  a:\n    ports: ['26:25'\n", "stack.yml: Docker Compose could not load this file: yaml: line 2: did not find expected ',' or ']'"},
		"Kubernetes":               {"k.yaml", long + service, "k.yaml:504 10025"},
		"Kubernetes, second":       {"k.yaml", "a: 1\n---\n'apiVersion' : v1\n\"kind\": Pod\nspec: {containers: [{name: c, ports: [{hostPort: 10025}]}]}\n", "k.yaml:5 10025"},
		"Kubernetes, indented":     {"k.yaml", "{{- if .Values.x }}\n  apiVersion: v1\n  kind: Service\n{{ end }}\n", "k.yaml: a template: what it opens is known only after it is rendered, as by \"helm template\""},
		"Kubernetes in flow style": {"k.yml", "--- {apiVersion: v1, kind: Pod, spec: {containers: [{name: c, ports: [{hostPort: 10025}]}]}}\n", "k.yml:1 10025"},
		"Kubernetes in JSON":       {"k.json", "{\n\t\"apiVersion\": \"v1\",\n\t\"kind\": \"Pod\",\n\t\"metadata\": {\"name\": \"p\"},\n\t\"spec\": {\"containers\": [{\"name\": \"c\", \"ports\": [{\"hostPort\": 10025, \"containerPort\": 10025}]}]}\n}\n", "k.json:5 10025"},
		"a list in JSON":           {"k.json", "{\"apiVersion\": \"v1\", \"kind\": \"List\", \"items\": [{\"apiVersion\": \"v1\", \"kind\": \"Pod\", \"spec\": {\"containers\": [{\"name\": \"c\", \"ports\": [{\"hostPort\": 10025}]}]}}]}", "k.json:1 10025"},
		"objects within others":    {"x.yml", "a:\n  apiVersion: v1\n  kind: '{{ x }}'\n", ""},
		"words within others":      {"x.json", "{\"a\": {\"apiVersion\": \"{{x}}\", \"kind\": 1}}", ""},
		"a part of Dovecot":        {"x.conf", long + "service auth {\n  inet_listener {\n    port = 12345\n  }\n}\n", "x.conf:503 12345"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _, err := Read(&source.Tree{FS: fstest.MapFS{tt.file: {Data: []byte(tt.text)}}}, ".")
			if err != nil {
				t.Fatal(err)
			}
			compare(t, told(c), strings.FieldsFunc(tt.want, func(c rune) bool { return c == '|' }))
		})
	}
}

// TestFoldersSearched finds files in folders that end in .d and in those named vendor, but not those of
// other programs and copies of what others wrote.
func TestFoldersSearched(t *testing.T) {
	const dkim, clamd = "Socket inet:8891\n", "TCPSocket 3310\n"
	for name, tt := range map[string]struct{ files, want []string }{
		"a folder that ends in .d": {[]string{"x.d/opendkim.conf", dkim}, []string{"x.d/opendkim.conf:1 8891"}},
		"vendor":                   {[]string{"vendor/x/opendkim.conf", dkim}, []string{"vendor/x/opendkim.conf:1 8891"}},
		"vendor of Go":             {[]string{"vendor/x/opendkim.conf", dkim, "vendor/modules.txt", ""}, nil},
		"vendor of Bundler":        {[]string{"vendor/bundle/opendkim.conf", dkim}, nil},
		"node_modules":             {[]string{"node_modules/x/opendkim.conf", dkim}, nil},
		"clamd.d":                  {[]string{"etc/clamd.d/scan.conf", clamd, "etc/clamd.d/amavisd.conf", "TCPSocket 3311\n"}, []string{"etc/clamd.d/amavisd.conf:1 3311", "etc/clamd.d/scan.conf:1 3310"}},
		"logrotate.d":              {[]string{"etc/logrotate.d/clamd.conf", clamd}, nil},
		"newsyslog of FreeBSD":     {[]string{"newsyslog.conf.d/clamd.conf", clamd, "syslog.d/clamd.conf", clamd}, nil},
		"netdata":                  {[]string{"netdata/go.d/clamd.conf", clamd, "netdata/python.d/clamd.conf", clamd}, nil},
		"drop-ins of a unit":       {[]string{"clamd.service.d/clamd.conf", clamd}, nil},
		"modules of Rspamd":        {[]string{"rspamd/local.d/greylist.conf", "expire = 1;\n"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			fsys := fstest.MapFS{}
			for i := 0; i < len(tt.files); i += 2 {
				fsys[tt.files[i]] = &fstest.MapFile{Data: []byte(tt.files[i+1])}
			}
			c, _, err := Read(&source.Tree{FS: fsys}, ".")
			if err != nil {
				t.Fatal(err)
			}
			compare(t, told(c), tt.want)
		})
	}
}

// told writes the listeners and doubts of files.
func told(c listeners.Config) []string {
	var list []string
	for _, l := range c.Listeners {
		list = append(list, fmt.Sprintf("%s:%d %d", l.At.File, l.At.Line, l.Port))
	}
	for _, d := range c.Doubts {
		list = append(list, d.At.File+": "+d.Problem)
	}
	return list
}

// compare reports lines that are not those wanted.
func compare(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// TestReadHidden reads files that another one reads only in part or as something else: they
// must be read by themselves as well, and what both have counts once.
func TestReadHidden(t *testing.T) {
	for name, tt := range map[string]struct{ files, want []string }{
		"extended": {[]string{
			"a/compose.yml", "services: {a: {extends: {file: ../b/compose.yml, service: b}}}\n",
			"b/compose.yml", "services:\n  b:\n    ports: ['25:25']\n  c:\n    ports: ['26:26']\n",
		}, []string{"b/compose.yml:3 25", "b/compose.yml:3 25", "b/compose.yml:5 26"}}, // of the service a, and of b
		"included": {[]string{
			"a/compose.yml", "include: [../b/compose.yml]\n", "b/compose.yml", "services:\n  b:\n    ports: ['25:25']\n",
		}, []string{"b/compose.yml:3 25"}},
		"networks": {[]string{
			"etc/postfix/main.cf", "mynetworks = /etc/opendkim.conf\n", "etc/postfix/master.cf", "25 inet n - n - - smtpd\n", "etc/opendkim.conf", "Socket inet:8891@::1\n",
		}, []string{"etc/opendkim.conf:1 8891", "etc/postfix/master.cf:1 25"}},
		"a value": {[]string{
			"dovecot.conf", "protocols = none\nlisten = <x/conf.d/a.conf\n", "x/conf.d/a.conf", "service auth {\n  inet_listener {\n    port = 1\n  }\n}\n",
		}, []string{"x/conf.d/a.conf:3 1"}},
		"of two kinds": {[]string{
			"sites-enabled/a.conf", "server { listen 1; }\n#\n inet_listener {\n",
		}, []string{"sites-enabled/a.conf:1 1", "sites-enabled/a.conf: a } is missing; nginx does not start", "sites-enabled/a.conf: there is text after {; Dovecot does not start"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, tt.files)
			c, _, err := Read(&source.Tree{FS: os.DirFS(dir), Dir: dir}, ".")
			if err != nil {
				t.Fatal(err)
			}
			got := told(c)
			slices.Sort(got)
			slices.Sort(tt.want)
			compare(t, got, tt.want)
		})
	}
}

// write writes files below a folder. What begins with -> is a link.
func write(t *testing.T, dir string, files []string) {
	t.Helper()
	for i := 0; i < len(files); i += 2 {
		name := filepath.Join(dir, files[i])
		err := os.MkdirAll(filepath.Dir(name), 0o755)
		if target, ok := strings.CutPrefix(files[i+1], "->"); ok && err == nil {
			err = os.Symlink(strings.ReplaceAll(target, "DIR", dir), name)
		} else if err == nil {
			err = os.WriteFile(name, []byte(files[i+1]), 0o644)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestReadLinks reads links as a daemon on the machine would, which has the root of the
// image as its own, and doubts those that lead elsewhere.
func TestReadLinks(t *testing.T) {
	const site = "server { listen 8080; }\n"
	const unit = "[Service]\nExecStart=postgrey -i 0.0.0.0:10023\n"
	for name, tt := range map[string]struct{ files, paths, want []string }{
		"a link of Debian": {[]string{
			"image/etc/nginx/nginx.conf", "http { include /etc/nginx/sites-enabled/*; }\n", "image/etc/nginx/sites-available/a", site,
			"image/etc/nginx/sites-enabled/a", "->/etc/nginx/sites-available/a",
		}, []string{"."}, []string{"image/etc/nginx/sites-enabled/a:1 8080"}},
		"a link that nothing includes": {[]string{
			"sites-available/a", site, "sites-enabled/a", "->../sites-available/a",
		}, []string{"."}, []string{"sites-enabled/a:1 8080"}},
		"a link with the folder of this machine": {[]string{
			"sites-available/a", site, "sites-enabled/a", "->DIR/sites-available/a",
		}, []string{"."}, []string{"sites-enabled/a:1 8080"}},
		"out of the tree": {[]string{"sites-enabled/a", "->/nowhere/else", "sites-enabled/b", "->../../../x", "x", "->/nowhere"}, []string{"."}, []string{
			"x: a symbolic link that leads out of what is read", "sites-enabled/a: this symbolic link and 1 more of its folder lead out of what is read",
		}},
		"a loop": {[]string{"a", "->b", "b", "->a", "c/d", "->../c"}, []string{"."}, []string{
			"a: this symbolic link and 1 more of its folder lead out of what is read",
		}},
		"a folder": {[]string{"etc/nginx", "->../srv", "srv/nginx.conf", "http { " + site + "}\n"}, []string{"etc"}, []string{
			"etc/nginx: a symbolic link that leads out of what is read",
		}},
		"a masked unit": {[]string{
			"lib/systemd/system/pg.service", unit, "etc/systemd/system/pg.service", "->/dev/null", "lib/systemd/system/pg.service.d/a.conf", unit,
			"etc/systemd/system/pg.service.d/b.conf", unit,
		}, []string{"."}, nil},
		"a unit that was enabled before it was masked": {[]string{
			"lib/systemd/system/pg.service", unit, "etc/systemd/system/pg.service", "->/dev/null", "etc/systemd/system/multi-user.target.wants/pg.service", "->/lib/systemd/system/pg.service",
		}, []string{"."}, nil},
		"a unit that is enabled": {[]string{
			"lib/systemd/system/pg.service", unit, "etc/systemd/system/multi-user.target.wants/pg.service", "->/lib/systemd/system/pg.service",
		}, []string{"."}, []string{"etc/systemd/system/multi-user.target.wants/pg.service:2 10023"}},
		"an empty unit": {[]string{
			"lib/systemd/system/pg.service", unit, "etc/systemd/system/pg.service", "", "etc/systemd/system/pg.service.d/b.conf", unit,
		}, []string{"."}, nil},
		"a masked socket": {[]string{
			"usr/lib/systemd/system/x.socket", "[Socket]\nListenStream=1\n", "run/systemd/system/x.socket", "->/dev/null",
		}, []string{"."}, nil},
		"a masked unit that a path names": {[]string{"etc/systemd/system/pg.service", "->/dev/null"}, []string{"etc/systemd/system/pg.service"}, nil},
		"masked and replaced drop-ins": {[]string{
			"lib/systemd/system/pg.service", "[Service]\nExecStart=postgrey -i 10.0.0.5:1\n",
			"lib/systemd/system/pg.service.d/a.conf", unit, "etc/systemd/system/pg.service.d/a.conf", "->/dev/null",
			"lib/systemd/system/pg.service.d/b.conf", unit, "etc/systemd/system/pg.service.d/b.conf", "[Service]\n",
			"lib/systemd/system/pg.service.d/z.conf", "[Service]\nExecStart=postgrey -i 10.0.0.5:3\n", "etc/systemd/system/pg.service.d/c.conf", "[Service]\nExecStart=\n",
		}, []string{"."}, []string{"lib/systemd/system/pg.service.d/z.conf:2 3"}},
		"a link to /dev/null that is included": {[]string{
			"dovecot.conf", "protocols = none\n!include conf.d/*.conf\n", "conf.d/a.conf", "->/dev/null",
		}, []string{"."}, nil},
		"a folder that is read": {[]string{"etc/nginx", "->../srv", "srv/nginx.conf", "http { " + site + "}\n"}, []string{"."}, []string{
			"srv/nginx.conf:1 8080",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			write(t, dir, tt.files)
			root, err := os.OpenRoot(dir)
			if err != nil {
				t.Fatal(err)
			}
			defer root.Close()
			c, _, err := Read(&source.Tree{FS: root.FS(), Dir: dir}, tt.paths...)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, told(c), tt.want)
		})
	}
}

// A guarded file system has files that may not be read.
type guarded struct {
	fstest.MapFS
	closed []string
}

func (g guarded) Open(name string) (fs.File, error) {
	if slices.Contains(g.closed, name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return g.MapFS.Open(name)
}

func (g guarded) ReadDir(name string) ([]fs.DirEntry, error) {
	if slices.Contains(g.closed, name) {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrPermission}
	}
	return g.MapFS.ReadDir(name)
}

// TestReadClosed holds that what may not be read is a doubt.
func TestReadClosed(t *testing.T) {
	for name, tt := range map[string]struct{ files, closed, paths, want []string }{
		"a folder": {[]string{"etc/x/y"}, []string{"etc/x"}, []string{"."}, []string{
			"etc/x: what is in it is not known: permission denied",
		}},
		"a file": {[]string{"nginx.conf", "any.yml"}, []string{"nginx.conf", "any.yml"}, []string{"."}, []string{
			"any.yml: this and 1 more of its folder: permission denied",
		}},
		"a folder that a file includes": {[]string{"dovecot.conf", "conf.d/x.conf"}, []string{"conf.d"}, []string{"dovecot.conf"}, []string{
			"dovecot.conf: what conf.d/*.conf sets is not known; it is not among the files", "conf.d: permission denied",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			g := guarded{fstest.MapFS{}, tt.closed}
			for _, file := range tt.files {
				g.MapFS[file] = &fstest.MapFile{Data: []byte("protocols = none\n!include conf.d/*.conf\n")}
			}
			c, _, err := Read(&source.Tree{FS: g}, tt.paths...)
			if err != nil {
				t.Fatal(err)
			}
			compare(t, told(c), tt.want)
		})
	}
}

// TestReadSecrets holds that nothing that is returned has a secret of the files.
func TestReadSecrets(t *testing.T) {
	const secret = "s3cr3t"
	fsys := fstest.MapFS{}
	for name, text := range map[string]string{
		"master.cf":    "1 inet n n n - - spawn user=a argv=/x --password s3cr3t\n2 inet n - n - - smtpd -o content_filter=smtp:[::1]:3 -o x_password=s3cr3t\nx -o password=s3cr3t\n",
		"main.cf":      "a_password = s3cr3t\nrelayhost = http://u:s3cr3t@h:1\npassword s3cr3t\n",
		"dovecot.conf": "protocols = imap\nlisten = %{env:X} pass=s3cr3t\ndoveadm_password = s3cr3t\npassdb {\n  driver = static\n  args = proxy=y host=h pass=s3cr3t\n}\nservice doveadm {\n  inet_listener {\n    port = 1\n  }\n}\nauth_policy_server_url = http://u:s3cr3t@h:1/\nimapc_host = h\nimapc_port = s\npassword = s3cr3t {\n",
		"nginx.conf":   "http { server { listen 1; location / { proxy_pass http://u:s3cr3t@h:25; proxy_pass http://u:s3cr3t@h:x; } } server { listen http://u:s3cr3t@h:1; } }\n",
		"haproxy.cfg":  "listen a\n bind :1 ssl ca-sign-pass s3cr3t\n bind http://u:s3cr3t@h:1\n server a http://u:s3cr3t@h:1\n tcp-request connection accept if { password s3cr3t }\n tcp-check send password=s3cr3t\"\n",
		"k.yml":        "apiVersion: v1\nkind: Pod\nspec: {containers: [{image: 'http://u:s3cr3t@h/x', env: [{name: A_PASSWORD, value: s3cr3t}], ports: [{containerPort: 1, hostPort: 1}]}]}\n",
	} {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	for _, name := range slices.Sorted(maps.Keys(fsys)) {
		c, _, err := Read(&source.Tree{FS: fsys}, name)
		if err != nil || len(c.Listeners)+len(c.Edges)+len(c.Doubts) == 0 {
			t.Errorf("%s: %+v, %v", name, c, err)
		}
		for _, text := range allTexts(c) {
			if strings.Contains(text, secret) {
				t.Errorf("%s: %s", name, text)
			}
		}
	}
}

// allTexts returns all texts of a configuration.
func allTexts(c listeners.Config) []string {
	var list []string
	for _, l := range c.Listeners {
		list = append(list, fmt.Sprintf("%+v", l))
		for _, cause := range l.Causes {
			list = append(list, fmt.Sprintf("%s: %+v", cause.Why, cause.At))
		}
		for _, s := range l.Settings {
			list = append(list, fmt.Sprintf("%s=%s: %+v", s.Name, s.Value, s.At))
		}
	}
	for _, e := range c.Edges {
		list = append(list, fmt.Sprintf("%+v", e))
	}
	for _, d := range c.Doubts {
		list = append(list, fmt.Sprintf("%+v", d))
	}
	return list
}
