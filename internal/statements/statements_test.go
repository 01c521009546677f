package statements

import (
	"fmt"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// daemons writes daemons, one line each, with what their options are in the text.
func daemons(text string, list []Daemon) []string {
	var lines []string
	for _, d := range list {
		line := d.Inside + "|"
		for _, letter := range []byte("npaf") {
			if v := d.Value(letter); v.Has() {
				line += fmt.Sprintf(" %c=%s", letter, v.Text)
				if text[v.Start:v.End] != v.Text {
					line += fmt.Sprintf(" (%s)", text[v.Start:v.End])
				}
			}
		}
		lines = append(lines, line)
	}
	return lines
}

// mcTests are texts of sendmail.mc, and the daemons that m4 makes of each.
var mcTests = []struct {
	text string
	want []string
}{
	{"DAEMON_OPTIONS(`Port=25, Name=a')dnl DAEMON_OPTIONS(`Port=26')\n dnl DAEMON_OPTIONS(`Port=27')\n", []string{"| n=a p=25"}},
	{"# DAEMON_OPTIONS(`Port=2')\ndivert(-1)\nDAEMON_OPTIONS(`Port=3')\ndivert(0)\n", []string{"| p=2", "| p=3"}},
	{"DAEMON_OPTIONS(Port=44, Name=x)\nDAEMON_OPTIONS(  `Port=7,\n  Name=b, Addr=127.0.0.1')\n", []string{"| p=44", "| n=b p=7 a=127.0.0.1"}},
	{"DAEMON_OPTIONS (`Port=8')\nDAEMON_OPTIONS\nXDAEMON_OPTIONS(`Port=9')\n", []string{"|", "|"}},
	{"`DAEMON_OPTIONS(`Port=11')' x DAEMON_OPTIONS(`Port=10')y\n", []string{"| p=10"}},
	{"define(`MYP', `12')DAEMON_OPTIONS(`Port=MYP')\n", []string{"| p=12 (MYP)"}},
	{"DAEMON_OPTIONS(``Port=13'')DAEMON_OPTIONS(`Port=1'`4')DAEMON_OPTIONS(`p=15, F=inet6, Addr=IPv6:::1')\n", []string{"| p=13", "| p=14 (1'`4)", "| p=15 a=IPv6:::1 f=inet6"}},
	{"ifdef(`x', `DAEMON_OPTIONS(`Port=16')')\nFEATURE(`a', DAEMON_OPTIONS(`Port=17'))DAEMON_OPTIONS(`Port=18')\n", []string{"ifdef| p=16", "| p=18"}},
	{"divert(-1)\n# DAEMON_OPTIONS(`Port=1')\ninclude(`/usr/share/sendmail/cf/m4/cf.m4')dnl\nDAEMON_OPTIONS(`Port=2')\n", []string{"| p=2"}},
	{"ifdef(`x', `DAEMON_OPTIONS(`Port=5'')DAEMON_OPTIONS(`Port=6')\n", []string{"ifdef|", "| p=6"}},
	{"DAEMON_OPTIONS(`Port=1')\nDAEMON_OPTIONS(`Port=2", []string{"| p=1"}},
}

func TestSendmailMC(t *testing.T) {
	for _, tt := range mcTests {
		mc := ParseSendmailMC(tt.text)
		if got := daemons(tt.text, mc.Daemons); !slices.Equal(got, tt.want) || mc.Closed != !strings.HasSuffix(tt.text, "2") {
			t.Errorf("%q: got\n\t%s\nwant\n\t%s", tt.text, strings.Join(got, "\n\t"), strings.Join(tt.want, "\n\t"))
		}
	}
}

// TestNestedArgumentsEnd: a list of arguments in quotation marks ends with these. If it went on, each
// of many would be read up to the end of the file.
func TestNestedArgumentsEnd(t *testing.T) {
	text := strings.Repeat("x(`DAEMON_OPTIONS((')", 1000) + ")"
	list, all := ParseSendmailMC(text).Daemons, 0
	for _, d := range list {
		all += d.Options.End - d.Options.Start
	}
	if len(list) != 1000 || all > len(text) {
		t.Errorf("%d daemons with %d bytes in a text of %d", len(list), all, len(text))
	}
}

// TestSendmailMCIsM4 compares the daemons with the lines that m4 makes of the same text, if the
// files of Sendmail are installed.
func TestSendmailMCIsM4(t *testing.T) {
	const folder = "/usr/share/sendmail/cf"
	m4, err := exec.LookPath("m4")
	if err != nil {
		t.Skip(err)
	}
	if found, _ := filepath.Glob(folder + "/m4/cf.m4"); found == nil {
		t.Skip("the package sendmail-cf is not installed")
	}
	for _, tt := range mcTests {
		mc := ParseSendmailMC(tt.text)
		if !mc.Closed || strings.Contains(tt.text, "include(") || strings.Contains(tt.text, "ifdef") {
			continue
		}
		cmd := exec.Command(m4, "m4/cf.m4", "-")
		cmd.Dir, cmd.Stdin = folder, strings.NewReader("OSTYPE(`linux')\n"+tt.text+"MAILER(`local')\n")
		cf, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		text := string(cf)
		ports := func(list []Daemon) (ports []string) {
			for _, d := range list {
				ports = append(ports, d.Value('p').Text+" "+d.Value('n').Text+" "+d.Host())
			}
			return ports
		}
		// m4 adds the daemon for submission.
		want := slices.DeleteFunc(ports(ParseSendmailCF(text)), func(s string) bool { return s == "587 MSA " })
		if got := ports(mc.Daemons); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, m4 has %q", tt.text, got, want)
		}
	}
}

