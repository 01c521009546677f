package importer

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/signatures"
)

// made is a file about daemons that do not exist.
const made = `# made up
Exclude T:9100-9107

Probe TCP NULL q||
totalwaitms 6000
match smtp m|^220 (\S+) ESMTP Sparrowd ([\d.]+)(?: on (\w+))?\r\n| p/Sparrowd $3/ v/$2/ i/$P(3)/ h/$1/ o/Nest OS/ cpe:/o:aviary:nest/a cpe:/a:aviary:sparrowd:$2:a$3/ cpe:/a:x:y/
match smtp m/^220 WREN_(\d_\d)\r\n/i p|Wren/smtpd| v|$SUBST(1,"_",".")| i/by Wren/ d/printer/
match smtp m|^220 relay \r\n|
match ftp m|^220 this is not even closed
softmatch smtp m|^220 [^\r\n]*ESMTP|
match smtp m|^220 (?=a)| p/Finchd/
match ssl/imap m|^\* OK \x00(..)$|s p/Robind/ v/$I(1,">")/ d/router/
match imap m|^\* OK \xff| p/Robind/
match imap m|^\* OK ([\w+]++)(?>:\++)$| p/Kited/ h/$1/ v/4/ cpe:/a:kite:kite/
match pop3 m|^\+OK a| p/Owld/ v/$2/
softmatch pop3 m|^LARK$| p/Larkd/ cpe:/nothing/

Probe UDP Ask q|a\0|
rarity 1
match smtp m|^udp| p/x/

##### next
Probe TCP GetRequest q|GET / HTTP/1.0\r\n\r\n|
rarity 1
ports 1,80
fallback NULL
match clam m|^UNKNOWN$| p/Clamour/
match imap m|^\* OK Tern\r\nGET BAD| p/Ternd/
match smtp m|^220 Ternd\r\n502 no| p/Ternd/

Probe TCP Lines q|\r\n\r\n\x41|
match pop3 m|^-ERR| p/Owld/

Probe TCP Hello q|EHLO\r\n|
match smtp m|^220 ([\w.]+) silent\r\n250-nest (\d)\r\n| p/Ravend/ h/$1/ v/$2/

Probe TCP Help q|HELP\r\n|
match smtp m|^220.*214 Starlingd|s p/Starlingd/
match smtp m|^220 mute\r\n$| p/Mute Swan/
match smtp m|^214 Thrushd\r\n| p/Thrushd/
`

func TestNmap(t *testing.T) {
	im, err := Nmap(strings.NewReader(made), "probes")
	if err != nil {
		t.Fatal(err)
	}
	if got, want := skips(im), []string{
		"probes:8:12: no product is named",
		"probes:10:16: no product is named",
		`probes:11:12: RE2 does not support the pattern: invalid or unsupported Perl syntax "(?="`,
		"probes:13:12: RE2 does not support the pattern: bytes of 0x80 and above",
		"probes:15:12: a value refers to a group that the pattern does not have: group 2 of 0",
		"probes:29:12: mxsweep does not send the probe that it is for",
		"probes:32:12: mxsweep does not send the probe that it is for",
	}; !slices.Equal(got, want) {
		t.Errorf("skipped %q, want %q", got, want)
	}
	set := written(t, im, signatures.Builtin())
	const sparrow = "nmap:smtp:6 4 smtp/mta cpe:2.3:a:aviary:sparrowd:1.2:*:*:*:*:*:*:* Sparrowd"
	for name, c := range map[string]struct {
		replies []string
		want    string
	}{
		"all fields":              {[]string{"greeting", "220 mx ESMTP Sparrowd 1.2 on Plan9\r\n"}, sparrow + ", extra_info Plan9, hostname mx, os_type Nest OS, version 1.2"},
		"no group":                {[]string{"greeting", "220 mx ESMTP Sparrowd 1.2\r\n"}, sparrow + ", hostname mx, os_type Nest OS, version 1.2"},
		"SUBST":                   {[]string{"greeting", "220 wren_1_2\r\n"}, "nmap:smtp:7 4 smtp/mta - Wren/smtpd, extra_info by Wren; device: printer"},
		"binary, before a break":  {[]string{"greeting", "* OK \x00\xff\n\n"}, "nmap:ssl/imap:12 4 imap/imap - Robind, extra_info device: router"},
		"binary, not at the end":  {[]string{"greeting", "* OK \x00\x01\x02\x03"}, ""},
		"possessive and atomic":   {[]string{"greeting", "* OK a+b:+"}, "nmap:imap:14 4 imap/imap cpe:2.3:a:kite:kite:*:*:*:*:*:*:*:* Kited, hostname a+b, version 4"},
		"protocol only":           {[]string{"greeting", "220 relay \r\n"}, ""},
		"softmatch":               {[]string{"greeting", "LARK\n"}, "nmap:pop3:16 3 pop3/pop3 - Larkd"},
		"GetRequest":              {[]string{"greeting", "", "http-get", "UNKNOWN"}, "nmap:clam:27 4 clamd/antivirus - Clamour"},
		"another request":         {[]string{"greeting", "", "http-ping", "UNKNOWN"}, ""},
		"a greeting is heard":     {[]string{"greeting", "* OK Tern\r\n", "http-get", "GET BAD"}, ""},
		"EHLO":                    {[]string{"greeting", "220 mx silent\r\n", "smtp-ehlo", "250-nest 4\r\n250 x\r\n"}, "nmap:smtp:35 4 smtp/mta - Ravend, hostname mx, version 4"},
		"EHLO, another greeting":  {[]string{"greeting", "220 mx loud\r\n", "smtp-ehlo", "250-nest 4\r\n250 x\r\n"}, ""},
		"HELP with anything":      {[]string{"greeting", "220 mx\r\n", "smtp-help", "214-So\r\n214 Starlingd\r\n"}, "nmap:smtp:38 4 smtp/mta - Starlingd"},
		"HELP without a reply":    {[]string{"greeting", "220 mute\r\n", "smtp-help", ""}, "nmap:smtp:39 4 smtp/mta - Mute Swan"},
		"HELP with one":           {[]string{"greeting", "220 mute\r\n", "smtp-help", "214 a\r\n"}, ""},
		"HELP without a greeting": {[]string{"greeting", "220 mx\r\n", "smtp-help", "214 Thrushd\r\n"}, "nmap:smtp:40 4 smtp/mta - Thrushd"},
		"UDP":                     {[]string{"greeting", "udp"}, ""},
	} {
		if got := named(set, c.replies...); got != c.want {
			t.Errorf("%s: named %q, want %q", name, got, c.want)
		}
	}
}

