package report

import (
	"bufio"
	"encoding/base64"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/internal/gate"
)

var screenshots = flag.String("screenshots", "", "keep what the browser tests saw in this `directory`")

// A browser is a headless Chromium, controlled over two pipes (the DevTools
// protocol; each message ends with a NUL).
type browser struct {
	t       *testing.T
	cmd     *exec.Cmd
	out     *os.File
	session string
	mu      sync.Mutex
	next    int
	answers map[int]chan message
	events  []message
	loaded  chan struct{}
	gone    chan struct{}
}

type message struct {
	ID     int             `json:"id"`
	Method string          `json:"method"`
	Params json.RawMessage `json:"params"`
	Result json.RawMessage `json:"result"`
	Error  *struct{ Message string }
}

// openBrowser starts a browser with one blank page, or skips the test.
func openBrowser(t *testing.T) *browser {
	t.Helper()
	gate.Ask(t, "no browser is started")
	path, err := exec.LookPath("chromium")
	if err != nil {
		t.Skip("chromium is not installed")
	}
	theirIn, ourOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	ourIn, theirOut, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	b := &browser{
		t: t, out: ourOut,
		answers: make(map[int]chan message), loaded: make(chan struct{}, 8), gone: make(chan struct{}),
	}
	b.cmd = exec.Command(path, "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
		"--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
		"--remote-debugging-pipe", "--user-data-dir="+t.TempDir(), "about:blank")
	b.cmd.ExtraFiles = []*os.File{theirIn, theirOut} // descriptors 3 and 4
	if err := b.cmd.Start(); err != nil {
		t.Skipf("chromium does not start: %v", err)
	}
	theirIn.Close()
	theirOut.Close()
	go b.read(ourIn)
	t.Cleanup(b.close)
	b.attach()
	return b
}

func (b *browser) close() {
	b.call("Browser.close", nil)
	b.out.Close()
	done := make(chan error, 1)
	go func() { done <- b.cmd.Wait() }()
	select {
	case <-done:
	case <-time.After(10 * time.Second):
		b.cmd.Process.Kill()
		<-done
	}
}

// read separates what is received into replies and events.
func (b *browser) read(f *os.File) {
	defer close(b.gone)
	defer f.Close()
	r := bufio.NewReader(f)
	for {
		raw, err := r.ReadBytes(0)
		if err != nil {
			return
		}
		var m message
		if json.Unmarshal(raw[:len(raw)-1], &m) != nil {
			continue
		}
		b.mu.Lock()
		if m.Method == "" {
			b.answers[m.ID] <- m
		} else {
			b.events = append(b.events, m)
		}
		b.mu.Unlock()
		if m.Method == "Page.loadEventFired" {
			b.loaded <- struct{}{}
		}
	}
}

// call sends a command and returns its result; nil if the browser has exited.
func (b *browser) call(method string, params any) json.RawMessage {
	b.t.Helper()
	b.mu.Lock()
	b.next++
	id := b.next
	answer := make(chan message, 1)
	b.answers[id] = answer
	b.mu.Unlock()
	cmd := map[string]any{"id": id, "method": method}
	if params != nil {
		cmd["params"] = params
	}
	if b.session != "" && !strings.HasPrefix(method, "Browser.") {
		cmd["sessionId"] = b.session
	}
	raw, err := json.Marshal(cmd)
	if err != nil {
		b.t.Fatal(err)
	}
	if _, err := b.out.Write(append(raw, 0)); err != nil {
		return nil
	}
	select {
	case m := <-answer:
		if m.Error != nil {
			b.t.Fatalf("%s: %s", method, m.Error.Message)
		}
		return m.Result
	case <-b.gone:
		return nil
	case <-time.After(5 * time.Minute):
		b.t.Fatalf("%s: no answer", method)
		return nil
	}
}

type args map[string]any

// attach opens a session with the blank page.
func (b *browser) attach() {
	b.t.Helper()
	var targets struct {
		TargetInfos []struct{ TargetID, Type string }
	}
	if err := json.Unmarshal(b.call("Target.getTargets", nil), &targets); err != nil {
		b.t.Skipf("chromium does not answer: %v", err)
	}
	for _, target := range targets.TargetInfos {
		if target.Type != "page" {
			continue
		}
		var s struct{ SessionID string }
		if err := json.Unmarshal(b.call("Target.attachToTarget", args{"targetId": target.TargetID, "flatten": true}), &s); err != nil {
			b.t.Fatal(err)
		}
		b.session = s.SessionID
		for _, domain := range []string{"Page", "Runtime", "Log", "Network"} {
			b.call(domain+".enable", nil)
		}
		return
	}
	b.t.Skip("chromium has no page")
}

// load opens a file and waits until it is loaded.
func (b *browser) load(file string) {
	b.t.Helper()
	b.mu.Lock()
	b.events = nil
	b.mu.Unlock()
	b.call("Page.navigate", args{"url": "file://" + file})
	select {
	case <-b.loaded:
	case <-time.After(5 * time.Minute):
		b.t.Fatal("the page does not load")
	}
}

// eval evaluates an expression in the page and decodes its value; it waits for a
// promise.
func (b *browser) eval(expression string, v any) {
	b.t.Helper()
	var r struct {
		Result           struct{ Value json.RawMessage }
		ExceptionDetails *struct{ Text string }
	}
	raw := b.call("Runtime.evaluate", args{"expression": expression, "returnByValue": true, "awaitPromise": true})
	if err := json.Unmarshal(raw, &r); err != nil {
		b.t.Fatal(err)
	}
	if r.ExceptionDetails != nil {
		b.t.Fatalf("%s: %s", expression, r.ExceptionDetails.Text)
	}
	if v != nil {
		if err := json.Unmarshal(r.Result.Value, v); err != nil {
			b.t.Fatalf("%s: %v", expression, err)
		}
	}
}

// show sets the width, the color scheme and the medium.
func (b *browser) show(width int, scheme, medium string) {
	b.t.Helper()
	b.call("Emulation.setDeviceMetricsOverride", args{"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false})
	b.call("Emulation.setEmulatedMedia", args{"media": medium, "features": []args{{"name": "prefers-color-scheme", "value": scheme}}})
}

// picture takes a screenshot of the whole page.
func (b *browser) picture(name string) []byte {
	b.t.Helper()
	var r struct{ Data string }
	if err := json.Unmarshal(b.call("Page.captureScreenshot", args{"captureBeyondViewport": true}), &r); err != nil {
		b.t.Fatal(err)
	}
	png, err := base64.StdEncoding.DecodeString(r.Data)
	if err != nil {
		b.t.Fatal(err)
	}
	b.keep(name, png)
	return png
}

func (b *browser) keep(name string, data []byte) {
	if *screenshots == "" {
		return
	}
	if err := os.WriteFile(filepath.Join(*screenshots, name), data, 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// complaints returns the requests for anything but the page itself, the errors
// and the policy violations since the page was loaded.
func (b *browser) complaints() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var list []string
	for _, e := range b.events {
		switch e.Method {
		case "Network.requestWillBeSent":
			var p struct{ Request struct{ URL string } }
			json.Unmarshal(e.Params, &p)
			if u := p.Request.URL; !strings.HasPrefix(u, "file://") && !strings.HasPrefix(u, "data:") {
				list = append(list, "request of "+u)
			}
		case "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded", "Page.javascriptDialogOpening":
			list = append(list, fmt.Sprintf("%s %.300s", e.Method, e.Params))
		}
	}
	return list
}
