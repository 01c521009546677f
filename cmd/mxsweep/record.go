package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/spf13/cobra"

	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/outfile"
	"github.com/mxsweep/mxsweep/report/sanitize"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// newSignaturesRecord returns the command "mxsweep signatures record".
func newSignaturesRecord(s *session, dirs *[]string) *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "record HOST:PORT",
		Short: "record the replies of a port to all safe probes, as an example",
		Long: `Sends every safe probe that applies to HOST:PORT and writes the transcript, which
an entry under examples refers to with "file: FILE". Only record ports that you
are authorized to scan. The transcript contains the names and addresses that the
daemon discloses: read it before you share it.`,
		Example: "  mxsweep signatures record 192.0.2.10:10025 -o testdata/mydaemon.json",
		Args:    exactArgs(1, "one HOST:PORT"),
		RunE: func(cmd *cobra.Command, args []string) error {
			return s.record(cmd.Context(), args[0], output, *dirs)
		},
	}
	cmd.Flags().StringVarP(&output, "output", "o", "-", "write to `FILE`")
	return cmd
}

// record writes the transcript of one port.
func (s *session) record(ctx context.Context, target, output string, dirs []string) error {
	addr, scope, err := recordTarget(ctx, target)
	if err != nil {
		return err
	}
	set, err := run.LoadSignatures(dirs)
	if err != nil {
		return err
	}
	s.graceful.Store(true)
	var file *outfile.File
	if output != "-" {
		if file, err = outfile.Create(output, outfile.Mode{Done: ctx.Done()}); err != nil {
			return fault.As(fault.Failed, fmt.Errorf("opening output %q: %w", output, fault.WithoutPath(err)))
		}
	}
	id := &fingerprint.Identifier{Signatures: set, Allowed: scope.Allows, Record: true}
	service, err := id.Identify(ctx, scan.Result{Target: addr, State: result.StateOpen, Time: time.Now()})
	if err == nil && (service.Transcript == nil || len(service.Transcript.Exchanges) == 0) {
		err = errors.New("the port sent nothing")
	}
	var data []byte
	if err == nil {
		for i := range service.Transcript.Exchanges {
			e := &service.Transcript.Exchanges[i]
			e.Greeting, e.Reply = masked(e.Greeting), masked(e.Reply)
		}
		data, err = json.MarshalIndent(service.Transcript, "", "  ")
	}
	if err != nil {
		if file != nil {
			file.Discard()
		}
		return fault.As(fault.Failed, fmt.Errorf("recording %s: %w", target, err))
	}
	data = append(data, '\n')
	if file == nil {
		_, err = s.stdout.Write(data)
		return fault.WriteError(standardOutput, err)
	}
	if _, err = file.Write(data); err != nil {
		file.Discard()
		return fault.WriteError(fmt.Sprintf("%q", output), err)
	}
	return fault.WriteError(fmt.Sprintf("%q", output), file.Commit())
}

// masked returns what a daemon sent with its secrets masked.
func masked(said []byte) []byte { return []byte(sanitize.MaskSecrets(string(said))) }

// recordTarget parses one address or name with a port; of a name, the first
// address is used.
func recordTarget(ctx context.Context, target string) (netip.AddrPort, *scope.Set, error) {
	targets, err := new(scope.Parser).Targets(ctx, []string{target})
	if err != nil {
		return netip.AddrPort{}, nil, fault.As(fault.Usage, err)
	}
	t := targets[0]
	switch {
	case t.Err != nil:
		return netip.AddrPort{}, nil, fault.As(fault.Usage, t.Err)
	case t.Ports.Len() != 1 || t.Name == "" && t.Ranges[0].From() != t.Ranges[0].To():
		return netip.AddrPort{}, nil, usagef("write HOST:PORT, like 192.0.2.10:10025 or [2001:db8::1]:25", "reading target %q: one host with one port expected", target)
	}
	scope, err := scope.New(scope.Bounds{Targets: targets})
	if err != nil {
		return netip.AddrPort{}, nil, fault.As(fault.Usage, err)
	}
	return netip.AddrPortFrom(t.Ranges[0].From(), t.Ports.Ports()[0]), scope, nil
}
