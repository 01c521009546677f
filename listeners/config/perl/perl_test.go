package perl

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

type reader func(*source.Tree, *source.File) listeners.Config

// shown writes what files configure, one line each.
func shown(c listeners.Config) []string {
	var lines []string
	for _, l := range c.Listeners {
		line := fmt.Sprintf("%d:%d-%d %s %s/%s/%s", l.At.Line, l.At.Column, l.At.EndColumn, l.Service, l.Product, l.Role, l.Protocol)
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
	for _, e := range c.Edges {
		lines = append(lines, fmt.Sprintf("%d:%d-%d %s %s -> %s:%d", e.At.Line, e.At.Column, e.At.EndColumn, e.Kind, e.From, e.Host, e.Port))
	}
	for _, d := range c.Doubts {
		lines = append(lines, fmt.Sprintf("%s:%d:%d-%d doubt: %s", d.At.File, d.At.Line, d.At.Column, d.At.EndColumn, d.Problem))
	}
	return lines
}

// read reads files, of which the first one is given to the reader.
func read(t *testing.T, reader reader, first string, files map[string]string) listeners.Config {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	tree := &source.Tree{FS: fsys}
	f, err := tree.Read(first)
	if err != nil {
		t.Fatal(err)
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
	for _, e := range c.Edges {
		if e.Port == 0 || e.From != "" && !seen[e.From] || e.At.Line < 1 {
			t.Errorf("an edge without an end: %+v", e)
		}
	}
	for _, d := range c.Doubts {
		if d.Problem == "" || d.At.Line < 1 {
			t.Errorf("a doubt without a place: %+v", d)
		}
	}
}

const (
	filter  = " amavisd-new/content-filter/smtp"
	acl     = "; inet_acl=127.0.0.1 [::1]"
	unset   = "; $inet_socket_bind is not set; its default is 127.0.0.1 and [::1]"
	allBind = "; $inet_socket_bind is empty; amavisd then listens on all addresses"
)

var amavisTests = []struct {
	name, text string
	want       []string
}{
	{"the default is loopback", "$inet_socket_port = 10024;  # SMTP\n", []string{
		"1:21-26 127.0.0.1:10024" + filter + acl + unset,
		"1:21-26 [::1]:10024" + filter + acl + unset,
	}},
	{"the old separator of names", "$x'y = 1; $inet_socket_port = 10024; $z'a = 'b';\n", []string{
		"1:31-36 127.0.0.1:10024 amavisd-new/content-filter/smtp; inet_acl=127.0.0.1 [::1]; $inet_socket_bind is not set; its default is 127.0.0.1 and [::1]",
		"1:31-36 [::1]:10024 amavisd-new/content-filter/smtp; inet_acl=127.0.0.1 [::1]; $inet_socket_bind is not set; its default is 127.0.0.1 and [::1]",
	}},
	{"numbers that are not what is written", "$inet_socket_port = [010024, 10_025, 10026.];\n", []string{
		"x:1:22-28 doubt: an item of $inet_socket_port is computed",
		"x:1:30-36 doubt: an item of $inet_socket_port is computed",
		"x:1:38-44 doubt: an item of $inet_socket_port is computed",
	}},
	{"two ports on all addresses", "$inet_socket_port = [10024,\n10026];\n$inet_socket_bind = '';\n", []string{
		"1:22-27 *:10024" + filter + acl + allBind,
		"2:1-6 *:10026" + filter + acl + allBind,
	}},
	{"undef is all addresses, and the last assignment counts", "$inet_socket_bind = '127.0.0.1'; $inet_socket_bind = undef; $inet_socket_port=10024;", []string{
		"1:79-84 *:10024" + filter + acl + allBind,
	}},
	{"an address, and a port that has its own", "@inet_acl = qw(10.0.0.0/8\n 127.0.0.1);\n$inet_socket_bind = '10.0.0.5'; @listen_sockets = ('[::1]:10026', ':9998', 10025, '/run/a.sock', 'x/unix');", []string{
		"3:53-64 [::1]:10026" + filter + "; inet_acl=10.0.0.0/8 127.0.0.1",
		"3:68-73 *:9998" + filter + "; inet_acl=10.0.0.0/8 127.0.0.1",
		"3:76-81 10.0.0.5:10025" + filter + "; inet_acl=10.0.0.0/8 127.0.0.1; $inet_socket_bind has 10.0.0.5",
	}},
	{"policy banks and where mail goes", `$inet_socket_bind='127.0.0.1'; $inet_socket_port = [qw(10026 9998)];
$forward_method = 'smtp:[127.0.0.1]:10025'; $notify_method = $forward_method;
$interface_policy{'10026'} = 'ORIGINATING';
%interface_policy = (9998 => 'PDP');
$policy_bank{ORIGINATING} = { originating => 1, smtpd_discard_ehlo_keywords => ['8BITMIME'],
  forward_method => 'smtp:[127.0.0.1]:10027', x => sub { 1; }, };
$policy_bank{'PDP'} = { protocol=>'AM.PDP', inet_acl => [qw( 10.0.0.1 )] };
`, []string{
		"1:56-61 127.0.0.1:10026" + filter + "; interface_policy=ORIGINATING" + acl + "; $inet_socket_bind has 127.0.0.1",
		"1:62-66 127.0.0.1:9998 amavisd-new/content-filter/am.pdp; interface_policy=PDP; inet_acl=10.0.0.1; $inet_socket_bind has 127.0.0.1",
		"2:20-42 relay  -> 127.0.0.1:10025",
		"6:22-44 relay 127.0.0.1:10026 -> 127.0.0.1:10027",
	}},
	{"the port after the one of the mail", "$inet_socket_bind='::1'; $inet_socket_port = 10024; $forward_method = 'smtp:*:*';", []string{
		"1:46-51 [::1]:10024" + filter + acl + "; $inet_socket_bind has ::1",
		"1:72-80 relay [::1]:10024 -> :10025",
	}},
	{"what is computed", "$inet_socket_port = $port;\n", []string{"x:1:1-18 doubt: $inet_socket_port is computed"}},
	{"an address that is computed", "$inet_socket_port = 10024; $inet_socket_bind = \"$ip\";", []string{
		"1:21-26 *:10024" + filter + acl + "; $inet_socket_bind is computed; doubt: an address of $inet_socket_bind is computed",
	}},
	{"an assignment on a condition", "$inet_socket_port = 10024; $inet_socket_bind = '127.0.0.1';\nif ($x{y}) { $inet_socket_bind = '*'; }", []string{
		"1:21-26 127.0.0.1:10024" + filter + acl + "; $inet_socket_bind has 127.0.0.1; doubt: $inet_socket_bind is assigned on a condition or in a subroutine",
	}},
	{"an assignment on a condition that comes too early", "if ($x) { $inet_socket_port = 1; }\n$inet_socket_port = 10024; $inet_socket_bind = '127.0.0.1';", []string{
		"2:21-26 127.0.0.1:10024" + filter + acl + "; $inet_socket_bind has 127.0.0.1",
	}},
	{"a condition behind the value", "$inet_socket_port = 10024 if $x;", []string{"x:1:1-18 doubt: $inet_socket_port is computed"}},
	{"a list that grows", "@listen_sockets = ('127.0.0.1:10024');\npush(@listen_sockets, ':1');", []string{
		"1:21-36 127.0.0.1:10024" + filter + acl + "; doubt: @listen_sockets is changed in a way that is not followed",
		"x:2:6-21 doubt: @listen_sockets is changed in a way that is not followed",
	}},
	{"Perl that only looks like settings", `use strict;
$a = 'it''s' if m{$inet_socket_bind=';'};

=pod

$inet_socket_bind = undef;

=cut

$text = <<'END' . "x";
$inet_socket_bind = '*';
END
$b = $c / 2; $d = "a/b"; @e = split /;'/, $f; # $inet_socket_bind = '*';
$g{'s'} = qr'\.(exe|dll)$'i; %h = (s => 1, y => '#', q => 2); $i =~ s/'/"/g; $j = $#k; $l = q(a(b)'c);
$inet_socket_port = 10024;
1;
__END__
$inet_socket_bind = '*';
`, []string{"15:21-26 127.0.0.1:10024" + filter + acl + unset, "15:21-26 [::1]:10024" + filter + acl + unset}},
	{"a port that is none", "$inet_socket_port = 'abc';", []string{`x:1:22-25 doubt: "abc" of $inet_socket_port is not a port`}},
	{"a file that is not there", "include_config_files('/etc/amavis/none');", []string{`x:1:23-39 doubt: "/etc/amavis/none" is not in the files`}},
	{"a string without an end", "$inet_socket_port = 10024; $x = 'abc;\n", []string{
		"1:21-26 127.0.0.1:10024" + filter + acl + unset, "1:21-26 [::1]:10024" + filter + acl + unset,
		"x:1:1-1 doubt: the Perl of this file could not be followed to its end",
	}},
	{"a method without a port", "$forward_method = 'smtp::';", []string{`x:1:20-26 doubt: "smtp::" has no port`}},
	{"no port", "$inet_socket_bind = '*';", nil},
}

func TestAmavis(t *testing.T) {
	for _, tt := range amavisTests {
		t.Run(tt.name, func(t *testing.T) {
			got := shown(read(t, Amavis, "x", map[string]string{"x": tt.text}))
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(tt.want, "\n\t"))
			}
		})
	}
}

