package container

import (
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

// maxCompared is how many pairs of a Service and the pods of an object are compared.
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
				return
			}
			if selects(s.selector, p.labels) {
				names = append(names, p.containers...)
				selected = append(selected, p)
			}
		}
		for i := s.first; i < s.last; i++ {
			l := &m.config.Listeners[i]
			l.Services = append(l.Services, names...)
			for _, p := range selected {
				p.trusted(l)
			}
		}
	}
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
