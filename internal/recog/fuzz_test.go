package recog

import (
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/signatures"
)

// FuzzLoad sees to it that no file upsets the reader, and that what it reads
// can be matched with anything.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(smtpBanners), []byte("220 mx.example.org ESMTP Sparrowd 1.2\r\n"))
	f.Add([]byte(smtpHelp), []byte("214 x"))
	f.Add([]byte(`<fingerprints><fingerprint pattern="(?" flags="REG_ICASE"/></fingerprints>`), []byte("220 "))
	f.Add([]byte(`<fingerprints><fingerprint pattern=""><param pos="0" name="service.cpe23" value="cpe:/{a"/></fingerprint></fingerprints>`), []byte(""))
	f.Fuzz(func(t *testing.T, file, reply []byte) {
		set, err := Load(signatures.Source{Name: "fuzz", FS: fstest.MapFS{"smtp_banners.xml": {Data: file}, "smtp_help.xml": {Data: file}}})
		if err != nil {
			return
		}
		set.Check()
		g := set.Guess(&signatures.Transcript{Exchanges: []signatures.Exchange{
			{Probe: signatures.Greeting, Reply: reply},
			{Probe: "help", Sent: []byte("HELP\r\n"), Reply: reply},
		}})
		if g != nil && (g.Product == "" || g.Protocol == "" || g.Confidence < 1 || g.Confidence > maxConfidence) {
			t.Errorf("the guess %+v breaks its promise", g)
		}
	})
}
