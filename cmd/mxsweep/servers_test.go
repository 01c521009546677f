package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/report"
)

// serversKey is the key of a script's servers.
type serversKey struct{}

// servers are what a script has started, by name.
type servers map[string]*server

type server struct {
	*mailtest.Server
	shown int // the port that normalize writes instead of the real one
}

// started returns the servers of a script.
func started(ts *testscript.TestScript) servers {
	return ts.Value(serversKey{}).(servers)
}

// mailServer NAME PORT KIND [ARG...] starts a server on loopback for the rest
// of the script and sets $NAME to its address and port, which is not PORT;
// normalize writes PORT for it. KIND is a file of the script, a daemon of package
// mailtest ("daemon:postfix"), or one of the kinds below.
func mailServer(ts *testscript.TestScript, neg bool, args []string) {
	mailServerOn(ts, neg, args, "")
}

// mailServer6 is mailServer for ::1 only.
func mailServer6(ts *testscript.TestScript, neg bool, args []string) {
	mailServerOn(ts, neg, args, "[::1]:0")
}

func mailServerOn(ts *testscript.TestScript, neg bool, args []string, address string) {
	if neg || len(args) < 3 {
		ts.Fatalf("usage: mailserver NAME PORT KIND [ARG...]")
	}
	var shown int
	if _, err := fmt.Sscan(args[1], &shown); err != nil {
		ts.Fatalf("reading port %q: %v", args[1], err)
	}
	s, err := mailtest.Listen(address, handler(ts, args[2], append(args[3:], "")[0]))
	ts.Check(err)
	ts.Defer(func() { s.Close() })
	started(ts)[args[0]] = &server{s, shown}
	ts.Setenv(args[0], s.Addr().String())
	ts.Setenv(args[0]+"_PORT", fmt.Sprint(s.Addr().Port()))
}

// handler returns the handler of a kind of server.
func handler(ts *testscript.TestScript, kind, arg string) mailtest.Handler {
	text := strings.NewReplacer(`\r`, "\r", `\n`, "\n", `\e`, "\x1b", `\0`, "\x00", `\x`, "\xff\xfe").Replace(arg)
	switch kind {
	case "dkimproxy":
		return mailtest.DKIMproxy{Next: arg}
	case "cluebringer":
		return &mailtest.Cluebringer{HTTP: true}
	case "amavis":
		return new(mailtest.Amavis)
	case "silent":
		return mailtest.Silent{}
	case "refusing":
		return mailtest.Refusing{}
	case "resetting":
		return mailtest.Resetting{Text: text}
	case "flood":
		return mailtest.Flood{Text: text}
	case "drip":
		return mailtest.Drip{Text: text}
	case "banner":
		return mailtest.Banner{Text: text}
	}
	if name, ok := strings.CutPrefix(kind, "daemon:"); ok {
		h, err := mailtest.Daemon(name)
		ts.Check(err)
		return h
	}
	h, err := mailtest.Parse(ts.ReadFile(kind))
	ts.Check(err)
	return h
}

// freePort NAME sets $NAME to an address and port of loopback without a listener.
func freePort(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: freeport NAME")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	ts.Check(err)
	ts.Setenv(args[0], l.Addr().String())
	ts.Check(l.Close())
}

// stopServer NAME ends a server: its port is closed from then on.
func stopServer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 || started(ts)[args[0]] == nil {
		ts.Fatalf("usage: stopserver NAME")
	}
	ts.Check(started(ts)[args[0]].Close())
}

// connections NAME N checks that a server accepted N connections; with "some" for
// N, at least one. On a machine with few processors a server takes a while to
// accept what the kernel has accepted.
func connections(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: connections NAME N")
	}
	s := started(ts)[args[0]]
	if s == nil {
		ts.Fatalf("no server %q", args[0])
	}
	got := s.Connections()
	for range 1000 {
		if fmt.Sprint(got) == args[1] || args[1] == "some" && got > 0 {
			break
		}
		time.Sleep(10 * time.Millisecond)
		got = s.Connections()
	}
	if fmt.Sprint(got) != args[1] && (args[1] != "some" || got == 0) {
		ts.Fatalf("%d connections to %s, want %s", got, args[0], args[1])
	}
}

// shownPorts writes the declared ports of a script's servers.
func shownPorts(ts *testscript.TestScript, text string) string {
	for _, s := range started(ts) {
		real := regexp.MustCompile(fmt.Sprintf(`\b%d\b`, s.Addr().Port()))
		text = real.ReplaceAllString(text, fmt.Sprint(s.shown))
	}
	return text
}

// valid FILE... checks that each file is a report according to the published
// schema: a document, or one or more line forms.
func valid(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: valid FILE...")
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(report.Schema()))
	ts.Check(err)
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	ts.Check(c.AddResource("mxsweep.json", doc))
	schema, err := c.Compile("mxsweep.json")
	ts.Check(err)
	for _, name := range args {
		data, err := os.ReadFile(ts.MkAbs(name))
		ts.Check(err)
		records := [][]byte{data}
		if bytes.HasPrefix(data, []byte(`{"schema":"mxsweep.line"`)) {
			records = bytes.Split(bytes.TrimSuffix(data, []byte("\n")), []byte("\n"))
		}
		for i, record := range records {
			var v any
			ts.Check(json.Unmarshal(record, &v))
			if err := schema.Validate(v); err != nil {
				ts.Fatalf("%s, record %d: %v", name, i+1, err)
			}
		}
	}
}
