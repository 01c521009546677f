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
			"etc/motd":                         {Data: []byte("hello\n")},
			".git/opendkim.conf":               {Data: []byte("Socket inet:8891\n")},
		}}
	}
	c, found, err := Read(tree(), ".", "etc/clamav")
	if err != nil || len(c.Listeners) != 2 || len(c.Doubts) != 0 || len(found) != 2 {
		t.Errorf("got %+v, files %v, %v", c, found, err)
	}
	if c, _, err = Read(tree(), "etc/motd"); err != nil || len(c.Doubts) != 1 {
		t.Errorf("a named file of no kind: %+v, %v", c, err)
	}
	if _, _, err = Read(tree(), "none"); err == nil {
		t.Error("no error for a path that does not exist")
	}
}
