package container

import (
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"
)

// The bounds of a project of Docker Compose: of the nodes of its files and of the ports that
// they publish, each time that another one refers to them, and of the bytes that variables
// are in. They bound time and memory, of which the library takes more than its files have: it
// copies what aliases and extends repeat, and makes each port of a range, which takes about
// 30 KB. TestHostile measures it. A service has about twenty nodes; a range of ports for RTP has
// ten thousand.
const (
	maxNodes    = 50_000
	maxPorts    = 20_000
	maxVariable = 4 << 10
)

var errHeavy = errors.New("there is more in it, with what it refers to, than is read")

// A weight is what loading the files of a project may cost.
type weight struct {
	project *composeProject
	nodes   int
	ports   int
	extends int
	seen    map[*yaml.Node]int // the nodes below each node that aliases name
}

// add adds a document. The error says that the project is too large to be loaded.
func (w *weight) add(doc *yaml.Node) error {
	w.seen = map[*yaml.Node]int{}
	if w.nodes += w.count(doc, 0); w.nodes > maxNodes {
		return errHeavy
	}
	for _, service := range members(child(doc, "services")) {
		if child(service, "extends") != nil {
			w.extends++
		}
		for _, port := range items(service, "ports") {
			w.ports += w.project.portCount(port)
		}
		if w.ports > maxPorts {
			return errHeavy
		}
	}
	if w.ports*(1+w.extends) > maxPorts {
		return errHeavy
	}
	return nil
}

// count returns how many nodes there are, at most one more than maxNodes, with those that
// aliases repeat.
func (w *weight) count(n *yaml.Node, depth int) int {
	switch {
	case n == nil:
		return 0
	case n.Kind == yaml.AliasNode && n.Alias != nil:
		sum, ok := w.seen[n.Alias]
		if !ok {
			w.seen[n.Alias] = maxNodes + 1 // for one that contains itself
			sum = w.count(n.Alias, depth+1)
			w.seen[n.Alias] = sum
		}
		return sum
	case n.Kind == yaml.ScalarNode && len(n.Value) > maxVariable && strings.Contains(n.Value, "$"), depth > maxDepth:
		return maxNodes + 1
	}
	sum := 1
	for _, c := range n.Content {
		if sum = min(sum+w.count(c, depth+1), maxNodes+1); sum > maxNodes {
			break
		}
	}
	return sum
}

// maxDepth is how many nodes may be in each other.
const maxDepth = 200

// portCount returns about how many ports an entry publishes, for the library makes each of
// them.
func (p *composeProject) portCount(entry *yaml.Node) int {
	if entry.Kind != yaml.ScalarNode {
		return 1
	}
	text, err := p.substitute(entry.Value, p.lookup)
	if err != nil {
		return 1
	}
	count := 1
	for part := range strings.SplitSeq(text, ":") {
		part, _, _ = strings.Cut(part, "/")
		if first, last, ok := publishedRange(part); ok {
			count = max(count, last-first+1)
		}
	}
	return count
}
