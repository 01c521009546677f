package proxy

import (
	"fmt"
	"iter"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/listeners/config/sockettest"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// gap returns white space between words of nginx.
func (m *maker) gap() string { return m.one(" ", "  ", "\t", "\n", " # x; { \"\n ", "\r\n") }

// word writes a word in one of the ways that mean the same to nginx.
func (m *maker) word(s string) string {
	switch m.IntN(5) {
	case 0:
		return `"` + s + `"`
	case 1:
		return "'" + s + "'"
	}
	return s
}

// listen returns the listen directives of a server.
func (m *maker) listen(block string) string {
	host := m.one("", "", "127.0.0.1:", "127.0.0.9:", "*:", "0.0.0.0:", "[::1]:", "[::]:", "[0::1]:")
	ports := m.ports()
	line := "listen" + m.gap() + m.word(host+ports)
	if host == "[::]:" {
		line += m.one("", " ipv6only=on", " ipv6only=off")
	}
	if block == "stream" && m.IntN(9) == 0 {
		return line + " udp;"
	}
	line += m.one("", "", "", m.gap()+"backlog=99", m.gap()+"proxy_protocol") + m.one("", "", m.gap()) + ";"
	if host == "" { // an address that the other one covers
		port, _, _ := strings.Cut(ports, "-")
		line += m.one("", "", "\n listen 127.0.0.3:"+port+";", "\nlisten [::1]:"+port+";")
	}
	return line
}

// server returns a server of nginx.
func (m *maker) server(block string) string {
	var b strings.Builder
	b.WriteString("server" + m.one("", " ", m.gap()) + "{" + m.one("", m.gap()))
	for range 1 + m.IntN(3) {
		b.WriteString(m.listen(block) + m.one("", m.gap()))
	}
	switch block {
	case "mail":
		b.WriteString("protocol " + m.word(m.one("imap", "pop3", "smtp")) + ";")
	case "stream":
		b.WriteString("proxy_pass " + m.one("127.0.0.1:1", "[::1]:2", "unix:/x") + ";")
	default:
		b.WriteString(m.one("", "server_name a\\\"b 'c;d';", "location /a{proxy_pass http://127.0.0.1:3;}", `location ~ "x{2}" { return 404; }`, "set $a \"${host}x\";", "return 200 ${host}y;"))
	}
	b.WriteString("}\n")
	return b.String()
}

// nginx writes an nginx.conf with the files that it includes.
func (m *maker) nginx(dir string) map[string]string {
	files := map[string]string{}
	var b strings.Builder
	fmt.Fprintf(&b, "load_module /usr/lib/nginx/modules/ngx_mail_module.so;\nload_module /usr/lib/nginx/modules/ngx_stream_module.so;\npid %s/pid;\nerror_log stderr;\nevents {}\n", dir)
	for _, block := range []string{"http", "mail", "stream"} {
		head := map[string]string{"http": "access_log off;", "mail": "auth_http 127.0.0.1:9/a;"}[block]
		fmt.Fprintf(&b, "%s {\n%s\n", block, head)
		for i := range 6 {
			server := m.server(block)
			if m.IntN(4) == 0 {
				name := fmt.Sprintf("%s.d/%d.conf", block, i)
				files[name] = server
				server = "include " + m.word(name) + ";\n"
			}
			b.WriteString(server)
		}
		if m.IntN(3) == 0 {
			files[block+".g/x.conf"] = m.server(block) + "include " + block + ".g/none*;\n"
			files[block+".g/y.conf"] = m.server(block)
			b.WriteString("include " + m.one("", dir+"/") + block + ".g/*.conf;\n")
		}
		b.WriteString("}\n")
	}
	if m.IntN(8) == 0 {
		b.WriteString(m.one("}", "stream", "http { server { listen 1 }", "mail { server { listen 0; protocol imap; } }", ";", "include missing.conf;", "events {"))
	}
	files["nginx.conf"] = b.String()
	return files
}

// TestNginxListens compares what is read of generated files with what nginx listens on, and the
// same after a few bytes or lines were changed. A run is four configurations, of an nginx.conf with
// up to 24 files that it includes and about fifty listeners; nginx is started with each. Of what it
// accepts, "nginx -T" tells which files it reads.
func TestNginxListens(t *testing.T) {
	n, compared := sockettest.Runs(t, 3, "nginx"), &tally{}
	sockettest.Share(t, n, func(t *testing.T, runs iter.Seq[int]) {
		d := &daemon{Nginx, "nginx -e stderr -c ", sockettest.NewRoom(t), compared}
		for run := range runs {
			m := &maker{rand.New(rand.NewPCG(uint64(run), 2)), 2000}
			dir := t.TempDir()
			for name, text := range m.nginx(dir) {
				path := filepath.Join(dir, name)
				if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			path := filepath.Join(dir, "nginx.conf")
			d.compare(t, run, path, false)
			d.compareFiles(t, run, path)
			m.compareMutated(t, run, path, d)
		}
	})
	t.Log(compared)
}

// compareFiles compares which files are read with what "nginx -T" prints.
func (d *daemon) compareFiles(t *testing.T, run int, path string) {
	t.Helper()
	_, ok, output := d.room.Start(t, "nginx -e stderr -T -c "+path)
	if !ok {
		return
	}
	var want []string
	for line := range strings.Lines(output) {
		if name, found := strings.CutPrefix(line, "# configuration file /"); found {
			want = append(want, strings.TrimSuffix(strings.TrimSpace(name), ":"))
		}
	}
	tree := &source.Tree{FS: os.DirFS("/")}
	f, err := tree.Read(strings.TrimPrefix(path, "/"))
	if err != nil {
		t.Fatal(err)
	}
	d.read(tree, f)
	slices.Sort(want)
	if got := tree.Files(); !slices.Equal(got, slices.Compact(want)) {
		t.Fatalf("run %d: read %q\nnginx reads %q", run, got, want)
	}
}
