package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/pflag"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/nmapprobes"
	"github.com/mxsweep/mxsweep/internal/recog"
	"github.com/mxsweep/mxsweep/signatures"
)

// fallbackFlags name the sources of signatures that a user already has. They
// are asked only about daemons that our own signatures do not name, in the
// order of the fields.
type fallbackFlags struct {
	recog      string // directory
	nmapProbes string // file
}

func (f *fallbackFlags) register(flags *pflag.FlagSet) {
	flags.StringVar(&f.recog, "recog", "", "where no signature names a daemon, also go by the recog XML files of `DIR`; sends nothing more")
	flags.StringVar(&f.nmapProbes, "nmap-probes", "", "after that, also go by the mail services of `FILE`, an nmap-service-probes; sends nothing more")
}

// given reports whether there is any.
func (f *fallbackFlags) given() bool { return f.recog != "" || f.nmapProbes != "" }

// loadFallbacks reads what the flags name. What of it cannot be used is counted
// on standard error, and listed there with --verbose.
func (s *session) loadFallbacks(flags *scanFlags) ([]signatures.Fallback, error) {
	var all []signatures.Fallback
	if dir := flags.fallbacks.recog; dir != "" {
		set, err := loadRecog(dir)
		if err != nil {
			return nil, err
		}
		s.tellSkipped(flags, "--recog", dir, "fingerprints", set.Len(), set.Skipped())
		all = append(all, set)
	}
	if file := flags.fallbacks.nmapProbes; file != "" {
		set, err := loadNmapProbes(file)
		if err != nil {
			return nil, err
		}
		s.tellSkipped(flags, "--nmap-probes", file, "entries", set.Len(), set.Skipped())
		all = append(all, set)
	}
	return all, nil
}

// What the files of other tools are.
const (
	recogHint      = "--recog names the folder xml of a copy of recog"
	nmapProbesHint = "--nmap-probes names a file that nmap installs, often /usr/share/nmap/nmap-service-probes"
)

// advised is a mistake of the user with the hint, unless it has one of its own; nil
// stays nil.
func advised(hint string, err error) error {
	has := false
	fault.Walk(err, func(e error) {
		h, ok := e.(interface{ Hint() string })
		has = has || ok && h.Hint() != ""
	})
	if err == nil || has {
		return fault.As(fault.Usage, err)
	}
	return usagef(hint, "%w", err)
}

func loadRecog(dir string) (*recog.Set, error) {
	info, err := os.Stat(dir)
	if err == nil && !info.IsDir() {
		err = errors.New("not a directory")
	}
	if err != nil {
		return nil, usagef(recogHint, "opening recog %q: %w", dir, fault.WithoutPath(err))
	}
	set, err := recog.Load(signatures.Source{Name: dir, FS: os.DirFS(dir)})
	return set, advised(recogHint, err)
}

func loadNmapProbes(file string) (*nmapprobes.Set, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, usagef(nmapProbesHint, "opening nmap probes %q: %w", file, fault.WithoutPath(err))
	}
	defer f.Close()
	set, err := nmapprobes.Read(f, file)
	return set, advised(nmapProbesHint, err)
}

// tellSkipped says what of a source cannot be used.
func (s *session) tellSkipped(flags *scanFlags, flag, name, what string, used int, skipped signatures.Problems) {
	if flags.quiet || len(skipped) == 0 {
		return
	}
	hint := "; --verbose lists them"
	if flags.output.verbose {
		hint = ""
		for _, p := range skipped {
			fmt.Fprintf(s.stderr, "mxsweep: skipping %s\n", visible(p.Error()))
		}
	}
	fmt.Fprintf(s.stderr, "mxsweep: %s %q: skipped %d of %d %s%s\n", flag, name, len(skipped), used+len(skipped), what, hint)
}
