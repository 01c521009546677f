package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/domains"
	"github.com/mxsweep/mxsweep/domains/query"
	"github.com/mxsweep/mxsweep/domains/zonefile"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/outfile"
	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/report/mailhosts"
	"github.com/mxsweep/mxsweep/run"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/names"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// domainFlags are the flags of "mxsweep domain".
type domainFlags struct {
	input    string
	scope    string
	fetch    bool
	resolver resolverAddr
	outputs  []string
	zones    []string
	resume   string
	quiet    bool
	progress *choice
}

// newDomain is "mxsweep domain".
func newDomain(s *session) *cobra.Command {
	flags := &domainFlags{}
	cmd := &cobra.Command{
		Use:   "domain NAME...",
		Short: "find the hosts that the mail of a domain depends on",
		Long: `Asks the DNS which hosts accept mail for a domain (MX), may send it (SPF), offer
mailboxes and submission (SRV), and tell clients so (autoconfig, autodiscover,
MTA-STS), and lists them with the records that lead there. Only the DNS server is
asked; --scope and --fetch allow two documents to be fetched over HTTPS as well.
TLSA records are looked up if that server is on this machine and validates them.

A question that the DNS does not answer makes the list incomplete (exit code 4).`,
		Example: `  mxsweep domain example.org
  mxsweep domain example.org --scope scope.txt
  mxsweep domain --input domains.txt -o scope=hosts.txt -o json=hosts.json`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 && flags.input == "":
				return usagef("usage: "+cmd.UseLine(), "no domains given")
			case flags.fetch && flags.scope != "":
				return usagef("with --scope, documents of hosts in the scope are fetched, and no others", "combining --fetch with --scope")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return s.domain(cmd.Context(), flags, args) },
	}
	inGroup(cmd.Flags(), groupTargets, func(f *pflag.FlagSet) {
		f.StringVarP(&flags.input, "input", "i", "", "read domains from `FILE`, one per line; # starts a comment, - is standard input")
		f.StringVarP(&flags.scope, "scope", "s", "", "the hosts that you are authorized to scan, in `FILE`; others are listed as those to ask for")
		f.StringArrayVar(&flags.zones, "zone", nil, "take from the zone file `[ORIGIN=]FILE` what it has, in place of asking the DNS; repeatable")
		f.Var(&flags.resolver, "resolver", "ask the DNS server at the IP address `HOST[:PORT]` (default those of /etc/resolv.conf)")
		f.BoolVar(&flags.fetch, "fetch", false, "fetch the policy of MTA-STS and the settings of autoconfig over HTTPS, from public addresses; with --scope, those of hosts in the scope are fetched without it")
	})
	inGroup(cmd.Flags(), groupScan, func(f *pflag.FlagSet) {
		f.StringVar(&flags.resume, "resume", "", "save the domains that are done to `FILE`, and resume from it if an earlier run left it; deleted at the end")
	})
	inGroup(cmd.Flags(), groupOutput, func(f *pflag.FlagSet) {
		f.StringArrayVarP(&flags.outputs, "output", "o", nil, "write `FORMAT[=FILE]`; repeatable; FORMAT is one of "+strings.Join(mailhosts.Formats(), ", ")+"; without FILE, or with -, to standard output (default text)")
		_ = f.SetAnnotation("output", formatsKey, mailhosts.Formats()) // it fails only if the flag does not exist
		f.BoolVarP(&flags.quiet, "quiet", "q", false, "print only errors and the report")
		flags.progress = newChoice(auto, always, never)
		f.Var(flags.progress, "progress", "show progress: auto shows a bar on a terminal and a line every 30 s in CI")
	})
	return cmd
}

// maxDomains is how many domains one call looks up.
const maxDomains = 10_000

// parallelDomains is how many domains are looked up at once, each with one question at a time.
const parallelDomains = 32

// domain looks up the domains and writes what it finds.
func (s *session) domain(ctx context.Context, flags *domainFlags, args []string) error {
	outputs, err := flags.parseOutputs()
	list, errList := s.domainNames(flags, args)
	if err := errors.Join(err, errList); err != nil {
		return err
	}
	w, err := flags.walker(ctx, list)
	if err != nil {
		return err
	}
	found, err := s.lookUp(ctx, w, flags, list)
	if err != nil {
		return err
	}
	r := mailhosts.New("mxsweep", version, flags.scope, found)
	if !r.Complete {
		s.code = gate.Worse(s.code, gate.ExitIncomplete)
		if !flags.quiet {
			fmt.Fprintln(s.stderr, "mxsweep: incomplete: the DNS did not answer all questions, there may be further hosts")
		}
	}
	for _, d := range found {
		if slices.ContainsFunc(d.Faults, func(f domains.Fault) bool { return f.ID == domains.NoSuchDomain }) {
			s.code = gate.Worse(s.code, gate.ExitIncomplete)
			fmt.Fprintf(s.stderr, "mxsweep: %s does not exist: is the name right?\n", d.Name)
		}
	}
	var errs []error
	for _, o := range outputs {
		errs = append(errs, s.writeHosts(r, o.format, o.file))
	}
	return errors.Join(errs...)
}

