package run

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/netip"
	"os"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/internal/auditlog"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/outfile"
	"github.com/mxsweep/mxsweep/internal/redact"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/output"
)

// An audit is the log of --audit-log while a run lasts. The nil audit writes
// nothing.
type audit struct {
	file *os.File
	log  auditlog.Log
	tear *auditlog.Tear // what an earlier run left of its last line; nil if nothing
	done string         // what was repaired, "" before the first line and if nothing was
}

// openAudit opens the log for appending and verifies what it holds: a broken
// chain must not be carried on. It is locked until it is closed, so that two
// runs do not write the same number. Nothing in it changes before the first
// line is written.
func (o *Options) openAudit(ctx context.Context) (*audit, error) {
	name := o.AuditLog
	if name == "" {
		return nil, nil
	}
	if info, err := os.Stat(name); err == nil && !info.Mode().IsRegular() && name != os.DevNull {
		return nil, fault.Usagef("name a file on a disk", "opening audit log %q: not a regular file", name)
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fault.As(fault.Failed, fmt.Errorf("opening audit log %q: %w", name, fault.WithoutPath(err)))
	}
	if err := o.lockAudit(ctx, f); err != nil {
		f.Close()
		return nil, fault.As(fault.Failed, fmt.Errorf("locking audit log %q: %w", name, err))
	}
	tail, tear, err := auditlog.Read(name, f)
	if err != nil {
		f.Close()
		return nil, fault.As(fault.Usage, err)
	}
	return &audit{file: f, log: auditlog.Log{W: f, Tail: tail}, tear: tear}, nil
}

// lockAudit waits until no other run has the log, and says so if there is one.
func (o *Options) lockAudit(ctx context.Context, f *os.File) error {
	again := time.NewTicker(50 * time.Millisecond)
	defer again.Stop()
	for told := false; ; told = true {
		err := outfile.TryLock(f)
		if !errors.Is(err, outfile.ErrLocked) {
			return ignoreUnsupported(err)
		}
		if !told {
			o.log("waiting for another run that writes the audit log %q", f.Name())
		}
		select {
		case <-again.C:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// ignoreUnsupported drops the error of a system or file system without locks:
// there the user sees to it that one run at a time writes a log.
func ignoreUnsupported(err error) error {
	if errors.Is(err, errors.ErrUnsupported) {
		return nil
	}
	return err
}

// close gives the log back. The file of a run that wrote nothing stays as it
// was.
func (a *audit) close() {
	if a == nil {
		return
	}
	info, err := a.file.Stat()
	a.file.Close()
	if err == nil && info.Mode().IsRegular() && info.Size() == 0 && a.log.Tail.Seq == 0 {
		os.Remove(a.file.Name()) // an empty log says nothing
	}
}

// repair ends or cuts off what a killed run left of its last line.
func (a *audit) repair() error {
	if a.tear == nil || a.done != "" {
		return nil
	}
	a.done = a.tear.Fix()
	if a.tear.Whole {
		_, err := a.file.WriteString("\n")
		return err
	}
	if err := a.file.Truncate(a.tear.At); err != nil {
		// Windows cuts off nothing through a file that is open for appending.
		return os.Truncate(a.file.Name(), a.tear.At)
	}
	return nil
}

// append writes one line; the first one says what was repaired before it.
func (a *audit) append(event string, fields map[string]string) error {
	if a == nil {
		return nil
	}
	first := a.tear != nil && a.done == ""
	if err := a.repair(); err != nil {
		return fault.WriteError(fmt.Sprintf("audit log %q", a.file.Name()), err)
	}
	if first {
		fields["repaired"] = a.done
	}
	return fault.As(fault.Failed, a.log.Append(time.Now(), event, fields))
}

// notices tell of what was repaired.
func (a *audit) notices() []result.Notice {
	if a == nil || a.done == "" {
		return nil
	}
	return []result.Notice{exposure.NewNotice(exposure.NoticeAuditRepaired, "", nil,
		"The audit log %q was repaired at line %d: %s.", a.file.Name(), a.tear.Number(), a.done)}
}

// start writes down what is about to be done, by whom, and who authorized it.
func (a *audit) start(p *Plan, run result.Run) error {
	if a == nil {
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
	return a.append(auditlog.RunStart, fields)
}

// end writes down how the run ended, and what it wrote.
func (a *audit) end(run result.Run, c *Outcome, code gate.ExitCode, outs *output.Set) error {
	if a == nil {
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
	return a.append(auditlog.RunEnd, fields)
}

// LogRefusal writes down in the audit log of a run that it did not take place, and
// why. The notices tell of what was repaired there. Without an audit log it does
// nothing.
func (o *Options) LogRefusal(ctx context.Context, cause error) ([]result.Notice, error) {
	a, err := o.openAudit(ctx)
	if err != nil || a == nil {
		return nil, err
	}
	defer a.close()
	fields := o.whoRuns()
	fields["command"], fields["reason"] = strings.Join(o.redacted(), " "), cause.Error()
	err = a.append(auditlog.RunRefused, fields)
	return a.notices(), err
}

// whoRuns is who runs the program, where, and which it is. What this machine
// does not tell is left out.
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

// maxSources is how many ranges of the scope are looked up for the addresses
// that they are asked from.
const maxSources = 64

// sourceAddresses are the addresses of this machine that the targets see, by
// the routes to the first of them. Nothing is sent: a connected UDP socket only
// looks the route up (connect(2)).
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

// redacted is the command line as it may be written down.
func (o *Options) redacted() []string {
	return append([]string{"mxsweep"}, redact.Args(o.Command)...)
}
