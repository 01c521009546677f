package sockets

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// unitOf returns the systemd unit and the container of a process, from its
// /proc/PID/cgroup (cgroups(7)). "" if it has none, or none is known.
func unitOf(text string) (unit, container string) {
	for line := range strings.Lines(text) {
		parts := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3) // id, controllers, path
		if len(parts) < 3 {
			continue
		}
		u, c := unitOfPath(parts[2])
		if unit == "" {
			unit = u
		}
		if container == "" {
			container = c
		}
	}
	return unit, container
}

// unitOfPath returns the innermost unit and container of a control group.
func unitOfPath(group string) (unit, container string) {
	parts := strings.Split(group, "/")
	for i := len(parts) - 1; i >= 0; i-- {
		name := unescapeUnit(parts[i])
		if c := containerOf(parts, i); container == "" && c != "" {
			container = c
			continue
		}
		if unit == "" && container == "" && strings.HasSuffix(name, ".service") {
			unit = name
		}
	}
	return unit, container
}

// unescapeUnit undoes how systemd writes a unit name in a path of a control group: with
// an underscore before names that the kernel uses itself.
func unescapeUnit(name string) string {
	if rest, ok := strings.CutPrefix(name, "_"); ok && strings.Contains(rest, ".") {
		return rest
	}
	return name
}

// runtimes are the prefixes of the scopes that container managers make.
var runtimes = []string{"docker-", "libpod-", "cri-containerd-", "crio-", "nerdctl-", "containerd-"}

// containerOf returns the id or the name of the container that part i of a control group
// is, "" if it is none. An id is cut to 12 digits, as docker ps shows it.
func containerOf(parts []string, i int) string {
	part := parts[i]
	if name, ok := strings.CutPrefix(part, "lxc.payload."); ok {
		return name
	}
	if i > 0 && parts[i-1] == "lxc" {
		return part
	}
	if name, ok := strings.CutPrefix(part, "machine-"); ok && strings.HasSuffix(name, ".scope") {
		return strings.TrimSuffix(name, ".scope") // of systemd-nspawn
	}
	id := strings.TrimSuffix(part, ".scope")
	for _, prefix := range runtimes {
		id = strings.TrimPrefix(id, prefix)
	}
	if len(id) == 64 && strings.Trim(id, "0123456789abcdef") == "" {
		return id[:12]
	}
	return ""
}

// maxGroups is the maximum number of control groups that are searched.
const maxGroups = 1 << 14

// findGroups returns the paths of control groups below dir, the mount point of the
// unified hierarchy, by their ids: an id is the inode of the directory.
func findGroups(dir string, ids map[uint64]bool) map[uint64]string {
	found := map[uint64]string{}
	seen := 0
	_ = filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return nil //nolint:nilerr // the others can be read
		}
		if !d.IsDir() {
			return nil
		}
		if seen++; seen > maxGroups || len(found) == len(ids) {
			return filepath.SkipAll
		}
		info, err := os.Lstat(name)
		if err != nil {
			return nil //nolint:nilerr // it has just been removed
		}
		if stat, ok := info.Sys().(*syscall.Stat_t); ok && ids[stat.Ino] {
			found[stat.Ino] = strings.TrimPrefix(name, dir)
		}
		return nil
	})
	return found
}
