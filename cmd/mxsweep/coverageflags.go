package main

import (
	"fmt"

	"github.com/spf13/pflag"

	"github.com/mxsweep/mxsweep/scan/scope"
)

// coverageFlags say what must answer, and what may be silent, for a run to have
// seen enough.
type coverageFlags struct {
	canaries       []string
	referencePorts string
	allowVacant    bool
	minHosts       uint64
}

// defaultReferencePorts are the ports of which a mail host most likely answers
// one.
const defaultReferencePorts = "22,25,443,587,993"

func (f *coverageFlags) register(flags *pflag.FlagSet) {
	flags.StringArrayVar(&f.canaries, "canary", nil, "exit 4 unless `HOST:PORT` answers at the start, in the middle and at the end; authorizes that one port; repeatable")
	flags.StringVar(&f.referencePorts, "reference-ports", defaultReferencePorts, "ask these ports of a single target that is silent on all others: `LIST`, or none")
	flags.BoolVar(&f.allowVacant, "allow-vacant", false, "accept a prefix or range without any host that is up")
}

// registerMinHosts adds the flag that is also one of a merged run.
func (f *coverageFlags) registerMinHosts(flags *pflag.FlagSet) {
	flags.Uint64Var(&f.minHosts, "min-hosts", 0, "exit 4 if fewer than `N` hosts are up")
}

// ports are the reference ports, nil for none.
func (f *coverageFlags) ports() ([]uint16, error) {
	if f.referencePorts == "none" {
		return nil, nil
	}
	ports, err := scope.ParsePorts(f.referencePorts, nil)
	if err == nil && len(ports) > maxReferencePorts {
		err = fmt.Errorf("%d ports, more than %d", len(ports), maxReferencePorts)
	}
	if err != nil {
		return nil, usagef("a few ports, like "+defaultReferencePorts+", or none", "reading flag \"--reference-ports\": %w", err)
	}
	return ports, nil
}

// maxReferencePorts is more than show whether a host is up.
const maxReferencePorts = 32
