package zonefile

import (
	"errors"
	"strings"

	"github.com/mxsweep/mxsweep/domains"
	"github.com/mxsweep/mxsweep/domains/query"
	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/userfile"
)

// ReadAll reads the zone files of --zone: each is ORIGIN=FILE, or FILE if there is one domain, which is
// then the origin. What they do not have is asked of next. It is nil if there are none. All mistakes are
// returned at once.
func ReadAll(args, names []string, next query.Asker) (*Asker, error) {
	if len(args) == 0 {
		return nil, nil
	}
	a := &Asker{Next: next}
	var errs []error
	for _, arg := range args {
		z, err := readArg(arg, names)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		a.Zones = append(a.Zones, z)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return a, nil
}

// readArg reads one zone file.
func readArg(arg string, names []string) (*Zone, error) {
	origin, file, ok := strings.Cut(arg, "=")
	if !ok {
		file = arg
		if len(names) != 1 {
			return nil, fault.Usagef("write --zone ORIGIN=FILE", "reading flag \"--zone\": %q is the zone file of which of several domains", file)
		}
		origin = names[0]
	}
	ascii, err := domains.ToASCII(origin)
	if err != nil {
		return nil, fault.Usagef("write --zone ORIGIN=FILE, where ORIGIN is a domain", "reading flag \"--zone\": %w", err)
	}
	z, err := Read(file, ascii)
	var placed *userfile.Error
	if errors.As(err, &placed) {
		return nil, fault.As(fault.Usage, err)
	}
	if err != nil {
		return nil, fault.Usagef("--zone takes a zone file in the syntax of BIND", "opening zone file %q: %w", file, fault.WithoutPath(err))
	}
	return z, nil
}
