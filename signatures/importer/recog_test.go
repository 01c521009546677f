package importer

import (
	"os"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/signatures"
)

// smtpBanners are fingerprints of daemons that do not exist.
const smtpBanners = `<?xml version='1.0' encoding='UTF-8'?>
<fingerprints matches="smtp.banner" protocol="smtp" database_type="service" preference="0.20">
  <!-- made up -->
  <fingerprint pattern="^(\S+) ESMTP Sparrowd (\d[\d.]*)(?: on (.+))?$" flags="REG_ICASE,REG_MULTILINE">
    <description>Sparrowd with version</description>
    <example service.version="1.2" host.name="mx.example.org">mx.example.org esmtp sparrowd 1.2</example>
    <example service.version="1.2" host.name="mx" os.product="Plan9" _encoding="base64">bXggRVNNVFAgU3BhcnJvd2QgMS4yIG9uIFBsYW45</example>
    <example _filename="x">z</example>
    <param pos="0" name="service.vendor" value="Aviary"/>
    <param pos="0" name="service.product" value="Sparrowd"/>
    <param pos="2" name="service.version"/>
    <param pos="1" name="host.name"/>
    <param pos="3" name="os.product"/>
    <param pos="0" name="service.cpe23" value="cpe:/a:aviary:sparrowd:{service.version}"/>
    <param pos="0" name="os.cpe23" value="cpe:/o:aviary:nest:-"/>
  </fingerprint>
  <fingerprint pattern="Wren[^a]7">
    <param pos="0" name="service.product" value="Wren"/>
    <param pos="0" name="service.vendor" value="Wren"/>
    <param pos="0" name="service.version" value="7"/>
    <param pos="0" name="os.product" value="Plan9"/>
    <param pos="0" name="service.cpe23" value="cpe:/a:wren:{service.family}:{service.version}:-"/>
  </fingerprint>
  <fingerprint pattern="^(\S+) ready$"><param pos="1" name="host.name"/></fingerprint>
</fingerprints>`

const smtpHelp = `<fingerprints protocol="smtp">
  <fingerprint pattern="^214[ -]This is Finchd\z">
    <example>214-This is Finchd</example>
    <param pos="0" name="service.product" value="Finchd"/>
    <param pos="0" name="service.certainty" value="0.5"/>
  </fingerprint>
</fingerprints>`

const popBanners = `<fingerprints protocol="pop3">
  <fingerprint pattern="^Robind .*ready"><param pos="0" name="service.product" value="Robind"/></fingerprint>
</fingerprints>`

func recog(files map[string]string) (*Import, error) {
	fsys := fstest.MapFS{}
	for name, text := range files {
		fsys[name] = &fstest.MapFile{Data: []byte(text)}
	}
	return Recog(signatures.Source{Name: "dir", FS: fsys})
}

