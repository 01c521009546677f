package statements

import (
	"regexp"
	"strings"
)

// A CyrusService is a service of cyrus.conf (cyrus.conf(5); master/masterconf.c): a line of the
// section SERVICES with its name and settings.
type CyrusService struct {
	Name   string
	Listen Part // without a text if it has none

	settings map[string]Part
}

// Setting returns the value of a setting, "" if there is none.
func (s *CyrusService) Setting(name string) string { return s.settings[name].Text }

var (
	cyrusSection = regexp.MustCompile(`^\s*(\w+)\s*\{`)
	cyrusSetting = regexp.MustCompile(`\s(\w+)=(?:"([^"]*)"?|(\S*))`)
)

// ParseCyrus returns the services of the text of cyrus.conf that listen. The case of the name of
// a section does not count, that of a setting does, and so does the first of several
// (masterconf_getsection, masterconf_getstring).
func ParseCyrus(text string) []CyrusService {
	var list []CyrusService
	section, start := "", 0
	for line := range strings.Lines(text) {
		at := start
		start += len(line)
		line = strings.TrimRight(line, "\r\n")
		if i := strings.IndexByte(line, '#'); i >= 0 {
			line = line[:i]
		}
		if m := cyrusSection.FindStringSubmatch(line); m != nil {
			section = m[1]
			continue
		}
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "}" {
			continue
		}
		s := CyrusService{Name: words[0], settings: map[string]Part{}}
		for _, m := range cyrusSetting.FindAllStringSubmatchIndex(line, -1) {
			from, to := m[4], m[5]
			if from < 0 {
				from, to = m[6], m[7]
			}
			if name := line[m[2]:m[3]]; !s.settings[name].Has() {
				s.settings[name] = Part{line[from:to], at + from, at + to}
			}
		}
		s.Listen = s.settings["listen"]
		if strings.EqualFold(section, "SERVICES") && s.Listen.Has() {
			list = append(list, s)
		}
	}
	return list
}
