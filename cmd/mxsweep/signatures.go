package main

import (
	"bytes"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run"
	"github.com/mxsweep/mxsweep/signatures"
)

// newSignatures is "mxsweep signatures" with its commands.
func newSignatures(s *session) *cobra.Command {
	var dirs []string
	cmd := &cobra.Command{
		Use:   "signatures",
		Short: "list, show, test, record and import signatures and probes",
		Args:  cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usagef(`"mxsweep signatures --help" lists the commands`, "missing command after signatures")
			}
			return unknownVerb(cmd, args[0])
		},
	}
	cmd.PersistentFlags().StringArrayVar(&dirs, "signatures", nil, "also read the signature files in `DIR`; repeatable")
	cmd.AddCommand(
		newSignaturesList(s, &dirs),
		newSignaturesShow(s, &dirs),
		newSignaturesTest(s, &dirs),
		newSignaturesRecord(s, &dirs),
		newSignaturesImport(s),
	)
	return cmd
}

// allSignatures returns the signatures, including imported ones.
func allSignatures(set *signatures.Set) []*signatures.Signature {
	return slices.Concat(set.Signatures, set.Imported)
}

func newSignaturesList(s *session, dirs *[]string) *cobra.Command {
	var probes bool
	cmd := &cobra.Command{
		Use:   "list",
		Short: "list the signatures, or with --probes the probes",
		Args:  exactArgs(0, ""),
		RunE: func(*cobra.Command, []string) error {
			set, err := run.LoadSignatures(*dirs)
			if err != nil {
				return err
			}
			var b bytes.Buffer
			if probes {
				if err := listProbes(&b, set); err != nil {
					return err
				}
			} else {
				listSignatures(&b, set)
			}
			_, err = s.stdout.Write(b.Bytes())
			return fault.WriteError(standardOutput, err)
		},
	}
	cmd.Flags().BoolVar(&probes, "probes", false, "list the probes: what is sent and when, how safe it is, why, and how often it identified a daemon in the test laboratory")
	return cmd
}

func listSignatures(b *bytes.Buffer, set *signatures.Set) {
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "SIGNATURE\tPRODUCT\tPROTOCOL\tROLE\tCONFIDENCE")
	all := slices.SortedFunc(slices.Values(allSignatures(set)), func(x, y *signatures.Signature) int { return strings.Compare(x.ID, y.ID) })
	for _, p := range set.Proxies {
		if !p.Own {
			fmt.Fprintf(w, "%s\t%s\t-\t%s\t%d\n", p.ID, p.Product, result.RoleProxy, p.Confidence)
		}
	}
	for _, sig := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%d\n", sig.ID, orDash(sig.Product), orDash(sig.Protocol), orDash(string(sig.Role)), sig.Confidence)
	}
	w.Flush()
}

func newSignaturesShow(s *session, dirs *[]string) *cobra.Command {
	return &cobra.Command{
		Use:     "show ID",
		Short:   "print the source of a signature or probe",
		Example: "  mxsweep signatures show dkimproxy",
		Args:    exactArgs(1, "one id"),
		ValidArgsFunction: func(_ *cobra.Command, given []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(given) > 0 {
				return nil, cobra.ShellCompDirectiveNoFileComp
			}
			return completeSignatures(*dirs), cobra.ShellCompDirectiveNoFileComp
		},
		RunE: func(_ *cobra.Command, args []string) error {
			sources, err := run.SignatureSources(*dirs)
			if err != nil {
				return err
			}
			set, err := run.LoadSignatures(*dirs)
			if err != nil {
				return err
			}
			at, err := findEntry(set, args[0])
			if err != nil {
				return err
			}
			text, err := entryText(sources, at)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(s.stdout, "# %s:%d\n%s", at.File, at.Line, text)
			return fault.WriteError(standardOutput, err)
		},
	}
}

// findEntry returns the position of the signature, probe or observation with that id.
func findEntry(set *signatures.Set, id string) (signatures.Pos, error) {
	var ids []string
	for _, sig := range allSignatures(set) {
		if ids = append(ids, sig.ID); sig.ID == id {
			return sig.Pos, nil
		}
	}
	for _, p := range set.Probes {
		if ids = append(ids, p.ID); p.ID == id {
			return p.Pos, nil
		}
	}
	for _, o := range set.Observations {
		if ids = append(ids, o.ID); o.ID == id {
			return o.Pos, nil
		}
	}
	for _, p := range set.Proxies {
		if ids = append(ids, p.ID); p.ID == id {
			return p.Pos, nil
		}
	}
	hint := spelling.Hint(ids, id, `"mxsweep signatures list" lists the ids`)
	return signatures.Pos{}, usagef(hint, "unknown signature %q", id)
}

// entryText returns the entry of a list that begins at a position, as written in its
// file: up to the next line that is indented no deeper than its dash.
func entryText(sources []signatures.Source, at signatures.Pos) (string, error) {
	for _, src := range sources {
		name, ok := strings.CutPrefix(at.File, src.Name+"/")
		if !ok {
			continue
		}
		data, err := fs.ReadFile(src.FS, name)
		if err != nil {
			return "", fmt.Errorf("reading %q: %w", at.File, fault.WithoutPath(err))
		}
		lines := strings.SplitAfter(string(data), "\n")
		if at.Line > len(lines) {
			break
		}
		dash := strings.Index(lines[at.Line-1], "-")
		end := at.Line
		for end < len(lines) {
			body := strings.TrimLeft(lines[end], " ")
			if indent := len(lines[end]) - len(body); strings.TrimSpace(body) != "" && indent <= dash {
				break
			}
			end++
		}
		return strings.TrimRight(strings.Join(lines[at.Line-1:end], ""), "\n") + "\n", nil
	}
	return "", fmt.Errorf("reading %q: not one of the files that were loaded", at.File)
}

func newSignaturesTest(s *session, dirs *[]string) *cobra.Command {
	return &cobra.Command{
		Use:   "test [DIR]",
		Short: "check the examples of all signatures, including those in DIR",
		Long: `Checks that every signature has an example, and that each example matches its own
signature, yields the expected values and matches no other signature as well. DIR
is a directory of signature files to check together with the built-in ones.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 {
				return wrongArguments(args, "usage: "+cmd.UseLine(), "one directory")
			}
			set, err := run.LoadSignatures(append(slices.Clone(*dirs), args...))
			if err != nil {
				return err
			}
			if problems := set.Check(); len(problems) > 0 {
				return fault.As(fault.Usage, problems)
			}
			examples := 0
			all := allSignatures(set)
			for _, sig := range all {
				examples += len(sig.Examples)
			}
			_, err = fmt.Fprintf(s.stdout, "%d signatures, %d probes, %d observations: %d examples pass\n",
				len(all), len(set.Probes), len(set.Observations), examples)
			return fault.WriteError(standardOutput, err)
		},
	}
}

// orDash returns what a table shows for s.
func orDash(s string) string {
	if s == "" {
		return "-"
	}
	return s
}
