package main

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"mxsweep/exposure"
	"mxsweep/report"
)

// newAudit is "mxsweep audit".
func newAudit(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "audit",
		Short: "verify an audit log",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef(`"mxsweep audit --help" lists the verbs`, "naming a verb of audit: none given")
			}
			return unknownVerb(cmd, args[0])
		},
	}
	cmd.AddCommand(&cobra.Command{
		Use:   "verify FILE",
		Short: "check that no line of an audit log was changed, dropped or moved",
		Long: `Checks the chain of hashes of FILE, which "mxsweep scan --audit-log FILE" wrote,
and prints the last hash. Lines cut off at the end do not show in the file
alone: compare the hash with one that was kept elsewhere.`,
		Args: exactArgs(1, "one audit log"),
		RunE: func(_ *cobra.Command, args []string) error {
			f, err := os.Open(args[0])
			if err != nil {
				return usagef("FILE is what mxsweep scan --audit-log FILE wrote", "opening audit log %q: %w", args[0], bare(err))
			}
			defer f.Close()
			tail, err := exposure.VerifyAudit(args[0], f)
			if err != nil {
				return coded(exitError, err)
			}
			if tail.Seq == 0 {
				_, err = fmt.Fprintln(s.stdout, "the audit log is empty")
				return writing(standardOutput, err)
			}
			_, err = fmt.Fprintf(s.stdout, "%d lines, unbroken, the last of %s\n%s\n", tail.Seq, tail.Time.Format(time.RFC3339), tail.Hash)
			return writing(standardOutput, err)
		},
	})
	return cmd
}

// An audit is the log of --audit-log while a run lasts. The nil audit writes
// nothing.
type audit struct {
	file *os.File
	log  exposure.AuditLog
}

// openAudit opens the log for appending and verifies what it holds: a broken
// chain must not be carried on. It is locked until it is closed, so that two
// runs do not write the same number.
func openAudit(name string) (*audit, error) {
	if name == "" {
		return nil, nil
	}
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return nil, coded(exitError, fmt.Errorf("opening audit log %q: %w", name, bare(err)))
	}
	if err := lockFile(f); err != nil {
		f.Close()
		return nil, coded(exitError, fmt.Errorf("locking audit log %q: %w", name, err))
	}
	tail, err := exposure.VerifyAudit(name, f)
	if err != nil {
		f.Close()
		return nil, coded(exitUsage, err)
	}
	return &audit{file: f, log: exposure.AuditLog{W: f, Tail: tail}}, nil
}

// close gives the log back.
func (a *audit) close() {
	if a != nil {
		a.file.Close()
	}
}

func (a *audit) append(event string, fields map[string]string) error {
	if a == nil {
		return nil
	}
	return coded(exitError, a.log.Append(time.Now(), event, fields))
}

// start writes down what is about to be done, by whose leave.
func (a *audit) start(p *plan, run report.Run) error {
	return a.append(exposure.AuditStart, map[string]string{
		"run_id":        run.ID,
		"command":       strings.Join(run.Args, " "),
		"authorization": run.Authorization,
		"scope":         run.Scope.Name,
		"scope_sha256":  run.Scope.SHA256,
		"addresses":     strconv.FormatUint(run.Scope.Addresses, 10),
		"ports":         run.Scope.Ports,
		"vantage":       run.Vantage,
		"mode":          run.Mode,
		"intrusive":     strconv.FormatBool(p.flags.intrusive),
	})
}

// end writes down how the run ended.
func (a *audit) end(run report.Run, c *conclusion) error {
	return a.append(exposure.AuditEnd, map[string]string{
		"run_id":    run.ID,
		"exit_code": strconv.Itoa(c.summary.ExitCode),
		"gate":      c.summary.Gate,
		"complete":  strconv.FormatBool(c.summary.Complete),
		"hosts_up":  strconv.Itoa(c.summary.Coverage.HostsUp),
		"open":      strconv.Itoa(len(c.open)),
		"findings":  strconv.Itoa(len(c.findings)),
	})
}

// refused writes down a run that did not take place.
func (s *session) refused(flags *scanFlags, cause error) error {
	a, err := openAudit(flags.auditLog)
	if err != nil || a == nil {
		return errors.Join(cause, err)
	}
	defer a.close()
	return errors.Join(cause, a.append(exposure.AuditRefused, map[string]string{
		"command": strings.Join(s.redacted(), " "),
		"reason":  cause.Error(),
	}))
}

// redacted is the command line as it may be written down.
func (s *session) redacted() []string {
	return append([]string{"mxsweep"}, exposure.RedactArgs(s.args)...)
}
