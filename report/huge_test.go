package report

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// hugeRun is a run of hosts that each have the given number of findings.
func hugeRun(hosts, each int) *view.Collector {
	start := result.NewTime(time.Date(2026, 11, 20, 6, 0, 0, 0, time.UTC))
	c := &view.Collector{
		Tool: result.Tool{Name: "mxsweep", Version: "0.1.0"},
		Run:  sampleRun(start),
	}
	for i := range each {
		c.Run.Rules = append(c.Run.Rules, result.RuleInfo{
			ID: fmt.Sprintf("MXS%d", 1001+i), Name: "PortExposed", Title: "Port exposed", Severity: result.Severities()[i%5],
			Why: "Anyone who can reach the port can use it.", Fix: "Bind it to loopback.", CWE: []int{668},
		})
	}
	for h := range hosts {
		addr := netip.AddrFrom4([4]byte{10, byte(h >> 16), byte(h >> 8), byte(h)})
		for i := range each {
			c.Ports = append(c.Ports, hugePort(addr, uint16(10024+i), h))
			c.Findings = append(c.Findings, hugeFinding(addr, uint16(10024+i), h, c.Run.Rules[i]))
		}
	}
	return c
}

func sampleRun(start result.Time) result.Run {
	return result.Run{
		ID: "7f6f0d8e-3f0b-4c6a-9d9f-0a3f4f6f1c11", StartTime: start, EndTime: start, Vantage: "internet",
		Scope: result.Scope{Name: "huge", SHA256: hex.EncodeToString(make([]byte, 32)), Ports: "10024-10028", Addresses: 5000},
	}
}

func hugePort(addr netip.Addr, port uint16, h int) result.Port {
	return result.Port{
		IP: addr, Host: fmt.Sprintf("mx%d.example.org", h), Port: port, Protocol: "tcp",
		State: result.StateOpen, Reason: "syn-ack", Timestamp: result.NewTime(time.Date(2026, 11, 20, 6, 0, 1, 0, time.UTC)),
		RTT: 1.5, Attempts: 1, Anchor: &result.Anchor{File: "scope.txt", Line: h + 1, EndColumn: 12, Text: addr.String()},
		Service: &result.Service{
			Name: "smtp", Product: "Postfix", Role: "reinjection", Method: "probed", Confidence: 9,
			CPEs:     []string{"cpe:2.3:a:postfix:postfix:*:*:*:*:*:*:*:*"},
			Evidence: []result.Evidence{{Probe: "smtp-ehlo", Sent: `EHLO scanner\r\n`, Observed: `250-mx.example.org\r\n250 XFORWARD`, Shows: "XFORWARD is offered"}},
		},
		Banner: &result.Banner{Text: "220 mx.example.org ESMTP Postfix (Debian/GNU)", SHA256: strings.Repeat("5f", 32)},
	}
}

func hugeFinding(addr netip.Addr, port uint16, h int, r result.RuleInfo) result.Finding {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", addr, port))
	return result.Finding{
		ID: hex.EncodeToString(sum[:]), Rule: r.ID, Severity: r.Severity, Title: r.Title, Score: 8,
		IP: addr, Host: fmt.Sprintf("mx%d.example.org", h), Port: port, Protocol: "tcp",
		Status: result.StatusOpen, Drift: result.DriftNew, Verdict: "fail", Confidence: 9, CWE: r.CWE,
		Tags: []string{"mail"}, Evidence: []string{"EHLO is answered with 250"},
		Remediation: "master.cf: 127.0.0.1:10025 inet n - n - 10 smtpd",
		Anchor:      &result.Anchor{File: "scope.txt", Line: h + 1, EndColumn: 12, Text: addr.String()},
	}
}

// play replays a run to a writer.
func play(c *view.Collector, w format.Writer) error {
	var s result.Summary
	s.Complete, s.Gate = true, result.GatePass
	if err := w.Start(c.Tool, c.Run); err != nil {
		return err
	}
	for _, p := range c.Ports {
		if err := w.Port(p); err != nil {
			return err
		}
	}
	for _, f := range c.Findings {
		s.Count(f)
		s.Gate, s.ExitCode = result.GateFail, 1
		if err := w.Finding(f); err != nil {
			return err
		}
	}
	for _, n := range c.Notices {
		if err := w.Notice(n); err != nil {
			return err
		}
	}
	s.Coverage = result.Coverage{Planned: uint64(len(c.Ports)), Answered: uint64(len(c.Ports)), Ratio: 1}
	return w.End(c.Run, s)
}

// write writes a run in a format. The zero collector is an empty run.
func write(t testing.TB, form string, o format.Options, c *view.Collector) []byte {
	t.Helper()
	if c.Run.ID == "" {
		c = hugeRun(0, 0)
	}
	var out bytes.Buffer
	w, err := New(form, &out, o)
	if err != nil {
		t.Fatal(err)
	}
	if err := play(c, w); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// BenchmarkFormats writes 25,000 findings on 5,000 hosts in every format; a
// format may take 3 seconds and 300 MiB.
func BenchmarkFormats(b *testing.B) {
	c := hugeRun(5000, 5)
	for _, form := range Formats() {
		b.Run(form, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				w, err := New(form, io.Discard, format.Options{})
				if err != nil {
					b.Fatal(err)
				}
				if err := play(c, w); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
