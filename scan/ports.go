package scan

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// ParsePorts reads a list of ports: numbers, ranges and names of profiles,
// separated by commas, each taken away again if it starts with "!":
// "10024-10031,10143", "internal,!783". Takings-away are applied last,
// whatever their place, and a list of nothing else takes away from no port at
// all. The result is sorted and without repeats.
//
// profiles gives the ports of each profile; nil means that there is none.
// Every error is an [InputError].
func ParsePorts(spec string, profiles map[string][]uint16) ([]uint16, error) {
	var in, out []uint16
	at := 0
	for item := range strings.SplitSeq(spec, ",") {
		column := at + 1
		at += len(item) + 1
		word, drop := strings.CutPrefix(strings.TrimSpace(item), "!")
		ports, err := parsePortItem(strings.TrimSpace(word), profiles)
		if err != nil {
			err.Column = column
			return nil, err
		}
		if drop {
			out = append(out, ports...)
		} else {
			in = append(in, ports...)
		}
	}
	slices.Sort(in)
	in = slices.Compact(in)
	slices.Sort(out)
	in = slices.DeleteFunc(in, func(p uint16) bool {
		_, dropped := slices.BinarySearch(out, p)
		return dropped
	})
	if len(in) == 0 {
		return nil, &InputError{Text: spec, Problem: "no port is left",
			Advice: "name at least one port, like 10024-10031,10143; a list of nothing but ! takes away from nothing"}
	}
	return in, nil
}

// RangedPorts returns, sorted, the ports of a list that [ParsePorts] reads which
// are part of a range or profile in it, and not only listed singly.
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
		return nil // nothing but single ports
	}
	return ports
}

// parsePortItem reads one number, range or profile name.
func parsePortItem(item string, profiles map[string][]uint16) ([]uint16, *InputError) {
	if item == "" {
		return nil, &InputError{Problem: "an empty entry in the list of ports",
			Advice: "separate ports by single commas, like 10024-10031,10143"}
	}
	if ports, ok := profiles[item]; ok {
		return ports, nil
	}
	if item[0] < '0' || item[0] > '9' {
		return nil, &InputError{Text: item, Problem: "no such port profile", Advice: profileAdvice(profiles)}
	}
	low, high, isRange := strings.Cut(item, "-")
	from, err := parsePort(strings.TrimSpace(low))
	if err != nil {
		return nil, err
	}
	if !isRange {
		return []uint16{from}, nil
	}
	to, err := parsePort(strings.TrimSpace(high))
	if err != nil {
		err.Text = item
		return nil, err
	}
	if to < from {
		return nil, &InputError{Text: item, Problem: "a range of ports that ends before it starts",
			Advice: fmt.Sprintf("write %d-%d", to, from)}
	}
	ports := make([]uint16, 0, int(to-from)+1)
	for p := int(from); p <= int(to); p++ {
		ports = append(ports, uint16(p))
	}
	return ports, nil
}

// parsePort reads one port number.
func parsePort(s string) (uint16, *InputError) {
	n, err := strconv.ParseUint(s, 10, 16)
	switch {
	case err == nil && n > 0:
		return uint16(n), nil
	case err == nil:
		// RFC 6335, Section 6: port 0 is reserved and never in use.
		return 0, &InputError{Text: s, Problem: "port 0 is reserved", Advice: "TCP ports are 1 to 65535"}
	case strings.Trim(s, "0123456789") == "" && s != "":
		return 0, &InputError{Text: s, Problem: "no such port", Advice: "TCP ports are 1 to 65535"}
	}
	return 0, &InputError{Text: s, Problem: "not a port number",
		Advice: "write numbers and ranges, like 10024-10031,10143"}
}

// profileAdvice lists the profiles that exist.
func profileAdvice(profiles map[string][]uint16) string {
	if len(profiles) == 0 {
		return "write numbers and ranges, like 10024-10031,10143"
	}
	names := slices.Sorted(maps.Keys(profiles))
	return "profiles are " + strings.Join(names, ", ") + "; numbers and ranges go like 10024-10031,10143"
}

// FormatPorts writes a set of ports in the one way that [ParsePorts] reads
// back to the same set: sorted, without repeats, runs of three and more as a
// range: "10024-10031,10143". No ports give an empty string.
func FormatPorts(ports []uint16) string {
	sorted := slices.Clone(ports)
	slices.Sort(sorted)
	sorted = slices.Compact(sorted)
	var b strings.Builder
	for i := 0; i < len(sorted); {
		j := i
		for j+1 < len(sorted) && sorted[j+1] == sorted[j]+1 {
			j++
		}
		if j == i+1 { // two neighbours read better as two numbers
			j = i
		}
		if b.Len() > 0 {
			b.WriteByte(',')
		}
		fmt.Fprint(&b, sorted[i])
		if j > i {
			fmt.Fprintf(&b, "-%d", sorted[j])
		}
		i = j + 1
	}
	return b.String()
}
