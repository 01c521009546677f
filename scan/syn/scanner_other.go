//go:build !linux

package syn

import (
	"context"
	"errors"
	"iter"
	"runtime"

	"go4.org/netipx"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/scan"
	"github.com/mxsweep/mxsweep/scan/scope"
)

// A Scanner sweeps one Space with single SYN segments. It does not work on this
// system.
type Scanner struct{}

// errSystem says that this system is not Linux.
var errSystem = fault.Hintf("--mode syn needs Linux; omit it to scan with full connections", "SYN scan on %s: %w", runtime.GOOS, errors.ErrUnsupported)

// Open returns an error that wraps errors.ErrUnsupported.
func Open(context.Context, *scope.Space, Config) (*Scanner, error) { return nil, errSystem }

// Scan yields nothing.
func (*Scanner) Scan(context.Context, *scope.Space) iter.Seq[scan.Result] {
	return func(func(scan.Result) bool) {}
}

// Stats returns zeros.
func (*Scanner) Stats() Stats { return Stats{} }

// Progress returns zeros.
func (*Scanner) Progress() Progress { return Progress{} }

// Err returns an error that wraps errors.ErrUnsupported.
func (*Scanner) Err() error { return errSystem }

// Close does nothing.
func (*Scanner) Close() {}

// Local returns an error that wraps errors.ErrUnsupported.
func Local(*scope.Space) (*netipx.IPSet, error) { return nil, errSystem }

// DropRights returns an error that wraps errors.ErrUnsupported.
func DropRights() error { return errSystem }

var _ scan.Scanner = (*Scanner)(nil)
