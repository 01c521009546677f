package signatures

import (
	"cmp"
	"io/fs"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/mxsweep/mxsweep/result"
)

// portsFile is the name of the port table among the data files.
const portsFile = "ports.yaml"

// Ports is the port table. It does not change after loading.
type Ports struct {
	ports    map[uint16]*KnownPort
	profiles []Profile
	look     map[string][]Look
}

// A KnownPort is the entry of one port. A port number alone never shows what answers
// there.
type KnownPort struct {
	Number   uint16   `json:"port"`
	Title    string   `json:"title"` // what the port is in a mail host, one line
	IANA     IANA     `json:"iana"`
	Internal bool     `json:"internal"` // for the mail system itself only
	Related  []uint16 `json:"related"`  // ports of the same mail flow
	Uses     []Use    `json:"uses"`     // likeliest first, at least one
	Profiles []string `json:"profiles"` // those that sweep it, "all" left out
}

// IANA is the state of a port in IANA's registry (RFC 6335).
type IANA struct {
	// Status is "assigned", "unassigned", "reserved" or "dynamic" (49152 and
	// above, RFC 6335, Section 6).
	Status      string `json:"status"`
	Name        string `json:"name,omitempty"`
	Description string `json:"description,omitempty"`
}

// A Use is one daemon that is known to listen on a port.
type Use struct {
	Product  string          `json:"product"`
	Role     result.Role     `json:"role"`
	Protocol string          `json:"protocol"`
	Flow     string          `json:"flow"`            // who connects to whom, in words
	Bind     string          `json:"bind"`            // where it listens by default
	Stack    string          `json:"stack,omitempty"` // the stack whose default configuration does so
	Gain     string          `json:"gain"`            // what an unauthenticated client can do with it
	Severity result.Severity `json:"severity"`        // severity of reaching it, if this daemon answers
	Fix      []string        `json:"fix"`             // ids of the fixes that bind it
}

// A Look is a command that shows on the host itself which process listens on a port.
type Look struct {
	Tool    string `json:"tool"`
	Command string `json:"command"`
	Shows   string `json:"shows"`
}

// A Profile is a set of ports with a name.
type Profile struct {
	Name  string   `json:"name"`
	Title string   `json:"title"`
	Why   string   `json:"why"`
	Ports []uint16 `json:"ports"` // sorted
}

// The systems for which the table tells how to look.
const (
	LookLinux   = "linux"
	LookMacOS   = "macos"
	LookWindows = "windows"
)

// DefaultPorts returns the built-in port table, which is read at the first call.
func DefaultPorts() (*Ports, error) { return readBuiltinPorts() }

var readBuiltinPorts = sync.OnceValues(func() (*Ports, error) { return LoadPorts(builtin) })

// LoadPorts reads ports.yaml of fsys. Errors in it are a [Problems].
func LoadPorts(fsys fs.FS) (*Ports, error) {
	data, err := read(fsys, portsFile)
	if err != nil {
		return nil, err
	}
	d, root := newDecoder(portsFile, data)
	var table portTable
	if root != nil {
		table = d.portTable(root)
	}
	p := &Ports{ports: make(map[uint16]*KnownPort), look: table.look}
	if !d.Failed() {
		// References between entries are only checked if all of them could be read.
		p.addPorts(d, table.ports)
		p.addProfiles(d, table.profiles)
		for _, system := range []string{LookLinux, LookMacOS, LookWindows} {
			if len(p.look[system]) == 0 {
				d.failAt(Pos{portsFile, 1, 1}, "", "no command to look on %s", system)
			}
		}
	}
	if err := d.Err(); err != nil {
		return nil, err
	}
	return p, nil
}

// Lookup returns the entry of a port.
func (p *Ports) Lookup(port uint16) (KnownPort, bool) {
	e, ok := p.ports[port]
	if !ok {
		return KnownPort{}, false
	}
	return *e, true
}

// All returns the entries of all ports, in the order of the numbers.
func (p *Ports) All() []KnownPort {
	all := make([]KnownPort, 0, len(p.ports))
	for _, e := range p.ports {
		all = append(all, *e)
	}
	slices.SortFunc(all, func(a, b KnownPort) int { return cmp.Compare(a.Number, b.Number) })
	return all
}

// Profiles returns the profiles in the order of the file, the default first.
func (p *Ports) Profiles() []Profile { return slices.Clone(p.profiles) }

// Profile returns the profile of that name.
func (p *Ports) Profile(name string) (Profile, bool) {
	i := slices.IndexFunc(p.profiles, func(f Profile) bool { return f.Name == name })
	if i < 0 {
		return Profile{}, false
	}
	return p.profiles[i], true
}

// ProfilePorts returns the ports of every profile by its name, for scope.ParsePorts.
func (p *Ports) ProfilePorts() map[string][]uint16 {
	sets := make(map[string][]uint16, len(p.profiles))
	for _, f := range p.profiles {
		sets[f.Name] = slices.Clone(f.Ports)
	}
	return sets
}

// Look returns the commands that show on a system (LookLinux, LookMacOS, LookWindows)
// which process listens on a port, known or not.
func (p *Ports) Look(system string, port uint16) []Look {
	looks := slices.Clone(p.look[system])
	for i := range looks {
		looks[i].Command = strings.ReplaceAll(looks[i].Command, "{port}", strconv.Itoa(int(port)))
	}
	return looks
}

// Severity is the highest severity of the uses of the port; none if it has no use.
func (p KnownPort) Severity() result.Severity {
	var gravest result.Severity
	for _, u := range p.Uses {
		gravest = max(gravest, u.Severity)
	}
	return gravest
}
