package report

import _ "embed"

//go:embed schema/mxsweep-1.schema.json
var schema []byte

// Schema is the JSON schema of the document and line forms.
func Schema() []byte { return append([]byte(nil), schema...) }
