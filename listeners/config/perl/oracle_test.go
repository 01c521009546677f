package perl

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
	port int
}

func (m *maker) one(list ...string) string { return list[m.IntN(len(list))] }

// next returns a port that is not used yet.
func (m *maker) next() string {
	m.port++
	return strconv.Itoa(m.port)
}

// quote writes a string in one of the ways that mean the same to Perl.
func (m *maker) quote(s string) string {
	switch m.IntN(6) {
	case 0:
		return `"` + s + `"`
	case 1:
		return "q(" + s + ")"
	case 2:
		return "qq{" + s + "}"
	case 3:
		return "q {" + s + "}"
	}
	return "'" + s + "'"
}

// list writes items as a list of Perl, in brackets if it is a reference.
func (m *maker) list(reference bool, items []string) string {
	open, end := "(", ")"
	if reference {
		open, end = "[", "]"
	}
	if m.IntN(3) == 0 {
		words := "qw" + m.one("(", " (") + m.one("", " ", "\n") + strings.Join(items, m.one(" ", "\n", "  ")) + m.one("", " ") + ")"
		if !reference {
			return words
		}
		return open + words + end
	}
	var quoted []string
	for _, i := range items {
		if _, err := strconv.Atoi(i); err == nil && m.IntN(2) == 0 {
			quoted = append(quoted, i)
		} else {
			quoted = append(quoted, m.quote(i))
		}
	}
	return open + m.one("", " ", " # a ' (\n") + strings.Join(quoted, m.one(",", ", ", " =>\n ")) + m.one("", ",", " ") + end
}

// noise is Perl that sets nothing of interest.
func (m *maker) noise() string {
	return m.one("", "", "# $inet_socket_bind = '*';\n", "\n=pod\n\n$inet_socket_port = 1;\n\n=cut\n\n",
		"$log_templ = <<'EOT' . '';\n$inet_socket_bind = undef; '\nEOT\n", "@x::y = map { my $z = $_; $z =~ s/'/x/; $z } ('a', 'b');\n",
		"$X::a = qr'^[^;]*$'i; $X::b = q{;'};\n", "{ local $_ = 1; my $x = \"}'\"; }\n", "$X::c = 4 / 2; $X::d = 2 / 1;\n",
		"if (0) { $X::e = ';' }\n", "sub x::z { '$inet_socket_bind' }\n", "$X::{'y'} = 1; %X::h = (s => 1, m => 2);\n")
}

// assign writes an assignment.
func (m *maker) assign(name, value string) string {
	space := m.one("", " ", "  ", "\t")
	return name + space + "=" + space + value + m.one("", " ") + ";" + m.one("\n", " # x\n", " ") + "\n"
}

// amavis returns an amavisd.conf of a daemon that keeps its files in a folder.
func (m *maker) amavis(dir string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "use strict;\n$MYHOME='%[1]s'; $daemon_user='amavis'; $TEMPBASE='%[1]s'; $db_home='%[1]s'; $pid_file='%[1]s/pid'; $lock_file='%[1]s/lock';\n", dir)
	b.WriteString("$mydomain='a.example'; $myhostname='h.a.example'; $enable_db=0; $max_servers=1;\n@bypass_virus_checks_maps=(1); @bypass_spam_checks_maps=(1); $bypass_decode_parts=1;\n")
	address := func() string {
		return m.one("127.0.0.1", "[::1]", "10.0.0.5", "[fd00::5]", "127.0.0.9", "*", "", "localhost")
	}
	for range 2 { // the second assignment of a name counts
		b.WriteString(m.noise())
		var own []string
		for range 4 + m.IntN(8) {
			host := address()
			if host == "" && m.IntN(2) == 0 {
				host = "[]"
			}
			own = append(own, fmt.Sprintf(m.one("%s:%s", "inet:%s:%s", "%s:%s/tcp"), host, m.next()))
		}
		b.WriteString(m.assign("@listen_sockets", m.list(false, own)))
		b.WriteString(m.noise())
		switch m.IntN(6) {
		case 0:
			b.WriteString(m.assign("$inet_socket_bind", "undef"))
		case 1:
			b.WriteString(m.assign("$inet_socket_bind", m.quote(address())))
		case 2:
			b.WriteString(m.assign("$inet_socket_bind", m.one("[]", "[undef]", "['']")))
		case 3, 4:
			all := []string{"127.0.0.1", "[::1]", "::1", "10.0.0.5", "[fd00::5]", "127.0.0.9"}
			if m.IntN(2) == 0 {
				all = slices.DeleteFunc(all, func(s string) bool { return s == "::1" })
			} else {
				all = slices.DeleteFunc(all, func(s string) bool { return s == "[::1]" })
			}
			m.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
			b.WriteString(m.assign("$inet_socket_bind", m.list(true, all[:1+m.IntN(4)])))
		}
		b.WriteString(m.noise())
		ports := []string{"127.0.0.1:9999"}
		for range 1 + m.IntN(5) {
			ports = append([]string{m.next()}, ports...)
		}
		b.WriteString(m.assign("$inet_socket_port", m.list(true, ports)))
	}
	b.WriteString(m.noise() + "1;\n" + m.one("", "__END__\n$inet_socket_bind = 'x';\n"))
	return b.String()
}

