package signatures

import (
	"bytes"
	"encoding/json"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/internal/fault"
)

// FuzzLoad checks that no file crashes the loader, and that what it loads can be
// checked.
func FuzzLoad(f *testing.F) {
	f.Add([]byte(good))
	f.Add([]byte("signatures: [{id: a, when: [{any: [{all: []}]}]}]"))
	f.Add([]byte("a: &a [*a]"))
	f.Add([]byte("ports: [{port: 5000-5001, title: t, iana: {status: unassigned}, internal: true, related: [5001], uses: [{product: P}]}]"))
	probes := []byte("probes: [{id: greeting, why: listen, read: {until: line, wait: 6s}, safety: passive}]")
	f.Fuzz(func(t *testing.T, text []byte) {
		for _, name := range []string{"a.yaml", "observations.yaml", "stacks.yaml", "proxies.yaml", "probes.yaml"} {
			fsys := fstest.MapFS{"probes.yaml": {Data: probes}, name: {Data: text}}
			if set, err := Load(Source{"fuzz", fsys}); err == nil {
				set.Check()
			}
		}
		LoadPorts(fstest.MapFS{"ports.yaml": {Data: text}})
	})
}

// FuzzTranscript checks that a transcript is read back as it was written.
func FuzzTranscript(f *testing.F) {
	f.Add([]byte(`{"exchanges":[{"probe":"greeting","reply":"220 mx\r\n","ended":"reply"}]}`))
	f.Add([]byte(`{"exchanges":[{"probe":"x","reply_base64":"/w==","ended":"closed","took_ms":3}]}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		first, err := readTranscript(bytes.NewReader(text))
		if err != nil {
			return
		}
		once, err := json.Marshal(first)
		if err != nil {
			t.Fatal(err)
		}
		second, err := readTranscript(bytes.NewReader(once))
		if err != nil {
			t.Fatal(err)
		}
		twice, err := json.Marshal(second)
		if err != nil || !bytes.Equal(once, twice) {
			t.Errorf("%s is read back as %s, error %v", once, twice, err)
		}
	})
}

// FuzzMatch checks that no reply crashes a signature.
func FuzzMatch(f *testing.F) {
	set, err := Default()
	if err != nil {
		f.Fatal(fault.Explain(err))
	}
	f.Add([]byte("220 mx ESMTP Postfix\r\n"), []byte("500 5.5.2 Error: bad syntax\r\n"), "reply")
	f.Add([]byte("\xff\x00"), []byte{}, "closed")
	f.Fuzz(func(t *testing.T, greeting, reply []byte, end string) {
		seen := &Transcript{Exchanges: []Exchange{{Probe: Greeting, Reply: greeting, End: end}}}
		for _, p := range set.Probes[1:] {
			seen.Exchanges = append(seen.Exchanges, Exchange{Probe: p.ID, Sent: p.Send, Reply: reply, End: end})
		}
		for _, s := range set.Signatures {
			if s.Match(seen) == True {
				values := s.Values(seen)
				s.CPEFor(values["version"])
				set.Behind(s, seen)
			}
		}
	})
}
