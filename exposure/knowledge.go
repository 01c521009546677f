package exposure

// PortSets is a Knowledge made of two sets of ports. The zero PortSets has no
// ports.
type PortSets struct {
	internal, public map[uint16]bool
}

// NewPortSets returns a Knowledge for the ports of two profiles. A port in both
// counts as public.
func NewPortSets(internal, public []uint16) PortSets {
	set := func(ports []uint16) map[uint16]bool {
		m := make(map[uint16]bool, len(ports))
		for _, p := range ports {
			m[p] = true
		}
		return m
	}
	return PortSets{internal: set(internal), public: set(public)}
}

// Internal reports whether the port is in the internal set and not public.
func (s PortSets) Internal(port uint16) bool { return s.internal[port] && !s.public[port] }

// Public reports whether the port is in the public set.
func (s PortSets) Public(port uint16) bool { return s.public[port] }
