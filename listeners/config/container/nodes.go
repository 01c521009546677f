package container

import (
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// scalar returns the place of the beginning of a scalar.
func scalar(f *source.File, n *yaml.Node, text string) result.Anchor {
	at := f.Offset(n.Line, n.Column)
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		at = min(at+1, len(f.Text)) // YAML has more kinds of line ends than a file here
	}
	if !strings.HasPrefix(f.Text[at:], text) { // escapes, folded lines
		return f.Anchor(at, at)
	}
	return f.Anchor(at, at+len(text))
}

// members yields the keys and values of a mapping, with those that it merges in.
func members(n *yaml.Node) func(func(string, *yaml.Node) bool) {
	return func(yield func(string, *yaml.Node) bool) {
		if n = resolved(n); n == nil || n.Kind != yaml.MappingNode {
			return
		}
		for i := 0; i+1 < len(n.Content); i += 2 {
			if !yield(n.Content[i].Value, resolved(n.Content[i+1])) {
				return
			}
		}
	}
}

// maxAliases is how many aliases of aliases are followed.
const maxAliases = 16

// child returns the value of a key of a mapping, also of one that it merges in (<<); nil
// if there is none.
func child(n *yaml.Node, key string) *yaml.Node {
	return search(n, key, map[*yaml.Node]bool{})
}

// search is child in a mapping and in those that it merges in, each once.
func search(n *yaml.Node, key string, seen map[*yaml.Node]bool) *yaml.Node {
	if n = resolved(n); n == nil || n.Kind != yaml.MappingNode || seen[n] {
		return nil
	}
	seen[n] = true
	var merged *yaml.Node
	for i := 0; i+1 < len(n.Content); i += 2 {
		switch n.Content[i].Value {
		case key:
			return resolved(n.Content[i+1])
		case "<<":
			merged = resolved(n.Content[i+1])
		}
	}
	if merged != nil && merged.Kind == yaml.SequenceNode {
		for _, m := range merged.Content {
			if found := search(m, key, seen); found != nil {
				return found
			}
		}
		return nil
	}
	return search(merged, key, seen)
}

// keyOf returns the key itself.
func keyOf(n *yaml.Node, key string) *yaml.Node {
	if n = resolved(n); n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i]
		}
	}
	return nil
}

// resolved returns the node to which an alias refers.
func resolved(n *yaml.Node) *yaml.Node {
	for depth := 0; n != nil && n.Kind == yaml.AliasNode && depth < maxAliases; depth++ {
		n = n.Alias
	}
	return n
}

// text returns a scalar under a path of keys, and its node; "" and nil if there is none.
func text(n *yaml.Node, keys ...string) (string, *yaml.Node) {
	for _, key := range keys {
		n = child(n, key)
	}
	if n == nil || n.Kind != yaml.ScalarNode {
		return "", nil
	}
	return n.Value, n
}

// items returns the elements of a list under a key.
func items(n *yaml.Node, key string) []*yaml.Node {
	list := child(n, key)
	if list == nil || list.Kind != yaml.SequenceNode {
		return nil
	}
	var out []*yaml.Node
	for _, c := range list.Content {
		if c = resolved(c); c != nil {
			out = append(out, c)
		}
	}
	return out
}
