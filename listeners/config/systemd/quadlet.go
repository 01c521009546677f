package systemd

import (
	"regexp"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/command"
	"github.com/mxsweep/mxsweep/listeners/config/container"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// quadletSections are the sections of the files of which Podman makes units
// (podman-systemd.unit(5)), by the ends of their names.
var quadletSections = map[string]string{".container": "Container", ".pod": "Pod", ".kube": "Kube"}

// quadletSection is the beginning of one of them.
var quadletSection = regexp.MustCompile(`(?m)^[ \t]*\[(?:Container|Pod|Kube)\]`)

// IsQuadlet reports whether a text is one of which Podman makes a unit: other files have such
// names, too.
func IsQuadlet(text string) bool { return quadletSection.MatchString(text) }

// Quadlet reads a file of which Podman makes a unit, or a drop-in of one that is not in the
// files: the ports that its container, or its pod, publishes.
func Quadlet(t *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	u := readUnit(t, f, &c)
	dot := strings.LastIndexByte(u.name, '.')
	section := quadletSections[u.name[max(dot, 0):]]
	one := container.Container{Name: u.last(section, "ContainerName"), Image: u.last(section, "Image")}
	if section == "Pod" {
		one.Name = u.last(section, "PodName")
	}
	if one.Name == "" {
		one.Name = u.name[:max(dot, 0)]
	}
	for _, s := range u.list(section, "PublishPort") {
		one.Ports = append(one.Ports, s.words()...)
	}
	for _, s := range u.list(section, "Network") {
		for _, w := range s.words() {
			one.Network = w
		}
	}
	for _, s := range u.list(section, "PodmanArgs") {
		one.Options(s.words())
	}
	r := &container.Commands{Config: &c, Unit: u.name}
	r.Add(one, command.From(f, 0, min(len(f.Text), 1)))
	return c
}

// words returns the words of the value.
func (s *setting) words() (list []command.Text) {
	for _, words := range command.Split(s.line(), command.Systemd, nil) {
		list = append(list, words...)
	}
	return list
}
