package listeners

import (
	"slices"
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

// ServicesOf returns the services in whose containers a listener is: those that it names
// itself, and those that have its file.
func (c *Config) ServicesOf(l *Listener) []string {
	services, _ := c.InContainer(l.At.File)
	return slices.Concat(l.Services, services)
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
