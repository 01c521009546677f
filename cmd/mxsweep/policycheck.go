package main

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strings"

	"github.com/spf13/cobra"

	"github.com/mxsweep/mxsweep/exposure/policy"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/memory"
	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// newPolicy is "mxsweep policy".
func newPolicy(s *session) *cobra.Command {
	flags := &scanFlags{}
	cmd := &cobra.Command{
		Use:   "policy",
		Short: "check a policy file",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef(`"mxsweep policy --help" lists the commands`, "missing command after policy")
			}
			return unknownVerb(cmd, args[0])
		},
	}
	check := &cobra.Command{
		Use:   "check [FILE]",
		Short: "check a policy file and the scope files that it names",
		Long: `Reads FILE, or mxsweep.yaml, as "mxsweep scan" does, and the scope files that it
names. Nothing is looked up and nothing is sent. Accepted risks that expired,
expire soon or cover very many hosts are told, and an authorization that does not
hold now or at --now; the exit code stays 0.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return usagef("usage: "+cmd.UseLine(), "reading the arguments %q: one policy file expected", args)
			}
			if len(args) == 1 {
				flags.policy = args[0]
			}
			return s.checkPolicy(cmd.Context(), flags)
		},
	}
	registerNow(check.Flags(), flags)
	cmd.AddCommand(check)
	return cmd
}

// checkPolicy reads a policy and its scope files and says what is in it.
func (s *session) checkPolicy(ctx context.Context, flags *scanFlags) error {
	defer memory.BoundReading()()
	known, rules, err := loadKnowledge()
	if err != nil {
		return err
	}
	file, err := flags.readPolicy(rules, known)
	if err != nil {
		return err
	}
	if file == nil {
		return usagef("name one, or write "+policy.DefaultFile, "reading the policy: there is none")
	}
	p := &plan{policy: file}
	allowed, excluded, err := p.policyScope(ctx, &scope.Parser{Resolver: nobody{}})
	if err != nil {
		return fault.As(fault.Usage, err)
	}
	if err := p.checkCanaries(ctx, allowed, excluded); err != nil {
		return err
	}
	_, err = fmt.Fprintf(s.stdout, "%s is sound: %s\n", file.File, strings.Join([]string{
		spelling.Amount(entries(allowed), "scope entry", "scope entries"),
		spelling.Amount(entries(excluded), "exclude", "excludes"),
		spelling.Amount(len(file.Canaries), "canary", "canaries"),
		spelling.Amount(len(file.Expect), "expected service", "expected services"),
		spelling.Amount(len(file.MustBeClosed), "must_be_closed entry", "must_be_closed entries"),
		spelling.Amount(len(file.Accept), "accepted risk", "accepted risks"),
	}, ", "))
	if why := file.Authorization.Warning(flags.time()); why != "" {
		fmt.Fprintf(s.stderr, "mxsweep: %s\n", visible(why))
	}
	for _, n := range file.OwnNotices(flags.time()) {
		s.tell(n)
	}
	return fault.WriteError(standardOutput, err)
}

// checkCanaries refuses canaries outside of the policy's own scope, as a scan
// would. Of names it is known only then.
func (p *plan) checkCanaries(ctx context.Context, allowed, excluded []scope.Target) error {
	var names []string
	for i := range p.policy.Canaries {
		if c := &p.policy.Canaries[i]; len(allowed) > 0 {
			if _, err := netip.ParseAddr(c.Selector.Text()); err == nil {
				names = append(names, c.Target())
			}
		}
	}
	canaries, err := (&scope.Parser{Resolver: nobody{}}).Targets(ctx, names)
	if err != nil || len(canaries) == 0 {
		return fault.As(fault.Usage, err)
	}
	scope, err := scope.New(scope.Bounds{Targets: canaries, Allowed: allowed, Excluded: excluded})
	if err != nil {
		return fault.As(fault.Usage, err)
	}
	var errs []error
	outside := scope.Outside()
	for _, t := range outside[:min(len(outside), maxNamed)] {
		errs = append(errs, p.outside(t))
	}
	return errors.Join(errs...)
}

// nobody is a resolver that asks nobody: every name has an address that is kept
// for examples (RFC 5737, Section 3).
type nobody struct{}

func (nobody) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	return []netip.Addr{netip.AddrFrom4([4]byte{192, 0, 2, 1})}, nil
}

// entries is how many entries a list has, those in bulk counted.
func entries(list []scope.Target) int {
	n := len(list)
	for i := range list {
		if list[i].Bulk != nil {
			n += list[i].Bulk.Len() - 1
		}
	}
	return n
}
