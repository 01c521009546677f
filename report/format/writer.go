// Package format holds what every report format shares: the Writer that a run
// is written to, and the options that steer it.
package format

import (
	_ "embed"

	"github.com/mxsweep/mxsweep/result"
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
