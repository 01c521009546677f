package config

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/mxsweep/mxsweep/listeners/source"
)

// benchFiles are the files of one host, by their names.
var benchFiles = map[string]string{
	"etc/postfix/main.cf":            "myhostname = mail.example\ninet_interfaces = all\nmynetworks = 127.0.0.0/8 [::1]/128\ncontent_filter = smtp:[127.0.0.1]:10024\nsmtpd_milters = inet:127.0.0.1:8891\nsmtpd_recipient_restrictions = permit_mynetworks, reject_unauth_destination, check_policy_service inet:127.0.0.1:10023\n",
	"etc/postfix/master.cf":          "smtp inet n - y - - smtpd\nsubmission inet n - y - - smtpd\n  -o syslog_name=postfix/submission\n  -o smtpd_tls_security_level=encrypt\n  -o smtpd_sasl_auth_enable=yes\n127.0.0.1:10025 inet n - n - - smtpd\n  -o content_filter=\n  -o mynetworks=127.0.0.0/8\npickup unix n - y 60 1 pickup\n",
	"etc/dovecot/dovecot.conf":       "protocols = imap lmtp\n!include conf.d/*.conf\n",
	"etc/dovecot/conf.d/10-net.conf": "service imap-login {\n  inet_listener imap {\n    port = 143\n  }\n}\nservice lmtp {\n  inet_listener lmtp {\n    address = 127.0.0.1\n    port = 24\n  }\n}\n",
	"etc/haproxy/haproxy.cfg":        "defaults\n mode tcp\nfrontend imap\n bind :143\n default_backend imap\nbackend imap\n server a 10.0.0.2:10143 send-proxy\n",
	"etc/nginx/nginx.conf":           "events {}\nmail {\n auth_http 127.0.0.1:9000/auth;\n server { listen 143; protocol imap; }\n server { listen 127.0.0.1:110; protocol pop3; }\n}\n",
	"etc/opendkim.conf":              "Socket inet:8891@localhost\n",
	"etc/amavis/conf.d/50-user":      "use strict;\n$inet_socket_bind = '127.0.0.1';\n$inet_socket_port = [10024, 10026];\n1;\n",
	"compose.yml":                    "services:\n  postfix:\n    image: x/postfix\n    ports: ['25:25', '127.0.0.1:10025:10025']\n  rspamd:\n    image: x/rspamd\n    ports: ['127.0.0.1:11334:11334']\n",
	"k8s/service.yaml":               "apiVersion: v1\nkind: Service\nmetadata: {name: smtp}\nspec:\n  type: LoadBalancer\n  selector: {app: smtp}\n  ports: [{port: 25, targetPort: 25}]\n",
}

// BenchmarkRead reads 1,000 files of known kinds, those of 100 hosts: at most 2 s.
func BenchmarkRead(b *testing.B) {
	dir := b.TempDir()
	for host := range 1000 / len(benchFiles) {
		for name, text := range benchFiles {
			path := filepath.Join(dir, fmt.Sprint("host", host), name)
			if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
				b.Fatal(err)
			}
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				b.Fatal(err)
			}
		}
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		b.Fatal(err)
	}
	defer root.Close()
	for b.Loop() {
		c, found, err := Read(&source.Tree{FS: root.FS(), Dir: dir}, ".")
		if err != nil || len(found) < 800 || len(c.Listeners) < 1000 {
			b.Fatalf("%d files, %d listeners, %v, %v", len(found), len(c.Listeners), c.Doubts[:min(len(c.Doubts), 3)], err)
		}
		b.ReportMetric(float64(len(found)), "files")
	}
}
