package report

import (
	"github.com/mxsweep/mxsweep/exposure/mailpath"
	"github.com/mxsweep/mxsweep/result"
)

// checkPaths checks the paths of a run: their edges lead between their steps.
func checkPaths(paths []result.Path) error {
	if len(paths) > mailpath.MaxPaths {
		return badValue("paths", len(paths), "more than there can be")
	}
	for i := range paths {
		if err := checkPath(&paths[i]); err != nil {
			return err
		}
	}
	return nil
}

func checkPath(p *result.Path) error {
	switch {
	case p.IP.Zone() != "":
		return badValue("ip", p.IP.String(), "not an IP address")
	case len(p.Steps) > mailpath.MaxSteps:
		return badValue("steps", len(p.Steps), "more than there can be")
	case len(p.Edges) > mailpath.MaxEdges:
		return badValue("edges", len(p.Edges), "more than there can be")
	case p.Left < 0:
		return badValue("left", p.Left, "negative")
	}
	for i := range p.Steps {
		s := &p.Steps[i]
		if known, ok := result.ParseRole(string(s.Role)); ok {
			s.Role = known
		} else if s.Role != "" {
			s.Role = result.RoleUnknown // of a later minor version
		}
		if err := first(inTable("kind", &s.Kind, result.ParseStepKind), checkAnchor(s.Anchor, "anchor")); err != nil {
			return err
		}
	}
	for i := range p.Edges {
		e := &p.Edges[i]
		for _, at := range []int{e.From, e.To} {
			if at < 0 || at >= len(p.Steps) {
				return badValue("edges", at, "not the index of a step")
			}
		}
		if err := first(inTable("basis", &e.Basis, result.ParseEdgeBasis), checkAnchor(e.Anchor, "anchor")); err != nil {
			return err
		}
	}
	return nil
}
