package view

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/internal/wording"
	"github.com/mxsweep/mxsweep/report/words"
	"github.com/mxsweep/mxsweep/result"
)

// Subject returns what was scanned.
func (v *View) Subject() string {
	switch name := v.Run.Scope.Name; {
	case OfFiles(&v.Run):
		return "configuration files: " + name
	case name != "" && name != "command-line":
		return name
	case len(v.Hosts) == 1:
		return cmp.Or(v.Hosts[0].Name, v.Hosts[0].Label())
	case v.Run.Scope.Addresses == 1:
		return "1 address"
	}
	return fmt.Sprintf("%d addresses", v.Run.Scope.Addresses)
}

// Headline returns the result in plain words.
func (v *View) Headline() string {
	var counts []string
	for _, s := range result.Severities()[:3] {
		if n := *v.Sum.BySeverity.Of(s); n > 0 {
			counts = append(counts, strconv.Itoa(n)+" "+s.String())
		}
	}
	blind := ""
	if v.Sum.Partial() || slices.ContainsFunc(v.notices, func(n result.Notice) bool { return n.Level == result.LevelError }) {
		blind = " The coverage of the run is incomplete."
	}
	who := "Strangers can reach"
	if v.Run.Vantage != "internet" {
		who = "Others can reach"
	}
	switch {
	case len(counts) > 0 && OfFiles(&v.Run):
		return fmt.Sprintf("Configuration files open mail services that only the mail system itself should reach: %s, in %s.%s",
			strings.Join(counts, ", "), wording.Plural(v.reach.hosts, "file"), blind)
	case len(counts) > 0:
		return fmt.Sprintf("%s mail services that should not be reachable: %s, on %s.%s",
			who, strings.Join(counts, ", "), wording.Plural(v.reach.hosts, "host"), blind)
	case v.Sum.BySeverity.Total() > 0:
		return "No serious exposure was found; a few minor findings deserve a look." + blind
	case blind != "":
		return "No unwanted exposure was found, but this result is not reliable." + blind
	}
	if OfFiles(&v.Run) {
		return "The files open no port that only the mail system itself should reach."
	}
	return "No unwanted exposure was found."
}

// Extent says how many hosts and ports have findings.
func (v *View) Extent() string {
	r := v.reach
	if OfFiles(&v.Run) {
		return fmt.Sprintf("%s in %s %s a finding; the files open %s in total to others than their own host.",
			wording.Plural(r.ports, "listener"), wording.Plural(r.hosts, "file"), map[bool]string{true: "has", false: "have"}[r.ports == 1], wording.Plural(r.open, "port"))
	}
	if r.ports == 0 {
		return fmt.Sprintf("%s open; none has an active finding.", words.IsAre(r.open, "port"))
	}
	return fmt.Sprintf("%s on %s %s a finding; %s open in total.",
		wording.Plural(r.ports, "port"), wording.Plural(r.hosts, "host"), map[bool]string{true: "has", false: "have"}[r.ports == 1], words.IsAre(r.open, "port"))
}
