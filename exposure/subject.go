package exposure

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"math"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// A Subject is one address and port as the run saw it: the input of a judgement.
// It holds raw data of the engine and the dialogues; [result.Port] is what a
// report shows of it.
type Subject struct {
	scan.Result

	// Host is the name under which the address is in scope, or "".
	Host string

	// Aliases are further names in scope of the same address. The policy matches
	// any of them.
	Aliases []string

	// Anchor is the scope line of the address; nil if it is from the command
	// line.
	Anchor *result.Anchor

	// NamedBy are the paths that lead from the domains of the run to the address, in words:
	// "mx 10 of example.org"; nil without domains.
	NamedBy []string

	// Service is nil if nothing was identified (not open, or --no-identify).
	Service *fingerprint.Identification

	// Reachability says how it is known that the vantage point can reach the
	// port.
	Reachability result.Reachability

	// Listener is what the file says that opens the port, Host is the name of that
	// file, Anchor the token, and Fix the id of the fix for such files, "" if there is
	// none. Listener is nil for a port that was scanned.
	Listener *result.Configured
	Fix      string

	// Root stands before the names of files in commands, as in fix.Values.
	Root string

	// Setting is a setting of a file that is judged instead of the listener for which it
	// holds: Listener.Name is then the name of the setting, and Anchor its value. It is
	// nil for all others.
	Setting *Setting

	// Socket is what the machine itself says of the port; nil for a port that was
	// scanned or configured. Anchor is then the token that configures it, if that was
	// found.
	Socket *result.Listening

	// OpenedBy is what a file says that opens a port that was scanned, or on which the
	// machine listens; nil if that is not known. Anchor is then the token, and Fix as for
	// Listener.
	OpenedBy *result.Configured
}

// Names returns all names of the port's address.
func (p *Subject) Names() []string { return allNames(p.Host, p.Aliases) }

// Port returns what a report shows of the subject. Its texts are as received from
// the network: report.Clean makes them safe to write.
func (p *Subject) Port() result.Port {
	w := result.Port{
		IP:           p.Target.Addr().WithZone(""),
		Host:         p.Host,
		Aliases:      p.Aliases,
		NamedBy:      p.NamedBy,
		Port:         p.Target.Port(),
		Protocol:     "tcp",
		State:        p.State,
		Reachability: p.Reachability,
		Reason:       p.Reason,
		Timestamp:    result.NewTime(p.Time),
		RTT:          milliseconds(p.RTT),
		Attempts:     p.Attempts,
		Anchor:       p.Anchor,
		Listener:     p.Listener,
		Socket:       p.Socket,
	}
	if p.Err != nil {
		w.Error = &result.PortError{Code: errorCode(p.State), Message: p.Err.Error()}
	}
	if s := p.Service; s != nil {
		w.Service, w.TLS = &s.Service, s.TLS
		if len(s.Banner) > 0 {
			sum := sha256.Sum256(s.Banner)
			w.Banner = &result.Banner{Text: string(s.Banner), SHA256: hex.EncodeToString(sum[:]), Truncated: s.BannerTruncated}
		}
		if s.KnownProduct() == "" && s.Transcript != nil {
			w.Trail = trail(s.Transcript)
		}
	}
	return w
}

// errorCode says where the cause is if a port is neither open nor closed: in the
// scope, on the network path, or on this machine.
func errorCode(s result.State) string {
	switch s {
	case result.StateSkipped:
		return "skipped"
	case result.StateFiltered:
		return "icmp"
	default:
		return "local-error"
	}
}

// milliseconds returns d in milliseconds, rounded to a microsecond.
func milliseconds(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Microsecond)) / 1000
}

// trail returns the exchanges of a transcript, in the order of their probes.
func trail(t *fingerprint.Transcript) []result.ProbeRecord {
	var records []result.ProbeRecord
	for _, e := range t.Exchanges {
		records = append(records, result.ProbeRecord{
			Probe:    e.Probe,
			Greeting: string(e.Greeting),
			Sent:     string(e.Sent),
			Reply:    string(e.Reply),
			End:      e.End,
			TLS:      e.TLS,
			Took:     milliseconds(e.Took),
		})
	}
	slices.SortStableFunc(records, func(a, b result.ProbeRecord) int { return cmp.Compare(a.Probe, b.Probe) })
	return records
}