func TestNmapRefuses(t *testing.T) {
	const begin = "Probe TCP NULL q||\n"
	for _, test := range []struct{ text, want string }{
		{"match smtp m|a|\n", `probes:1:1: "match" before the first Probe`},
		{begin + "<html>\n", `probes:2:1: unknown directive "<html>"`},
		{"Probe TCP NULL\n", `probes:1:1: expected Probe TCP|UDP NAME`},
		{"Probe SCTP NULL q||\n", `probes:1:1: expected Probe TCP|UDP NAME`},
		{"Probe TCP NULL |\n", `probes:1:16: reading the bytes of the Probe: expecting q|...|`},
		{"Probe TCP NULL q|a\n", `probes:1:16: reading the bytes of the Probe: the closing "|" is missing`},
		{`Probe TCP NULL q|\y|`, `probes:1:16: reading the bytes of the Probe: unknown escape "\\y"`},
		{`Probe TCP NULL q|\xg0|`, `probes:1:16: reading the bytes of the Probe: \x needs two hexadecimal digits, not "g0"`},
		{`Probe TCP NULL q|\x0|`, `probes:1:16: reading the bytes of the Probe: unknown escape "\\x"`},
		{`Probe TCP NULL q|\|`, `probes:1:16: reading the bytes of the Probe: unknown escape "\\"`},
		{begin + "match smtp\n", `probes:2:1: expected match SERVICE m|PATTERN|`},
		{begin + "match smtp x\n", `probes:2:12: reading the pattern: expecting m|...|`},
		{begin + "match smtp m|a\n", `probes:2:12: reading the pattern: the closing "|" is missing`},
		{begin + "match smtp m|a| p/x\n", `probes:2:17: the template of "p" has no end`},
		{begin + "match smtp m|a| p\n", `probes:2:17: the field "p" has no template`},
		{begin + "match smtp m|a| z/x/\n", `probes:2:17: unknown field "z" of the version`},
		{begin + "match smtp m|a| p/x/y/z/\n", `probes:2:17: unexpected "y/z/" after the field "p"`},
		{begin, `probes: the file has no entry for a mail service`},
		{"#" + strings.Repeat("a", maxLine), `probes:1:1: a line of more than 65536 bytes`},
		{strings.Repeat("\n", maxNmapFile+1), `reading "probes": longer than 16777216 bytes`},
	} {
		_, err := Nmap(strings.NewReader(test.text), "probes")
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("Nmap of %.40q: error %v, want %q", test.text, err, test.want)
		}
	}
}

// TestNmapItself imports nmap's file where nmap is installed. It is not part of
// this project.
func TestNmapItself(t *testing.T) {
	const installed = "/usr/share/nmap/nmap-service-probes"
	f, err := os.Open(installed)
	if err != nil {
		t.Skipf("nmap is not installed: %v", err)
	}
	defer f.Close()
	im, err := Nmap(f, installed)
	if err != nil {
		t.Fatal(err)
	}
	if im.Len() < 1000 || len(im.Skipped()) > im.Len()/10 {
		t.Errorf("%d signatures, want at least 1000; skipped %q", im.Len(), skips(im))
	}
	got := named(written(t, im, signatures.Builtin()), "greeting", "220 mx.example.org ESMTP Postfix\r\n")
	if !strings.Contains(got, "Postfix smtpd") || !strings.Contains(got, "hostname  mx.example.org") {
		t.Errorf("Postfix is taken for %q", got)
	}
}
