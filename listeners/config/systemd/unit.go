package systemd

import (
	"path"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// A setting is "Name=value" of a section. The value may continue on further lines.
type setting struct {
	file          *source.File
	section, name string
	start, end    int // of the value
}

// text returns the value.
func (s *setting) text() string { return s.file.Text[s.start:s.end] }

// A unit is a unit file with its drop-ins, in the order in which they count.
type unit struct {
	name     string // "postgrey.service"
	settings []setting
	c        *listeners.Config
	tree     *source.Tree
}

// maxSettings is how many settings a unit has.
const maxSettings = 10_000

// readUnit reads a unit and its drop-ins, NAME.d/*.conf beside it and in the other folders of
// units. A drop-in that is read by itself is a unit without its main file.
func readUnit(t *source.Tree, f *source.File, c *listeners.Config) *unit {
	u := &unit{name: path.Base(f.Name), c: c, tree: t}
	if folder := path.Base(path.Dir(f.Name)); strings.HasSuffix(folder, ".d") && strings.HasSuffix(f.Name, ".conf") {
		u.name = strings.TrimSuffix(folder, ".d")
		u.read(f)
		return u
	}
	if t != nil && strings.HasSuffix(path.Dir(f.Name), "lib/systemd/system") && t.Find(f.Name, "/etc/systemd/system/"+u.name) != nil {
		return u // the one below /etc counts (systemd.unit(5))
	}
	u.read(f)
	if t == nil {
		return u
	}
	done := map[string]bool{}
	for _, pattern := range []string{u.name + ".d/*.conf", "/usr/lib/systemd/system/" + u.name + ".d/*.conf", "/lib/systemd/system/" + u.name + ".d/*.conf", "/etc/systemd/system/" + u.name + ".d/*.conf"} {
		for _, name := range t.Find(f.Name, pattern) {
			if done[name] {
				continue
			}
			done[name] = true
			if d, err := t.Include(name); err == nil {
				u.read(d)
			}
		}
	}
	return u
}

// read adds the settings of a file (systemd.syntax(7)): comments begin with # or ; and are
// skipped within values that continue, too.
func (u *unit) read(f *source.File) {
	section := ""
	for at := 0; at < len(f.Text) && len(u.settings) < maxSettings; {
		end := lineEnd(f.Text, at)
		line := strings.TrimRight(f.Text[at:end], " \t\r")
		trimmed := strings.TrimLeft(line, " \t")
		switch {
		case trimmed == "", trimmed[0] == '#', trimmed[0] == ';':
			at = end + 1
			continue
		case trimmed[0] == '[':
			section = strings.Trim(trimmed, "[]")
			at = end + 1
			continue
		}
		for strings.HasSuffix(strings.TrimRight(f.Text[at:end], "\r"), "\\") && end < len(f.Text) {
			end = lineEnd(f.Text, end+1)
			for begin := lineStart(f.Text, end); begin < end && isComment(f.Text[begin:end]) && end < len(f.Text); begin = lineStart(f.Text, end) {
				end = lineEnd(f.Text, end+1)
			}
		}
		if n := strings.IndexByte(f.Text[at:end], '='); n > 0 {
			start := at + n + 1
			for start < end && (f.Text[start] == ' ' || f.Text[start] == '\t') {
				start++
			}
			stop := start + len(strings.TrimRight(f.Text[start:end], " \t\r"))
			u.settings = append(u.settings, setting{f, section, strings.TrimSpace(f.Text[at : at+n]), start, stop})
		}
		at = end + 1
	}
}

// isComment reports whether a line is a comment.
func isComment(line string) bool {
	line = strings.TrimLeft(line, " \t")
	return line != "" && (line[0] == '#' || line[0] == ';')
}

// lineEnd returns where the line of an offset ends.
func lineEnd(text string, at int) int {
	if at > len(text) {
		return len(text)
	}
	if n := strings.IndexByte(text[at:], '\n'); n >= 0 {
		return at + n
	}
	return len(text)
}

// lineStart returns where the line begins that ends at an offset.
func lineStart(text string, end int) int { return strings.LastIndexByte(text[:end], '\n') + 1 }

// list returns the settings of a name, which an empty one resets.
func (u *unit) list(section string, names ...string) (list []setting) {
	for _, s := range u.settings {
		if s.section != section {
			continue
		}
		for _, name := range names {
			switch {
			case s.name != name:
			case s.start >= s.end:
				list = nil
			default:
				list = append(list, s)
			}
		}
	}
	return list
}

// last returns the last value of a setting, "" if it has none.
func (u *unit) last(section, name string) string {
	value := ""
	for _, s := range u.settings {
		if s.section == section && s.name == name {
			value = s.text()
		}
	}
	return value
}
