package run

import (
	"context"
	"errors"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/internal/auditlog"
	"github.com/mxsweep/mxsweep/internal/redact"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/output"
)

// An audit is the log of --audit-log while a run lasts. Without one it writes
// nothing.
type audit struct{ *auditlog.File }

// openAudit opens the audit log, if there is one.
func (o *Options) openAudit(ctx context.Context) (audit, error) {
	f, err := auditlog.Open(ctx, o.AuditLog, func() { o.log("waiting for another run that is writing the audit log %q", o.AuditLog) })
	return audit{f}, err
}

// checkAudit returns an error for an audit log that a run could not continue. A log to
// which another run is writing is not waited for.
func (o *Options) checkAudit(ctx context.Context) error {
	ctx, busy := context.WithCancelCause(ctx)
	defer busy(nil)
	f, err := auditlog.Open(ctx, o.AuditLog, func() { busy(errBusy) })
	f.Close()
	if errors.Is(err, errBusy) {
		return nil
	}
	return err
}

// errBusy ends the wait for another run.
var errBusy = errors.New("another run is writing it")

// repaired reports what was repaired in the audit log.
func (o *Options) repaired(a audit) []result.Notice {
	line, how := a.Repaired()
	if line == 0 {
		return nil
	}
	return []result.Notice{exposure.NewNotice(exposure.NoticeAuditRepaired, "", nil,
		"The audit log %q was repaired at line %d: %s.", o.AuditLog, line, how)}
}

// start records what the run will do, who started it, and who authorized it.
func (a audit) start(p *Plan, run result.Run) error {
	if a.File == nil {
		return nil
	}
	fields := p.opts.whoRuns()
	maps.Copy(fields, map[string]string{
		"run_id":        run.ID,
		"command":       strings.Join(run.Args, " "),
		"authorization": run.Authorization,
		"scope":         run.Scope.Name,
		"scope_sha256":  run.Scope.SHA256,
		"addresses":     strconv.FormatUint(run.Scope.Addresses, 10),
		"ports":         run.Scope.Ports,
		"vantage":       run.Vantage,
		"mode":          run.Mode,
		"intrusive":     strconv.FormatBool(p.opts.Intrusive),
		"source":        strings.Join(p.sourceAddresses(), " "),
	})
	return a.Append(auditlog.RunStart, fields)
}

// end records how the run ended, and the reports.
func (a audit) end(run result.Run, c *Outcome, code gate.ExitCode, outs *output.Set) error {
	if a.File == nil {
		return nil
	}
	fields := map[string]string{
		"run_id":    run.ID,
		"exit_code": strconv.Itoa(int(code)),
		"gate":      string(c.Summary.Gate),
		"complete":  strconv.FormatBool(c.Summary.Complete),
		"hosts_up":  strconv.Itoa(c.Summary.Coverage.HostsUp),
		"open":      strconv.Itoa(len(c.Open)),
		"findings":  strconv.Itoa(len(c.Findings)),
	}
	maps.Copy(fields, outs.Hashes())
	return a.Append(auditlog.RunEnd, fields)
}

// LogRefusal records in the audit log of a run that it was refused, and why. The
// notices report what was repaired there. Without an audit log it does nothing.
func (o *Options) LogRefusal(ctx context.Context, cause error) ([]result.Notice, error) {
	a, err := o.openAudit(ctx)
	if err != nil || a.File == nil {
		return nil, err
	}
	defer a.Close()
	fields := o.whoRuns()
	fields["command"], fields["reason"] = strings.Join(o.redacted(), " "), cause.Error()
	err = a.Append(auditlog.RunRefused, fields)
	return o.repaired(a), err
}

// whoRuns returns who runs the program, where, and which version. Unknown values are
// omitted.
func (o *Options) whoRuns() map[string]string {
	fields := map[string]string{"tool": "mxsweep " + o.Version}
	if u, err := user.Current(); err == nil {
		fields["user"] = u.Username
	}
	// sudo(8) says who became root.
	if by := os.Getenv("SUDO_USER"); by != "" {
		fields["sudo_user"] = by
	}
	if host, err := os.Hostname(); err == nil {
		fields["host"] = host
	}
	return fields
}

// maxSources is how many ranges of the scope are used to find source addresses.
const maxSources = 64

// sourceAddresses returns the addresses of this machine that the targets see, by the
// routes to the first of them. Nothing is sent: a connected UDP socket only looks up
// the route (connect(2)).
func (p *Plan) sourceAddresses() []string {
	var sources []string
	n := 0
	for r := range p.scope.Ranges() {
		if n++; n > maxSources {
			break
		}
		conn, err := net.Dial("udp", netip.AddrPortFrom(r.From(), 9).String())
		if err != nil {
			continue // no route; the run will say so
		}
		if at, ok := conn.LocalAddr().(*net.UDPAddr); ok {
			sources = append(sources, at.AddrPort().Addr().Unmap().String())
		}
		conn.Close() // nothing was sent
	}
	slices.Sort(sources)
	return slices.Compact(sources)
}

// redacted returns the command line without secrets.
func (o *Options) redacted() []string {
	return append([]string{"mxsweep"}, redact.Args(o.Command)...)
}
