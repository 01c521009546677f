package main

import (
	"context"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/internal/outfile"
	"github.com/mxsweep/mxsweep/run/output"
)

// newScan is "mxsweep scan".
func newScan(s *session) *cobra.Command {
	flags := &scanFlags{}
	cmd := &cobra.Command{
		Use:   "scan [TARGET...]",
		Short: "sweep, identify, judge and report",
		Long: `Sweeps the targets for open ports, finds out by dialogue which daemon answers,
judges whether it should have, and writes reports.

A TARGET is an address, a prefix (192.0.2.0/28), a range (192.0.2.1-9 or
192.0.2.1-192.0.3.4) or a host name, of which all addresses are swept; each may
carry a port (mx1.example.org:10025, [2001:db8::1]:25). Without a target the
whole scope file is swept.

Everything is read and checked before the first packet leaves. Nothing outside
the scope is contacted. Only scan what you are authorized to scan.`,
		Example: `  mxsweep scan 192.0.2.10
  mxsweep scan 192.0.2.0/28 -p internal,25 -o text -o json=run.json
  mxsweep scan --scope scope.txt -o sarif=mxsweep.sarif --fail-on any:high
  mxsweep scan --scope scope.txt --dry-run`,
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.scan(cmd.Context(), flags, cmd.Flags(), args)
		},
	}
	flags.register(cmd.Flags())
	return cmd
}

// scan plans a run, opens what it will write, and carries it out.
func (s *session) scan(ctx context.Context, flags *scanFlags, given *pflag.FlagSet, args []string) error {
	begun := time.Now()
	p, err := newPlan(ctx, s, flags, given, args)
	if err != nil {
		if codeOf(err) == exitRefused && !flags.dryRun && !outfile.IsConflict(err) {
			return s.refused(ctx, flags, err)
		}
		return err
	}
	if flags.dryRun {
		if p.blind() {
			s.code = gate.ExitIncomplete
		}
		return p.describe(s.stdout)
	}
	specs, err := flags.output.specs(s)
	if err != nil {
		return err
	}
	if err := p.openResumption(ctx, given.Changed("seed")); err != nil {
		return err
	}
	defer p.resumed.drop()
	s.winds.Store(true) // before there is a file that nobody would end
	outs, err := output.Open(ctx, specs, output.Rule{Private: flags.output.private, DropsRights: flags.mode.value != modeConnect, Hashed: flags.auditLog != "", Pcap: flags.pcap, Log: s.log})
	if err != nil {
		return err
	}
	log, err := s.openAudit(ctx, flags.auditLog)
	if err != nil {
		outs.Discard()
		return err
	}
	defer log.close()
	ctx, cancel := p.bounded(ctx, begun)
	defer cancel()
	return s.carryOut(ctx, p, specs, outs, log)
}