// lookUp looks up the domains, shows how far that is, and keeps what is done in the file of --resume.
func (s *session) lookUp(ctx context.Context, w *domains.Walker, flags *domainFlags, list []string) ([]*domains.Domain, error) {
	var kept *domains.Progress
	if flags.resume != "" {
		var err error
		if kept, err = domains.OpenProgress(flags.resume, flags.asked(w)); err != nil {
			return nil, usagef("name a file of an earlier run of this command with the same settings, or one that does not exist", "opening progress %q: %w", flags.resume, fault.WithoutPath(err))
		}
		if n := kept.Len(); n > 0 && !flags.quiet {
			s.log(fmt.Sprintf("%s looked up by an earlier run", wording.Amount(n, "domain was", "domains were")))
		}
	}
	var done atomic.Int64
	p := startProgress(s.stderr, s.progressMode(flags.progress.String(), flags.quiet), s.color(auto, s.stderr), func() int { return s.width(s.stderr) }, func() run.Progress {
		n := uint64(done.Load())
		return run.Progress{Stats: scan.Stats{Planned: uint64(len(list)), Done: n}, Share: float64(n) / float64(len(list))}
	}, domainLine)
	found, err := w.All(ctx, list, parallelDomains, kept, func(n int) { done.Store(int64(n)) })
	p.stop()
	whole := err == nil && !slices.ContainsFunc(found, func(d *domains.Domain) bool { return !d.Complete() })
	if ended := kept.End(whole); ended != nil {
		err = errors.Join(err, fault.WriteError(flags.resume, ended))
	}
	return found, err
}

// asked says what decides what is found, besides the domains and the DNS.
func (f *domainFlags) asked(w *domains.Walker) string {
	text := fmt.Sprintf("resolver %q, zones %q, scope %q, fetch %t", f.resolver.String(), f.zones, f.scope, f.fetch)
	if zones, ok := w.Asker.(*zonefile.Asker); ok {
		for _, z := range zones.Zones {
			text += fmt.Sprintf(", %s with SHA-256 %s", z.File, z.SHA256)
		}
	}
	return text
}

// A hostOutput is one value of --output.
type hostOutput struct{ format, file string }

// parseOutputs reads the values of --output.
func (f *domainFlags) parseOutputs() (all []hostOutput, _ error) {
	var errs []error
	for _, v := range f.outputs {
		format, file, named := strings.Cut(v, "=")
		if !named {
			file = "-"
		}
		switch {
		case !slices.Contains(mailhosts.Formats(), format):
			errs = append(errs, usagef(spelling.Hint(mailhosts.Formats(), format, "use "+strings.Join(mailhosts.Formats(), ", ")), "reading output %q: unknown format", v))
		case file == "":
			errs = append(errs, usagef("write FORMAT=FILE, or FORMAT alone for standard output", "reading output %q: the file name is missing", v))
		case slices.ContainsFunc(all, func(o hostOutput) bool { return o.file == file }):
			errs = append(errs, usagef("use a separate file for each output: FORMAT=FILE", "reading output %q: it is used by another output", v))
		default:
			all = append(all, hostOutput{format, file})
		}
	}
	if len(f.outputs) == 0 {
		all = []hostOutput{{"text", "-"}}
	}
	return all, errors.Join(errs...)
}

// writeHosts writes the report in one format.
func (s *session) writeHosts(r *mailhosts.Report, format, file string) error {
	if file == "-" {
		return fault.WriteError(standardOutput, r.Write(s.stdout, format, s.textWidth()))
	}
	out, err := outfile.Create(file, outfile.Mode{})
	if err != nil {
		return fmt.Errorf("writing output %q: %w", file, fault.WithoutPath(err))
	}
	if err := r.Write(out, format, 0); err != nil {
		out.Discard()
		return fault.WriteError(file, err)
	}
	return out.Commit()
}

