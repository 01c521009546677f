//go:build linux

package e2e

import (
	"crypto/sha256"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
)

// A snapshot describes files below some folders of a host: mode, owner, size,
// time of last change of content and of inode, and the content itself as a
// SHA-256. The times of the folders tell of files that came and went.
type snapshot map[string]string

// snap takes a snapshot of folders of a host. A folder that is not there is a
// mistake of the test.
func snap(t *testing.T, h *host, folders ...string) snapshot {
	t.Helper()
	s := snapshot{}
	for _, folder := range folders {
		root := h.path(folder)
		err := filepath.WalkDir(root, func(name string, e fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			text, err := describe(name)
			rel, _ := filepath.Rel(root, name)
			s[filepath.Join(folder, rel)] = text
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func describe(name string) (string, error) {
	info, err := os.Lstat(name)
	if err != nil {
		return "", err
	}
	st := info.Sys().(*syscall.Stat_t)
	text := fmt.Sprintf("%v %d:%d %d bytes, content %d.%09d, inode %d.%09d", info.Mode(), st.Uid, st.Gid, st.Size,
		st.Mtim.Sec, st.Mtim.Nsec, st.Ctim.Sec, st.Ctim.Nsec)
	if info.Mode().IsRegular() {
		content, err := os.ReadFile(name)
		if err != nil {
			return "", err
		}
		text += fmt.Sprintf(", SHA-256 %x", sha256.Sum256(content))
	}
	return text, nil
}

// changes lists what differs between two snapshots, one line a file.
func (s snapshot) changes(after snapshot) []string {
	var list []string
	all := maps.Clone(s)
	maps.Copy(all, after)
	for _, name := range slices.Sorted(maps.Keys(all)) {
		if s[name] != after[name] {
			list = append(list, fmt.Sprintf("%s: was [%s], is [%s]", name, s[name], after[name]))
		}
	}
	return list
}

// size returns the length of a file of a host, 0 if it is not there.
func size(h *host, name string) int64 {
	info, err := os.Stat(h.path(name))
	if err != nil {
		return 0
	}
	return info.Size()
}

// tail returns what a file of a host gained since it had a size.
func tail(t *testing.T, h *host, name string, since int64) string {
	t.Helper()
	text, err := os.ReadFile(h.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text[min(since, int64(len(text))):])
}
