package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"github.com/mxsweep/mxsweep/internal/fault"
)

// version is the version of the next release, or of this one.
const version = "0.1.0"

// newVersion returns the command "mxsweep version".
func newVersion(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "print the version",
		Args:  exactArgs(0, ""),
		RunE: func(*cobra.Command, []string) error {
			return s.printVersion()
		},
	}
}

// printVersion prints the version of the program.
func (s *session) printVersion() error {
	_, err := fmt.Fprintf(s.stdout, "mxsweep %s%s (%s %s/%s)\n",
		version, revision(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	return fault.WriteError("standard output", err)
}

// revision returns the commit from which the binary was built, "" if not
// recorded.
func revision() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return ""
	}
	commit, dirty := "", ""
	for _, set := range info.Settings {
		switch {
		case set.Key == "vcs.revision" && len(set.Value) >= 12:
			commit = "+" + set.Value[:12]
		case set.Key == "vcs.modified" && set.Value == "true":
			dirty = ".dirty"
		}
	}
	if commit == "" {
		return ""
	}
	return commit + dirty
}
