package command

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// shown writes what a file configures, one line each.
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
		lines = append(lines, fmt.Sprintf("%d:%d-%d %s -> %s:%d", e.At.Line, e.At.Column, e.At.EndColumn, e.Kind, e.Host, e.Port))
	}
	for _, d := range c.Doubts {
		lines = append(lines, fmt.Sprintf("%d:%d-%d doubt: %s", d.At.Line, d.At.Column, d.At.EndColumn, d.Problem))
	}
	return lines
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
		if e.Port == 0 || e.At.Line < 1 {
			t.Errorf("an edge without an end: %+v", e)
		}
	}
	for _, d := range c.Doubts {
		if d.Problem == "" || d.At.Line < 1 {
			t.Errorf("a doubt without a place: %+v", d)
		}
	}
}

func equal(t *testing.T, got, want []string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
}

// TestTable holds that the table has no keys that nothing reads, and what a reader needs.
func TestTable(t *testing.T) {
	d := yaml.NewDecoder(bytes.NewReader(commandsYAML))
	d.KnownFields(true)
	var list []spec
	if err := d.Decode(&list); err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, s := range list {
		if s.Product == "" || s.Source == "" || len(s.Sockets) == 0 || !slices.Contains([]string{"getopt", "perl", "go"}, s.Style) {
			t.Errorf("%v lacks a product, a source, a socket or a style", s.Programs)
		}
		for _, name := range s.Programs {
			if seen[name] {
				t.Errorf("%s is a duplicate", name)
			}
			seen[name] = true
		}
		for _, sock := range s.Sockets {
			if !slices.Contains([]string{portForm, hostForm, milterForm}, sock.Form) || sock.Always && sock.Port == 0 ||
				s.Role+sock.Role == "" || s.Protocol+sock.Protocol == "" {
				t.Errorf("%v, %s: an unknown form, or no port, role or protocol", s.Programs, sock.Name)
			}
		}
	}
}

