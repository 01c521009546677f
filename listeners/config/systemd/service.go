package systemd

import (
	"fmt"
	"iter"
	"path"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/command"
	"github.com/mxsweep/mxsweep/listeners/config/container"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// Service reads a service unit, or a drop-in of one that is not in the files.
func Service(t *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	u := readUnit(t, f, &c)
	env := &command.Environment{}
	u.environment(f, env)
	containers := &container.Commands{Config: &c, Unit: u.name}
	for _, s := range u.list("Service", "ExecStartPre") { // what it creates, ExecStart= may start
		for words := range u.programs(&s, env) {
			containers.Read(words)
		}
	}
	for _, s := range u.list("Service", "ExecStart") {
		for words := range u.programs(&s, env) {
			if !containers.Read(words) {
				command.Listen(&c, words, env, command.Start{Unit: u.name})
			}
		}
	}
	return c
}

// programs yields the commands of a setting such as ExecStart=.
func (u *unit) programs(s *setting, env *command.Environment) iter.Seq[[]command.Text] {
	return func(yield func([]command.Text) bool) {
		line := s.line()
		if line.Doubt != "" {
			u.c.AddDoubt("the command is not read: "+line.Doubt, s.at())
		}
		text := line.String()
		prefix := len(text) - len(strings.TrimLeft(text, "@-:+!|"))
		for _, words := range command.Split(line.Slice(prefix, len(text)), command.Systemd, env) {
			if strings.Contains(text[:prefix], "@") && len(words) > 1 { // the second word is argv[0]
				words = append(words[:1:1], words[2:]...)
			}
			for inner := range command.Programs(words, env) {
				if !yield(inner) {
					return
				}
			}
		}
	}
}

// environment sets the variables of a service; files come after Environment=, whatever their
// order is (systemd.exec(5)).
func (u *unit) environment(f *source.File, env *command.Environment) {
	for _, s := range u.list("Service", "Environment") {
		for _, words := range command.Split(s.line(), command.Systemd, nil) {
			for _, w := range words {
				env.SetPair(w)
			}
		}
	}
	for _, s := range u.list("Service", "EnvironmentFile") {
		optional := strings.HasPrefix(s.text(), "-")
		name := strings.TrimPrefix(s.text(), "-")
		var found []string
		if u.tree != nil && path.IsAbs(name) {
			found = u.tree.Find(f.Name, name)
		}
		if found == nil && !optional {
			u.c.AddDoubt(fmt.Sprintf("%q is not in the files", name), s.at())
		}
		for _, n := range found {
			if e, err := u.tree.Include(n); err == nil {
				command.Assignments(u.tree, e, command.Systemd, env)
			}
		}
	}
}
