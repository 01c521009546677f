package listeners

import (
	"slices"
	"strconv"
	"strings"
)

// A Mount is a file or folder that a container has: what is configured there is bound in
// the network of the container.
type Mount struct {
	Name string // as anchors name files

	// Service is the name of the container's service; "" for an image.
	Service string

	// HostNetwork is set if the container has no network of its own.
	HostNetwork bool
}

// mounts finds the mounts that have a file.
type mounts struct {
	of     map[string]*mounted // by the name of the mount
	count  int                 // of the mounts in it
	looked int                 // how many names were looked up
}

// mounted is what is known of the mounts with one name.
type mounted struct {
	services    []string // each once
	seen        map[string]bool
	hostNetwork bool
}

// index brings the index of the mounts up to date, and returns it.
func (c *Config) index() *mounts {
	if c.mounts == nil || c.mounts.count > len(c.Mounts) {
		c.mounts = &mounts{of: map[string]*mounted{}}
	}
	for ; c.mounts.count < len(c.Mounts); c.mounts.count++ {
		m := &c.Mounts[c.mounts.count]
		one := c.mounts.of[m.Name]
		if one == nil {
			one = &mounted{seen: map[string]bool{}}
			c.mounts.of[m.Name] = one
		}
		one.hostNetwork = one.hostNetwork || m.HostNetwork
		if m.Service != "" && !one.seen[m.Service] && len(one.services) < maxServices {
			one.seen[m.Service] = true
			one.services = append(one.services, m.Service)
		}
	}
	return c.mounts
}

// Part returns a Config with the mounts of c alone, for a part of its files.
func (c *Config) Part() *Config {
	return &Config{Mounts: c.Mounts, mounts: c.index()}
}

// The bounds of a search: how many folders above a file are looked for among the mounts, and how
// many services a file has at most.
const (
	maxMountDepth = 64
	maxServices   = 1000
)

// InContainer reports whether a file is only one of containers that have networks of their
// own, and the services of these, at most 1000, which the caller must not change. Mounts may be
// appended to, and not changed, after the first call.
func (c *Config) InContainer(file string) (services []string, contained bool) {
	index := c.index()
	var seen map[string]bool
	for depth := 0; depth < maxMountDepth; depth++ {
		index.looked++
		if m := index.of[file]; m != nil {
			switch {
			case m.hostNetwork:
				return nil, false
			case services == nil:
				services = m.services[:len(m.services):len(m.services)]
			default:
				services, seen = joined(services, m.services, seen)
			}
			contained = true
		}
		i := strings.LastIndexByte(file, '/')
		if i <= 0 {
			break
		}
		file = file[:i]
	}
	return services, contained
}

// joined appends those of more that services does not have, as long as there are not too many.
// seen has what services has, unless it is nil.
func joined(services, more []string, seen map[string]bool) ([]string, map[string]bool) {
	if seen == nil {
		seen = map[string]bool{}
		for _, s := range services {
			seen[s] = true
		}
	}
	for _, s := range more {
		if !seen[s] && len(services) < maxServices {
			seen[s] = true
			services = append(services, s)
		}
	}
	return services, seen
}

// Contain marks the listeners of files of containers.
func (c *Config) Contain() {
	for i := range c.Listeners {
		if l := &c.Listeners[i]; l.Through == ThroughHost {
			if _, contained := c.InContainer(l.At.File); contained {
				l.Through = ThroughContainer
			}
		}
	}
}

// A place is where a listener of a container is: its service, and the port there.
type place struct {
	service string
	port    uint16
}

// Inside returns the listener in a container to which a published port leads; nil if no file
// shows it. It must not be called before Contain, nor listeners be added after the first call.
func (c *Config) Inside(l *Listener) *Listener {
	if l.Through != ThroughPublished && l.Through != ThroughCluster {
		return nil
	}
	if c.inside == nil {
		c.indexInside()
	}
	first := -1
	for _, s := range l.Services {
		if i, ok := c.inside[place{s, l.Target()}]; ok && (first < 0 || i < first) {
			first = i
		}
	}
	if first < 0 {
		return nil
	}
	return &c.Listeners[first]
}

// indexInside notes where the listeners of containers are; of several the first one counts.
func (c *Config) indexInside() {
	c.inside = map[place]int{}
	files := map[string][]string{} // the services that have them
	for i := range c.Listeners {
		l := &c.Listeners[i]
		if l.Through != ThroughContainer || l.Loopback() {
			continue
		}
		services, ok := files[l.At.File]
		if !ok {
			services, _ = c.InContainer(l.At.File)
			files[l.At.File] = services
		}
		for _, s := range slices.Concat(l.Services, services) {
			if _, ok := c.inside[place{s, l.Port}]; !ok {
				c.inside[place{s, l.Port}] = i
			}
		}
	}
}

// Target returns the port on which the daemon itself listens: that of the container for one
// that is published.
func (l *Listener) Target() uint16 {
	if t, ok := l.Setting("target"); ok {
		if n, err := strconv.ParseUint(t.Value, 10, 16); err == nil && n > 0 {
			return uint16(n)
		}
	}
	return l.Port
}
