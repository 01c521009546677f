package nmapprobes

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/signatures"
)

// made is a file about daemons that do not exist.
const made = `# made up
Exclude T:9100-9107

Probe TCP NULL q||
totalwaitms 6000
match smtp m|^220 (\S+) ESMTP Sparrowd ([\d.]+)(?: on (\w+))?\r\n| p/Sparrowd/ v/$2/ i/by $P(3)/ h/$1/ o/Nest OS/ d/mail server/ cpe:/a:aviary:sparrowd:$2/ cpe:/o:aviary:nest/a
match smtp m/^220 (?=wren)wren_(\d_\d)\r\n/i p|Wren/smtpd| v|$SUBST(1,"_",".")|
match smtp m|^220 relay \r\n|
match ftp m|^220 this is not even closed
softmatch smtp m|^220 [^\r\n]*ESMTP|
match smtp m|^220 \S+ ESMTP Finchd\r\n| p/Finchd/
match ssl/imap m|^\* OK \x00\xff(..)| p/Robind/ v/$I(1,">") $I(1,"<") $1/
match imap m|^(?U)a| p/x/
match pop3 m|^\+OK a\r\n$| p/Owld/ cpe:/nothing/
softmatch pop3 m|^LARK| p/Larkd/

Probe UDP Ask q|a\0|
rarity 1
match smtp m|^udp| p/x/

##### next
Probe TCP GetRequest q|GET / HTTP/1.0\r\n\r\n|
rarity 1
ports 1,80
fallback NULL
match clam m|^UNKNOWN$|s p/Clamour/

Probe TCP Hello q|EHLO\r\n|
match smtp m|^220 silent\r\n250-nest\r\n| p/Ravend/

Probe TCP Help q|HELP\r\n|
match smtp m|^220 quiet\r\n214 Starlingd\r\n| p/Starlingd/
match smtp m|^214 Thrushd\r\n| p/Thrushd/
`

func read(t *testing.T, text string) *Set {
	t.Helper()
	set, err := Read(strings.NewReader(text), "probes")
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func TestReadSaysWhatItSkips(t *testing.T) {
	set := read(t, made)
	if set.Len() != 12 {
		t.Errorf("%d entries, want 12", set.Len())
	}
	if got := set.Skipped(); len(got) != 1 || !strings.HasPrefix(got.Error(), `probes:13:12: the pattern sets the option "U"`) {
		t.Errorf("skipped %q", got)
	}
}

func TestReadRefuses(t *testing.T) {
	const begin = "Probe TCP NULL q||\n"
	for _, test := range []struct{ text, want string }{
		{"match smtp m|a|\n", `probes:1:1: "match" before the first Probe`},
		{begin + "<html>\n", `probes:2:1: unknown directive "<html>"`},
		{"Probe TCP NULL\n", `probes:1:1: a Probe is written`},
		{"Probe SCTP NULL q||\n", `probes:1:1: a Probe is written`},
		{"Probe TCP NULL |\n", `probes:1:16: the bytes of a Probe are written q|BYTES|`},
		{"Probe TCP NULL q|a\n", `probes:1:16: the bytes of the Probe have no end`},
		{`Probe TCP NULL q|\y|`, `probes:1:16: unknown escape "\\y"`},
		{`Probe TCP NULL q|\xg0|`, `probes:1:16: \x needs two hexadecimal digits, not "g0"`},
		{`Probe TCP NULL q|\x0|`, `probes:1:16: \x needs two hexadecimal digits`},
		{`Probe TCP NULL q|\|`, `probes:1:16: a backslash at the end of the bytes`},
		{begin + "match smtp\n", `probes:2:1: a match is written match SERVICE m|PATTERN|`},
		{begin + "match smtp x\n", `probes:2:12: a pattern is written m|PATTERN|`},
		{begin + "match smtp m|a\n", `probes:2:12: the pattern has no end`},
		{begin + "match smtp m|a| p/x\n", `probes:2:17: the template of "p" has no end`},
		{begin + "match smtp m|a| p\n", `probes:2:17: the field "p" has no template`},
		{begin + "match smtp m|a| z/x/\n", `probes:2:17: unknown field "z" of the version`},
		{begin + "match smtp m|a| p/x/y/z/\n", `probes:2:17: "y/z/" behind the field "p"`},
		{begin, `reading "probes": no entry for a mail service in it`},
		{"#" + strings.Repeat("a", maxLine), `probes:1:1: a line of more than 65536 bytes`},
		{strings.Repeat("\n", maxFile+1), `reading "probes": longer than 16777216 bytes`},
	} {
		_, err := Read(strings.NewReader(test.text), "probes")
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("Read of %.40q: error %v, want %q", test.text, err, test.want)
		}
	}
}

