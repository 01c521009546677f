package exposure

import (
	"cmp"
	"fmt"

	"go.yaml.in/yaml/v3"

	"mxsweep/internal/strictyaml"
)

// Bounds of a policy.
const (
	// MaxPolicy is the largest policy that is read, in bytes.
	MaxPolicy = 64 << 20

	// maxWhole is the largest one that is read otherwise than list by list. With the
	// bound on how many values it may have (strictyaml.MaxValues), it takes less than
	// 256 MiB of memory.
	maxWhole = 16 << 20

	// maxKept is how much memory what is kept of a policy may take, beside its text.
	maxKept = 104 << 20

	// maxOtherLines is how many lines of a scope may be names or IPv6. A run has no
	// room for more.
	maxOtherLines = 300_000

	// longPolicy is the size from which on a policy is read list by list.
	longPolicy = 256 << 10
)

// longLists are the lists of a policy that may be long.
var longLists = []string{"scope.files", "scope.targets", "scope.exclude", "canaries", "expect", "must_be_closed", "accept"}

// parsePolicy parses a policy. From so many bytes on, it is cut at the items of its
// long lists where it can be.
func parsePolicy(file string, data []byte, long int) (*document, *yaml.Node) {
	if len(data) < long {
		return parseYAML(file, data)
	}
	d := &document{source: newSource(file, data)}
	cut, fault := strictyaml.Split(data, longLists)
	switch {
	case cut != nil:
		d.cut = cut
		return d, cut.Root
	case fitsWhole(data) || fault == nil && len(data) <= maxWhole:
		return parseYAML(file, data)
	}
	d.syntax(cmp.Or(fault, &strictyaml.Fault{Line: 1, Column: 1, Text: fmt.Sprintf("larger than %d MiB, and not written as lists with one entry after each dash", maxWhole>>20),
		Hint: "put each of the keys scope, expect, must_be_closed and accept on a line of its own, and its entries below, each after a dash"}))
	return d, nil
}

// fitsWhole reports whether a policy can be read otherwise than list by list.
func fitsWhole(data []byte) bool { return len(data) <= maxWhole && strictyaml.Fits(data) }

// What entries take, each with its part of what the lists leave unused.
const (
	acceptBytes  = 136
	expectBytes  = 48
	closedBytes  = 40
	canaryBytes  = 256
	lineBytes    = 12
	anchorBytes  = 96
	lineUpBytes  = 96
	hostSetBytes = 176
	portsBytes   = 96
	serviceBytes = 80
)

// weigh counts what is kept of the entry at a node, and ends reading where it is
// too much.
func (l *policyLoader) weigh(n *yaml.Node, bytes int) {
	if l.kept += bytes; l.kept <= maxKept || l.full {
		return
	}
	l.fail(n, "write neighboring addresses as one prefix or range, ports as one list, and what is alike alike; long lists of hosts belong in scope files",
		"the entries up to this one take more than %d MiB of memory", maxKept>>20)
	l.full = true
}

// room is how many of the items of a list need room, if each takes so many bytes.
func (l *policyLoader) room(n *yaml.Node, bytes int) int {
	if l.cut == nil || l.cut.List(n) == nil {
		return 0
	}
	return min(l.cut.List(n).Len(), maxKept/bytes)
}
