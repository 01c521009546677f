package run

import (
	"cmp"
	"strings"
	"sync"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/signatures"
)

// LoadKnowledge loads the built-in ports and rules. It loads both concurrently:
// on most machines that is half of the startup time of a small run.
func LoadKnowledge() (known *signatures.Ports, rules *exposure.RuleSet, _ error) {
	var portsErr, rulesErr error
	var reading sync.WaitGroup
	reading.Go(func() { known, portsErr = signatures.DefaultPorts() })
	rules, rulesErr = exposure.Builtin()
	reading.Wait()
	if err := cmp.Or(portsErr, rulesErr); err != nil {
		return nil, nil, err
	}
	return known, rules, nil
}

// preload begins to read the built-in data that a run needs. It is read once per
// process: whoever asks for it waits, and gets the error if there is one.
func (o *Options) preload() {
	go func() { _, _, _ = LoadKnowledge() }()
	if !o.NoIdentify && len(o.Signatures) == 0 {
		go func() { _, _ = signatures.Default() }()
	}
}

// planKnowledge returns the built-in ports and rules if a plan with that policy file, ""
// for none, needs them; else they are nil, and are read while the run sweeps.
func (o *Options) planKnowledge(policyFile string) (known *signatures.Ports, rules *exposure.RuleSet, _ error) {
	if policyFile != "" || o.Baseline != "" || strings.Contains(o.FailOn, "rule:") {
		return LoadKnowledge()
	}
	if _, err := scope.ParsePorts(strings.Join(o.Ports, ","), nil); err == nil {
		return nil, nil, nil // no profile is named
	}
	known, err := signatures.DefaultPorts()
	return known, nil, err
}

// completeJudge gives the judge its rules and ports.
func (p *Plan) completeJudge() error {
	known, rules, err := LoadKnowledge()
	if err != nil {
		return err
	}
	p.known = known
	profiles := known.ProfilePorts()
	p.judge.Rules, p.judge.Knowledge = rules, exposure.NewPortSets(profiles["internal"], profiles["public"])
	return nil
}
