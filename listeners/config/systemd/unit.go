package systemd

import (
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/command"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// A setting is "Name=value" of a section. The value may continue on further lines.
type setting struct {
	file          *source.File
	section, name string
	parts         []span // of the value, one for each line; none if it is empty
}

// A span is what stands between two offsets of a file.
type span struct{ start, end int }

// line returns the value with its places. A backslash at the end of a line is a blank
// (systemd.syntax(7)).
func (s *setting) line() command.Text {
	var list []command.Text
	for i, p := range s.parts {
		if i > 0 {
			list = append(list, command.Placed(" ", s.file, s.parts[i-1].end))
		}
		list = append(list, command.From(s.file, p.start, p.end))
	}
	return command.Concat(list...)
}

// text returns the value.
func (s *setting) text() string { return s.line().String() }

// at returns the place of the value: of its first line.
func (s *setting) at() result.Anchor {
	if len(s.parts) == 0 {
		return s.file.Anchor(0, 0)
	}
	return s.file.Anchor(s.parts[0].start, s.parts[0].end)
}

// A unit is a unit file with its drop-ins, in the order in which they count.
type unit struct {
	name     string // "postgrey.service"
	settings []setting
	c        *listeners.Config
	tree     *source.Tree
}

// maxSettings is how many settings a unit has.
const maxSettings = 10_000

// unitFolders are the folders of units. Those that come later count more (systemd.unit(5)).
var unitFolders = []string{"/lib/systemd/system/", "/usr/lib/systemd/system/", "/usr/local/lib/systemd/system/", "/run/systemd/system/", "/etc/systemd/system/"}

// readUnit reads a unit and its drop-ins, NAME.d/*.conf beside it and in the other folders of
// units. A drop-in that is read by itself is a unit without its main file. A unit that is
// masked has no settings, and neither has one that another folder replaces.
func readUnit(t *source.Tree, f *source.File, c *listeners.Config) *unit {
	u := &unit{name: path.Base(f.Name), c: c, tree: t}
	dir := path.Dir(f.Name)
	if folder := path.Base(dir); strings.HasSuffix(folder, ".d") && strings.HasSuffix(f.Name, ".conf") {
		u.name = strings.TrimSuffix(folder, ".d")
		if t != nil && u.isMasked(f.Name, path.Join("..", u.name)) {
			return u
		}
		u.read(f)
		return u
	}
	if t == nil {
		u.read(f)
		return u
	}
	if f.Text == "" || u.isReplaced(f) {
		return u
	}
	u.read(f)
	u.dropIns(f)
	return u
}

// isMasked reports whether the file of a unit is a link to /dev/null, or empty
// (systemd.unit(5)): the one of the folder that counts most, or else the one that is given.
func (u *unit) isMasked(from, beside string) bool {
	paths := []string{beside}
	for _, folder := range unitFolders {
		paths = append(paths, folder+u.name)
	}
	for _, p := range slices.Backward(paths) {
		for _, name := range u.tree.Find(from, p) {
			f, err := u.tree.Read(name)
			return err == nil && f.Text == ""
		}
	}
	return false
}

// isReplaced reports whether a folder that counts more has a unit of the same name. In a folder
// such as multi-user.target.wants is a link to a unit, also to one that is masked.
func (u *unit) isReplaced(f *source.File) bool {
	dir := path.Dir(f.Name)
	if ext := path.Ext(dir); !strings.HasSuffix(dir, "systemd/system") && ext != ".wants" && ext != ".requires" {
		return false
	}
	for _, folder := range slices.Backward(unitFolders) {
		for _, name := range u.tree.Find(f.Name, folder+u.name) {
			counts, err := u.tree.Real(name)
			own, ownErr := u.tree.Real(f.Name)
			return err == nil && ownErr == nil && counts != own
		}
	}
	return false
}

// dropIns reads the drop-ins of a unit, in the order of their names. Of those with one name
// that of the folder that counts most replaces the others.
func (u *unit) dropIns(f *source.File) {
	patterns := []string{u.name + ".d/*.conf"}
	for _, folder := range unitFolders {
		patterns = append(patterns, folder+u.name+".d/*.conf")
	}
	files := map[string]*source.File{}
	for _, pattern := range patterns {
		for _, name := range u.tree.Find(f.Name, pattern) {
			if d, err := u.tree.Include(name); err == nil {
				files[path.Base(name)] = d
			}
		}
	}
	for _, base := range slices.Sorted(maps.Keys(files)) {
		u.read(files[base])
	}
}

// read adds the settings of a file (systemd.syntax(7)): a line that ends with a backslash is
// continued by the next one, and comments, which begin with # or ;, are skipped in between, too.
func (u *unit) read(f *source.File) {
	section := ""
	var parts []span // of a setting that is continued
	for at := 0; at < len(f.Text); {
		if len(u.settings) >= maxSettings {
			u.c.AddDoubt("the unit has more settings than are read", f.Anchor(at, at))
			return
		}
		end := lineEnd(f.Text, at)
		line := span{at, at + len(strings.TrimRight(f.Text[at:end], "\r"))}
		at = end + 1
		text := strings.Trim(f.Text[line.start:line.end], " \t")
		switch {
		case text != "" && (text[0] == '#' || text[0] == ';'):
			continue
		case len(parts) == 0 && text == "":
			continue
		case len(parts) == 0 && text[0] == '[':
			section = strings.Trim(text, "[]")
			continue
		}
		if goesOn(f.Text[line.start:line.end]) {
			line.end--
			parts = append(parts, line)
			continue
		}
		u.set(f, section, append(parts, line))
		parts = nil
	}
	if len(parts) > 0 {
		u.set(f, section, parts)
	}
}

// goesOn reports whether a line ends with a backslash that is not escaped.
func goesOn(line string) bool {
	return (len(line)-len(strings.TrimRight(line, `\`)))%2 == 1
}

// set adds the setting of a line and those that continue it.
func (u *unit) set(f *source.File, section string, parts []span) {
	name, value, ok := strings.Cut(f.Text[parts[0].start:parts[0].end], "=")
	if !ok || name == "" {
		return
	}
	s := setting{file: f, section: section, name: strings.TrimSpace(name)}
	parts[0].start = parts[0].end - len(value)
	for _, p := range parts {
		text := f.Text[p.start:p.end]
		p.start += len(text) - len(strings.TrimLeft(text, " \t"))
		p.end = p.start + len(strings.Trim(text, " \t"))
		if p.start < p.end {
			s.parts = append(s.parts, p)
		}
	}
	u.settings = append(u.settings, s)
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

// list returns the settings of a name, which an empty one resets.
func (u *unit) list(section string, names ...string) (list []setting) {
	for _, s := range u.settings {
		if s.section != section {
			continue
		}
		for _, name := range names {
			switch {
			case s.name != name:
			case len(s.parts) == 0:
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
