package report

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/sanitize"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

func TestMaskSecrets(t *testing.T) {
	for in, want := range map[string]string{
		"":                      "",
		"220 mx ESMTP: welcome": "220 mx ESMTP: welcome",
		"CUID\t1\nCOOKIE\t22c69cc239a0b8d97c8d9fc152672d12\nDONE\n":   "CUID\t1\nCOOKIE\t***\nDONE\n",
		`CUID\t1\nCOOKIE\t22c69cc239a0b8d9"...`:                       `CUID\t1\nCOOKIE\t***"...`,
		"HTTP/1.1 200 OK\r\nSet-Cookie: sid=abc; Path=/\r\nServer: x": "HTTP/1.1 200 OK\r\nSet-Cookie: ***\r\nServer: x",
		`200 OK\r\nset-cookie: sid=abc\r\nServer: x`:                  `200 OK\r\nset-cookie: ***\r\nServer: x`,
		`{"password": "hunter22", "user": "x"}`:                       `{"password": "***", "user": "x"}`,
		"api_key=0123456789; mode=rw":                                 "api_key=***; mode=rw",
		"passwords are taken before TLS: AUTH=PLAIN":                  "passwords are taken before TLS: AUTH=PLAIN",
		"mxsweep.yaml:3:1: authorization: the ticket is empty":        "mxsweep.yaml:3:1: authorization: the ticket is empty",
		"password:": "password:",
	} {
		got := sanitize.MaskSecrets(in)
		if got != want {
			t.Errorf("%q is masked as %q, want %q", in, got, want)
		}
		if again := sanitize.MaskSecrets(got); again != got {
			t.Errorf("%q is masked again as %q", got, again)
		}
	}
}

func FuzzMaskSecrets(f *testing.F) {
	f.Add("COOKIE\t22c69c\nSet-Cookie: a=b\r\npassword=secret1")
	f.Add(`\nset-cookie: \\"x` + "\x00\xff")
	f.Add("api_\u212aey=abcdef PA\u017f\u017fWORD=abc") // letters that fold to ASCII ones
	f.Fuzz(func(t *testing.T, s string) {
		got := sanitize.MaskSecrets(s)
		if all := sanitize.MaskAll(s); got != all {
			t.Errorf("%q: %q, but %q by the expressions alone", s, got, all)
		}
		if again := sanitize.MaskSecrets(got); again != got {
			t.Fatalf("not the same twice: %q, then %q", got, again)
		}
		if len(got) > 3*len(s)+len(sanitize.SecretMark) {
			t.Fatalf("%d bytes of %d", len(got), len(s))
		}
	})
}

// TestNoReportContainsASecret writes a Dovecot auth listener, which greets every
// client with its cookie, in every format.
func TestNoReportContainsASecret(t *testing.T) {
	const cookie = "22c69cc239a0b8d97c8d9fc152672d12"
	raw := []byte("VERSION\t1\t2\nMECH\tPLAIN\tplaintext\nCUID\t1\nCOOKIE\t" + cookie + "\nDONE\n")
	port := Clean((&exposure.Subject{Result: scan.Result{State: result.StateOpen}, Service: &fingerprint.Identification{
		Service: result.Service{
			Name:     "dovecot-auth",
			Refusal:  string(raw),
			Evidence: []result.Evidence{{Probe: "greeting", Observed: string(raw)}},
		},
		Banner:     raw,
		Transcript: &fingerprint.Transcript{Exchanges: []fingerprint.Exchange{{Greeting: raw, Reply: raw}}},
	}}).Port(), "")
	if decoded, err := base64.StdEncoding.DecodeString(port.Banner.Base64); err != nil || strings.Contains(string(decoded), cookie) || len(decoded) == 0 {
		t.Errorf("the bytes of the banner are %q, error %v", decoded, err)
	}
	run := realRun(t, 1, 1)
	f := Clean((&exposure.Violation{Evidence: []string{`greeting "` + strings.ReplaceAll(strings.ReplaceAll(string(raw), "\t", `\t`), "\n", `\n`) + `"`}}).Finding(), "")
	run.Findings[0].Evidence = f.Evidence
	port.IP, port.Port = run.Ports[0].IP, run.Ports[0].Port
	run.Ports[0] = port
	for _, form := range Formats() {
		text := string(write(t, form, format.Options{Verbose: true, Evidence: format.EvidenceFull}, run))
		if strings.Contains(text, cookie) || strings.Contains(text, cookie[:12]) {
			t.Errorf("%s tells the cookie", form)
		}
	}
}
