// Package report writes a run down: one file per format and one sanitizer
// for every byte that came from the network.
//
// [Clean] makes what the scan and the assessment know, in the types of the published
// schema, safe to write. Every [format.Writer] takes those, and a [Reader] plays a
// saved run to any Writer: what a format shows live it also shows of a saved run.
package report

import (
	_ "embed"
)

//go:embed schema/mxsweep-1.schema.json
var schema []byte

// Schema is the JSON schema of the document and line forms.
func Schema() []byte { return append([]byte(nil), schema...) }

// SchemaVersion is the version of the result schema that is written. A reader
// takes any 1.x: a minor version only adds.
const SchemaVersion = "1.0"

// The two forms of a saved run.
const (
	schemaReport = "mxsweep.report"
	schemaLine   = "mxsweep.line"
)