var defaultsTests = []struct {
	file, text string
	want       []string
}{
	{"postgrey", "POSTGREY_OPTS=\"--inet=10023\"\n", []string{
		"1:23-28 postgrey inet localhost:10023 Postgrey/policy/postfix-policy; the option has no address; Postgrey then listens on localhost",
	}},
	{"postgrey", "# x\nexport POSTGREY_OPTS='--inet 0.0.0.0:10023 --delay=60' # y\n", []string{
		"2:30-43 postgrey inet 0.0.0.0:10023 Postgrey/policy/postfix-policy",
	}},
	{"postgrey", "PORT=10023\nPOSTGREY_OPTS=\"--delay=1 \\\n  -i :$PORT\"\n", []string{
		"3:6-7 postgrey inet :10023 Postgrey/policy/postfix-policy; the option names no address; Postgrey then listens on all of them",
	}},
	{"postgrey", "POSTGREY_OPTS=\"--unix=/run/x\"\n", nil},
	{"postgrey", "if true; then\n POSTGREY_OPTS=--inet=1\nfi\n", []string{
		"2:23-24 postgrey inet localhost:1 Postgrey/policy/postfix-policy; the option has no address; Postgrey then listens on localhost; doubt: the variable POSTGREY_OPTS is set on a condition",
	}},
	{"postgrey", "POSTGREY_OPTS=--inet=$(cat /x)\n", []string{"1:1-2 doubt: a port of Postgrey is not known: the output of a command is not in the files"}},
	{"postgrey", "A=1; POSTGREY_OPTS=--inet=10.0.0.5:1; POSTGREY_OPTS=\"--inet=0.0.0.0:10023;x\" # y\n", []string{
		`1:61-76 doubt: "10023;x" is not a port`,
	}},
	{"postgrey", "A=1 POSTGREY_OPTS=--inet=0.0.0.0:10023 B=2\nPOSTGREY_OPTS= true\nPOSTGREY_OPTS=x postgrey\n", []string{
		"1:26-39 postgrey inet 0.0.0.0:10023 Postgrey/policy/postfix-policy",
	}},
	{"postgrey", "if true; then POSTGREY_OPTS=\"--inet=0.0.0.0:10023\"; fi\nB=1\n", []string{
		"1:37-50 postgrey inet 0.0.0.0:10023 Postgrey/policy/postfix-policy; doubt: the variable POSTGREY_OPTS is set on a condition",
	}},
	{"postgrey", "if true\nthen B=1\nfi\nf () { B=2; }\nfunction g {\nB=1\n}\nfunction h() {\nB=1\n}\n(B=3)\ncase x in a) B=1;; (b) B=2;; esac\nPOSTGREY_OPTS=--inet=10.0.0.5:1", []string{
		"13:22-32 postgrey inet 10.0.0.5:1 Postgrey/policy/postfix-policy",
	}},
	{"postgrey", "true &&\n POSTGREY_OPTS=--inet=10.0.0.5:1", []string{
		"2:23-33 postgrey inet 10.0.0.5:1 Postgrey/policy/postfix-policy; doubt: the variable POSTGREY_OPTS is set on a condition",
	}},
	{"postgrey", ": ${POSTGREY_OPTS:=--inet=0.0.0.0:10023}\n: ${POSTGREY_OPTS:=--inet=1}\n", []string{
		"1:27-40 postgrey inet 0.0.0.0:10023 Postgrey/policy/postfix-policy",
	}},
	{"postgrey", "true || : \"${POSTGREY_OPTS=--inet=0.0.0.0:10023}\"\n", []string{
		"1:35-48 postgrey inet 0.0.0.0:10023 Postgrey/policy/postfix-policy; doubt: the variable POSTGREY_OPTS is set on a condition",
	}},
	{"postgrey", "POSTGREY_OPTS=--inet=10.0.0.5:1\n[ -r /etc/default/postgrey.local ] && . /etc/default/postgrey.local\n", []string{
		"1:22-32 postgrey inet 10.0.0.5:1 Postgrey/policy/postfix-policy; doubt: the file /etc/default/postgrey.local, which may set it, is not among the files",
	}},
	{"postgrey", ". $HOME/x\n", []string{
		"1:1-2 doubt: options of Postgrey are not in the files: a file that is read with . is not known: the variable HOME has no value in the files",
	}},
	{"postgrey", ". ./x; POSTGREY_OPTS=--inet=10.0.0.5:1\n", []string{"1:29-39 postgrey inet 10.0.0.5:1 Postgrey/policy/postfix-policy"}},
	{"postgrey", "POSTGREY_OPTS=--inet=1\nunset POSTGREY_OPTS\n", nil},
	{"postgrey", "read POSTGREY_OPTS < /etc/x\n", []string{
		"1:1-2 doubt: options of Postgrey are not in the files: the variable POSTGREY_OPTS may be set by read",
	}},
	{"postgrey", "eval \"POSTGREY_OPTS=x\"\n", []string{
		"1:1-2 doubt: options of Postgrey are not in the files: the variable POSTGREY_OPTS may be set by eval",
	}},
	{"postgrey", "X=POSTGREY_OPTS\neval \"$X=--inet=1\"\n", []string{
		"1:1-2 doubt: options of Postgrey are not in the files: eval runs a command that is not known",
	}},
	{"postgrey", "for POSTGREY_OPTS in --inet=1 --inet=2; do echo x; done\n", []string{
		"1:1-2 doubt: options of Postgrey are not in the files: the variable POSTGREY_OPTS may be set by for",
	}},
	{"postgrey", "POSTGREY_OPTS=(--inet=1 --inet=2)\n", []string{
		"1:1-2 doubt: options of Postgrey are not in the files: the variable POSTGREY_OPTS is an array",
	}},
	{"postgrey", "cat <<-'E' >/x\nPOSTGREY_OPTS=--inet=1\n\tE\necho 'a' >&2 \"$(echo \"POSTGREY_OPTS=--inet=2\")\" `x`\n", nil},
	{"postgrey", strings.Repeat("A=1\n", 3) + many(maxVariables) + "POSTGREY_OPTS=--inet=0.0.0.0:1\n", []string{
		"1:1-2 doubt: options of Postgrey are not in the files: there are more variables than are read",
	}},
	{"spampd", "LISTENHOST=0.0.0.0\nLISTENPORT=10025\nDESTHOST=127.0.0.1\nDESTPORT=10026\nADDOPTS=\"\"\n", []string{
		"1:12-19 spampd host 0.0.0.0:10025 spampd/content-filter/smtp", "4:10-15 relay -> 127.0.0.1:10026",
	}},
	{"spamd", "OPTIONS=\"--create-prefs --max-children 5 -A 10.0.0.0/8,127.0.0.1 -i\"\n", []string{
		"1:66-68 spamd listen :783 SpamAssassin spamd/antispam/spamd; allowed-ips=10.0.0.0/8 127.0.0.1; the option names no address; SpamAssassin spamd then listens on all of them",
	}},
	{"spamassassin", "OPTIONS=\"-dlp 1783\"\nOPTIONS=\"${OPTIONS} --listen=10.0.0.5 -i [::1]:784\"", []string{
		"2:30-38 spamassassin listen 10.0.0.5:1783 SpamAssassin spamd/antispam/spamd",
		"2:42-51 spamassassin listen ::1:784 SpamAssassin spamd/antispam/spamd",
	}},
	{"spamd", "V='-i 10.0.0.5 -p 784'\nexport OPTIONS=${V:-7} # x\n", []string{"1:7-15 spamd listen 10.0.0.5:784 SpamAssassin spamd/antispam/spamd"}},
	{"spamd", "V='-i 10.0.0.5 -p 784'\nOPTIONS=${U:-$V}\n", []string{"1:7-15 spamd listen 10.0.0.5:784 SpamAssassin spamd/antispam/spamd"}},
	{"spamd", "OPTIONS=\"--socketpath=/x -p 1783\"\n", nil},
	{"spamd", "X=1\n", []string{
		"1:1-2 spamd listen 127.0.0.1:783 SpamAssassin spamd/antispam/spamd; no option says where SpamAssassin spamd listens; its default is 127.0.0.1 and ::1",
		"1:1-2 spamd listen ::1:783 SpamAssassin spamd/antispam/spamd; no option says where SpamAssassin spamd listens; its default is 127.0.0.1 and ::1",
	}},
	{"opendkim", "RUNDIR=/run/x\nSOCKET=local:$RUNDIR/x.sock\n", nil},
	{"opendkim", "SOCKET=inet:54321\n", []string{
		"1:8-18 opendkim socket :54321 OpenDKIM/milter/milter; the socket has no @HOST; the milter then listens on all addresses; doubt: Debian's unit does not read this file since 2.11.0~beta2",
	}},
	{"spamass-milter", "OPTIONS=\"-u x -i 127.0.0.1\"\nSOCKET=\"inet6:8890@localhost\"\n", []string{
		"2:9-29 spamass-milter socket ::1:8890 spamass-milter/milter/milter",
	}},
	{"postsrsd", "SRS_FORWARD_PORT=10001\nSRS_REVERSE_PORT=10002\nSRS_LISTEN_ADDR=0.0.0.0\n", []string{
		"3:17-24 postsrsd forward 0.0.0.0:10001 PostSRSd/policy/tcp-table", "3:17-24 postsrsd reverse 0.0.0.0:10002 PostSRSd/policy/tcp-table",
	}},
	{"postfwd", "INET=*\nPORT=10040\nARGS=\"--summary=600\"\n", []string{
		"1:6-7 postfwd interface *:10040 postfwd/policy/postfix-policy; the option names no address; postfwd then listens on all of them",
	}},
	{"other", "SOCKET=inet:1\n", nil},
}

