package perl

import (
	"fmt"
	"math/rand/v2"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/sockettest"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// valuesScript runs the file of each line of its input with perl(1), in a process of its own and
// as amavisd and policyd-weight do, and writes the values of the variables of interest: those of a
// list with blanks between them, in percent encoding. For what Perl refuses it writes "!".
const valuesScript = `
package Amavis::Conf;
no strict;
use vars qw(@listen_sockets $inet_socket_port $inet_socket_bind @inet_acl %interface_policy $TCP_PORT $BIND_ADDRESS
  $MYHOME $daemon_user $TEMPBASE $db_home $pid_file $lock_file $mydomain $myhostname $enable_db $max_servers
  @bypass_virus_checks_maps @bypass_spam_checks_maps $bypass_decode_parts $log_templ $syslog_socktype $PIDFILE $SPATH);
sub shown { join ' ', map { my $v = defined $_ ? ref $_ ? '%00' : $_ : '%01'; $v =~ s/([^\w.:\[\]*\/%-])/sprintf '%%%02X', ord $1/ge; $v } @_ }
sub items { ref $_[0] eq 'ARRAY' ? @{$_[0]} : @_ }
$| = 1;
while (my $file = <STDIN>) {
  chomp $file;
  my $pid = fork;
  if ($pid) { waitpid $pid, 0; print "!\n" if $?; next }
  open STDERR, '>', '/dev/null'; alarm 10;
  do $file;
  exit 1 if $@;
  print join("\t", shown(@listen_sockets), shown(items($inet_socket_port)), shown(items($inet_socket_bind)), shown(@inet_acl),
    shown($interface_policy{'10026'}), shown($TCP_PORT), shown($BIND_ADDRESS)), "\n";
  exit 0;
}
`

// asked are the variables that valuesScript writes, in its order.
var asked = []string{"listen_sockets", "inet_socket_port", "inet_socket_bind", "inet_acl", "interface_policy", "TCP_PORT", "BIND_ADDRESS"}

// shownValue writes a value as valuesScript does; ok is false if it is not literal.
func shownValue(name string, a *assignment) (text string, ok bool) {
	if a == nil {
		return map[bool]string{true: "", false: "%01"}[name == "listen_sockets" || name == "inet_acl"], true
	}
	if a.doubt != "" {
		return "", false
	}
	if a.value.kind == list && !strings.Contains("listen_sockets inet_socket_port inet_socket_bind inet_acl", name) || a.value.kind == list && a.file.Text[a.value.start] == '{' {
		return "", false // a reference, of which no daemon makes a port or an address
	}
	var words []string
	for _, v := range a.value.each() {
		switch v.kind {
		case computed:
			return "", false
		case undefined:
			words = append(words, "%01")
		case list:
			words = append(words, "%00")
		default:
			words = append(words, strings.NewReplacer("+", "%20", "%3A", ":", "%5B", "[", "%5D", "]", "%2A", "*", "%2F", "/", "%25", "%", "~", "%7E").Replace(url.QueryEscape(v.text)))
		}
	}
	return strings.Join(words, " "), true
}

// variables writes a file that assigns the variables of interest.
func (m *maker) variables() string {
	var b strings.Builder
	address := func() string { return m.quote(m.one("127.0.0.1", "[::1]", "10.0.0.5", "*", "", "all", "::1")) }
	for range 3 + m.IntN(6) {
		b.WriteString(m.noise())
		switch m.IntN(9) {
		case 0:
			b.WriteString(m.assign("@listen_sockets", m.list(false, []string{"127.0.0.1:" + m.next(), "10.0.0.5:" + m.next()})))
		case 1:
			b.WriteString(m.assign("$inet_socket_port", m.list(true, []string{m.next(), m.next(), "127.0.0.1:" + m.next()})))
		case 2:
			b.WriteString(m.assign("$inet_socket_port", m.one(m.next(), m.quote(m.next()), "undef", "[]")))
		case 3:
			b.WriteString(m.assign("$inet_socket_bind", m.one("undef", address(), "["+address()+", "+address()+"]")))
		case 4:
			b.WriteString(m.assign("@inet_acl", m.list(false, []string{"127.0.0.1", "10.0.0.0/8", "[::1]"})))
		case 5:
			b.WriteString(m.assign("$interface_policy{"+m.one("'10026'", `"10026"`, "10026", "'10027'")+"}", m.quote("ORIGINATING")))
		case 6:
			b.WriteString(m.assign("$TCP_PORT", m.one(m.next(), m.quote(m.next()))))
		case 7:
			b.WriteString(m.assign("$BIND_ADDRESS", m.one("undef", address())))
		default:
			b.WriteString(m.one("if (1) { $TCP_PORT = 1; }\n", "$inet_socket_port = $inet_socket_bind;\n", "push @listen_sockets, '127.0.0.1:1';\n", "($TCP_PORT, $BIND_ADDRESS) = (1, 'all');\n",
				"@inet_acl = (@inet_acl, '10.0.0.1');\n", "our $TCP_PORT = 5;\n", "undef $inet_socket_bind;\n", "$inet_socket_port = 10000 + 24;\n", "delete $interface_policy{'10026'};\n"))
		}
	}
	return b.String() + m.one("1;\n", "1;", "1;\n__END__\n$TCP_PORT = 1;\n", "1;\n=pod\n\n$TCP_PORT = 1;\n")
}

// mutate changes a few bytes. There is no x and no backtick among them: with qx(...) and the like
// Perl would start programs.
func (m *maker) mutate(text string) string {
	return sockettest.Mutate(m.Rand, text, "'\"()[]{};,=#$@% \n0q\\.", 2, 20)
}

// TestPerlValues compares what is read of generated and mutated files with the values that Perl
// itself gives the variables. A run is two files, of about six assignments; one process of perl(1)
// forks for each. A variable of which the reader says that it is not decided is not compared.
func TestPerlValues(t *testing.T) {
	program, err := exec.LookPath("perl")
	if err != nil {
		t.Skip("perl is not installed")
	}
	cmd := exec.Command(program, "-e", valuesScript)
	cmd.Dir = t.TempDir()
	in, lines := sockettest.Talk(t, cmd)
	path := filepath.Join(cmd.Dir, "file.conf")
	files, compared, refused, undecided := 0, 0, 0, 0
	for run := range sockettest.Count(t, 60) {
		m := &maker{rand.New(rand.NewPCG(uint64(run), 7)), 2000}
		text := m.variables()
		for _, mutated := range []bool{false, true} {
			if mutated {
				text = m.mutate(text)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			if _, err := fmt.Fprintln(in, path); err != nil || !lines.Scan() {
				t.Fatalf("run %d: perl ended: %v\n%s", run, err, text)
			}
			if lines.Text() == "!" {
				if refused++; !mutated {
					t.Fatalf("run %d: Perl refuses\n%s", run, text)
				}
				continue
			}
			var c listeners.Config
			p := newProgram(nil, &c, asked...)
			p.run(source.NewFile("file.conf", "file.conf", text))
			if len(c.Doubts) > 0 {
				undecided++
				continue
			}
			files++
			for i, want := range strings.Split(lines.Text(), "\t") {
				a := p.vars[asked[i]]
				if asked[i] == "interface_policy" && a == nil {
					a = p.hash[asked[i]]["10026"]
				}
				switch got, ok := shownValue(asked[i], a); {
				case !ok:
					undecided++
				case got != want:
					t.Fatalf("run %d, mutated %t: %s is %q, Perl has %q\n%s", run, mutated, asked[i], got, want, text)
				default:
					compared++
				}
			}
		}
	}
	t.Logf("%d files with %d values compared, %d files that Perl refuses, %d files or values that are not decided", files, compared, refused, undecided)
}
