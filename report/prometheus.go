package report

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// maxSeries is the maximum number of findings with a time series of their own:
// the server keeps each for its whole retention time.
const maxSeries = 1000

// prometheusWriter writes metrics for node_exporter's textfile collector, in the
// Prometheus text format 0.0.4.
type prometheusWriter struct {
	view.Collector
	w io.Writer
}

func newPrometheus(w io.Writer, _ format.Options) format.Writer { return &prometheusWriter{w: w} }

// End implements [format.Writer].
func (p *prometheusWriter) End(r result.Run, s result.Summary) error {
	p.Finish(r)
	m := metrics{w: bufio.NewWriter(p.w), scope: cmp.Or(p.Run.Scope.Name, "run"), vantage: p.Run.Vantage}
	p.runMetrics(&m, s)
	m.family("mxsweep_findings", "Open findings by severity.")
	for _, sev := range result.Severities() {
		m.sample("mxsweep_findings", float64(*s.BySeverity.Of(sev)), "severity", sev.String())
	}
	m.family("mxsweep_findings_by_drift", "Findings by their relation to the baseline.")
	for _, d := range result.Drifts() {
		m.sample("mxsweep_findings_by_drift", float64(*s.ByDrift.Of(d)), "drift", string(d))
	}
	m.one("mxsweep_findings_accepted", "Findings covered by an accepted risk.", float64(s.Accepted))
	m.one("mxsweep_acceptances_expired", "Accepted risks that have expired.", float64(s.AcceptancesExpired))
	p.portMetrics(&m)
	p.findingMetrics(&m)
	return m.w.Flush()
}

func (p *prometheusWriter) runMetrics(m *metrics, s result.Summary) {
	m.family("mxsweep_build_info", "Version of the program that made the run.")
	m.sample("mxsweep_build_info", 1, "version", p.Tool.Version, "rules_version", p.Tool.RulesVersion)
	m.one("mxsweep_run_start_timestamp_seconds", "When the run started, in seconds since 1970.", unix(p.Run.StartTime))
	if !p.Run.EndTime.IsZero() {
		m.one("mxsweep_run_end_timestamp_seconds", "When the run ended, in seconds since 1970.", unix(p.Run.EndTime))
	}
	complete := 0.0
	if s.Complete {
		complete = 1
	}
	m.one("mxsweep_run_complete", "1 if the run completed.", complete)
	incomplete := 0.0
	if s.Partial() {
		incomplete = 1
	}
	m.one("mxsweep_run_incomplete", "1 if the coverage was too low: there may be more findings.", incomplete)
	m.one("mxsweep_exit_code", "The exit code of the run.", float64(s.ExitCode))
	m.family("mxsweep_gate", "1 for the result of the gate.")
	for _, g := range result.GateResults() {
		v := 0.0
		if g == s.Gate {
			v = 1
		}
		m.sample("mxsweep_gate", v, "gate", string(g))
	}
	m.one("mxsweep_coverage_ratio", "Fraction of the planned pairs of address and port with a conclusive result, 0 to 1.", s.Coverage.Ratio)
	m.family("mxsweep_hosts", "Addresses that answered and addresses that were silent, without vacant ones.")
	m.sample("mxsweep_hosts", float64(s.Coverage.HostsUp), "state", "up")
	m.sample("mxsweep_hosts", float64(s.Coverage.HostsSilent), "state", "silent")
	if c := s.Coverage.CoverageCounts; c != nil {
		m.sample("mxsweep_hosts", float64(c.Vacant), "state", "vacant")
		m.family("mxsweep_coverage_pairs", "Planned pairs of address and port by result; unknown is not conclusive.")
		m.sample("mxsweep_coverage_pairs", float64(c.Open), "result", "open")
		m.sample("mxsweep_coverage_pairs", float64(c.Closed), "result", "closed")
		m.sample("mxsweep_coverage_pairs", float64(c.Filtered), "result", "filtered")
		m.sample("mxsweep_coverage_pairs", float64(c.Unknown), "result", "unknown")
	}
}

func (p *prometheusWriter) portMetrics(m *metrics) {
	states := make(map[result.State]int)
	for i := range p.Ports {
		states[p.Ports[i].State]++
	}
	m.family("mxsweep_ports", "Reported ports by state.")
	for _, s := range result.States() {
		m.sample("mxsweep_ports", float64(states[s]), "state", string(s))
	}
}

// findingMetrics writes a time series for each of the most urgent findings.
func (p *prometheusWriter) findingMetrics(m *metrics) {
	live := p.Shown("")
	left := max(len(live)-maxSeries, 0)
	m.one("mxsweep_finding_series_left_out", "Findings without a series of their own.", float64(left))
	if len(live) == 0 {
		return
	}
	ports := p.ByPlace()
	m.family("mxsweep_finding", "1 for each open finding.")
	for _, f := range live[:len(live)-left] {
		product := ""
		if port := ports[view.FindingPlace(f)]; port != nil && port.Service != nil {
			product = port.Service.KnownProduct()
		}
		ip, number, _ := view.Endpoint(f)
		labels := []string{"rule", f.Rule, "severity", f.Severity.String(), "drift", string(f.Drift),
			"ip", ip, "host", f.Host, "port", number, "product", product}
		if f.Listener != nil {
			labels = append(labels, "listener", f.Listener.Name)
		}
		m.sample("mxsweep_finding", 1, labels...)
	}
}

func unix(t result.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// metrics writes gauges with labels for the scope and the vantage.
type metrics struct {
	w              *bufio.Writer
	scope, vantage string
}

func (m *metrics) family(name, help string) {
	fmt.Fprintf(m.w, "# HELP %s %s\n# TYPE %s gauge\n", name, help, name)
}

func (m *metrics) one(name, help string, v float64) {
	m.family(name, help)
	m.sample(name, v)
}

var labelEscape = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

// sample writes one value with further labels, given as name, value, ...
func (m *metrics) sample(name string, v float64, labels ...string) {
	fmt.Fprintf(m.w, `%s{scope="%s",vantage="%s"`, name, labelEscape.Replace(m.scope), labelEscape.Replace(m.vantage))
	for i := 0; i+1 < len(labels); i += 2 {
		fmt.Fprintf(m.w, `,%s="%s"`, labels[i], labelEscape.Replace(labels[i+1]))
	}
	if v == float64(int64(v)) {
		fmt.Fprintf(m.w, "} %d\n", int64(v))
	} else {
		fmt.Fprintf(m.w, "} %g\n", v)
	}
}
