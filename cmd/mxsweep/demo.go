package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"

	"github.com/spf13/cobra"

	"github.com/mxsweep/mxsweep/internal/mailtest"
	"github.com/mxsweep/mxsweep/run"
)

// newDemo is "mxsweep demo".
func newDemo(s *session) *cobra.Command {
	var out outputFlags
	var quiet bool
	var listen string
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "scan a small built-in mail stack on loopback",
		Long: `Starts a small mail stack on 127.0.0.1 inside this process: DKIMproxy in front of
a Postfix re-injection port, amavisd, Cluebringer, Dovecot, and two decoys. Then
scans it over real connections and reports on it, as "mxsweep scan" does with any
target.

Services on 127.0.0.1 are not exposed; the demo assesses them as if the scanner
were on the internet. Nothing leaves this machine. The exit code is 0 if the demo
itself worked, whatever it finds.

With --listen the stack runs on a loopback address until it is stopped, so that
you can try scans and pipelines on it.`,
		Example: "  mxsweep demo\n  mxsweep demo --listen 127.0.0.1",
		Args:    exactArgs(0, ""),
		RunE: func(cmd *cobra.Command, _ []string) error {
			if cmd.Flags().Changed("listen") {
				return s.listen(cmd.Context(), listen)
			}
			return s.demo(cmd.Context(), &out, quiet)
		},
	}
	out.register(cmd.Flags())
	cmd.Flags().StringVar(&listen, "listen", "", "do not scan; run the stack on the loopback address `ADDRESS` until it is stopped")
	cmd.Flags().BoolVarP(&quiet, "quiet", "q", false, "print only the report")
	return cmd
}

// demo scans its own stack with the same code as any target.
func (s *session) demo(ctx context.Context, out *outputFlags, quiet bool) (err error) {
	stack, err := mailtest.StartStack(netip.AddrFrom4([4]byte{127, 0, 0, 1}))
	if err != nil {
		return fmt.Errorf("starting the demo's mail stack: %w", err)
	}
	defer func() { err = errors.Join(err, stack.Close()) }()

	intro := io.Discard
	if !quiet {
		intro = s.stderr
	}
	introduce(intro, "127.0.0.1", stack)
	fmt.Fprintln(intro, "mxsweep: services are assessed as if the scanner were on the internet; nothing leaves this machine")
	out.local = true // the findings of the demo must not reach a pipeline
	specs, err := out.specs(s)
	if err != nil {
		return err
	}
	opts := run.Options{
		Vantage: "internet", Rate: -1, SoftFail: true, NoPolicy: true,
		Outputs: specs, Private: out.private,
		Watch: s.watch(auto, out.color.value, quiet),
	}
	s.identify(&opts)
	for _, service := range stack.Services {
		opts.Targets = append(opts.Targets, service.Addr().String())
	}
	p, err := run.NewPlan(ctx, opts)
	if err != nil {
		return err
	}
	if err := s.runPlan(ctx, p, opts.Outputs, quiet); err != nil || ctx.Err() != nil {
		return err
	}
	fmt.Fprintln(intro, "mxsweep: the demo worked (exit 0); a scan with this result would exit 1")
	return nil
}

// introduce lists the listeners by port, and says where a usual port was in use.
func introduce(w io.Writer, address string, stack *mailtest.Stack) {
	fmt.Fprintf(w, "mxsweep: a small mail stack listens on %s, inside this process:\n", address)
	services := slices.SortedFunc(slices.Values(stack.Services), func(a, b mailtest.Service) int {
		return cmp.Compare(a.Addr().Port(), b.Addr().Port())
	})
	for _, service := range services {
		fmt.Fprintf(w, "mxsweep:   %5d  %s", service.Addr().Port(), service.Name)
		if service.Addr().Port() != service.Port {
			fmt.Fprintf(w, " (its usual port %d is in use)", service.Port)
		}
		fmt.Fprintln(w)
	}
}

// listen keeps the stack running until ctx is done. It simulates servers that would be
// dangerous if they were real, so only this machine can reach it.
func (s *session) listen(ctx context.Context, address string) error {
	addr, err := netip.ParseAddr(address)
	if err != nil || !addr.IsLoopback() {
		return usagef("use 127.0.0.1 or another loopback address; the stack is for this machine only", "reading flag \"--listen\": %q is not a loopback address", address)
	}
	s.graceful.Store(true)
	stack, err := mailtest.StartStack(addr)
	if err != nil {
		return fmt.Errorf("starting the demo's mail stack on %q: %w", address, err)
	}
	introduce(s.stderr, address, stack)
	fmt.Fprintln(s.stderr, "mxsweep: it runs until you stop it (Ctrl-C)")
	<-ctx.Done()
	return stack.Close()
}