func TestGuess(t *testing.T) {
	set := read(t, made)
	for _, test := range []struct {
		name     string
		greeting string
		sent     string
		reply    string
		want     *signatures.Guess
	}{
		{"all fields", "220 mx.example.org ESMTP Sparrowd 1.2 on Plan9\r\n", "", "", &signatures.Guess{
			Rule: "nmap:smtp:6", Probe: "greeting", Protocol: "smtp", Role: "mta", Product: "Sparrowd", Version: "1.2",
			ExtraInfo: "by Plan9; device: mail server", Hostname: "mx.example.org", OSType: "Nest OS", Confidence: 6,
			CPEs: []string{"cpe:2.3:a:aviary:sparrowd:1.2:*:*:*:*:*:*:*", "cpe:2.3:o:aviary:nest:*:*:*:*:*:*:*:*"},
		}},
		{"SUBST and look-ahead", "220 WREN_1_2\r\n", "", "", &signatures.Guess{
			Rule: "nmap:smtp:7", Probe: "greeting", Protocol: "smtp", Role: "mta", Product: "Wren/smtpd", Version: "1.2", Confidence: 6,
		}},
		{"protocol only", "220 relay \r\n", "", "", nil},
		{"softmatch of a protocol", "220 ESMTP\r\n", "", "", nil},
		{"softmatch with a product", "LARK \r\n", "", "", &signatures.Guess{
			Rule: "nmap:pop3:15", Probe: "greeting", Protocol: "pop3", Role: "pop3", Product: "Larkd", Confidence: 4,
		}},
		{"match after a softmatch", "220 x ESMTP Finchd\r\n", "", "", &signatures.Guess{
			Rule: "nmap:smtp:11", Probe: "greeting", Protocol: "smtp", Role: "mta", Product: "Finchd", Confidence: 6,
		}},
		{"bytes and integers", "* OK \x00\xff\x01\x02", "", "", &signatures.Guess{
			Rule: "nmap:ssl/imap:12", Probe: "greeting", Protocol: "imap", Role: "imap", Product: "Robind", Version: "258 513 \x01\x02", Confidence: 6,
		}},
		{"no CPE", "+OK a\r\n", "", "", &signatures.Guess{
			Rule: "nmap:pop3:14", Probe: "greeting", Protocol: "pop3", Role: "pop3", Product: "Owld", Confidence: 6,
		}},
		{"GetRequest", "", "GET / HTTP/1.0\r\n\r\n", "UNKNOWN", &signatures.Guess{
			Rule: "nmap:clam:26", Probe: "asked", Protocol: "clamd", Role: "antivirus", Product: "Clamour", Confidence: 6,
		}},
		{"another request", "", "GET /ping HTTP/1.0\r\n\r\n", "UNKNOWN", nil},
		{"EHLO with a name", "220 silent\r\n", "EHLO scan.example.invalid\r\n", "250-nest\r\n250 x\r\n", &signatures.Guess{
			Rule: "nmap:smtp:29", Probe: "asked", Protocol: "smtp", Role: "mta", Product: "Ravend", Confidence: 6,
		}},
		{"HELP with the greeting", "220 quiet\r\n", "HELP\r\n", "214 Starlingd\r\n", &signatures.Guess{
			Rule: "nmap:smtp:32", Probe: "asked", Protocol: "smtp", Role: "mta", Product: "Starlingd", Confidence: 6,
		}},
		{"HELP without it", "220 quiet\r\n", "HELP\r\n", "214 Thrushd\r\n", &signatures.Guess{
			Rule: "nmap:smtp:33", Probe: "asked", Protocol: "smtp", Role: "mta", Product: "Thrushd", Confidence: 6,
		}},
		{"UDP", "udp", "a\x00", "udp", nil},
		{"nothing", "", "", "", nil},
	} {
		seen := &signatures.Transcript{Exchanges: []signatures.Exchange{
			{Probe: signatures.Greeting, Reply: []byte(test.greeting)},
			{Probe: "asked", Sent: []byte(test.sent), Reply: []byte(test.reply)},
		}}
		got := set.Guess(seen)
		if !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: Guess = %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestCompile(t *testing.T) {
	for _, test := range []struct{ pattern, want string }{
		{"(?n)a", `the pattern sets the option "n", which the engine does not have`},
		{"(?i-U:a)", `the pattern sets the option "U", which the engine does not have`},
		{`(?i)\(?U)[(?U)]`, "the pattern is not understood: "},
		{"(a", "the pattern is not understood: "},
		{strings.Repeat("a", maxPattern+1), "a pattern of more than 8192 bytes"},
	} {
		if _, err := compile(test.pattern, ""); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%.20q: error %v, want %q", test.pattern, err, test.want)
		}
	}
	if _, err := compile("a", "g"); err == nil {
		t.Error("the flag g is taken")
	}
	for _, pattern := range []string{`\(?U[(?U)]`, `(?is-mx:a)`, `a++(?>b)(?<!c)`} {
		if _, err := compile(pattern, "is"); err != nil {
			t.Errorf("%q: %v", pattern, err)
		}
	}
}

// A pattern that would run for years is given up.
func TestGuessIsBounded(t *testing.T) {
	set := read(t, "Probe TCP NULL q||\n"+strings.Repeat("match smtp m|^(a+)+$| p/x/\n", 3)+"match smtp m|^aa| p/Linnetd/\n")
	reply := []byte(strings.Repeat("a", 4000) + "!")
	g := set.Guess(&signatures.Transcript{Exchanges: []signatures.Exchange{{Probe: signatures.Greeting, Reply: reply}}})
	if g == nil || g.Product != "Linnetd" {
		t.Errorf("Guess = %+v, want Linnetd", g)
	}
}

func TestExpand(t *testing.T) {
	groups := []string{"all", "one", "a_b_c", "\x00x\x7f"}
	for _, test := range []struct{ template, want string }{
		{"$1-$2", "one-a_b_c"},
		{"$9$", "$"},
		{"$P(3)", "x"},
		{`$SUBST(2,"_","")`, "abc"},
		{`$SUBST(2,"","x")`, "a_b_c"},
		{`$I(3,">")`, "30847"},
		{`$I(1,"<")`, "6647407"},
		{"$P(3", "$P(3"},
		{"$Q(3)", "$Q(3)"},
		{"$$1", "$one"},
		{"$0", "$0"},
	} {
		if got := expand(test.template, groups, func(s string) string { return s }); got != test.want {
			t.Errorf("expand(%q) = %q, want %q", test.template, got, test.want)
		}
	}
}

// TestNmapItself reads nmap's file where nmap is installed. It is not part of
// this project.
func TestNmapItself(t *testing.T) {
	const installed = "/usr/share/nmap/nmap-service-probes"
	f, err := os.Open(installed)
	if err != nil {
		t.Skipf("nmap is not installed: %v", err)
	}
	defer f.Close()
	set, err := Read(f, installed)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d entries, %d skipped", set.Len(), len(set.Skipped()))
	if set.Len() < 1000 || len(set.Skipped()) > set.Len()/100 {
		t.Errorf("%d entries and %d skipped, want at least 1000 and at most one in a hundred: %v", set.Len(), len(set.Skipped()), set.Skipped())
	}
	g := set.Guess(&signatures.Transcript{Exchanges: []signatures.Exchange{
		{Probe: signatures.Greeting, Reply: []byte("220 mx.example.org ESMTP Postfix\r\n")},
	}})
	if g == nil || g.Protocol != "smtp" || !strings.HasPrefix(g.Product, "Postfix") || g.Hostname != "mx.example.org" {
		t.Errorf("Postfix is taken for %+v", g)
	}
}
