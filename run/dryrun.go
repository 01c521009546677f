package run

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/bits"
	"net/netip"
	"os"
	"slices"
	"strings"
	"time"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/gate"
	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/run/internal/engine"
	"github.com/mxsweep/mxsweep/run/output"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope"
	"github.com/mxsweep/mxsweep/scan/syn"
	"github.com/mxsweep/mxsweep/signatures"
)

// Incomplete reports whether the run would be incomplete in any case: nothing is in
// scope, or a name did not resolve and no one accepts it. A shard may be empty.
func (p *Plan) Incomplete() bool {
	return p.scope.Addresses() == 0 || !p.domains.Complete() || len(p.sweptPorts()) == 0 ||
		slices.ContainsFunc(p.unresolved(), func(n gate.UnresolvedName) bool { return n.Acceptance == nil })
}

// Describe describes what the run would contact, and how much, in lines of text.
func (p *Plan) Describe() string {
	var b strings.Builder
	fmt.Fprintf(&b, "dry run: no probes are sent\n")
	fmt.Fprintf(&b, "addresses    %s", words.Grouped(p.scope.Addresses()))
	if n := p.scope.Excluded(); n > 0 {
		fmt.Fprintf(&b, ", and %s excluded", words.Grouped(n))
	}
	b.WriteByte('\n')
	ports := p.sweptPorts()
	fmt.Fprintf(&b, "ports        %s (%d)\n", scope.FormatPorts(ports), len(ports))
	p.describeProbes(&b)
	fmt.Fprintf(&b, "identify     %s\n", p.identifyText())
	fmt.Fprintf(&b, "vantage      %s%s\n", p.vantage(), p.loopbackText())
	if p.opts.HostTimeout > 0 {
		fmt.Fprintf(&b, "host timeout %s from the first probe of a host\n", p.opts.HostTimeout)
	}
	p.describeTargets(&b)
	p.describeControls(&b)
	if p.Incomplete() {
		fmt.Fprintf(&b, "incomplete   such a run would end with exit code %d, as this one does\n", gate.ExitIncomplete)
	}
	return b.String()
}

// loopbackText says from which vantage point loopback addresses are judged, if that
// is not the one of the run; "" if there are none. The reports say it with the same
// words.
func (p *Plan) loopbackText() string {
	if p.judge.VantageOf == nil || p.vantage().Class == exposure.ClassHost {
		return ""
	}
	for r := range p.scope.Ranges() {
		if slices.ContainsFunc(loopback, r.Overlaps) {
			return fmt.Sprintf(" (loopback addresses as %s)", exposure.ClassHost)
		}
	}
	return ""
}

// loopback are the loopback addresses.
var loopback = []netipx.IPRange{
	netipx.RangeOfPrefix(netip.MustParsePrefix("127.0.0.0/8")), netipx.RangeOfPrefix(netip.MustParsePrefix("::1/128")),
}

// CheckFiles opens the files that the run would write, as the run does before the
// first packet, and closes them again: nothing is written, and a new file does not
// stay. It returns the errors of all that cannot be opened. Files that others read
// or write at the same time, such as a FIFO, are left alone.
func (p *Plan) CheckFiles(ctx context.Context) error {
	err := p.openResumption(ctx)
	p.resumed.drop()
	errs := []error{err}
	specs := slices.DeleteFunc(slices.Clone(p.opts.Outputs), func(s output.Spec) bool { return s.Shared || isSpecial(s.File) })
	rule := p.outputRule()
	if isSpecial(rule.Pcap) {
		rule.Pcap = ""
	}
	outs, err := output.Open(ctx, specs, rule)
	if err == nil {
		outs.Discard()
	}
	return errors.Join(append(errs, err, p.opts.checkAudit(ctx))...)
}

// isSpecial reports whether a file exists and is not a regular one. A folder,
// which cannot be opened, is not special.
func isSpecial(file string) bool {
	info, err := os.Stat(file)
	return err == nil && !info.Mode().IsRegular() && !info.IsDir()
}

// describeProbes describes how much would be sent.
func (p *Plan) describeProbes(b *strings.Builder) {
	mode, why := p.opts.Mode, ""
	if mode == ModeAuto {
		mode, why = engine.ChooseMode(p.space)
		why = ", chosen because " + why
		if mode == ModeSyn {
			why += "; connect if the privilege is missing"
		}
	}
	fmt.Fprintf(b, "mode         %s%s\n", mode, why)
	shard := ""
	if p.opts.Shard.Count > 1 {
		shard = fmt.Sprintf(" (shard %s)", p.opts.Shard)
	}
	asked := p.space // by connect
	if mode == ModeSyn {
		there := p.space
		asked = nil
		// The run will report what cannot be looked up here.
		if own, others, err := engine.OwnPairs(p.space); err == nil && own.Len() > 0 {
			asked, there = own, others
		}
		if there.Len() > 0 {
			p.describeSyns(b, there, shard)
		}
	}
	if asked != nil {
		p.describeConnects(b, asked, shard)
	}
}

