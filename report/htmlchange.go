package report

import "slices"

// An htmlChange is what changed in one way since the baseline.
type htmlChange struct {
	Drift, Means string
	Places       []htmlLink // the finding, its rule and where it is
	Count        int
}

// maxChanges is how many findings of one change are named.
const maxChanges = 50

// changes lists what is different from the baseline, nil where there is none.
func (b *htmlBuilder) changes() []htmlChange {
	if b.v.run.Baseline == nil {
		return nil
	}
	list := []htmlChange{
		{Drift: driftNew, Means: "not there before"},
		{Drift: driftReopened, Means: "was fixed, and is back"},
		{Drift: driftExpired, Means: "the time for which it was accepted is over"},
		{Drift: driftUpdated, Means: "still there, with another severity or product"},
		{Drift: driftFixed, Means: "no longer there"},
		{Drift: driftUnverified, Means: "this run could not see whether it is still there"},
	}
	for i := range b.c.findings {
		f := &b.c.findings[i]
		at := slices.IndexFunc(list, func(c htmlChange) bool { return c.Drift == f.Drift })
		if at < 0 || f.Status != statusOpen && f.Drift != driftFixed {
			continue
		}
		c := &list[at]
		if c.Count++; c.Count <= maxChanges {
			c.Places = append(c.Places, htmlLink{findingAnchor(f), f.Rule, place(f.IP, f.Port)})
		}
	}
	return slices.DeleteFunc(list, func(c htmlChange) bool { return c.Count == 0 })
}

// Left is how many findings are not named.
func (c htmlChange) Left() int { return c.Count - len(c.Places) }

// An htmlQuiet is hosts of which the same is to be said: that they are clean,
// or silent.
type htmlQuiet struct {
	Title string
	Hosts []string
}

// quietHosts lists the hosts of which the run tells a port and no finding that
// stands: those that answered, and those that did not.
func (b *htmlBuilder) quietHosts() []htmlQuiet {
	with := make(map[string]bool)
	for i := range b.c.findings {
		if f := &b.c.findings[i]; f.live() {
			with[f.IP] = true
			for _, ip := range f.Addresses {
				with[ip] = true
			}
		}
	}
	clean, silent := htmlQuiet{Title: "Clean: answered, and has no finding"}, htmlQuiet{Title: "Silent: nothing answered on a port that was reported"}
	for ports := range hostPorts(b.c.ports) {
		if with[ports[0].IP] {
			continue
		}
		name := ports[0].IP
		if ports[0].Host != "" {
			name += " (" + ports[0].Host + ")"
		}
		if slices.ContainsFunc(ports, func(p Port) bool { return p.State == stateOpen || p.State == stateClosed }) {
			clean.Hosts = append(clean.Hosts, name)
		} else {
			silent.Hosts = append(silent.Hosts, name)
		}
	}
	return slices.DeleteFunc([]htmlQuiet{clean, silent}, func(q htmlQuiet) bool { return len(q.Hosts) == 0 })
}
