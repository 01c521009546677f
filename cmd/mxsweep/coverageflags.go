package main

import (
	"github.com/spf13/pflag"

	"github.com/mxsweep/mxsweep/run"
)

// coverageFlags say what must answer, and what may be silent, for a run to have
// seen enough.
type coverageFlags struct {
	canaries       []string
	referencePorts string
	allowVacant    bool
	minHosts       uint64
}

func (f *coverageFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.canaries, "canary", nil, "exit 4 unless `HOST:PORT` answers at the start, in the middle and at the end; authorizes that one port; repeatable")
	flags.StringVar(&f.referencePorts, "reference-ports", run.DefaultReferencePorts, "ask these ports of a single target that is silent on all others: `LIST`, or none")
	flags.BoolVar(&f.allowVacant, "allow-vacant", false, "accept a prefix or range without any host that is up")
}

// registerMinHosts adds the flag that is also one of a merged run.
func (f *coverageFlags) registerMinHosts(flags *pflag.FlagSet) {
	flags.Uint64Var(&f.minHosts, "min-hosts", 0, "exit 4 if fewer than `N` hosts are up")
}
