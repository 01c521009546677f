package container

import (
	"path"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/command"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// DockerfileKind is the kind of a Dockerfile.
const DockerfileKind = "Dockerfile"

// IsDockerfile reports whether a file has the name of a Dockerfile.
func IsDockerfile(name, _ string) bool {
	base := strings.ToLower(path.Base(name))
	for _, stem := range []string{"dockerfile", "containerfile"} {
		if base == stem || strings.HasPrefix(base, stem+".") && !strings.HasSuffix(base, ".dockerignore") || strings.HasSuffix(base, "."+stem) {
			return true
		}
	}
	return false
}

// Dockerfile reads a Dockerfile: what its last stage starts listens in the containers of the
// image, and so do the files that it copies into it. The context of the build is not known: it
// is the folder of the file or one above it.
func Dockerfile(t *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	list, all := instructions(f)
	img, cut := imageOf(list, nil, "")
	if !all || cut {
		c.AddDoubt("there are more instructions in it than are read", f.Anchor(0, 0))
	}
	if img == nil {
		return c
	}
	by := command.Start{Through: listeners.ThroughContainer}
	img.start(&c, img.env, by, "ENTRYPOINT", "CMD")
	img.mounts(&c, t, f, "", listeners.Mount{})
	c.OnlyEdges(0) // no port of a host depends on it
	return c
}

// start adds what the processes of an image open; entry and cmd are what their listeners are
// called by.
func (img *image) start(c *listeners.Config, env *command.Environment, by command.Start, entry, cmd string) {
	first, edges := len(c.Listeners), len(c.Edges)
	defer func() { // the file may start other daemons, too
		for i := range c.Edges[edges:] {
			if e := &c.Edges[edges+i]; e.From == "" && len(c.Listeners) > first {
				e.From = c.Listeners[first].Service
			}
		}
	}()
	switch {
	case img.entry.script != nil: // CMD has no effect then
		by.Unit = entry
		script(c, *img.entry.script, env, by)
	case img.entry.set:
		by.Unit = entry
		before := len(c.Listeners) + len(c.Edges)
		command.Listen(c, append(img.entry.words[:len(img.entry.words):len(img.entry.words)], img.cmd.argv()...), env, by)
		if len(c.Listeners)+len(c.Edges) == before && len(img.entry.words) > 0 {
			by.Unit, by.Doubt = cmd, img.entry.words[0].String()+" may start something else"
			command.Listen(c, img.cmd.argv(), env, by)
		}
	case img.cmd.script != nil:
		by.Unit = cmd
		script(c, *img.cmd.script, env, by)
	default:
		by.Unit = cmd
		command.Listen(c, img.cmd.words, env, by)
	}
}

// argv returns the words of a process.
func (p process) argv() []command.Text {
	if p.script != nil {
		return []command.Text{command.Literal("/bin/sh"), command.Literal("-c"), *p.script}
	}
	return p.words
}

// script adds what a script of the shell starts.
func script(c *listeners.Config, text command.Text, env *command.Environment, by command.Start) {
	for _, words := range command.Split(text, command.Shell, env) {
		command.Listen(c, words, env, by)
	}
}
