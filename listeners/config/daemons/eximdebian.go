package daemons

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// eximPart is a name of a file in conf.d that Debian reads.
var eximPart = regexp.MustCompile(`^[A-Za-z0-9_-]+$`)

// eximDebian reads the files of which Debian makes the configuration of Exim
// (update-exim4.conf(8)): update-exim4.conf.conf has settings, of which dc_local_interfaces
// is the macro MAIN_LOCAL_INTERFACES; the main section is that of the files in conf.d/main if
// dc_use_split_config is true, else of exim4.conf.localmacros and exim4.conf.template. With a file
// exim4.conf beside them none of them counts.
func eximDebian(t *source.Tree, f *source.File) listeners.Config {
	dc := newEximSettings()
	dc.read(f)
	if !dc.main {
		return listeners.Config{}
	}
	s := newEximSettings()
	s.doubt = dc.doubt
	const macro = "MAIN_LOCAL_INTERFACES"
	if v, ok := dc.set["dc_local_interfaces"]; ok && v.text != "" {
		s.set[macro] = v
	}
	if t != nil {
		used, rest, replaced := eximFiles(t, f, strings.EqualFold(dc.set["dc_use_split_config"].text, "true"))
		for _, name := range rest { // which are no parts of anything
			_, _ = t.Include(name)
		}
		if replaced {
			return listeners.Config{}
		}
		for _, name := range used {
			if part, err := t.Include(name); err == nil {
				s.read(part)
			}
		}
	}
	on, interfaces := "local_interfaces", s.set["local_interfaces"]
	if interfaces.file == nil {
		interfaces = s.set[macro]
	}
	sep := byte(':')
	if interfaces.file == f || interfaces.file == nil {
		on = "dc_local_interfaces"
		if strings.Contains(interfaces.text, ";") {
			sep = ';'
		}
	}
	return s.listeners(f, on, interfaces, sep)
}

// eximFiles returns the files of the main section, in their order, and others that would be in it
// otherwise. replaced reports that exim4.conf is there, which counts in place of all of them.
func eximFiles(t *source.Tree, f *source.File, split bool) (used, rest []string, replaced bool) {
	beside := func(pattern string) []string { return t.Find(f.Name, pattern) }
	parts := slices.Clone(beside("conf.d/main/*"))
	slices.Sort(parts)
	parts = slices.DeleteFunc(parts, func(name string) bool {
		if eximPart.MatchString(path.Base(name)) {
			return false
		}
		rest = append(rest, name)
		return true
	})
	whole := append(slices.Clone(beside("exim4.conf.localmacros")), beside("exim4.conf.template")...)
	switch {
	case len(beside("exim4.conf")) > 0:
		return nil, append(append(rest, parts...), whole...), true
	case split:
		return parts, append(rest, whole...), false
	}
	return whole, append(rest, parts...), false
}

// EximPart reads a file of the main section by itself: what it says of local_interfaces, unless
// another file says otherwise.
func EximPart(_ *source.Tree, f *source.File) listeners.Config {
	s := newEximSettings()
	s.read(f)
	interfaces := s.set["local_interfaces"]
	if interfaces.file == nil || strings.HasPrefix(interfaces.text, "MAIN_") {
		var c listeners.Config
		if s.main && path.Base(f.Name) == "exim4.conf.template" {
			c.AddDoubt("update-exim4.conf.conf, which decides where Exim listens, is not there", f.Anchor(0, 0))
		}
		return c
	}
	c := s.listeners(f, "local_interfaces", interfaces, ':')
	for i := range c.Listeners {
		if c.Listeners[i].Doubt == "" {
			c.Listeners[i].Doubt = "the other files of the main section of Exim are not there"
		}
	}
	return c
}

// eximListens is the option of exim(8) with which it listens on ports other than its configuration
// has, in a variable of /etc/default/exim4.
var eximListens = regexp.MustCompile(`^[ \t]*(?:export[ \t]+)?(?:SMTPLISTENEROPTIONS|COMMONOPTIONS)=.*?(-oX\b.*)$`)

// EximOptions reads /etc/default/exim4 of Debian, with the options of the daemon.
func EximOptions(_ *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	for start, line := range f.Lines() {
		if m := eximListens.FindStringSubmatchIndex(line); m != nil {
			c.AddDoubt("option -oX says where Exim listens, in place of its configuration", f.Anchor(start+m[2], start+m[2]+len("-oX")))
		}
	}
	return c
}
