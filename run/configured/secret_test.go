package configured_test

import (
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/result"
)

// The secret of the files of TestNoSecretInReports, and the word in its place that becomes
// a name of secrets.
const (
	secretValue = "s3cr3tvalue"
	secretName  = "NAME"
)

// secretNames are names of secrets, of as many shapes.
var secretNames = []string{
	"DB_PASSWORD", "LDAP_BIND_PW", "ADMIN_PW", "MYSQL_ROOT_PW", "DBROOT", "RELAY_CREDS", "SASLPASS", "X_KEY", "SMTP_PASS_1",
	"NOREPLY_PASSWORD", "auth-token", "ldap.bindpw", "app-secret",
}

// secretFiles have the secret in each place where one may be, in lines with listeners, with
// settings because of which they are open, with what the files do not decide, and in others.
var secretFiles = map[string]string{
	"postfix/master.cf": `10025 inet n - y - - smtpd -o NAME=s3cr3tvalue -o content_filter=
  -o smtpd_authorized_xforward_hosts=127.0.0.0/8
  -o smtp_sasl_password_maps=static:u:s3cr3tvalue
10031 inet n n n - 0 spawn user=a argv=/x --NAME s3cr3tvalue --NAME=s3cr3tvalue http://u:s3cr3tvalue@x
10026x inet n n n - 0 spawn user=a argv=/x --NAME s3cr3tvalue
$NAME inet n - y - - smtpd -o NAME=s3cr3tvalue
`,
	"postfix/main.cf": "inet_interfaces = all\nNAME = s3cr3tvalue\nrelayhost = smtp://u:s3cr3tvalue@x:25\ncontent_filter = smtp:[NAME=s3cr3tvalue]:10027\n",
	"a/compose.yml": `services:
  a: {image: postfix, environment: {NAME: s3cr3tvalue, B: c}, ports: ["10025:10025"]}
  b: {image: postfix, environment: {NAME: two s3cr3tvalue words}, ports: [{target: 10026, published: "10026"}]}
  c: {image: postfix, command: --NAME s3cr3tvalue, environment: [NAME=s3cr3tvalue, "NAME=s3cr3tvalue"], ports: ["10028:10028", "${UNKNOWN}:10029:10029"]}
  d: {image: postfix, ports: ["${NAME:-s3cr3tvalue}:10030:10030", "${NAME:-s3cr3tvalue}"]}
  e:
    image: https://u:s3cr3tvalue@example.net/postfix
    environment:
      NAME: >-
        s3cr3tvalue
    ports: [10024:10024] # NAME: s3cr3tvalue
`,
	"k8s.yml": `apiVersion: v1
kind: Pod
metadata: {name: amavis}
spec:
  containers:
    - {name: amavis, image: amavis, env: [{name: NAME, value: s3cr3tvalue}], ports: [{containerPort: 10024, hostPort: 10024}]}
    - name: b
      env:
        - name: NAME
          value: s3cr3tvalue
      ports:
        - hostPort: 10025 # NAME=s3cr3tvalue
          containerPort: 10025
`,
	"dovecot.conf": `protocols = lmtp
NAME = s3cr3tvalue
service lmtp {
  inet_listener lmtp {
    port = 24 # NAME: s3cr3tvalue
  }
  inet_listener b {
    address = $NAME # NAME: s3cr3tvalue
    port = 25
  }
}
passdb {
  driver = static
  args = user=u NAME=s3cr3tvalue proxy=y host=192.0.2.1 port=10143
}
`,
	"haproxy.cfg": `defaults
  mode tcp
listen a
  bind *:10143 ssl crt /x ca-sign-pass s3cr3tvalue
  bind "${UNKNOWN}:10144" ssl crt /x ca-sign-pass s3cr3tvalue
  server b 192.0.2.1:143 check # NAME: s3cr3tvalue
userlist u
  user a insecure-password s3cr3tvalue
`,
	"nginx.conf": `events {}
mail {
  auth_http http://u:s3cr3tvalue@127.0.0.1:1/;
  server { protocol imap; listen 10143; auth_http_header NAME "s3cr3tvalue"; set $NAME s3cr3tvalue; proxy_set_header Authorization "Basic s3cr3tvalue"; }
  server { protocol imap; listen $x; auth_http_header NAME s3cr3tvalue; }
}
`,
	"amavisd.conf": `$inet_socket_port = 10024; $NAME = 's3cr3tvalue'; $inet_socket_bind = undef; # NAME = s3cr3tvalue
@lookup_sql_dsn = (['DBI:mysql:database=x;host=127.0.0.1', 'u', 's3cr3tvalue']); $forward_method = 'smtp:[127.0.0.1]:10025';
`,
	"policyd-weight.conf":          "$NAME = 's3cr3tvalue'; $TCP_PORT = 12525; $BIND_ADDRESS = 'all'; # NAME = s3cr3tvalue\n",
	"rspamd/worker-proxy.inc":      "bind_socket = \"*:11332\"; password = \"s3cr3tvalue\"; enable_password = s3cr3tvalue; NAME = s3cr3tvalue;\nmilter = yes;\n",
	"opendkim.conf":                "Socket inet:8891\nNAME s3cr3tvalue\nLDAPBindPassword s3cr3tvalue\n",
	"clamd.conf":                   "TCPSocket 3310\nNAME s3cr3tvalue\n",
	"dkimproxy_out.conf":           "listen 0.0.0.0:10027\nrelay 127.0.0.1:10028\nNAME s3cr3tvalue\n",
	"default/postgrey":             "NAME=s3cr3tvalue\nPOSTGREY_OPTS=\"--NAME=s3cr3tvalue --inet=0.0.0.0:10023 --NAME s3cr3tvalue\" # NAME=s3cr3tvalue\n",
	"system/dkimproxy.service":     "[Service]\nEnvironment=NAME=s3cr3tvalue \"NAME=s3cr3tvalue\"\nExecStart=/usr/bin/dkimproxy.out --NAME s3cr3tvalue --NAME=s3cr3tvalue \\\n  --NAME \\\n  s3cr3tvalue 0.0.0.0:10027 127.0.0.1:10028\n",
	"system/postgrey.service":      "[Service]\nExecStart=/usr/sbin/postgrey --inet=$UNKNOWN --NAME s3cr3tvalue\n",
	"opendmarc.conf":               "Socket inet:8893\nNAME s3cr3tvalue\n",
	"system/x.socket":              "[Unit]\nDescription=NAME=s3cr3tvalue\n[Socket]\nListenStream=10026\n",
	"b/compose.yml":                "services:\n  a:\n    image: amavis\n    environment:\n      - NAME=s3cr3tvalue\n    ports:\n      - 10024:10024 # NAME=s3cr3tvalue\n      - {published: \"10026\", target: 10026, name: \"NAME=s3cr3tvalue\"}\n",
	"rspamd/worker-controller.inc": "bind_socket = \"*:11334\"; secure_ip = \"${NAME=s3cr3tvalue}\";\npassword = \"s3cr3tvalue\";\n",
}

// No format shows a secret of a file, wherever the file has it; and files with secrets have
// edits all the same.
func TestNoSecretInReports(t *testing.T) {
	t.Parallel()
	for _, name := range secretNames {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := map[string]string{}
			for file, text := range secretFiles {
				files[file] = strings.ReplaceAll(text, secretName, name)
			}
			a, c := audit(t, files)
			texts := map[string]string{}
			for _, form := range report.Formats() {
				if form == "nmap-xml" {
					continue // has no place for files
				}
				var out strings.Builder
				w, err := report.New(form, &out, format.Options{Verbose: true})
				if err != nil {
					t.Fatal(err)
				}
				a.Write(result.Tool{Name: "mxsweep"}, nil, w, &c)
				texts[form] = out.String()
			}
			edits := 0
			for i := range c.Findings {
				if c.Findings[i].Listener.Edit != nil {
					edits++
				}
			}
			if len(c.Findings) < 20 || edits < 12 {
				t.Errorf("only %d findings and %d edits", len(c.Findings), edits)
			}
			for form, text := range texts {
				if at := strings.Index(text, secretValue); at >= 0 {
					t.Errorf("%s: %s", form, text[max(at-300, 0):min(at+100, len(text))])
				}
			}
		})
	}
}
