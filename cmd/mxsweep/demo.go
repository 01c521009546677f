package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"mxsweep/internal/mailtest"
)

// newDemo is "mxsweep demo".
func newDemo(s *session) *cobra.Command {
	var out outputFlags
	var quiet bool
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "start a small mail stack on loopback, sweep it, show what is found",
		Long: `Starts a small mail stack inside of this process on 127.0.0.1: DKIMproxy in
front of a Postfix re-injection port, amavisd, Cluebringer, Dovecot, and two
decoys. Then it sweeps, identifies, judges and reports it as "mxsweep scan" does
with any target, over real connections.

From 127.0.0.1 nothing is exposed; the demo judges as if it stood on the
internet. Nothing leaves this machine. The exit code is 0 if the demo itself
worked: its purpose is to find something.`,
		Args: exactArgs(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			return s.demo(cmd.Context(), &out, quiet)
		},
	}
	out.register(cmd.Flags())
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print nothing besides the report")
	return cmd
}

// demo sweeps a stack of its own with the code that sweeps any target.
func (s *session) demo(ctx context.Context, out *outputFlags, quiet bool) (err error) {
	stack, err := mailtest.StartStack(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	if err != nil {
		return fmt.Errorf("starting the demo's mail stack: %w", err)
	}
	defer func() { err = errors.Join(err, stack.Close()) }()

	flags := &scanFlags{}
	set := pflag.NewFlagSet("demo", pflag.ContinueOnError)
	flags.register(set)
	if err := set.Parse([]string{"--vantage", "internet", "--rate", "0", "--soft-fail"}); err != nil {
		return fmt.Errorf("preparing the demo: %w", err)
	}
	out.local = true // what the demo finds is nothing that a pipeline should hear of
	flags.output, flags.quiet, flags.withoutPolicy = *out, quiet, true
	var targets []string
	intro := io.Discard
	if !quiet {
		intro = s.stderr
	}
	fmt.Fprintln(intro, "mxsweep: a small mail stack listens on 127.0.0.1, inside of this process:")
	for _, service := range stack.Services {
		fmt.Fprintf(intro, "mxsweep:   %5d  %s\n", service.Addr().Port(), service.Name)
		targets = append(targets, service.Addr().String())
	}
	fmt.Fprintln(intro, "mxsweep: it is judged as if this were seen from the internet; nothing leaves this machine")
	return s.scan(ctx, flags, set, targets)
}
