package trust

import (
	"fmt"

	"github.com/mxsweep/mxsweep/listeners"
)

// rules are the rules of a packet filter by port: of those of one stage the first.
type rules map[listeners.FilterStage]*[1 << 16]*listeners.Filter

// rulesOf sorts rules by port. Each port is looked at once for a stage, however many rules
// have it.
func rulesOf(list []listeners.Filter) rules {
	r := rules{}
	next := map[listeners.FilterStage]*[1<<16 + 1]int{} // the next port without a rule, or a port before it
	for i := range list {
		f := &list[i]
		if r[f.Stage] == nil {
			r[f.Stage], next[f.Stage] = &[1 << 16]*listeners.Filter{}, &[1<<16 + 1]int{}
			for port := range next[f.Stage] {
				next[f.Stage][port] = port
			}
		}
		free := next[f.Stage]
		find := func(port int) int {
			for free[port] != port {
				free[port] = free[free[port]]
				port = free[port]
			}
			return port
		}
		for port := find(int(f.First)); port <= int(f.Last); port = find(port) {
			r[f.Stage][port] = f
			free[port] = port + 1
		}
	}
	return r
}

// of returns the rule of a stage for a port; nil if there is none.
func (r rules) of(stage listeners.FilterStage, port uint16) *listeners.Filter {
	if r[stage] == nil {
		return nil
	}
	return r[stage][port]
}

// bypassed judges the rules of a packet filter about a port that a container engine publishes:
// those for input never see its packets, those for forwarded ones do.
func (f *finder) bypassed(l *listeners.Listener) {
	if l.Through != listeners.ThroughPublished {
		return
	}
	if f.rules == nil {
		f.rules = rulesOf(f.config.Filters)
	}
	rule := f.rules.of(listeners.FilterInput, l.Port)
	if rule == nil || f.rules.of(listeners.FilterForward, l.Port) != nil || f.rules.of(listeners.FilterForward, l.Target()) != nil {
		return
	}
	s := listeners.Setting{Name: fmt.Sprintf("%s port %d", rule.Chain, l.Port), At: &rule.At}
	f.add(Fault{Kind: FilterBypassed, Confidence: likely,
		Fix: fmt.Sprintf("publish the port as `127.0.0.1:%d:%d`, or not at all; or drop it in chain DOCKER-USER, which sees the packets for containers", l.Port, l.Target()),
		Why: []string{fmt.Sprintf("chain %s drops port %d, but its packets are forwarded to a container, and no rule for input sees them", rule.Chain, l.Port)}}, &s, l, l)
}
