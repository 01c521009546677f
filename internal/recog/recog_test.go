package recog

import (
	"os"
	"reflect"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/signatures"
)

// smtpBanners are fingerprints of daemons that do not exist.
const smtpBanners = `<?xml version='1.0' encoding='UTF-8'?>
<fingerprints matches="smtp.banner" protocol="smtp" database_type="service" preference="0.20">
  <!-- made up -->
  <fingerprint pattern="^(\S+) ESMTP Sparrowd (\d[\d.]*)\h{0,2}(?: on (\w+))?$" flags="REG_ICASE">
    <description>Sparrowd with version</description>
    <example service.version="1.2" host.name="mx.example.org">mx.example.org esmtp sparrowd 1.2</example>
    <example service.version="1.2" host.name="mx" os.product="Plan9" _encoding="base64">bXggRVNNVFAgU3BhcnJvd2QgMS4yIG9uIFBsYW45</example>
    <param pos="0" name="service.vendor" value="Aviary"/>
    <param pos="0" name="service.product" value="Sparrowd"/>
    <param pos="2" name="service.version"/>
    <param pos="1" name="host.name"/>
    <param pos="3" name="os.product"/>
    <param pos="0" name="service.cpe23" value="cpe:/a:aviary:sparrowd:{service.version}"/>
    <param pos="0" name="os.cpe23" value="cpe:/o:aviary:nest:-"/>
  </fingerprint>
  <fingerprint pattern="^(?=Wren)Wren ready$"><param pos="0" name="service.product" value="Wren"/></fingerprint>
  <fingerprint pattern="^a(b)$"><param pos="2" name="host.name"/></fingerprint>
  <fingerprint pattern="^(\S+) ready$"><param pos="1" name="host.name"/></fingerprint>
</fingerprints>`

const smtpHelp = `<fingerprints protocol="smtp">
  <fingerprint pattern="^214[ -]This is Finchd\Z">
    <example>214-This is Finchd</example>
    <param pos="0" name="service.product" value="Finchd"/>
    <param pos="0" name="service.certainty" value="0.5"/>
  </fingerprint>
</fingerprints>`

const popBanners = `<fingerprints protocol="pop3">
  <fingerprint pattern="^Robind(?m: .*ready)"><param pos="0" name="service.product" value="Robind"/></fingerprint>
</fingerprints>`

func load(t *testing.T, files map[string]string) *Set {
	t.Helper()
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	set, err := Load(signatures.Source{Name: "dir", FS: fsys})
	if err != nil {
		t.Fatal(err)
	}
	return set
}

func loadAll(t *testing.T) *Set {
	return load(t, map[string]string{"smtp_banners.xml": smtpBanners, "xml/smtp_help.xml": smtpHelp, "pop_banners.xml": popBanners, "ftp_banners.xml": "<"})
}

func TestLoadSaysWhatItSkips(t *testing.T) {
	set := loadAll(t)
	if set.Len() != 4 {
		t.Errorf("%d fingerprints, want 4", set.Len())
	}
	want := []string{
		`dir/smtp_banners.xml:16:3: the group "(?=", which RE2 does not have`,
		`dir/smtp_banners.xml:17:3: param "host.name" takes group 2 of a pattern that has 1`,
	}
	if got := strings.Split(set.Skipped().Error(), "\n"); !reflect.DeepEqual(got, want) {
		t.Errorf("skipped %q, want %q", got, want)
	}
	if examples, problems := set.Check(); examples != 3 || problems != nil {
		t.Errorf("%d examples, problems %v; want 3 and none", examples, problems)
	}
}

func TestCheckFindsWrongExamples(t *testing.T) {
	set := load(t, map[string]string{"smtp_help.xml": `<fingerprints><fingerprint pattern="^a (.)$">
<example>b</example><example host.name="d">a c</example><example _filename="x">z</example>
<param pos="1" name="host.name"/></fingerprint></fingerprints>`})
	examples, problems := set.Check()
	want := []string{
		`dir/smtp_help.xml:1:15: the example "b" does not match its fingerprint`,
		`dir/smtp_help.xml:1:15: the example yields host.name "c", not "d"`,
	}
	if got := strings.Split(problems.Error(), "\n"); examples != 2 || !reflect.DeepEqual(got, want) {
		t.Errorf("%d examples, problems %q; want 2 and %q", examples, got, want)
	}
}

func TestLoadRefuses(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"smtp_help.xml", "<fingerprints>\n<fingerprint pattern='a'", "dir/smtp_help.xml:2:25: reading XML: the file ends before its last element does"},
		{"smtp_help.xml", "", "dir/smtp_help.xml:1:1: reading XML: the file ends before its last element does"},
		{"smtp_help.xml", "<html/>", `dir/smtp_help.xml:1:1: the root is "html", not "fingerprints"`},
		{"smtp_help.xml", "<fingerprints>\n <print/></fingerprints>", `dir/smtp_help.xml:2:2: unknown element "print"`},
		{"smtp_help.xml", "<fingerprints/><fingerprints/>", `dir/smtp_help.xml:1:16: the root is`},
		{"smtp_help.xml", "<fingerprints><fingerprint><param pos='x'/></fingerprint></fingerprints>", `dir/smtp_help.xml:1:44: reading XML: "x" is not a number`},
		{"smtp_help.xml", strings.Repeat(" ", maxFile+1), `reading "dir/smtp_help.xml": longer than 8388608 bytes`},
		{"ssh_banners.xml", "<fingerprints/>", `reading "dir": no recog file of a mail service in it`},
	} {
		_, err := Load(signatures.Source{Name: "dir", FS: fstest.MapFS{test.name: {Data: []byte(test.text)}}})
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("Load of %.40q: error %v, want %q", test.text, err, test.want)
		}
	}
}

