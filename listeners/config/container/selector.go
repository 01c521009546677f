package container

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"
)

// A selection is the selector of a Service, and which listeners are its.
type selection struct {
	selector    *yaml.Node
	first, last int
}

// Pods are those of one object, with the names of their containers.
type pods struct {
	labels     *yaml.Node
	containers []string
	ports      map[string]int // of the containers, by their names
	trusting   []*trusting
}

// maxCompared is how many pairs of a Service and the pods of an object, and of one of its listeners
// and their containers, are looked at.
const maxCompared = 100_000

// selectPods tells the listeners of each Service which containers they lead to: those of the
// pods in the same file that have its labels.
func (m *manifests) selectPods() {
	compared := 0
	for _, s := range m.services {
		if s.first == s.last {
			continue
		}
		var names []string
		var selected []*pods
		for j := range m.pods {
			p := &m.pods[j]
			if compared++; compared > maxCompared {
				m.uncompared()
				return
			}
			if selects(s.selector, p.labels) {
				names = append(names, p.containers...)
				if p.trusting != nil {
					selected = append(selected, p)
				}
			}
		}
		all := slices.Concat(m.config.Listeners[s.first].Services, names) // of each listener of the Service
		for i := s.first; i < s.last; i++ {
			if compared += len(names); compared > maxCompared {
				m.uncompared()
				return
			}
			l := &m.config.Listeners[i]
			l.Services = slices.Clip(all)
			for _, p := range selected {
				p.trusted(l)
			}
		}
	}
}

// uncompared adds that some Services were not compared with the pods.
func (m *manifests) uncompared() {
	m.doubt(m.file.Anchor(0, 0), fmt.Sprintf("there are more than %d pairs of a Service and pods; the rest is left out", maxCompared))
}

// selects reports whether labels have all those of a selector. Without a selector there are
// no pods.
func selects(selector, labels *yaml.Node) bool {
	if selector == nil || selector.Kind != yaml.MappingNode || len(selector.Content) == 0 {
		return false
	}
	for key, value := range members(selector) {
		if have, n := text(labels, key); n == nil || value == nil || have != value.Value {
			return false
		}
	}
	return true
}
