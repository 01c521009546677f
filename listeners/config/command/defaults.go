package command

import (
	"path"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// IsDefaults reports whether a file of /etc/default is one of a daemon that is known.
func IsDefaults(name string) bool {
	s, _ := defaultsOf(name)
	return s != nil
}

// Defaults reads a file of /etc/default: the command line that the daemon's init script or
// unit makes of its variables.
func Defaults(t *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	s, d := defaultsOf(f.Name)
	if s == nil {
		return c
	}
	env := &Environment{}
	Assignments(t, f, Shell, env)
	by := Start{Unit: path.Base(f.Name), Doubt: d.Doubt}
	for _, words := range Split(Placed(d.Command, f, 0), Shell, env) {
		Listen(&c, words, env, by)
	}
	return c
}