func TestGuess(t *testing.T) {
	set := loadAll(t)
	for _, test := range []struct {
		name     string
		greeting string
		sent     string
		reply    string
		want     *signatures.Guess
	}{
		{"all values", "220-news\r\n220 mx.example.org ESMTP Sparrowd 1.2 on Plan9\r\n", "", "", &signatures.Guess{
			Rule: "recog:smtp_banners.xml:4", Probe: "greeting", Protocol: "smtp", Role: "mta", Product: "Sparrowd", Version: "1.2",
			ExtraInfo: "by Aviary", Hostname: "mx.example.org", OSType: "Plan9", Confidence: 7,
			CPEs: []string{"cpe:2.3:a:aviary:sparrowd:1.2:*:*:*:*:*:*:*", "cpe:2.3:o:aviary:nest:*:*:*:*:*:*:*:*"},
		}},
		{"a host name only", "220 mx ready\r\n", "", "", nil},
		{"HELP", "220 mx\r\n", "HELP\r\n", "214-This is Finchd\r\n214 end\r\n", &signatures.Guess{
			Rule: "recog:smtp_help.xml:2", Probe: "asked", Protocol: "smtp", Role: "mta", Product: "Finchd", Confidence: 3,
		}},
		{"the same words to another command", "220 mx\r\n", "EHLO x\r\n", "214-This is Finchd\r\n", nil},
		{"POP3", "+OK Robind is ready\r\n", "", "", &signatures.Guess{
			Rule: "recog:pop_banners.xml:2", Probe: "greeting", Protocol: "pop3", Role: "pop3", Product: "Robind", Confidence: 6,
		}},
		{"another protocol", "* OK Robind is ready\r\n", "", "", nil},
		{"binary", "\xff\x00\xfe", "", "", nil},
		{"nothing", "", "", "", nil},
	} {
		seen := &signatures.Transcript{Exchanges: []signatures.Exchange{
			{Probe: signatures.Greeting, Reply: []byte(test.greeting)},
			{Probe: "asked", Sent: []byte(test.sent), Reply: []byte(test.reply)},
		}}
		if got := set.Guess(seen); !reflect.DeepEqual(got, test.want) {
			t.Errorf("%s: Guess = %+v, want %+v", test.name, got, test.want)
		}
	}
}

func TestCompile(t *testing.T) {
	for _, test := range []struct {
		pattern, flags, text string
		want                 bool
	}{
		{`^b$`, "", "a\nb\nc", true},
		{`a.b`, "", "a\nb", false},
		{`a.b`, "REG_MULTILINE", "a\nb", true},
		{`A.B`, "REG_ICASE,REG_DOT_NEWLINE", "a\nb", true},
		{`(?m:a.)b`, "", "a\nb", true},
		{`(?mi-x)A.b`, "", "a\nb", true},
		{`(?-mix:a)`, "", "a", true},
		{`\A\h+[\h:]\z`, "", "0aF:", true},
		{`^\H$`, "", "g", true},
		{`b\Z`, "", "ab\n", true},
		{`\Qa\E`, "", "QaE", true},
		{`^a{,2}$`, "", "aa", true},
		{`[]a]\/\-\_`, "", "]/-_", true},
		{`[^[:digit:]]\e`, "", "a\x1b", true},
		{`(?<name>a)`, "", "a", true},
	} {
		re, err := compile(test.pattern, test.flags)
		if err != nil || re.MatchString(test.text) != test.want {
			t.Errorf("%q with %q: error %v, or the match with %q is not %v", test.pattern, test.flags, err, test.text, test.want)
		}
	}
	for _, pattern := range []string{``, `(?=a)`, `(?<!a)`, `(?>a)`, `(?x) a`, `(a)\1`, `[a&&b]`, `[a[bc]]`, `[a`, `\`, `(?`, `a++`, `a{2000}`, `[\H]`, `\C`, strings.Repeat("a", maxPattern+1)} {
		if re, err := compile(pattern, ""); err == nil {
			t.Errorf("%.20q is taken as %v", pattern, re)
		}
	}
	if _, err := compile("a", "REG_EXTENDED"); err == nil {
		t.Error("REG_EXTENDED is taken")
	}
}

// TestRecogItself reads a copy of recog, which is not part of this project: all
// fingerprints of mail services must be understood and all examples hold.
func TestRecogItself(t *testing.T) {
	dir := os.Getenv("MXSWEEP_RECOG")
	if dir == "" {
		t.Skip("MXSWEEP_RECOG does not name a copy of github.com/rapid7/recog")
	}
	set, err := Load(signatures.Source{Name: dir, FS: os.DirFS(dir)})
	if err != nil {
		t.Fatal(err)
	}
	examples, problems := set.Check()
	t.Logf("%d fingerprints, %d skipped, %d examples", set.Len(), len(set.Skipped()), examples)
	if set.Len() < 240 || examples < 324 {
		t.Errorf("%d fingerprints and %d examples, want at least 240 and 324", set.Len(), examples)
	}
	for _, p := range append(problems, set.Skipped()...) {
		t.Error(p)
	}
	for _, fp := range set.fingerprints {
		for _, e := range fp.examples {
			if values := fp.match([]byte(e.text)); values["service.cpe23"] != "" && len(fp.guess(values).CPEs) == 0 {
				t.Errorf("%v: %q is no CPE", fp.pos, values["service.cpe23"])
			}
		}
	}
}
