package policy

import (
	"os"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/userfile"
)

// TestPolicyManual compares the example in docs/policy.md with the policy that
// the tests load.
func TestPolicyManual(t *testing.T) {
	manual, err := os.ReadFile("../../docs/policy.md")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(manual), "```yaml\n"+readPolicy(t)+"```\n") {
		t.Error("the example in docs/policy.md is not testdata/mxsweep.yaml")
	}
	for _, f := range (&loader{Document: &userfile.Document{}, policy: &Policy{}}).fields() {
		if !strings.Contains(string(manual), "| `"+f.Key+"` |") {
			t.Errorf("docs/policy.md does not explain the key %q", f.Key)
		}
	}
}
