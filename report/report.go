// Package report writes a run down: one file per format and one sanitiser
// for every byte that came from the network.
//
// [NewPort], [NewFinding] and [NewNotice] turn what the scan and the judgement
// know into the types of the published schema, sanitised. Every [Writer] takes
// those, and a [Reader] plays a saved run to any Writer: what a format shows
// live it also shows of a saved run.
package report

import _ "embed"

//go:embed schema/mxsweep-1.schema.json
var schema []byte

// Schema is the JSON schema of the document and line forms.
func Schema() []byte { return append([]byte(nil), schema...) }

// A Writer takes a run as it happens. Streaming formats write at once and are
// valid wherever they are cut; buffered ones sort and write in End. The same
// run in gives the same bytes out. A Writer is for one goroutine and one run;
// after an error it is not used any more.
type Writer interface {
	// Start is called once, first.
	Start(Tool, Run) error
	// Port is called for each port that is reported. A port may come again
	// when the rest of its host tells more of it: what comes last holds.
	Port(Port) error
	// Finding is called once for each finding, after the ports it rests on.
	Finding(Finding) error
	// Notice is called for what the reader must know about the run itself.
	Notice(Notice) error
	// End is called once, last. The Run is the one of Start with its end time.
	End(Run, Summary) error
}
