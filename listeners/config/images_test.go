package config

import (
	"slices"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// TestContained reads files that are on the host, in an image, and in a container.
func TestContained(t *testing.T) {
	clamd := &fstest.MapFile{Data: []byte("TCPSocket 3310\n")}
	for _, tt := range []struct {
		name, dockerfile, compose string
		want                      listeners.Through
	}{
		{"nothing else", "", "", listeners.ThroughHost},
		{"an image", "FROM x\ncopy --chown=1:1 a \\\n  conf/clamd.conf /etc/clamav/\n", "", listeners.ThroughContainer},
		{"an image, the folder", "FROM x\nADD [\"./conf/\", \"/etc/clamav\"]\n", "", listeners.ThroughContainer},
		{"an image, all files of the folder", "FROM x\nCOPY conf/* /etc/clamav\n", "", listeners.ThroughContainer},
		{"an image of everything", "FROM x\nCOPY . /app\n", "", listeners.ThroughHost},
		{"an image of tests", "FROM x\nCOPY conf /tests/conf\n", "", listeners.ThroughHost},
		{"another file", "FROM x\nCOPY conf/clamd /etc/clamav/\n# COPY conf/clamd.conf /\n", "", listeners.ThroughHost},
		{"a file of another image", "FROM x\nCOPY --from=y conf/clamd.conf /etc\n", "", listeners.ThroughHost},
		{"what is above", "FROM x\nCOPY ../conf /etc\n", "", listeners.ThroughHost},
		{"a mounted folder", "", "services:\n  a:\n    image: x\n    volumes: ['./conf:/etc/clamav:ro']\n", listeners.ThroughContainer},
		{"a mounted file, in long form", "", "services:\n  a:\n    image: x\n    volumes:\n      - {type: bind, source: conf/clamd.conf, target: /etc/clamd.conf}\n", listeners.ThroughContainer},
		{"a container in the network of the host", "", "services:\n  a:\n    image: x\n    network_mode: host\n    volumes: ['./conf:/etc/clamav']\n", listeners.ThroughHost},
		{"a volume with the name of the folder", "", "services:\n  a:\n    image: x\n    volumes: ['conf:/etc/clamav']\nvolumes:\n  conf:\n", listeners.ThroughHost},
	} {
		t.Run(tt.name, func(t *testing.T) {
			tree := &source.Tree{Dir: t.TempDir(), FS: fstest.MapFS{
				"mail/conf/clamd.conf": clamd,
				"mail/Dockerfile":      {Data: []byte(tt.dockerfile)},
				"mail/compose.yml":     {Data: []byte(tt.compose)},
			}}
			c, _, err := Read(tree, ".")
			i := slices.IndexFunc(c.Listeners, func(l listeners.Listener) bool { return l.Port == 3310 })
			if err != nil || i < 0 || c.Listeners[i].Through != tt.want {
				t.Errorf("got %+v, mounts %+v, %v", c.Listeners, c.Mounts, err)
			}
		})
	}
}
