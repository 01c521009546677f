package config

import (
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/listeners/source"
)

func TestRead(t *testing.T) {
	tree := func() *source.Tree {
		return &source.Tree{FS: fstest.MapFS{
			"etc/dkimproxy/dkimproxy_out.conf": {Data: []byte("listen 0.0.0.0:10027\n")},
			"etc/clamav/clamd.conf":            {Data: []byte("TCPSocket 3310\n")},
			"compose/docker-compose.prod.yml":  {Data: []byte("services: {a: {ports: ['25:25']}}\n")},
			"compose/stack.yml":                {Data: []byte("services:\n  a:\n    image: x\n    ports: ['26:25']\n")},
			"compose/compose.override.yml":     {Data: []byte("services: {a: {ports: ['27:25']}}\n")},
			"other/services.yml":               {Data: []byte("services:\n  a: 1\n")},
			"etc/dovecot/dovecot.conf":         {Data: []byte("protocols = none\n!include conf.d/*.conf\n")},
			"etc/dovecot/conf.d/master.conf":   {Data: []byte("service auth {\n  inet_listener {\n    port = 12345\n  }\n}\n")},
			"extra/ports.conf":                 {Data: []byte("service auth {\n  inet_listener {\n    port = 12346\n  }\n}\n")},
			"etc/motd":                         {Data: []byte("hello\n")},
			".git/opendkim.conf":               {Data: []byte("Socket inet:8891\n")},
		}}
	}
	c, found, err := Read(tree(), ".", "etc/clamav")
	if err != nil || len(c.Listeners) != 7 || len(c.Doubts) != 0 || len(found) != 7 {
		t.Errorf("got %+v, files %v, %v", c, found, err)
	}
	if c, _, err = Read(tree(), "etc/motd"); err != nil || len(c.Doubts) != 1 {
		t.Errorf("a named file of no kind: %+v, %v", c, err)
	}
	if _, _, err = Read(tree(), "none"); err == nil {
		t.Error("no error for a path that does not exist")
	}
}

// TestReadParts reads the files of nginx: one that another includes counts once, and one that
// none includes is read by itself.
func TestReadParts(t *testing.T) {
	tree := &source.Tree{FS: fstest.MapFS{
		"a/etc/nginx/nginx.conf":            {Data: []byte("http { include /etc/nginx/sites-enabled/*; }\n")},
		"a/etc/nginx/sites-enabled/default": {Data: []byte("server { listen 80; }\n")},
		"b/sites-enabled/mail":              {Data: []byte("server { listen 8080; }\n")},
		"b/haproxy/haproxy.cfg":             {Data: []byte("listen imap\n bind :143\n")},
	}}
	c, found, err := Read(tree, ".")
	if err != nil || len(c.Listeners) != 3 || len(c.Doubts) != 0 || len(found) != 3 {
		t.Errorf("got %+v, files %v, %v", c, found, err)
	}
}
