package userfile

import "testing"

func TestKindOfFile(t *testing.T) {
	for text, want := range map[string]Kind{
		"{\n  \"schema\": \"mxsweep.report\",\n":  SavedRun,
		`{"schema":"mxsweep.line","type":"x"`:     SavedRun,
		`{"schema":"mxsweep.baseline"`:            Baseline,
		`{"seq":1,"time":"2027-01-31T12:00:00Z",`: AuditLog,
		"version: 1\n": Policy,
		"# of the mail team\r\n\n---\nversion: 1\n": Policy,
		"version.example.net\n":                     "",
		"version:25\n":                              "",
		"# version: 1\n192.0.2.1\n":                 "",
		"192.0.2.1\nversion: 1\n":                   "",
		`{"schema":"other"}`:                        "",
		"":                                          "",
	} {
		if got := KindOfFile([]byte(text)); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if err := WrongKind("f", []byte(text), want); err != nil {
			t.Errorf("%q: %v", text, err)
		}
		if err := WrongKind("f", []byte(text), AddressList); (err != nil) != (want != "") || err != nil && err.Hint == "" {
			t.Errorf("%q: as a list: %v", text, err)
		}
	}
}
