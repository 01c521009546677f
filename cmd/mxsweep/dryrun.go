package main

import (
	"fmt"
	"io"
	"strings"
	"time"

	"mxsweep/scan"
	"mxsweep/scan/syn"
	"mxsweep/signatures"
)

// describe prints what a run would contact, and how much.
func (p *plan) describe(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "dry run: nothing is sent\n")
	fmt.Fprintf(&b, "addresses    %d", p.scope.Addresses())
	if n := p.scope.Excluded(); n > 0 {
		fmt.Fprintf(&b, ", and %d excluded", n)
	}
	b.WriteByte('\n')
	ports := p.sweptPorts()
	fmt.Fprintf(&b, "ports        %s (%d)\n", scan.FormatPorts(ports), len(ports))
	p.describeProbes(&b)
	fmt.Fprintf(&b, "identify     %s\n", p.identifyText())
	fmt.Fprintf(&b, "vantage      %s\n", p.vantage())
	if err := p.describeTargets(&b); err != nil {
		return err
	}
	_, err := io.WriteString(w, b.String())
	return writing(standardOutput, err)
}

// describeProbes says how much would be sent.
func (p *plan) describeProbes(b *strings.Builder) {
	mode, why := p.flags.mode.value, ""
	if mode == modeAuto {
		mode, why = chooseMode(p.space)
		why = ", chosen because " + why
	}
	fmt.Fprintf(b, "mode         %s%s\n", mode, why)
	shard := ""
	if p.flags.shard.count > 1 {
		shard = fmt.Sprintf(" (shard %s)", &p.flags.shard)
	}
	rate := p.flags.rate
	if mode == modeSyn {
		e := syn.Plan(p.space, p.synConfig(nil))
		fmt.Fprintf(b, "packets      %d, %d bytes, if nothing answers%s\n", e.Packets, e.Bytes, shard)
		if rate > 0 {
			fmt.Fprintf(b, "time         at most %s at %d probes a second\n", shortDuration(e.Duration), rate)
		}
		return
	}
	fmt.Fprintf(b, "connections  %d, up to %d with retries%s\n", p.space.Len(), p.space.Len()*uint64(1+p.flags.retries), shard)
	if rate > 0 {
		seconds := time.Duration(float64(p.space.Len()) / float64(rate) * float64(time.Second))
		fmt.Fprintf(b, "time         at least %s at %d probes a second\n", shortDuration(seconds), rate)
	}
}

// identifyText says which probes open ports would be asked with.
func (p *plan) identifyText() string {
	if p.flags.noIdentify {
		return "no: states only"
	}
	count := map[string]int{}
	for _, probe := range p.set.Probes {
		count[probe.Safety]++
	}
	text := fmt.Sprintf("open ports are asked with %d passive and %d safe probes", count[signatures.Passive], count[signatures.Safe])
	if p.flags.intrusive {
		return text + fmt.Sprintf(", and %d intrusive ones that may leave a trace", count[signatures.Intrusive])
	}
	return text + `; "mxsweep signatures list --probes" shows them`
}

// maxListed is how many targets a dry run names.
const maxListed = 100

// describeTargets lists what would be contacted as it was asked for, and what
// cannot be.
func (p *plan) describeTargets(b *strings.Builder) error {
	ranges, err := p.scope.Ranges()
	if err != nil {
		return err
	}
	for i, r := range ranges {
		if i == maxListed {
			fmt.Fprintf(b, "contact      and %d more ranges\n", len(ranges)-maxListed)
			break
		}
		if r.From() == r.To() {
			fmt.Fprintf(b, "contact      %s\n", withName(r.From().String(), p.scope.Name(r.From())))
			continue
		}
		fmt.Fprintf(b, "contact      %s\n", r)
	}
	for _, t := range p.scope.Unresolved() {
		fmt.Fprintf(b, "unresolved   %s\n", targetName(t))
	}
	for _, t := range p.scope.Emptied() {
		fmt.Fprintf(b, "excluded     %s\n", targetName(t))
	}
	return nil
}

// withName is an address and the name under which it is swept.
func withName(addr, name string) string {
	if name == "" {
		return addr
	}
	return addr + " (" + name + ")"
}