// describeSyns describes the cost of single SYNs.
func (p *Plan) describeSyns(b *strings.Builder, space *scope.Space, shard string) {
	e := syn.Plan(space, p.synConfig(nil))
	fmt.Fprintf(b, "packets      %s, %s bytes, if nothing answers%s\n", words.Grouped(e.Packets), words.Grouped(e.Bytes), shard)
	if p.opts.rate > 0 {
		fmt.Fprintf(b, "time         at most %s at %s probes per second, plus the wait for the last answers\n", estimateDuration(e.Packets, p.opts.rate), words.Grouped(uint64(p.opts.rate)))
	} else {
		fmt.Fprintf(b, "time         as short as accuracy allows\n")
	}
}

// describeConnects describes the cost of full connections.
func (p *Plan) describeConnects(b *strings.Builder, space *scope.Space, shard string) {
	over, most := bits.Mul64(space.Len(), uint64(1+p.opts.retries))
	if over > 0 {
		most = math.MaxUint64
	}
	fmt.Fprintf(b, "connections  %s, up to %s with retries%s\n", words.Grouped(space.Len()), words.Grouped(most), shard)
	text := "centuries"
	longest := scan.Longest(space, p.connectConfig(p.scope))
	if longest < math.MaxInt64 {
		text = "about " + wording.Duration(longest)
	}
	text += " if nothing answers, less otherwise"
	if rate := p.opts.rate; rate > 0 {
		text += fmt.Sprintf(", at most %s probes per second", words.Grouped(uint64(rate)))
	}
	if !p.opts.NoIdentify {
		text += "; plus dialogues with open ports"
	}
	if end := p.opts.MaxTime; end > 0 && longest > end {
		text += fmt.Sprintf("; --max-time ends the run after %s", end)
	}
	fmt.Fprintf(b, "time         %s\n", text)
}

// estimateDuration returns how long this many probes take at a rate, in whole seconds.
func estimateDuration(probes uint64, rate uint) string {
	seconds := math.Ceil(float64(probes) / float64(rate))
	if seconds >= math.MaxInt64/float64(time.Second) {
		return "centuries"
	}
	return wording.Duration(time.Duration(seconds * float64(time.Second)))
}

// identifyText describes the probes for open ports.
func (p *Plan) identifyText() string {
	if p.opts.NoIdentify {
		return "no: port states only"
	}
	count := map[string]int{}
	for _, probe := range p.set.Probes {
		count[probe.Safety]++
	}
	text := fmt.Sprintf("%d passive and %d safe probes for open ports", count[signatures.Passive], count[signatures.Safe])
	if p.opts.Intrusive {
		return text + fmt.Sprintf(", and %d intrusive probes that may leave traces", count[signatures.Intrusive])
	}
	return text + `; "mxsweep signatures list --probes" shows them`
}

// describeControls lists the ports that are probed for their state only, besides the
// targets.
func (p *Plan) describeControls(b *strings.Builder) {
	for i := range p.canaries.space.Len() {
		pair := p.canaries.space.At(i)
		fmt.Fprintf(b, "canary       %s, at the start, in the middle and at the end\n", wording.Named(pair, p.canaries.scope.Name(pair.Addr())))
	}
	// NewPlan has refused ports that cannot be read.
	if ports, err := p.opts.referencePorts(); err == nil && len(ports) > 0 && p.anyNamed(true) {
		fmt.Fprintf(b, "reference    %s %s of each single target that is silent on all other ports, once\n", wording.Ports(scope.FormatPorts(ports)), scope.FormatPorts(ports))
	}
	if p.anyNamed(false) {
		fmt.Fprintf(b, "second probe at most %d ports of each silent address of a range, unless the sweep itself has already probed them twice\n", secondPorts)
	}
}

// maxListed is how many targets a dry run names.
const maxListed = 100

// describeTargets lists what would be contacted as requested, and what cannot be.
func (p *Plan) describeTargets(b *strings.Builder) {
	n := 0
	for r := range p.scope.Ranges() {
		if n == maxListed {
			fmt.Fprintf(b, "contact      and %d more ranges\n", p.scope.NumRanges()-maxListed)
			break
		}
		n++
		if r.From() == r.To() {
			fmt.Fprintf(b, "contact      %s\n", wording.Named(r.From(), strings.Join(p.scope.Names(r.From()), ", ")))
			continue
		}
		fmt.Fprintf(b, "contact      %s\n", r)
	}
	for _, a := range p.scope.Zoned() {
		fmt.Fprintf(b, "contact      %s\n", a)
	}
	for _, t := range p.scope.Unresolved() {
		fmt.Fprintf(b, "unresolved   %s: %s\n", targetName(t), unresolved(t).Reason)
	}
	p.domains.Describe(func(what, text string) { fmt.Fprintf(b, "%-12s %s\n", what, text) })
	for _, t := range p.scope.Emptied() {
		fmt.Fprintf(b, "excluded     %s%s\n", targetName(t), p.byFamily(t))
	}
}
