// Package report writes runs in all report formats, and reads saved ones.
//
// [Clean] makes the results of a scan, in the types of package result, safe to
// write. Every [format.Writer] takes those, and a [Reader] replays a saved run to
// any Writer, so that a format shows the same of a saved run as of a live one.
package report

import (
	_ "embed"
)

//go:embed schema/mxsweep-1.schema.json
var schema []byte

// Schema returns the JSON schema of the document and line forms.
func Schema() []byte { return append([]byte(nil), schema...) }

// SchemaVersion is the version of the result schema that is written. A reader
// accepts any 1.x, because minor versions only add members.
const SchemaVersion = "1.0"

// The two forms of a saved run.
const (
	schemaReport = "mxsweep.report"
	schemaLine   = "mxsweep.line"
)
