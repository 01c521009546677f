package configured

import (
	"testing"

	"github.com/mxsweep/mxsweep/exposure/fix"
	"github.com/mxsweep/mxsweep/listeners/config"
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
