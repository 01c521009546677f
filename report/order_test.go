package report

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// mixedRun returns a run whose findings are in the opposite of the required
// order, each of a rule with a title of its own. titles has the required order.
func mixedRun() (c *view.Collector, titles []string) {
	c = hugeRun(3, 3)
	c.Run.Baseline = &result.BaselineInfo{SHA256: strings.Repeat("a", 64), Comparable: true}
	c.Run.Rules = nil
	kinds := []struct {
		verdict  result.Verdict
		drift    result.Drift
		severity result.Severity
		status   result.Status
	}{
		{result.VerdictFail, result.DriftNew, result.SeverityHigh, result.StatusOpen},
		{result.VerdictFail, result.DriftExpired, result.SeverityMedium, result.StatusOpen},
		{result.VerdictFail, result.DriftUnchanged, result.SeverityCritical, result.StatusOpen},
		{result.VerdictWarn, result.DriftNew, result.SeverityLow, result.StatusOpen},
		{result.VerdictWarn, result.DriftUnverified, result.SeverityHigh, result.StatusOpen},
		{result.VerdictWarn, result.DriftUpdated, result.SeverityMedium, result.StatusOpen},
		{result.VerdictWarn, result.DriftUnchanged, result.SeverityLow, result.StatusOpen},
		{result.VerdictPass, result.DriftNew, result.SeverityCritical, result.StatusAccepted},
		{result.VerdictPass, result.DriftFixed, result.SeverityCritical, result.StatusOpen},
	}
	slices.Reverse(c.Findings)
	for i := range c.Findings {
		f, k := &c.Findings[i], kinds[len(kinds)-1-i]
		f.Verdict, f.Drift, f.Severity, f.Status = k.verdict, k.drift, k.severity, k.status
		f.Rule = fmt.Sprintf("MXS10%02d", i)
		f.Title = fmt.Sprintf("Finding number %d", len(kinds)-i)
		titles = append(titles, f.Title)
	}
	slices.Reverse(titles)
	return c, titles
}

// TestFailingFirst checks that every format lists first what fails the gate, then
// what is new, then by severity.
func TestFailingFirst(t *testing.T) {
	for _, form := range []string{"text", "json", "sarif", "junit", "csv", "markdown", "html", "gitlab", "defectdojo", "prometheus", "github"} {
		t.Run(form, func(t *testing.T) {
			c, titles := mixedRun()
			doc := string(write(t, form, format.Options{Verbose: true, SARIF: format.SARIFOptions{Profile: format.ProfileFull}}, c))
			switch form { // skips the descriptions of rules, and the summary of the page
			case "sarif":
				_, doc, _ = strings.Cut(doc, `"results":`)
			case "prometheus":
				for i, title := range titles {
					rule := fmt.Sprintf("rule=\"MXS10%02d\"", len(titles)-1-i)
					doc = strings.Replace(doc, rule, title, 1)
				}
			}
			last, listed := -1, 0
			for _, title := range titles {
				at := strings.Index(doc, title)
				if at < 0 {
					continue
				}
				listed++
				if at < last {
					t.Errorf("%q stands too early", title)
				}
				last = at
			}
			if listed < 7 { // the active ones
				t.Errorf("%d of %d findings are listed", listed, len(titles))
			}
		})
	}
}

// pick returns a random element.
func pick[T any](random *rand.Rand, list []T) T { return list[random.IntN(len(list))] }

// TestUrgencyIsAnOrder checks that findings of all kinds have one order, whatever
// the order of the input.
func TestUrgencyIsAnOrder(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var list []result.Finding
	for i := range 300 {
		list = append(list, result.Finding{
			ID: fmt.Sprint(i), Rule: "MXS1001", IP: netip.MustParseAddr("192.0.2.1"), Port: uint16(25 + random.IntN(3)),
			Severity: pick(random, result.Severities()), Drift: pick(random, result.Drifts()),
			Status:  pick(random, []result.Status{result.StatusOpen, result.StatusAccepted, result.StatusExpected, result.StatusFixed}),
			Verdict: pick(random, []result.Verdict{"", result.VerdictFail, result.VerdictWarn, result.VerdictPass}),
		})
	}
	want := slices.Clone(list)
	view.SortFindings(want)
	for range 20 {
		random.Shuffle(len(list), func(i, j int) { list[i], list[j] = list[j], list[i] })
		view.SortFindings(list)
		for i := range list {
			if list[i].ID != want[i].ID {
				t.Fatalf("finding %d is %+v, was %+v", i, list[i], want[i])
			}
		}
	}
}

// TestOnly checks that reports for people show the selected part and say so, and
// that formats that other programs import have all findings.
func TestOnly(t *testing.T) {
	shown := map[string][]int{format.OnlyNew: {1, 2, 4}, format.OnlyFailing: {1, 2, 3}}
	for only, numbers := range shown {
		for _, form := range Formats() {
			t.Run(only+"/"+form, func(t *testing.T) {
				c, titles := mixedRun()
				full, _ := mixedRun()
				doc := write(t, form, format.Options{Only: only}, c)
				if !slices.Contains(Restricted(), form) {
					if !bytes.Equal(doc, write(t, form, format.Options{}, full)) {
						t.Error("findings are left out")
					}
					return
				}
				for i, title := range titles {
					if got := bytes.Contains(doc, []byte(title)); got != slices.Contains(numbers, i+1) {
						t.Errorf("%q is shown: %v", title, got)
					}
				}
				says := bytes.Contains(bytes.Join(bytes.Fields(doc), []byte(" ")), []byte("6 other findings are left out"))
				if form != "csv" && form != "github" && !says {
					t.Errorf("nothing says that findings are left out:\n%s", doc)
				}
			})
		}
	}
}

// TestKnownFindingsAreFolded checks that known findings that do not fail the gate
// are one line of the text report and a notice among annotations, and listed with
// -v.
func TestKnownFindingsAreFolded(t *testing.T) {
	c, titles := mixedRun()
	known := titles[6]
	text := string(write(t, "text", format.Options{}, c))
	if strings.Contains(text, known) || !strings.Contains(text, "\nUnchanged  1 finding as in the baseline: 1 low; -v lists it\n") {
		t.Errorf("not folded:\n%s", text)
	}
	if !strings.Contains(text, titles[2]) {
		t.Error("an unchanged finding that fails the gate is folded")
	}
	c, _ = mixedRun()
	if text := string(write(t, "text", format.Options{Verbose: true}, c)); !strings.Contains(text, known) || strings.Contains(text, "\nUnchanged") {
		t.Errorf("folded:\n%s", text)
	}
	c, _ = mixedRun()
	for _, f := range c.Findings {
		f.Severity = result.SeverityCritical
		want := "error"
		switch {
		case f.Known():
			want = "notice"
		case f.Verdict == result.VerdictWarn:
			want = "warning"
		}
		if got := commandLevel(&f); f.Active() && got != want {
			t.Errorf("%s, %s: command is %s, want %s", f.Verdict, f.Drift, got, want)
		}
	}
}
