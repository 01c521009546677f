package configured

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/drift"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/result"
)

// drift compares the findings with the baseline.
func (a *Audit) drift(findings []exposure.Violation, undecided []listeners.Doubt) ([]exposure.Violation, []result.Notice) {
	k := a.known(undecided)
	c := drift.Compare(a.Baseline, drift.Conditions{
		Vantage: vantage,
		Gone:    func(e *drift.Entry) (bool, string) { return a.gone(e, k) },
	}, a.Rules)
	return c.Finish(findings, nil, a.Policy, a.Now)
}

// known is what a run knows of its files.
type known struct {
	undecided, read map[string]bool // by file
	listeners       map[[2]string]bool
}

// known returns what the run knows of its files.
func (a *Audit) known(undecided []listeners.Doubt) *known {
	k := &known{map[string]bool{}, map[string]bool{}, map[[2]string]bool{}}
	for _, d := range undecided {
		k.undecided[d.At.File] = true
	}
	for _, name := range a.tree.Files() {
		k.read[a.tree.ShownName(name)] = true
	}
	for _, f := range a.found {
		k.read[a.tree.ShownName(f.Name)] = true
	}
	for i := range a.read.Listeners {
		l := &a.read.Listeners[i]
		k.listeners[[2]string{l.At.File, l.Name()}] = true
	}
	return k
}

// gone reports whether the listener of an entry, which no finding is about, is known not
// to break its rule any longer, and why.
func (a *Audit) gone(e *drift.Entry, k *known) (fixed bool, why string) {
	if k.undecided[e.Host] {
		return false, notDecided(e.Host)
	}
	if k.read[e.Host] {
		for _, file := range e.DependsOn {
			if k.undecided[file] {
				return false, notDecided(file)
			}
			if !k.read[file] && !a.deleted(file) {
				return false, fmt.Sprintf("this run did not read %s, which the finding depends on", file)
			}
		}
	}
	switch r := a.Rules.Lookup(e.Rule); {
	case k.read[e.Host] && r != nil && r.OfSetting():
		return true, "the setting no longer breaks the rule"
	case k.listeners[[2]string{e.Host, e.Listener}]:
		return true, "the listener no longer breaks the rule"
	case k.read[e.Host]:
		return true, "the file no longer has the listener"
	case a.deleted(e.Host):
		return true, "the file is no longer there"
	}
	return false, "this run did not read the file"
}

func notDecided(file string) string {
	return fmt.Sprintf("the files do not decide all of %s", file)
}

// deleted reports whether a file below one of the paths does not exist.
func (a *Audit) deleted(file string) bool { return a.covers(file) && a.missing(file) }

// covers reports whether a file is below one of the paths.
func (a *Audit) covers(file string) bool {
	file = a.named(file)
	return slices.ContainsFunc(a.names, func(name string) bool {
		return name == "." && file != "" || name == file || strings.HasPrefix(file, name+"/")
	})
}

// missing reports whether a file does not exist. The tree is closed by now.
func (a *Audit) missing(file string) bool {
	_, err := os.Lstat(a.tree.Local(a.named(file)))
	return errors.Is(err, fs.ErrNotExist)
}
