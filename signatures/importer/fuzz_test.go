package importer

import (
	"bytes"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/signatures"
)

// probes are those that imported signatures speak of.
const probes = `probes:
  - {id: greeting, why: listen, read: {until: line, wait: 6s}, safety: passive}
  - {id: smtp-ehlo, why: ask, send: "EHLO x\r\n", read: {until: line, wait: 6s}, safety: safe}
  - {id: smtp-help, why: ask, send: "HELP\r\n", read: {until: line, wait: 6s}, safety: safe}
  - {id: http-get, why: ask, send: "GET / HTTP/1.0\r\n\r\n", read: {until: line, wait: 6s}, safety: safe}
`

var base = signatures.Source{Name: "base", FS: fstest.MapFS{"probes.yaml": {Data: []byte(probes)}}}

// FuzzRecog sees to it that no file upsets the reader, and that what is written
// loads, with examples that hold, and can be matched with anything.
func FuzzRecog(f *testing.F) {
	for _, text := range []string{smtpBanners, smtpHelp, popBanners} {
		f.Add([]byte(text), []byte("220 mx.example.org ESMTP Sparrowd 1.2\r\n"))
	}
	f.Fuzz(func(t *testing.T, file, reply []byte) {
		im, err := Recog(signatures.Source{Name: "fuzz", FS: fstest.MapFS{"smtp_banners.xml": {Data: file}, "smtp_help.xml": {Data: file}}})
		if err == nil {
			named(written(t, im, base), "greeting", string(reply), "smtp-help", string(reply))
		}
	})
}

// FuzzNmap does the same for nmap's file.
func FuzzNmap(f *testing.F) {
	f.Add([]byte(made), []byte("220 mx.example.org ESMTP Sparrowd 1.2\r\n"))
	f.Add([]byte("Probe TCP NULL q||\nmatch smtp m|^(a)?(?<n>b)|is p/$1x$2$I(1,\">\")/ cpe:/a:$1:$2/a\n"), []byte("b"))
	f.Fuzz(func(t *testing.T, file, reply []byte) {
		im, err := Nmap(bytes.NewReader(file), "fuzz")
		if err == nil {
			named(written(t, im, base), "greeting", string(reply), "smtp-help", string(reply))
		}
	})
}
