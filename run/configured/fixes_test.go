package configured

import (
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/exposure/fix"
	"github.com/mxsweep/mxsweep/listeners/config"
	"github.com/mxsweep/mxsweep/signatures"
)

// Each kind of file has a fix, or is said to have none; and each fix exists.
func TestFixesOfKinds(t *testing.T) {
	kinds := map[string]bool{}
	for _, kind := range config.Kinds(true) {
		kinds[kind] = true
		id, ok := fixes[kind]
		if !ok {
			t.Errorf("kind %q: add the id of its fix, or \"\", to fixes", kind)
		}
		if id != "" && id != ofFile && id != ofTable && fix.Builtin().Lookup(id) == nil {
			t.Errorf("kind %q: no fix %q", kind, id)
		}
	}
	for _, id := range config.Fixes() {
		if fix.Builtin().Lookup(id) == nil {
			t.Errorf("no fix %q", id)
		}
	}
	for kind := range fixes {
		if !kinds[kind] {
			t.Errorf("no kind %q", kind)
		}
	}
}

// The products and stacks that are guessed are those of the rules and of the table of ports.
func TestGuesses(t *testing.T) {
	rules, err := exposure.Builtin()
	if err != nil {
		t.Fatal(err)
	}
	ports, err := signatures.DefaultPorts()
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rules.All() {
		if !slices.Contains(r.Tags, "mail-catcher") {
			continue
		}
		for _, known := range r.Fixes.Known() {
			for _, product := range known.Products {
				if strings.HasSuffix(known.ID, "-bind") && !slices.Contains(catchers, product) {
					t.Errorf("%s has the product %q, which catchers lacks", r.ID, product)
				}
			}
		}
	}
	for _, stack := range stacks {
		uses := func(u signatures.Use) bool { return slices.Contains(strings.Split(u.Stack, ", "), stack) }
		if !slices.ContainsFunc(ports.All(), func(p signatures.KnownPort) bool { return slices.ContainsFunc(p.Uses, uses) }) {
			t.Errorf("no port has the stack %q", stack)
		}
	}
}