// TestAmavisFolder reads the files of conf.d in the order of their names.
func TestAmavisFolder(t *testing.T) {
	files := map[string]string{
		"etc/amavis/conf.d/20-debian_defaults": "$inet_socket_port = 10024;",
		"etc/amavis/conf.d/50-user":            "$inet_socket_bind = '10.0.0.5';\ninclude_config_files('/etc/amavis/more');",
		"etc/amavis/conf.d/60-user.bak":        "$inet_socket_bind = '*';",
		"etc/amavis/more":                      "@inet_acl = ('10.0.0.0/8');",
	}
	got := shown(read(t, Amavis, "etc/amavis/conf.d/50-user", files))
	want := []string{"1:21-26 10.0.0.5:10024" + filter + "; inet_acl=10.0.0.0/8; $inet_socket_bind has 10.0.0.5"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	delete(files, "etc/amavis/conf.d/20-debian_defaults")
	got = shown(read(t, Amavis, "etc/amavis/conf.d/50-user", files))
	want = []string{"1:22-30 10.0.0.5:10024" + filter + "; inet_acl=10.0.0.0/8; $inet_socket_bind has 10.0.0.5; doubt: $inet_socket_port is not in these files; Debian's 20-debian_defaults sets it to 10024"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestPolicydWeight(t *testing.T) {
	for text, want := range map[string]string{
		"":                           "",
		"$TCP_PORT = 12526;":         "1:13-18 TCP_PORT policyd-weight/policy/postfix-policy; $BIND_ADDRESS is not set; its default is 127.0.0.1",
		"$BIND_ADDRESS = 'all';":     "1:18-21 TCP_PORT policyd-weight/policy/postfix-policy; $BIND_ADDRESS has no address; policyd-weight then listens on all IPv4 addresses",
		"$BIND_ADDRESS='10.0.0.5';":  "1:16-24 TCP_PORT policyd-weight/policy/postfix-policy; $BIND_ADDRESS has 10.0.0.5",
		"$TCP_PORT = $ENV{'PORT'};":  "x:1:13-17 doubt: $TCP_PORT is not a literal port",
		"$BIND_ADDRESS = `hostname`": "1:18-26 TCP_PORT policyd-weight/policy/postfix-policy; $BIND_ADDRESS is computed; doubt: $BIND_ADDRESS is computed",
	} {
		if got := strings.Join(shown(read(t, PolicydWeight, "x", map[string]string{"x": text})), "\n"); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestBounded reads files that would take long, or much memory, without bounds.
func TestBounded(t *testing.T) {
	ports := strings.Repeat("1,", 300) + "2"
	for name, text := range map[string]string{
		"product":   "$inet_socket_port = [" + strings.Repeat("10024,", 1000) + "];\n$inet_socket_bind = [" + ports + "];",
		"nesting":   "$inet_socket_port = " + strings.Repeat("[", 100_000),
		"documents": "$x = <<A;\n" + strings.Repeat("<<A;\n", 200_000),
		"includes":  strings.Repeat("do 'x';include_config_files('y');", 20_000),
		"blocks":    strings.Repeat("if(", 200_000) + strings.Repeat("}", 200_000),
		"edges":     "$inet_socket_port = [" + ports + "]; $forward_method = [" + strings.Repeat("'smtp:*:*',", 9000) + "];",
	} {
		t.Run(name, func(t *testing.T) {
			c := read(t, Amavis, "x", map[string]string{"x": text})
			if len(c.Listeners) > listeners.MaxListeners || len(c.Edges) > listeners.MaxEdges {
				t.Errorf("%d listeners, %d edges", len(c.Listeners), len(c.Edges))
			}
		})
	}
}

func FuzzReaders(f *testing.F) {
	for _, tt := range amavisTests {
		f.Add(tt.text)
	}
	f.Add("$BIND_ADDRESS = 'all'; $TCP_PORT = 12525;")
	f.Fuzz(func(t *testing.T, text string) {
		for _, r := range []reader{Amavis, PolicydWeight} {
			tree := &source.Tree{FS: fstest.MapFS{"amavis/conf.d/x": {Data: []byte(text)}}}
			if f, err := tree.Read("amavis/conf.d/x"); err == nil {
				check(t, r(tree, f))
			}
		}
	})
}
