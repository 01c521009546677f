package redact

import (
	"slices"
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
		"  a: {LDAP_BIND_PW: s1, ADMIN_PW: s2, DBROOT: s3, RELAY_CREDS: s4, X_KEY: s5}": "  a: {LDAP_BIND_PW: **, ADMIN_PW: **, DBROOT: **, RELAY_CREDS: **, X_KEY: **}",
		"a: {DB_PASSWORD: two words, B: c}":                                             "a: {DB_PASSWORD: *********, B: c}",
		"a: {SMTP_AUTH: u:s3cret, B: c}":                                                "a: {SMTP_AUTH: u:******, B: c}",
		"  environment: [DB_PASS=two words, B=c]":                                       "  environment: [DB_PASS=*********, B=c]",
		"NOREPLY_PASSWORD=s3cret":                                                       "NOREPLY_PASSWORD=******",
		"x argv=/x --dbpass s3cret --db-pw s3cret -x":                                   "x argv=/x --dbpass ****** --db-pw ****** -x",
		"x argv=/x password=a\"b c\" -x":                                                "x argv=/x password=****** -x",
		"x argv=/x password=a,b;c&d -x":                                                 "x argv=/x password=******* -x",
		"ENV MYSQL_ROOT_PW s3cret":                                                      "ENV MYSQL_ROOT_PW ******",
		"rootpw s3cret":                                                                 "rootpw ******",
		"smtp_sasl_password_maps = static:u:s3cret":                                     "smtp_sasl_password_maps = ***************",
		"smtp_sasl_password_maps = inline:{ [a]=u:s3cret }":                             "smtp_sasl_password_maps = ***********************",
		"@x = (['DBI:mysql:database=x', 'user', 's3cret']);":                            "@x = (['DBI:mysql:database=x', 'user', '******']);",
		"password: 'it''s'":                                                             "password: '*****'",
		"ssl_key = </etc/ssl/key.pem":                                                   "ssl_key = </etc/ssl/key.pem",
		"DKIM_KEY=/etc/dkim/key":                                                        "DKIM_KEY=/etc/dkim/key",
		"fastcgi_pass unix:/run/x;":                                                     "fastcgi_pass unix:/run/x;",
		"ALLOW_BYPASS=yes":                                                              "ALLOW_BYPASS=yes",
		"auth_http 127.0.0.1:10143;":                                                    "auth_http 127.0.0.1:10143;",
		"password=":                                                                     "password=",
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

func TestLineAfter(t *testing.T) {
	for _, tt := range []struct{ before, line, want string }{
		{"ExecStart=/x --password \\", "  s3cret --inet 10023", "  ****** --inet 10023"},
		{"password: >", "  s3 cret", "  *******"},
		{"  - name: DB_PASSWORD", "    value: s3cret", "    value: ******"},
		{"  - name: DB_USER", "    value: user", "    value: user"},
		{"DB_PASSWORD:", "PORT: 25", "PORT: 25"},
		{"  - DB_PASSWORD", "  - 25:25", "  - 25:25"},
		{"passdb {", "  args = password=s3cret x", "  args = password=****** x"},
	} {
		if got := LineAfter(tt.before, tt.line); got != tt.want {
			t.Errorf("%q after %q: got %q, want %q", tt.line, tt.before, got, tt.want)
		}
	}
}

func TestValues(t *testing.T) {
	got := Values("a: ${DB_PASSWORD:-s3cret}\nDB_PASSWORD: s3cret\nPW: short\npassword: >\n  two words\n")
	if !slices.Equal(got, []string{"s3cret", "two words"}) {
		t.Errorf("got %q", got)
	}
	if got := Without("no address: s3cret, password=x", got); got != "no address: ***, password=*" {
		t.Errorf("got %q", got)
	}
}

func FuzzLine(f *testing.F) {
	f.Add("password = x\xff\U0001f600 http://a:b@c name: token, value: 'x' - auth\\ x")
	f.Fuzz(func(t *testing.T, line string) {
		got := LineAfter("password: \\", line)
		if a, b := utf16.Encode([]rune(line)), utf16.Encode([]rune(got)); len(a) != len(b) {
			t.Errorf("%q after a line: %q has another length", line, got)
		}
		got = Line(line)
		if a, b := utf16.Encode([]rune(line)), utf16.Encode([]rune(got)); len(a) != len(b) {
			t.Errorf("%q: %q has another length", line, got)
		}
		if strings.Count(got, "\n") > strings.Count(line, "\n") {
			t.Errorf("%q: more lines in %q", line, got)
		}
	})
}
