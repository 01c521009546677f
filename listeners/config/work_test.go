package config

import (
	"io/fs"
	"runtime"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/listeners/source"
)

// A countingFS counts how often files are opened and looked up.
type countingFS struct {
	fstest.MapFS
	calls *int
}

func (c countingFS) Open(name string) (fs.File, error) {
	*c.calls++
	return c.MapFS.Open(name)
}

func (c countingFS) Stat(name string) (fs.FileInfo, error) {
	*c.calls++
	return c.MapFS.Stat(name)
}

func (c countingFS) Lstat(name string) (fs.FileInfo, error) {
	*c.calls++
	return c.MapFS.Lstat(name)
}

func (c countingFS) ReadDir(name string) ([]fs.DirEntry, error) {
	*c.calls++
	return c.MapFS.ReadDir(name)
}

// A work is what reading files took, in what can be counted.
type work struct {
	bytes, objects uint64 // that were allocated
	calls          int    // of the file system
}

// count reads a file and counts the work.
func count(t *testing.T, name, text string) (w work) {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, _, err := Read(&source.Tree{FS: countingFS{fstest.MapFS{name: {Data: []byte(text)}}, &w.calls}}, ".")
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	w.bytes, w.objects = after.TotalAlloc-before.TotalAlloc, after.Mallocs-before.Mallocs
	return w
}

// The sizes of the files of TestHostileWork, and what the larger one may take more than the
// smaller one: six times for a size of four times, above what is bounded in all.
const (
	smallFile, largeFile = 2 << 10, 8 << 10
	mostTimes            = 6
	freeBytes            = 4 << 20
	freeObjects          = 50_000
	freeCalls            = 500
	mostBytes            = 1 << 30 // of one file
)

// TestHostileWork holds that the work of reading what is made to take long grows with its size,
// and not with the square of it. What is counted is memory and calls of the file system; time is
// measured by TestHostile. Each text is a file of its own kinds, which find something in it, and
// of every 32nd other one.
func TestHostileWork(t *testing.T) {
	for i, text := range hostile {
		for j, name := range hostNames {
			if (i+j)%32 != 0 && !finds(name, text) {
				continue
			}
			small, large := count(t, name, grow(text, smallFile)), count(t, name, grow(text, largeFile))
			if large.bytes > mostBytes || large.bytes > mostTimes*small.bytes+freeBytes ||
				large.objects > mostTimes*small.objects+freeObjects || large.calls > mostTimes*small.calls+freeCalls {
				t.Errorf("%s, %q: %+v for %d bytes, %+v for %d", name, text, small, smallFile, large, largeFile)
			}
		}
	}
}

// finds reports whether a short file has a listener or an edge.
func finds(name, text string) bool {
	c, _, err := Read(&source.Tree{FS: fstest.MapFS{name: {Data: []byte(grow(text, 300))}}}, ".")
	return err == nil && len(c.Listeners)+len(c.Edges) > 0
}