// many writes assignments of different variables.
func many(n int) string {
	var text strings.Builder
	for i := range n {
		fmt.Fprintf(&text, "V%d=1\n", i)
	}
	return text.String()
}

// TestSourced reads files that others read with ".".
func TestSourced(t *testing.T) {
	for name, tt := range map[string]struct{ files, want []string }{
		"a file of the tree": {[]string{"POSTGREY_OPTS=--inet=1\n. /etc/default/postgrey.local\n", "POSTGREY_OPTS=--inet=10.0.0.5:2\n"}, []string{
			"etc/default/postgrey.local:1:22-32 10.0.0.5:2",
		}},
		"on a condition": {[]string{"if [ -r /x ]; then . /etc/default/postgrey.local; fi\n", "POSTGREY_OPTS=--inet=10.0.0.5:2\n"}, []string{
			"etc/default/postgrey.local:1:22-32 10.0.0.5:2; the variable POSTGREY_OPTS is set on a condition",
		}},
		"itself": {[]string{". /etc/default/postgrey.local\n", "POSTGREY_OPTS=--inet=10.0.0.5:2\n" + strings.Repeat(". /etc/default/postgrey.local\n", 50)}, []string{
			"etc/default/postgrey.local:1:22-32 10.0.0.5:2; the file /etc/default/postgrey.local, which may set it, is not among the files",
		}},
	} {
		t.Run(name, func(t *testing.T) {
			tree := &source.Tree{FS: fstest.MapFS{
				"etc/default/postgrey": {Data: []byte(tt.files[0])}, "etc/default/postgrey.local": {Data: []byte(tt.files[1])},
			}}
			f, err := tree.Read("etc/default/postgrey")
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, l := range Defaults(tree, f).Listeners {
				line := fmt.Sprintf("%s:%d:%d-%d %s:%d", l.At.File, l.At.Line, l.At.Column, l.At.EndColumn, l.Host, l.Port)
				if l.Doubt != "" {
					line += "; " + l.Doubt
				}
				got = append(got, line)
			}
			equal(t, got, tt.want)
		})
	}
}