func TestRecog(t *testing.T) {
	im, err := recog(map[string]string{"smtp_banners.xml": smtpBanners, "xml/smtp_help.xml": smtpHelp, "pop_banners.xml": popBanners, "ftp_banners.xml": "<"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := skips(im), []string{"dir/smtp_banners.xml:24:3: no product is named"}; !slices.Equal(got, want) {
		t.Errorf("skipped %q, want %q", got, want)
	}
	set := written(t, im, signatures.Builtin())
	const sparrow = "recog:smtp_banners.xml:4 5 smtp/mta cpe:2.3:a:aviary:sparrowd:1.2:*:*:*:*:*:*:* Sparrowd, extra_info by Aviary, hostname mx"
	for name, c := range map[string]struct {
		replies []string
		want    string
	}{
		"all values":         {[]string{"greeting", "220-news\r\n220 mx ESMTP Sparrowd 1.2 on Plan 9\r\n"}, sparrow + ", os_type Plan 9, version 1.2"},
		"at the line's ends": {[]string{"greeting", "220-mx ESMTP Sparrowd 1.2\r\n220 on Plan 9\r\n"}, sparrow + ", version 1.2"},
		"constants":          {[]string{"greeting", "220 a Wren 7\r\n"}, "recog:smtp_banners.xml:17 4 smtp/mta cpe:2.3:a:wren:*:7:*:*:*:*:*:*:* Wren, os_type Plan9, version 7"},
		"over a line's end":  {[]string{"greeting", "220-Wren\r\n220-Wren\n7\r\n"}, ""},
		"a host name only":   {[]string{"greeting", "220 mx ready\r\n"}, ""},
		"HELP":               {[]string{"greeting", "220 mx\r\n", "smtp-help", "214-This is Finchd\r\n214 end\r\n"}, "recog:smtp_help.xml:2 2 smtp/mta - Finchd"},
		"another command":    {[]string{"greeting", "220 mx\r\n", "smtp-ehlo", "214-This is Finchd\r\n"}, ""},
		"POP3":               {[]string{"greeting", "+OK Robind is ready\r\n"}, "recog:pop_banners.xml:2 4 pop3/pop3 - Robind"},
		"another protocol":   {[]string{"greeting", "* OK Robind is ready\r\n"}, ""},
		"binary":             {[]string{"greeting", "\xff\x00\xfe"}, ""},
	} {
		if got := named(set, c.replies...); got != c.want {
			t.Errorf("%s: named %q, want %q", name, got, c.want)
		}
	}
}

// TestRecogSkips holds what cannot be used against what is said about it.
func TestRecogSkips(t *testing.T) {
	for _, test := range []struct{ attributes, inside, want string }{
		{`pattern="(?=a)"`, "", `RE2 does not support the pattern: invalid or unsupported Perl syntax "(?="`},
		{`pattern="(?&lt;!a)"`, "", `RE2 does not support the pattern: invalid named capture "(?<!a)"`},
		{`pattern="(a)\1"`, "", `RE2 does not support the pattern: invalid escape sequence "\\1"`},
		{`pattern="[a&amp;&amp;b]"`, "", `RE2 does not support the pattern: "&&", which means something else to RE2`},
		{`pattern="[a[bc]]"`, "", `RE2 does not support the pattern: "[a[b", which means something else to RE2`},
		{`pattern="a{,2}"`, "", `RE2 does not support the pattern: "{,", which means something else to RE2`},
		{`pattern="\Qa"`, "", `RE2 does not support the pattern: "\\Q", which means something else to RE2`},
		{`pattern="a" flags="REG_EXTENDED"`, "", `RE2 does not support the pattern: the flag "REG_EXTENDED"`},
		{`pattern="` + strings.Repeat("a", maxPattern+1) + `"`, "", `RE2 does not support the pattern: a pattern of more than 8192 bytes`},
		{`pattern="(a)"`, `<param pos="2" name="host.name"/>`, "a value refers to a group that the pattern does not have: group 2 of 1"},
		{`pattern="a"`, `<example>b</example>`, `an example does not match, or yields other values: "b" does not match`},
		{`pattern="a (.)"`, `<param pos="1" name="host.name"/><example host.name="d">a c</example>`,
			`an example does not match, or yields other values: "a c" yields the hostname "c", not "d"`},
		{`pattern="a"`, `<example _encoding="rot13">n</example>`, `an example does not match, or yields other values: "n" is not in base64`},
	} {
		im, err := recog(map[string]string{"smtp_help.xml": `<fingerprints><fingerprint ` + test.attributes + `>
<param pos="0" name="service.product" value="X"/>` + test.inside + `</fingerprint></fingerprints>`})
		if err != nil {
			t.Errorf("%s: %v", test.attributes, err)
			continue
		}
		if got := skips(im); len(got) != 1 || got[0] != "dir/smtp_help.xml:1:15: "+test.want {
			t.Errorf("%.40s: skipped %q, want %q", test.attributes, got, test.want)
		}
	}
}

func TestRecogRefuses(t *testing.T) {
	for _, test := range []struct{ name, text, want string }{
		{"smtp_help.xml", "<fingerprints>\n<fingerprint pattern='a'", "dir/smtp_help.xml:2:25: reading XML: the file is truncated"},
		{"smtp_help.xml", "", "dir/smtp_help.xml:1:1: reading XML: the file is truncated"},
		{"smtp_help.xml", "<html/>", `dir/smtp_help.xml:1:1: the root is "html", not "fingerprints"`},
		{"smtp_help.xml", "<fingerprints>\n <print/></fingerprints>", `dir/smtp_help.xml:2:2: unknown element "print"`},
		{"smtp_help.xml", "<fingerprints/><fingerprints/>", `dir/smtp_help.xml:1:16: the root is`},
		{"smtp_help.xml", "<fingerprints><fingerprint><param pos='x'/></fingerprint></fingerprints>", `dir/smtp_help.xml:1:44: reading XML: "x" is not a number`},
		{"smtp_help.xml", strings.Repeat(" ", maxRecogFile+1), `reading "dir/smtp_help.xml": longer than 8388608 bytes`},
		{"ssh_banners.xml", "<fingerprints/>", "dir: the directory has no recog file for a mail service"},
	} {
		_, err := recog(map[string]string{test.name: test.text})
		if err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("Recog of %.40q: error %v, want %q", test.text, err, test.want)
		}
	}
}

// TestRecogItself imports a copy of recog, which is not part of this project:
// nearly all fingerprints of mail services become signatures whose examples pass.
func TestRecogItself(t *testing.T) {
	dir := os.Getenv("MXSWEEP_RECOG")
	if dir == "" {
		t.Skip("MXSWEEP_RECOG does not name a copy of github.com/rapid7/recog")
	}
	im, err := Recog(signatures.Source{Name: dir, FS: os.DirFS(dir)})
	if err != nil {
		t.Fatal(err)
	}
	if im.Len() < 200 || len(im.Skipped()) > im.Len()/20 {
		t.Errorf("%d signatures, want at least 200; skipped %q", im.Len(), skips(im))
	}
	examples := 0
	for _, s := range written(t, im, signatures.Builtin()).Imported {
		examples += len(s.Examples)
	}
	if examples < 280 {
		t.Errorf("%d examples, want at least 280", examples)
	}
}