// account makes a folder that a user of the system owns, in one that all can enter.
func account(t *testing.T, name string) (dir, home string) {
	t.Helper()
	dir, err := os.MkdirTemp("", "amavis")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	u, err := user.Lookup(name)
	if err != nil {
		t.Skip(err)
	}
	uid, _ := strconv.Atoi(u.Uid)
	home = filepath.Join(dir, "home")
	for _, err := range []error{os.Chmod(dir, 0o755), os.Mkdir(home, 0o700), os.Chown(home, uid, -1)} {
		if err != nil {
			t.Fatal(err)
		}
	}
	return dir, home
}

// TestAmavisListens compares what is read of generated files with what amavisd listens on.
func TestAmavisListens(t *testing.T) {
	compared := 0
	for run := range sockettest.Runs(t, 3, "/usr/sbin/amavisd") {
		m := &maker{rand.New(rand.NewPCG(uint64(run), 1)), 2000}
		dir, home := account(t, "amavis")
		compared += compare(t, run, filepath.Join(dir, "amavisd.conf"), m.amavis(home), Amavis,
			"/usr/sbin/amavisd", "-u", "amavis", "-g", "amavis", "-c", filepath.Join(dir, "amavisd.conf"), "foreground")
	}
	t.Logf("%d listeners compared", compared)
}

// compare compares what is read of a file with what a daemon listens on.
func compare(t *testing.T, run int, path, text string, read reader, command ...string) (compared int) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	c := read(nil, source.NewFile(path, path, text))
	check(t, c)
	want, starts, messages := sockettest.Listening(t, command...)
	if got := sockettest.Predicted(c); !starts || !slices.Equal(got, want) || len(c.Doubts) > 0 {
		t.Fatalf("run %d: starts: %t\nlistens on %q\npredicted  %q\ndoubts %v\n%s\n%s", run, starts, want, got, c.Doubts, text, messages)
	}
	return len(want)
}

// TestPolicydWeightListens compares what is read of policyd-weight.conf with what the daemon
// listens on.
func TestPolicydWeightListens(t *testing.T) {
	const program = "/usr/sbin/policyd-weight"
	compared := 0
	for run := range sockettest.Runs(t, 5, program) {
		m := &maker{rand.New(rand.NewPCG(uint64(run), 2)), 2000}
		dir, home := account(t, "polw")
		text := fmt.Sprintf("$syslog_socktype = 'udp'; $PIDFILE = '%[1]s/pid'; $SPATH = '%[1]s/socket';\n", home) + m.assign("$TCP_PORT", m.quote(m.next()))
		if m.IntN(4) > 0 {
			text += m.assign("$BIND_ADDRESS", m.one("undef", m.quote(m.one("", "all", " ALL ", "127.0.0.1", "127.0.0.9", "10.0.0.5"))))
		}
		compared += compare(t, run, filepath.Join(dir, "w.conf"), text+"1;\n", PolicydWeight, "sh", "-c", weightScript, "sh", filepath.Join(dir, "w.conf"), program)
	}
	t.Logf("%d listeners compared", compared)
}

// weightScript starts policyd-weight, and when its master listens, a sentinel.
const weightScript = `
"$2" -f "$1" -D start & pid=$!
while kill -0 $pid && ! ss -Hltn | grep -q .; do :; done
kill -0 $pid || exit 1
exec perl -MIO::Socket::INET -e '$s = IO::Socket::INET->new(LocalAddr=>"127.0.0.1:9999",Listen=>1)||die; sleep 9'
`