func TestDefaults(t *testing.T) {
	for _, tt := range defaultsTests {
		t.Run(tt.file, func(t *testing.T) {
			c := Defaults(nil, source.NewFile("etc/default/"+tt.file, "x", tt.text))
			check(t, c)
			equal(t, shown(c), tt.want)
		})
	}
}

func TestListen(t *testing.T) {
	for line, want := range map[string]string{
		`/usr/sbin/postgrey --inet=127.0.0.1:10023 -d`:       "1:27-42 x inet 127.0.0.1:10023 Postgrey/policy/postfix-policy",
		`true && exec "postgrey" "--in""et=10.0.0.5:1"`:      "1:35-45 x inet 10.0.0.5:1 Postgrey/policy/postfix-policy",
		`sh -c 'cd /x; exec env A=1 postgrey -i 10.0.0.5:1'`: "1:40-50 x inet 10.0.0.5:1 Postgrey/policy/postfix-policy",
		`sudo -u x -- postgrey --inet 10.0.0.5:1`:            "1:30-40 x inet 10.0.0.5:1 Postgrey/policy/postfix-policy",
		`python3 -u -m aiosmtpd -n -l 10.0.0.5:1025`:         "1:30-43 x listen 10.0.0.5:1025 aiosmtpd/mta/smtp",
		`dkimproxy.out --keyfile=/x 0.0.0.0:10027 127.0.0.1:10028`: "1:28-41 x listen 0.0.0.0:10027 DKIMproxy/signing-proxy/smtp\n" +
			"1:42-57 relay -> 127.0.0.1:10028",
		`start-stop-daemon --start --exec /usr/sbin/postsrsd -- -f1 -r2 -l 10.0.0.5 >&2`: "1:67-75 x forward 10.0.0.5:1 PostSRSd/policy/tcp-table\n" +
			"1:67-75 x reverse 10.0.0.5:2 PostSRSd/policy/tcp-table",
		`amavisd -p 10024`: "1:12-17 x listen 127.0.0.1:10024 amavisd-new/content-filter/smtp; the option has no address; amavisd-new then listens on 127.0.0.1 and ::1; doubt: $inet_socket_bind may say otherwise\n" +
			"1:12-17 x listen ::1:10024 amavisd-new/content-filter/smtp; the option has no address; amavisd-new then listens on 127.0.0.1 and ::1; doubt: $inet_socket_bind may say otherwise",
		`postfix_exporter -web.listen-address=127.0.0.1:9154`: "1:38-52 x web 127.0.0.1:9154 Postfix Exporter/admin/http",
		`mailpit -qs127.0.0.1:1025 -l 127.0.0.1:8025`:         "1:12-26 x smtp 127.0.0.1:1025 Mailpit/mta/smtp\n1:30-44 x listen 127.0.0.1:8025 Mailpit/admin/http",
		`maildev --ip 127.0.0.1`: "1:14-23 x smtp 127.0.0.1:1025 MailDev/mta/smtp\n" +
			"1:1-8 x web :1080 MailDev/admin/http; no option says where MailDev listens; its default is every address; doubt: some versions of MailDev listen at \"127.0.0.1\"",
		`maildev --ip 127.0.0.1 --web-ip 127.0.0.1`: "1:14-23 x smtp 127.0.0.1:1025 MailDev/mta/smtp\n1:33-42 x web 127.0.0.1:1080 MailDev/admin/http",
		`maildev -s 2025 --disable-web`:             "1:12-16 x smtp :2025 MailDev/mta/smtp; no option says where MailDev listens; its default is every address",
		`mimedefang -G -p inet:1@127.0.0.1`:         "1:18-34 x socket 127.0.0.1:1 MIMEDefang/milter/milter",
		`milter-greylist -r -p inet:1@127.0.0.1`:    "1:23-39 x socket 127.0.0.1:1 milter-greylist/milter/milter",
		`mailpit --smtp 127.0.0.1:1025 --listen=127.0.0.1:8025`: "1:16-30 x smtp 127.0.0.1:1025 Mailpit/mta/smtp\n" +
			"1:40-54 x listen 127.0.0.1:8025 Mailpit/admin/http",
		`postgrey $OPTS`:         "1:1-9 doubt: options of Postgrey are not in the files: the variable OPTS has no value in the files",
		`nginx -g 'daemon off;'`: "",
	} {
		f := source.NewFile("x", "x", line)
		var c listeners.Config
		env := &Environment{}
		for _, words := range Split(From(f, 0, len(line)), Shell, env) {
			Listen(&c, words, env, Start{Unit: "x"})
		}
		check(t, c)
		if got := strings.Join(shown(c), "\n"); got != want {
			t.Errorf("%s\ngot  %s\nwant %s", line, got, want)
		}
	}
}

