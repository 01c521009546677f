package main

import (
	"slices"

	"github.com/spf13/pflag"
)

// The groups under which help and manual list flags, in this order.
const (
	groupTargets        = "Targets"
	groupScan           = "Scan"
	groupIdentification = "Identification"
	groupGate           = "Gate"
	groupOutput         = "Output"
)

var flagGroups = []string{groupTargets, groupScan, groupIdentification, groupGate, groupOutput}

// firstFlags are the flags of a scan that most runs need: help lists them before all
// groups.
var firstFlags = []string{"scope", "input", "ports", "exclude", "mode", "rate", "policy", "baseline", "fail-on", "output"}

// groupOf is the annotation with the group of a flag.
const groupOf = "group"

// inGroup adds the flags that register registers to flags, in their order, with the
// group.
func inGroup(flags *pflag.FlagSet, group string, register func(*pflag.FlagSet)) {
	flags.SortFlags = false
	set := pflag.NewFlagSet(group, pflag.ContinueOnError)
	set.SortFlags = false
	register(set)
	set.VisitAll(func(f *pflag.Flag) {
		if f.Annotations == nil {
			f.Annotations = make(map[string][]string)
		}
		f.Annotations[groupOf] = []string{group}
		flags.AddFlag(f)
	})
}

// A flagSection is a part of the list of flags.
type flagSection struct {
	title string
	flags []*pflag.Flag // at least one
}

// sections divides the flags that are not hidden: the most used ones, if all of them
// are there, then group by group, then the others.
func sections(flags *pflag.FlagSet) []flagSection {
	var first []*pflag.Flag
	for _, name := range firstFlags {
		if f := flags.Lookup(name); f != nil {
			first = append(first, f)
		}
	}
	if len(first) < len(firstFlags) {
		first = nil
	}
	groups := make(map[string][]*pflag.Flag)
	flags.VisitAll(func(f *pflag.Flag) {
		if f.Hidden || slices.Contains(first, f) {
			return
		}
		group := ""
		if names := f.Annotations[groupOf]; len(names) > 0 {
			group = names[0]
		}
		groups[group] = append(groups[group], f)
	})
	all := []flagSection{{"Most used flags", first}}
	for _, group := range flagGroups {
		all = append(all, flagSection{group, groups[group]})
	}
	all = append(all, flagSection{"Other flags", groups[""]})
	return slices.DeleteFunc(all, func(s flagSection) bool { return len(s.flags) == 0 })
}
