// Package report writes a run down: one file per format and one sanitiser
// for every byte that came from the network.
//
// [NewPort], [NewFinding] and [NewNotice] turn what the scan and the judgement
// know into the types of the published schema, sanitised. Every [Writer] takes
// those, and a [Reader] plays a saved run to any Writer: what a format shows
// live it also shows of a saved run.
package report

import (
	_ "embed"

	"github.com/mxsweep/mxsweep/result"
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

// A Writer takes a run as it happens. Streaming formats write at once and are
// valid wherever they are cut; buffered ones sort and write in End. The same
// run in gives the same bytes out. A Writer is for one goroutine and one run;
// after an error it is not used any more.
type Writer interface {
	// Start is called once, first.
	Start(result.Tool, result.Run) error
	// Port is called for each port that is reported. A port may come again
	// when the rest of its host tells more of it: what comes last holds.
	Port(result.Port) error
	// Finding is called once for each finding, after the ports it rests on.
	Finding(result.Finding) error
	// Notice is called for what the reader must know about the run itself.
	Notice(result.Notice) error
	// End is called once, last. The Run is the one of Start with its end time.
	End(result.Run, result.Summary) error
}
