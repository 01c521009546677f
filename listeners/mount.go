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

// has reports whether the mount has a file.
func (m *Mount) has(file string) bool {
	return file == m.Name || strings.HasPrefix(file, m.Name+"/")
}

// InContainer reports whether a file is only one of containers that have networks of their
// own, and the services of these.
func (c *Config) InContainer(file string) (services []string, contained bool) {
	for i := range c.Mounts {
		m := &c.Mounts[i]
		switch {
		case !m.has(file):
			continue
		case m.HostNetwork:
			return nil, false
		case m.Service != "" && !slices.Contains(services, m.Service):
			services = append(services, m.Service)
		}
		contained = true
	}
	return services, contained
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