// domainNames returns the domains of the command line and of the input, in their order and once each.
func (s *session) domainNames(flags *domainFlags, args []string) ([]string, error) {
	var list []string
	var errs []error
	seen := map[string]bool{}
	add := func(where, name string) {
		ascii, err := domains.ToASCII(name)
		switch {
		case err != nil:
			errs = append(errs, usagef("give a domain such as example.org", "reading %s: %w", where, err))
		case !seen[ascii]:
			seen[ascii] = true
			list = append(list, ascii)
		}
	}
	for _, a := range args {
		add("the command line", a)
	}
	if flags.input != "" {
		errs = append(errs, s.readDomains(flags.input, add))
	}
	if len(list) == 0 && errors.Join(errs...) == nil {
		errs = append(errs, usagef("write one domain per line", "reading domains %q: there is none", flags.input))
	}
	if len(list) > maxDomains {
		errs = append(errs, usagef("split the list", "reading domains: %d are too many, the limit is %d", len(list), maxDomains))
	}
	return list, errors.Join(errs...)
}

// maxDomainsFile limits what is read of a list of domains, in bytes.
const maxDomainsFile = 16 << 20

// readDomains passes the domains of a file to add, with their places.
func (s *session) readDomains(name string, add func(where, name string)) error {
	in := s.stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return usagef("--input takes a file with one domain per line", "opening domains %q: %w", name, fault.WithoutPath(err))
		}
		defer f.Close()
		in = f
	}
	limited := &io.LimitedReader{R: in, N: maxDomainsFile}
	lines := bufio.NewScanner(limited)
	for n := 1; lines.Scan(); n++ {
		text, _, _ := strings.Cut(lines.Text(), "#")
		if text = strings.TrimSpace(text); text != "" {
			add(fmt.Sprintf("%s:%d", name, n), text)
		}
	}
	if err := lines.Err(); err != nil {
		return usagef("--input takes a file with one domain per line", "reading domains %q: %w", name, err)
	}
	if limited.N == 0 {
		return usagef("split the list", "reading domains %q: it has more than %d bytes", name, maxDomainsFile)
	}
	return nil
}

// walker is the walker that the flags ask for.
func (f *domainFlags) walker(ctx context.Context, list []string) (*domains.Walker, error) {
	client := query.Named(f.resolver.AddrPort)
	if !f.resolver.IsValid() {
		var err error
		if client, err = query.System(); err != nil {
			return nil, usagef("name a DNS server with --resolver", "%w", err)
		}
	}
	w := &domains.Walker{Asker: query.NewCache(client, parallelDomains), Trusted: client.Trusted}
	zones, err := zonefile.ReadAll(f.zones, list, w.Asker)
	if err != nil {
		return nil, err
	}
	if zones != nil {
		w.Asker = zones
	}
	if f.fetch {
		w.Fetch = &domains.HTTPS{Allowed: isPublic}
	}
	if f.scope != "" {
		set, err := f.readScope(ctx)
		if err != nil {
			return nil, err
		}
		w.Classify = func(p netip.Prefix) bool { return set.AllowsRange(netipx.RangeOfPrefix(p)) }
		w.Fetch = &domains.HTTPS{Allowed: set.Allows}
	}
	return w, nil
}

// inside are prefixes that lead to hosts that are not on the internet, or may: networks of providers and
// laboratories, and IPv6 addresses that hold those of IPv4, which may be private (the registries of
// special-purpose addresses, RFC 6890).
var inside = []netip.Prefix{
	netip.MustParsePrefix("0.0.0.0/8"),
	netip.MustParsePrefix("100.64.0.0/10"),
	netip.MustParsePrefix("192.0.0.0/24"),
	netip.MustParsePrefix("198.18.0.0/15"),
	netip.MustParsePrefix("240.0.0.0/4"),
	netip.MustParsePrefix("::/96"),
	netip.MustParsePrefix("64:ff9b::/96"),
	netip.MustParsePrefix("64:ff9b:1::/48"),
	netip.MustParsePrefix("2001::/32"),
	netip.MustParsePrefix("2002::/16"),
	netip.MustParsePrefix("fec0::/10"),
}

// isPublic reports whether an address is one of the internet: a record of a stranger must not lead to
// hosts inside.
func isPublic(a netip.Addr) bool {
	a = a.Unmap()
	return a.IsGlobalUnicast() && !a.IsPrivate() && !slices.ContainsFunc(inside, func(p netip.Prefix) bool { return p.Contains(a) })
}

// readScope reads the scope file.
func (f *domainFlags) readScope(ctx context.Context) (*scope.Set, error) {
	p := &scope.Parser{}
	if f.resolver.IsValid() {
		p.Resolver = &names.DNS{Server: f.resolver.String()}
	}
	in, out, err := p.ScopeFile(ctx, f.scope)
	if err != nil {
		return nil, err
	}
	return scope.New(scope.Bounds{Allowed: in, Excluded: out})
}
