package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/outfile"
	"github.com/mxsweep/mxsweep/internal/spelling"
	"github.com/mxsweep/mxsweep/signatures"
	"github.com/mxsweep/mxsweep/signatures/importer"
)

// importTools are the tools whose files can be imported.
var importTools = []string{"recog", "nmap"}

// newSignaturesImport is "mxsweep signatures import".
func newSignaturesImport(s *session) *cobra.Command {
	var dir string
	var force bool
	cmd := &cobra.Command{
		Use:   "import recog|nmap PATH",
		Short: "convert recog or nmap files into signatures",
		Long: `Converts what recog or nmap know about mail services into signatures that "mxsweep
scan --signatures DIR" reads. PATH is the directory xml of a copy of recog, or an
nmap-service-probes file. Imported signatures identify only services that no
signature of mxsweep identifies, with a confidence of at most 5, and only from
replies that are received anyway: no further probe is sent. The summary counts
entries that cannot be used, and lists those whose pattern RE2 does not support. The
file that is written is subject to the license of the files that were read.`,
		Example: `  mxsweep signatures import recog ~/src/recog/xml
  mxsweep signatures import nmap /usr/share/nmap/nmap-service-probes
  mxsweep scan 192.0.2.10 --signatures mxsweep-signatures`,
		Args: exactArgs(2, "a tool and a path"),
		ValidArgsFunction: func(_ *cobra.Command, given []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
			if len(given) == 0 {
				return importTools, cobra.ShellCompDirectiveNoFileComp
			}
			return nil, cobra.ShellCompDirectiveDefault
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if cmd.Flags().Changed("signatures") {
				return fault.Usagef("--output DIR names the directory to write to", "reading flag \"--signatures\": import reads no other signatures")
			}
			return s.importSignatures(args[0], args[1], dir, force)
		},
	}
	cmd.Flags().StringVarP(&dir, "output", "o", "mxsweep-signatures", "write recog.yaml or nmap.yaml to `DIR`, which is created if needed")
	cmd.Flags().BoolVar(&force, "force", false, "replace an existing file")
	return cmd
}

// importSignatures converts a tool's data at path to a file of signatures.
func (s *session) importSignatures(tool, path, dir string, force bool) error {
	read, known := map[string]func(string) (*importer.Import, error){"recog": importRecog, "nmap": importNmap}[tool]
	if !known {
		return fault.Usagef(spelling.Hint(importTools, tool, "the tools are recog and nmap"), "unknown tool %q", tool)
	}
	im, err := read(path)
	if err != nil {
		return fault.As(fault.Usage, err)
	}
	file := filepath.Join(dir, tool+".yaml")
	switch {
	case im.Len() == 0:
		err = fault.Usagef("", "importing %q: none of its entries can be converted", path)
		file = path
	case outfile.Exists(file) && !force:
		return fault.Usagef("add --force to replace it, or name another directory with --output DIR", "writing %q: the file exists", file)
	default:
		err = writeImport(im, path, file)
	}
	if err == nil || im.Len() == 0 {
		_, failed := s.stdout.Write(importSummary(im, file))
		err = errors.Join(err, fault.WriteError(standardOutput, failed))
	}
	return err
}

func importRecog(dir string) (*importer.Import, error) {
	info, err := os.Stat(dir)
	hint := importer.RecogHint
	if err == nil && !info.IsDir() {
		err = errors.New("not a directory")
		switch filepath.Ext(dir) {
		case ".xml":
			hint = fmt.Sprintf(`name the directory it is in: "mxsweep signatures import recog %s"`, visible(filepath.Dir(dir)))
		case "":
			hint = fmt.Sprintf("%s; a file of nmap is imported with \"mxsweep signatures import nmap %s\"", hint, visible(dir))
		}
	}
	if err != nil {
		return nil, fault.Usagef(hint, "opening recog %q: %w", dir, fault.WithoutPath(err))
	}
	return importer.Recog(signatures.Source{Name: dir, FS: os.DirFS(dir)})
}

func importNmap(file string) (*importer.Import, error) {
	hint := importer.NmapHint
	f, err := os.Open(file)
	if err == nil {
		defer f.Close()
		if info, _ := f.Stat(); info != nil && info.IsDir() {
			err = errors.New("is a directory")
			hint = nmapDirHint(file)
		}
	}
	if err != nil {
		return nil, fault.Usagef(hint, "opening nmap probes %q: %w", file, fault.WithoutPath(err))
	}
	return importer.Nmap(f, file)
}

// nmapDirHint says what to import instead of a directory.
func nmapDirHint(dir string) string {
	if file := filepath.Join(dir, "nmap-service-probes"); outfile.Exists(file) {
		return fmt.Sprintf(`name the file in it: "mxsweep signatures import nmap %s"`, visible(file))
	}
	for _, sub := range []string{dir, filepath.Join(dir, "xml")} {
		if outfile.Exists(filepath.Join(sub, "smtp_banners.xml")) {
			return fmt.Sprintf(`this is a directory of recog: "mxsweep signatures import recog %s"`, visible(sub))
		}
	}
	return importer.NmapHint
}

// writeImport writes the signatures made of what is at path.
func writeImport(im *importer.Import, path, file string) error {
	text, err := im.YAML(path)
	if err != nil {
		return err
	}
	dir := filepath.Dir(file)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return fmt.Errorf("creating directory %q: %w", dir, fault.WithoutPath(err))
	}
	out, err := outfile.Create(file, outfile.Mode{})
	if err != nil {
		return fmt.Errorf("opening output %q: %w", file, fault.WithoutPath(err))
	}
	if _, err := out.Write(text); err != nil {
		out.Discard()
		return fault.WriteError(fmt.Sprintf("%q", file), err)
	}
	return fault.WriteError(fmt.Sprintf("%q", file), out.Commit())
}

// importSummary says how many entries were converted, and how many were not. Errors in
// entries have their position.
func importSummary(im *importer.Import, file string) []byte {
	var b bytes.Buffer
	skipped := im.Skipped()
	fmt.Fprintf(&b, "%s: imported %d of %d entries\n", visible(file), im.Len(), im.Len()+len(skipped))
	if len(skipped) > 0 {
		fmt.Fprintf(&b, "skipped:\n")
	}
	for _, reason := range importer.Reasons {
		var lines []string
		count := 0
		for _, skip := range skipped {
			if skip.Reason != reason {
				continue
			}
			if count++; skip.Detail != "" {
				lines = append(lines, fmt.Sprintf("%v: %s", skip.Pos, skip.Detail))
			}
		}
		if count > 0 {
			fmt.Fprintf(&b, "%6d  %s\n", count, reason)
		}
		for _, line := range lines {
			fmt.Fprintf(&b, "        %s\n", visible(line))
		}
	}
	return b.Bytes()
}