func TestSplit(t *testing.T) {
	env := &Environment{}
	env.Set("A", Literal("b  c 'd e'"))
	env.Set("E", Literal(""))
	for _, tt := range []struct {
		line string
		d    Dialect
		want string
	}{
		{`a $A "$A" x$A`, Shell, `[a b c 'd e' b  c 'd e' xb c 'd e']`},
		{`a $A "$A" ${A} x$A`, Systemd, `[a b c d e b  c 'd e' b  c 'd e' xb  c 'd e']`},
		{`a $E "$E" ${E}`, Systemd, `[a  ]`},
		{"a \\\n b;c # d\ne", Shell, `[a b] [c] [e]`},
		{`a ${X:-y} ${A:+z} ${X+w} ${E:-v}`, Shell, `[a y z v]`},
		{`a 2>/dev/null >x b`, Shell, `[a b]`},
		{`a $$b \"`, Systemd, `[a $b "]`},
	} {
		var got []string
		for _, words := range Split(Literal(tt.line), tt.d, env) {
			got = append(got, fmt.Sprint(words))
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%s: got %v, want %s", tt.line, got, tt.want)
		}
	}
}

// TestBounded reads files that would take long, or much memory, without bounds.
func TestBounded(t *testing.T) {
	for name, text := range map[string]string{
		"variables": "A=xxxxxxxxxx\n" + strings.Repeat("A=\"$A$A$A$A\"\n", 20_000),
		"names":     strings.Repeat("A1=1\nA2=2\nB3=${A1-${A2}}\n", 100_000),
		"options":   "POSTGREY_OPTS=\"" + strings.Repeat("--inet=1 ", 200_000) + "\"",
		"quotes":    strings.Repeat("A='", 200_000),
		"sourced":   many(maxVariables) + strings.Repeat(". /x\n", 200_000),
		"defaults":  strings.Repeat("${A:=", 200_000),
		"brackets":  strings.Repeat("\"$(", 200_000),
		"commands":  "POSTGREY_OPTS=" + strings.Repeat("$(", 200_000),
	} {
		t.Run(name, func(t *testing.T) { check(t, Defaults(nil, source.NewFile("postgrey", "x", text))) })
	}
}

func FuzzCommands(f *testing.F) {
	for _, tt := range defaultsTests {
		f.Add(tt.file, tt.text)
	}
	f.Add("line", "sh -c 'exec env A=1 postgrey -i 10.0.0.5:1'; start-stop-daemon -x spamd -- -i [::1]:1")
	f.Fuzz(func(t *testing.T, name, text string) {
		x := source.NewFile(name, "x", text)
		check(t, Defaults(nil, x))
		for _, d := range []Dialect{Shell, Systemd} {
			var c listeners.Config
			env := &Environment{}
			Assignments(nil, x, d, env)
			for _, words := range Split(From(x, 0, len(text)), d, env) {
				Listen(&c, words, env, Start{Unit: "x"})
			}
			check(t, c)
		}
	})
}
