package exposure

import (
	_ "embed"
	"slices"
)

//go:embed policy.schema.json
var policySchema []byte

// PolicySchema gives the JSON schema of the policy file, for editors.
func PolicySchema() []byte { return slices.Clone(policySchema) }
