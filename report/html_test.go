package report

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/html"
	"github.com/mxsweep/mxsweep/report/view"
)

// TestHTMLPolicy checks that the policy has the hashes of the page's style and
// script, and allows nothing else.
func TestHTMLPolicy(t *testing.T) {
	page := string(convert(t, "run.json", "html", format.Options{}))
	for _, tag := range []string{"style", "script"} {
		_, rest, _ := strings.Cut(page, "<"+tag+">")
		text, _, found := strings.Cut(rest, "</"+tag+">")
		if !found || !strings.Contains(page, tag+"-src &#39;sha256-"+strings.ReplaceAll(html.HashSource(text), "+", "&#43;")+"&#39;") {
			t.Errorf("the policy does not name the hash of <%s>", tag)
		}
		if strings.Count(page, "<"+tag) != 1 {
			t.Errorf("more than one <%s>", tag)
		}
	}
	for _, bad := range []string{" style=", " onclick=", " onload=", "javascript:", "<script>alert", "<img", "http-equiv=\"refresh\""} {
		if strings.Contains(page, bad) {
			t.Errorf("the page has %q", bad)
		}
	}
	if regexp.MustCompile(`(?:src|href)="(?:https?:)?//`).MatchString(regexp.MustCompile(`<a href="https?://[^"]*" rel="noreferrer noopener">`).ReplaceAllString(page, "")) {
		t.Error("the page loads something")
	}
}

// TestHTMLHostile puts hostile text into every text of a run.
func TestHTMLHostile(t *testing.T) {
	const evil = `"><script>alert(1)</script><img src=x onerror=alert(1)>`
	c := hugeRun(1, 1)
	c.Run.Authorization, c.Run.Scope.Name, c.Run.Vantage = evil, evil, evil
	c.Run.Args = []string{evil}
	c.Run.Rules[0].Why, c.Run.Rules[0].Fix = evil, evil
	c.Run.Rules[0].References = []string{"javascript:alert(1)", "https://example.org/" + evil}
	p, f := &c.Ports[0], &c.Findings[0]
	p.Host, p.Banner.Text, p.Service.Product, p.Service.Stack = evil, evil, evil, evil
	p.Service.Evidence[0].Observed = evil
	f.Title, f.Host, f.Evidence, f.Remediation, f.Verdict = evil, evil, []string{evil}, evil, evil
	f.Drift = evil
	page := write(t, "html", format.Options{}, c)
	if bytes.Contains(page, []byte("<script>alert")) || bytes.Contains(page, []byte("<img")) || bytes.Contains(page, []byte(`href="javascript`)) {
		t.Error("hostile text became markup")
	}
}

func TestHTMLEmpty(t *testing.T) {
	page := string(write(t, "html", format.Options{}, &view.Collector{}))
	for _, want := range []string{"<strong>PASS</strong>", "Coverage and method", "Not covered"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page of an empty run does not say %q", want)
		}
	}
	if strings.Contains(page, "<script>") {
		t.Error("a page without findings has a script")
	}
}

// TestHTMLInBrowser tests the page in headless Chromium.
func TestHTMLInBrowser(t *testing.T) {
	b := openBrowser(t)
	file := filepath.Join(t.TempDir(), "report.html")
	if err := os.WriteFile(file, convert(t, "run.json", "html", format.Options{}), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Run("looks", func(t *testing.T) { testLooks(t, b, file) })
	for _, scripts := range []bool{true, false} {
		t.Run(fmt.Sprintf("filters, scripts %t", scripts), func(t *testing.T) { testFilters(t, b, file, scripts) })
	}
}

// testLooks shows the page at two widths, light, dark and printed: there are no
// errors or requests, nothing is wider than the window, and hostile text is shown
// literally.
func testLooks(t *testing.T, b *browser, file string) {
	for _, v := range []struct {
		width          int
		scheme, medium string
	}{{1280, "light", "screen"}, {1280, "dark", "screen"}, {400, "light", "screen"}, {400, "dark", "screen"}, {1000, "light", "print"}} {
		name := fmt.Sprintf("%d-%s-%s.png", v.width, v.scheme, v.medium)
		b.show(v.width, v.scheme, v.medium)
		b.load(file)
		var wide int
		b.eval("document.documentElement.scrollWidth", &wide)
		if wide > v.width {
			t.Errorf("%s: the page is %d wide", name, wide)
		}
		var out []string
		b.eval(`[...document.querySelectorAll(".rule a")].filter(e =>
			e.checkVisibility() && e.getBoundingClientRect().right > e.closest(".rule").getBoundingClientRect().right - 8).map(e => e.textContent)`, &out)
		if len(out) > 0 {
			t.Errorf("%s: links stick out of their box: %q", name, out)
		}
		if len(b.picture(name)) == 0 {
			t.Errorf("%s: no picture", name)
		}
		for _, c := range b.complaints() {
			t.Errorf("%s: %s", name, c)
		}
	}
	var banner string
	b.eval(`[...document.querySelectorAll("pre")].map(e => e.textContent).join("\n")`, &banner)
	if !strings.Contains(banner, `\x1b[31mhi\x07 <script>alert(1)</script> \u202e`) {
		t.Errorf("the hostile banner is not shown as text: %.300s", banner)
	}
	if *screenshots != "" {
		b.pdf("print.pdf")
	}
}

const visiblePlaces = `[...document.querySelectorAll(".place")].filter(e => e.checkVisibility()).length`

// testFilters tests the filters with and without the script.
func testFilters(t *testing.T, b *browser, file string, scripts bool) {
	b.show(1280, "light", "screen")
	b.call("Emulation.setScriptExecutionDisabled", args{"value": !scripts})
	b.load(file)
	count := func(want int, when string) {
		t.Helper()
		var n int
		b.eval(visiblePlaces, &n)
		if n != want {
			t.Errorf("%s: %d findings are visible, want %d", when, n, want)
		}
	}
	count(6, "at first")
	b.eval(`document.getElementById("f-high").click()`, nil)
	count(3, "without high")
	b.eval(`document.getElementById("f-high").click(); document.getElementById("f-new").click()`, nil)
	count(2, "without new")
	b.eval(`document.getElementById("f-new").click()`, nil)
	if scripts {
		b.eval(`search.value = "dovecot"; search.dispatchEvent(new Event("input"))`, nil)
		count(1, "search for dovecot")
		var shown string
		b.eval(`document.getElementById("shown").textContent`, &shown)
		if shown != "1 of 6 shown" {
			t.Errorf("the count says %q", shown)
		}
		b.eval(`document.getElementById("all").click()`, nil)
		b.picture("search.png")
	}
	var tools bool
	b.eval(`document.getElementById("tools").checkVisibility()`, &tools)
	if tools != scripts {
		t.Errorf("the tools that need a script are visible: %t", tools)
	}
	for _, c := range b.complaints() {
		t.Error(c)
	}
}
