package run

import (
	"net/netip"
	"slices"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/mailpath"
	"github.com/mxsweep/mxsweep/report"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/run/configured"
	"github.com/mxsweep/mxsweep/signatures"
)

// mailPaths returns how mail flows through the hosts of the open ports, which are sorted by
// address, as far as that is known: by what the ports show, and by the files of their hosts.
func mailPaths(open []exposure.Subject, known *signatures.Ports, files *configured.Files) []result.Path {
	var paths []result.Path
	var ports []result.Port // of one host at a time: a run may have very many
	for i := range open {
		ports = append(ports, open[i].Port())
		if i+1 < len(open) && open[i+1].Target.Addr() == open[i].Target.Addr() {
			continue
		}
		if p := mailpath.OfHost(ports, files.Config(open[i].Target.Addr()), known); p != nil {
			paths = append(paths, *p)
		}
		if clear(ports); len(paths) == mailpath.MaxPaths {
			break
		}
		ports = ports[:0]
	}
	return paths
}

// readConfigs reads the configuration files of the hosts.
func (p *Plan) readConfigs(known *signatures.Ports, rules *exposure.RuleSet) error {
	if len(p.opts.Configs) == 0 {
		return nil
	}
	var err error
	if known == nil || rules == nil {
		if known, rules, err = LoadKnowledge(); err != nil {
			return err
		}
	}
	least := 1.0 // as of mxsweep config
	if p.opts.MinCoverage != 0 {
		least = max(p.opts.MinCoverage, 0)
	}
	like := configured.Audit{Rules: rules, Ports: known, Policy: p.policy, Now: p.opts.now(), MinDecided: least}
	p.files, err = configured.ReadFiles(p.opts.Configs, like, p.hostAddresses)
	if err != nil {
		return err
	}
	return p.opts.checkFiles(append(slices.Clone(p.lists), p.files.Names()...))
}

// hostAddresses returns the addresses of a host that the run sweeps, by its address or name.
func (p *Plan) hostAddresses(host string) []netip.Addr {
	a, err := netip.ParseAddr(host)
	if err != nil {
		return p.addressesOf(host)
	}
	a = a.Unmap()
	if p.wholeSpace.HostsIn(netipx.IPRangeFrom(a, a)) == 0 {
		return nil
	}
	return []netip.Addr{a}
}

// maxUpForFiles is how many addresses that are up are looked at to find the host that files
// describe.
const maxUpForFiles = 64

// filesSweep returns what the files are compared with.
func (p *Plan) filesSweep(w *sweep, open []exposure.Subject) *configured.Sweep {
	if p.files == nil {
		return nil
	}
	s := &configured.Sweep{Open: open, Up: w.counter.Up, Loss: w.engine.Loss(), Vantage: p.vantageOf, Names: p.scope.Names}
	for r := range w.counter.UpRanges() {
		for a := r.From(); r.Contains(a) && len(s.Hosts) < maxUpForFiles; a = a.Next() {
			s.Hosts = append(s.Hosts, a)
		}
	}
	return s
}

// vantageOf returns the vantage point for an address.
func (p *Plan) vantageOf(a netip.Addr) exposure.Vantage {
	if p.judge.VantageOf != nil {
		return p.judge.VantageOf(a)
	}
	return p.judge.Vantage
}

// judgeOpen judges an open port, with the line that opens it.
func (p *Plan) judgeOpen(port exposure.Subject) []exposure.Violation {
	port, why := p.files.Explain(port)
	list := p.judge.Findings(port)
	if why != "" {
		for i := range list {
			list[i].Evidence = slices.Insert(slices.Clone(list[i].Evidence), min(1, len(list[i].Evidence)), why)
		}
	}
	return list
}

// shown returns a finding as reports have it. The anchors of configuration files have the
// names that these have in reports.
func (p *Plan) shown(f *exposure.Violation) result.Finding {
	w := f.Finding()
	if w.OpenedBy == nil {
		return report.Clean(w, p.tree)
	}
	policy := w.PolicyAnchor
	w.PolicyAnchor = nil
	w = report.Clean(w, "")
	w.PolicyAnchor = report.Clean(policy, p.tree)
	return w
}

// treeOf returns the tree to which the anchors of notices with a code are relative.
func (p *Plan) treeOf(code string) report.Tree {
	if code == exposure.NoticeUndecided || code == exposure.NoticeNoConfiguration {
		return "" // they have the names of configuration files in reports
	}
	return p.tree
}
