package redact

import (
	"strings"
	"testing"
	"unicode/utf16"
)

func TestLine(t *testing.T) {
	for line, want := range map[string]string{
		"listen = 10025":                                        "listen = 10025",
		"doveadm_password = s3cret # x":                         "doveadm_password = **********",
		`password = "s3 cret"`:                                  `password = "*******"`,
		"  args = proxy=y host=10.0.0.1 pass=s3cret port=143":   "  args = proxy=y host=10.0.0.1 pass=****** port=143",
		"args = nopassword=y user=a":                            "args = nopassword=y user=a",
		"dnpass = s3cret":                                       "dnpass = ******",
		"proxy_pass http://u:p@ss@10.0.0.1:25/x;":               "proxy_pass http://******@10.0.0.1:25/x;",
		"proxy_pass http://10.0.0.1:25;":                        "proxy_pass http://10.0.0.1:25;",
		"passdb {":                                              "passdb {",
		"smtp_sasl_password_maps = tcp:127.0.0.1:1":             "smtp_sasl_password_maps = tcp:127.0.0.1:1",
		"ssl_password_file /etc/x;":                             "ssl_password_file /etc/x;",
		"ssl_certificate_key /etc/x;":                           "ssl_certificate_key /etc/x;",
		"      - MYSQL_PASSWORD=two words":                      "      - MYSQL_PASSWORD=*********",
		"      MYSQL_PASSWORD: s3cret":                          "      MYSQL_PASSWORD: ******",
		`environment: {"DB_SECRET": "s3", A: b}`:                `environment: {"DB_SECRET": "**", A: b}`,
		"env: [{name: DB_PASSWORD, value: s3cret}]":             "env: [{name: DB_PASSWORD, value: ******}]",
		"ENV DB_PASSWORD s3cret":                                "ENV DB_PASSWORD ******",
		`Environment="API_KEY=s3cret" A=b`:                      `Environment="API_KEY=******" A=b`,
		"x unix - n n - - spawn argv=/x --password s3cret -p":   "x unix - n n - - spawn argv=/x --password ****** -p",
		"x unix - n n - - pipe argv=/x password=s3cret ${user}": "x unix - n n - - pipe argv=/x password=****** ${user}",
		" bind :143 ssl ca-sign-pass s3cret":                    " bind :143 ssl ca-sign-pass ******",
		" stats auth admin:s3cret":                              " stats auth ************",
		" user a insecure-password s3cret":                      " user a insecure-password ******",
		` proxy_set_header Authorization "Basic s3cret";`:       ` proxy_set_header Authorization "************";`,
		`$DB_PASSWORD = 's3cret';`:                              `$DB_PASSWORD = '******';`,
		"'password' => 's3cret',":                               "'password' => '******',",
		"password: \u00e9\U0001f600":                            "password: ***",
		"password=":                                             "password=",
	} {
		if got := Line(line); got != want {
			t.Errorf("%s: got\n%s, want\n%s", line, got, want)
		}
	}
	for _, tt := range [][3]string{{"argv", "/x --password s3cret", "/x --password ******"}, {"api_key", "abc", "***"}, {"auth_http", "u:p@x", "u:p@x"}, {"", "password=x", "password=*"}} {
		if got := Value(tt[0], tt[1]); got != tt[2] {
			t.Errorf("%s %s: got %s", tt[0], tt[1], got)
		}
	}
}

func FuzzLine(f *testing.F) {
	f.Add("password = x\xff\U0001f600 http://a:b@c name: token, value: 'x' - auth\\ x")
	f.Fuzz(func(t *testing.T, line string) {
		got := Line(line)
		if a, b := utf16.Encode([]rune(line)), utf16.Encode([]rune(got)); len(a) != len(b) {
			t.Errorf("%q: %q has another length", line, got)
		}
		if strings.Count(got, "\n") > strings.Count(line, "\n") {
			t.Errorf("%q: more lines in %q", line, got)
		}
	})
}
