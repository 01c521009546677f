package scope

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"github.com/mxsweep/mxsweep/internal/spelling"
)

// ParsePorts parses a list of ports: numbers, ranges and names of profiles, separated
// by commas; "!" excludes: "10024-10031,10143", "internal,!783". Exclusions are
// applied last, whatever their position; a list with nothing else excludes from no
// ports. The result is sorted and without duplicates.
//
// profiles has the ports of each profile; nil means that there is none. The error
// is an [InputError] whose column is that of the item in spec, or several of them,
// joined.
func ParsePorts(spec string, profiles map[string][]uint16) ([]uint16, error) {
	set, err := ParsePortSet(spec, profiles)
	return set.Ports(), err
}

// ParsePortSet is ParsePorts for many or wide lists that are kept.
func ParsePortSet(spec string, profiles map[string][]uint16) (PortSet, error) {
	p := portParser{profiles: profiles, named: map[string]bool{}}
	at := 0
	var errs []error
	for item := range strings.SplitSeq(spec, ",") {
		column := at + 1
		at += len(item) + 1
		if err := p.add(strings.TrimSpace(item)); err != nil && len(errs) < maxPortErrors {
			err.Column = column
			errs = append(errs, err)
		}
	}
	if len(errs) > 1 {
		return PortSet{}, errors.Join(errs...)
	}
	if len(errs) == 1 {
		return PortSet{}, errs[0]
	}
	set := newPortSet(p.in).minus(newPortSet(p.out))
	if len(set.runs) == 0 {
		return PortSet{}, &InputError{Text: spec, Problem: "no port is left",
			Hint: "name at least one port, as in 10024-10031,10143; a list with only ! entries selects no port"}
	}
	return set, nil
}

// maxPortErrors is the maximum number of errors about one list of ports.
const maxPortErrors = 100

// RangedPorts returns, sorted, the ports of a list for [ParsePorts] that are part of a
// range or profile in it, and not only listed singly.
func RangedPorts(spec string, profiles map[string][]uint16) []uint16 {
	var wide []string
	for item := range strings.SplitSeq(spec, ",") {
		item = strings.TrimSpace(item)
		if _, profile := profiles[item]; profile || strings.ContainsAny(item, "-!") {
			wide = append(wide, item)
		}
	}
	ports, err := ParsePorts(strings.Join(wide, ","), profiles)
	if err != nil {
		return nil // only single ports
	}
	return ports
}

// A portParser collects the items of a list of ports.
type portParser struct {
	profiles map[string][]uint16
	named    map[string]bool // profiles that were added, with "!" if excluded: once is enough
	in, out  []portRun
}

// add reads one item.
func (p *portParser) add(item string) *InputError {
	word, drop := strings.CutPrefix(item, "!")
	word = strings.TrimSpace(word)
	to := &p.in
	if drop {
		to = &p.out
	}
	if ports, ok := p.profiles[word]; ok && word != "" {
		if !p.named[item] {
			p.named[item] = true
			for _, port := range ports {
				*to = append(*to, portRun{port, port})
			}
		}
		return nil
	}
	run, err := parsePortItem(word, p.profiles)
	if err == nil {
		*to = appendRun(*to, run)
	}
	return err
}

// parsePortItem reads one number or range.
func parsePortItem(item string, profiles map[string][]uint16) (portRun, *InputError) {
	if item == "" {
		return portRun{}, &InputError{Problem: "an empty entry in the list of ports",
			Hint: "separate ports by single commas, like 10024-10031,10143"}
	}
	if item == "-" {
		return portRun{}, &InputError{Text: item, Problem: "a port range without start and end", Hint: "write 1-65535 for all ports"}
	}
	if item[0] < '0' || item[0] > '9' {
		return portRun{}, &InputError{Text: item, Problem: "no such port profile", Hint: cmp.Or(portHint(item), profileHint(profiles, item))}
	}
	low, high, isRange := strings.Cut(item, "-")
	from, err := parsePort(strings.TrimSpace(low))
	if err != nil {
		return portRun{}, err
	}
	if !isRange {
		return portRun{from, from}, nil
	}
	to, err := parsePort(strings.TrimSpace(high))
	if err != nil {
		err.Text = item
		return portRun{}, err
	}
	if to < from {
		return portRun{}, &InputError{Text: item, Problem: "a port range that ends before it starts",
			Hint: fmt.Sprintf("write %d-%d", to, from)}
	}
	return portRun{from, to}, nil
}

// parsePort reads one port number.
func parsePort(s string) (uint16, *InputError) {
	n, err := strconv.ParseUint(s, 10, 16)
	switch {
	case err == nil && n > 0:
		return uint16(n), nil
	case err == nil:
		// RFC 6335, Section 6: port 0 is reserved.
		return 0, &InputError{Text: s, Problem: "port 0 is reserved", Hint: "TCP ports are 1 to 65535"}
	case strings.Trim(s, "0123456789") == "" && s != "":
		return 0, &InputError{Text: s, Problem: "no such port", Hint: "TCP ports are 1 to 65535"}
	}
	return 0, &InputError{Text: s, Problem: "not a port number",
		Hint: "write numbers and ranges, like 10024-10031,10143"}
}

// profileHint suggests the profile that was probably meant, and lists those that
// exist.
func profileHint(profiles map[string][]uint16, item string) string {
	if len(profiles) == 0 {
		return "write numbers and ranges, like 10024-10031,10143"
	}
	names := slices.Sorted(maps.Keys(profiles))
	return spelling.Hint(names, item, "profiles are "+strings.Join(names, ", ")+"; write numbers and ranges as in 10024-10031,10143")
}

// FormatPorts formats ports, in any order, as [PortSet.String] does.
func FormatPorts(ports []uint16) string { return PortSetOf(ports).String() }