func TestSendmailCF(t *testing.T) {
	const text = "V10/Berkeley\n#O DaemonPortOptions=Port=1\nO DaemonPortOptions=Family=inet,  Name=MTA-v4, Port=smtp,\n\tAddr=127.0.0.1\r\nO daemonport = p=26\nO DaemonPort\nOOPort=27\nOo\n O DaemonPortOptions=Port=28\n"
	got := daemons(text, ParseSendmailCF(text))
	if want := []string{"| n=MTA-v4 p=smtp a=127.0.0.1 f=inet", "| p=26", "| p=27"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if !IsSendmailCF(text) || IsSendmailCF("Version 1\nV=1\n") {
		t.Error("the line with the version")
	}
}

func TestSMTPD(t *testing.T) {
	const text = "lo = \"127.0.0.1\"\nlisten on $lo port $lo # x\nlisten on eth0 port smtps \\\n tag smtps\nlisten on all smtps pki x auth <t> inet6\nlisten on a smtps port \"submission\" auth tag tls\nlisten on socket\ninclude \"/x\"\nlisten on b port 26 hostname port"
	conf := ParseSMTPD(text)
	var got []string
	for _, l := range conf.Listens {
		got = append(got, fmt.Sprintf("%s %s %s %s %v %s", text[l.On.Start:l.On.End], l.Host, l.Port, l.Family, l.TLS, text[l.Given.Start:l.Given.End]))
	}
	want := []string{"$lo 127.0.0.1 127.0.0.1  false $lo", "eth0 eth0 smtps  false smtps", "all all 465 inet6 true ", "a a submission  true submission", "b b 26  false 26"}
	if !slices.Equal(got, want) || len(conf.Includes) != 1 || conf.Includes[0].Text != "/x" {
		t.Errorf("got\n\t%s\nwant\n\t%s\n%v", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"), conf.Includes)
	}
}

func TestCyrus(t *testing.T) {
	const text = "START {\n  x cmd=\"x\" listen=\"1\"\n}\nservices{\n # a listen=1\n  imap\tcmd=\"imapd -U 30\" listen=\"imap\" listen=9 # listen=2\n  b Listen=3\n  c listen=[::1]:24 proto=tcp6\r\n}\nEVENTS {\n  d listen=4\n}\n"
	var got []string
	for _, s := range ParseCyrus(text) {
		got = append(got, fmt.Sprintf("%s %s %s %s", s.Name, text[s.Listen.Start:s.Listen.End], s.Setting("cmd"), s.Setting("proto")))
	}
	if want := []string{"imap imap imapd -U 30 ", "c [::1]:24  tcp6"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// FuzzStatements reads any text as each kind of file: each part is in the text, in the order of the
// statements.
func FuzzStatements(f *testing.F) {
	for _, tt := range mcTests {
		f.Add(tt.text)
	}
	f.Add("listen on all port 26 \\\n tag x\nlisten on \"b")
	f.Add("SERVICES {\n a cmd=\"b\" listen=\"c\nd listen=")
	f.Add("O DaemonPortOptions=Port=1,\n Addr=::1")
	f.Fuzz(func(t *testing.T, text string) {
		last := 0
		next := func(p Part) {
			if p.Start < last || p.End < p.Start || p.End > len(text) {
				t.Fatalf("%+v after %d in %d bytes", p, last, len(text))
			}
			last = p.End
		}
		for _, list := range [][]Daemon{ParseSendmailMC(text).Daemons, ParseSendmailCF(text)} {
			last = 0
			for _, d := range list {
				next(d.Options)
				for _, v := range d.values {
					if v.Start < d.Options.Start || v.End > d.Options.End || v.Start > v.End {
						t.Fatalf("%+v is not in %+v", v, d.Options)
					}
				}
			}
		}
		last = 0
		for _, l := range ParseSMTPD(text).Listens {
			next(l.On)
		}
		last = 0
		for _, s := range ParseCyrus(text) {
			next(s.Listen)
		}
	})
}
