// Package format defines what all report formats share: the Writer to which a run
// is written, and its options.
package format

import (
	_ "embed"

	"github.com/mxsweep/mxsweep/result"
)

// A Writer receives a run while it happens. Streaming formats write at once and
// are valid wherever they are cut; buffered ones sort and write in End. The same
// input gives the same bytes. A Writer is for one run and not safe for concurrent
// use; after an error it must not be used any more.
type Writer interface {
	// Start is called once, first.
	Start(result.Tool, result.Run) error
	// Port is called for each port that is reported. It may be called again for
	// the same port when more is known about its host; the last call counts.
	Port(result.Port) error
	// Finding is called once for each finding, after the ports on which it is
	// based.
	Finding(result.Finding) error
	// Notice is called for each notice.
	Notice(result.Notice) error
	// End is called once, last. Its Run is that of Start with the end time set.
	End(result.Run, result.Summary) error
}
