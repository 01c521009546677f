package endpoint

import "testing"

func TestParse(t *testing.T) {
	for text, want := range map[string]Endpoint{
		"10025":              {Name: "10025", Port: 10025, Last: 10025},
		"127.0.0.1:smtp":     {Host: "127.0.0.1", Name: "smtp", Port: 25, Last: 25},
		"[::1]:25":           {Host: "::1", Name: "25", Port: 25, Last: 25},
		"::1:25":             {Host: "::1", Name: "25", Port: 25, Last: 25},
		"ipv4@*:1000-1002":   {Prefix: "ipv4@", Host: "*", Name: "1000-1002", Port: 1000, Last: 1002},
		"localhost:pop-3":    {Host: "localhost", Name: "pop-3", Port: 110, Last: 110},
		"/run/socket":        {},
		"host:":              {},
		"0":                  {},
		"65536":              {},
		"127.0.0.1:1-port":   {},
		"unix@/run/x:25 abc": {},
	} {
		got, ok := Parse(text)
		if ok != (want.Port > 0) || ok && got != want {
			t.Errorf("%q: got %+v, %t, want %+v", text, got, ok, want)
		}
	}
}

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{"127.0.0.2": true, "::1": true, "localhost": true, "": false, "*": false, "10.0.0.1": false} {
		if e := (Endpoint{Host: host}); e.Loopback() != want {
			t.Errorf("%q: loopback is %t", host, !want)
		}
	}
}

func TestLoopbackInterface(t *testing.T) {
	for name, want := range map[string]bool{"lo": true, "lo0": true, "": false, "eth0": false, "lo1": false, "tun0": false} {
		if LoopbackInterface(name) != want {
			t.Errorf("%q: loopback is %t", name, !want)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("ipv4@[::1]:10-20")
	f.Fuzz(func(t *testing.T, text string) {
		if e, ok := Parse(text); ok && e.Port == 0 {
			t.Errorf("%q: port 0", text)
		}
	})
}
