package command

import (
	_ "embed"
	"path"
	"sync"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/result"
)

//go:embed commands.yaml
var commandsYAML []byte

// A spec says what one daemon opens for which option.
type spec struct {
	Programs   []string      `yaml:"programs"`
	Product    string        `yaml:"product"`
	Protocol   string        `yaml:"protocol"`
	Role       result.Role   `yaml:"role"`
	Style      string        `yaml:"style"`
	Flags      string        `yaml:"flags"`
	Source     string        `yaml:"source"`
	Sockets    []socketSpec  `yaml:"sockets"`
	Relay      []string      `yaml:"relay"`
	RelayPorts []string      `yaml:"relay-ports"`
	Settings   []settingSpec `yaml:"settings"`
	Arguments  bool          `yaml:"arguments"`
	Defaults   []defaultSpec `yaml:"defaults"`
}

// A socketSpec is one socket of a daemon.
type socketSpec struct {
	Name     string      `yaml:"name"`
	Options  []string    `yaml:"options"`
	Form     string      `yaml:"form"`
	MayLack  bool        `yaml:"may-lack"`
	Ports    []string    `yaml:"ports"`
	Host     string      `yaml:"host"`
	Port     uint16      `yaml:"port"`
	Always   bool        `yaml:"always"`
	Unless   []string    `yaml:"unless"`
	Env      []string    `yaml:"env"`
	EnvPorts []string    `yaml:"env-ports"`
	Doubt    string      `yaml:"doubt"`
	Protocol string      `yaml:"protocol"`
	Role     result.Role `yaml:"role"`

	Follows    []string `yaml:"follows"`
	FollowsEnv []string `yaml:"follows-env"`
}

// A settingSpec is an option that a judgement needs.
type settingSpec struct {
	Name    string   `yaml:"name"`
	Options []string `yaml:"options"`
}

// A defaultSpec is the command line that is made of the variables of a file.
type defaultSpec struct {
	Files   []string `yaml:"files"`
	Command string   `yaml:"command"`
	Doubt   string   `yaml:"doubt"`
}

// The forms of values.
const (
	portForm   = "[host:]port"
	hostForm   = "host[:port]"
	milterForm = "milter"
)

// specs returns the daemons of commands.yaml.
var specs = sync.OnceValue(func() []spec {
	var list []spec
	if err := yaml.Unmarshal(commandsYAML, &list); err != nil {
		return nil // TestTable holds that it is not so
	}
	return list
})

// specOf returns the daemon of a program, nil if it is none that is known.
func specOf(program string) *spec {
	base := path.Base(program)
	for i, s := range specs() {
		for _, name := range s.Programs {
			if name == base {
				return &specs()[i]
			}
		}
	}
	return nil
}

// defaultsOf returns the daemon whose variables a file of /etc/default has; nil if there is
// none.
func defaultsOf(file string) (*spec, *defaultSpec) {
	for i, s := range specs() {
		for j, d := range s.Defaults {
			for _, name := range d.Files {
				if name == path.Base(file) {
					return &specs()[i], &specs()[i].Defaults[j]
				}
			}
		}
	}
	return nil, nil
}

// Named returns the product, the protocol and the role of a daemon by the name of its program
// or service; RoleUnknown if it is none that is known.
func Named(name string) (product, protocol string, role result.Role) {
	if s := specOf(name); s != nil && s.Role != "" {
		return s.Product, s.Protocol, s.Role
	}
	return "", "", result.RoleUnknown
}
