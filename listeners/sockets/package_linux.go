package sockets

import (
	"bytes"
	"io"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
)

// maxList is the maximum size of the list of files of a package.
const maxList = 32 << 20

// A packageDatabase says which package installed a file, from dpkg's lists of files: no
// program is run. Those of rpm are in a database that needs its library.
type packageDatabase struct {
	dir   string // of the lists
	lists []string
	known map[string]string // by path
}

// openPackages opens the database of the system mounted at root. It is empty where dpkg
// is not used.
func openPackages(root string) *packageDatabase {
	db := &packageDatabase{dir: filepath.Join(root, "var/lib/dpkg/info"), known: map[string]string{}}
	entries, err := os.ReadDir(db.dir)
	if err != nil {
		return db
	}
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), ".list") {
			db.lists = append(db.lists, e.Name())
		}
	}
	return db
}

// find looks for the packages of files, all at once: each list is read at most once.
func (db *packageDatabase) find(files []string) {
	var wanted []string
	for _, file := range files {
		if _, known := db.known[file]; !known && packaged(file) {
			db.known[file] = ""
			wanted = append(wanted, file)
		}
	}
	likely, rest := likelyFirst(db.lists, wanted)
	wanted = db.search(likely, wanted)
	parts := runtime.GOMAXPROCS(0)
	var wait sync.WaitGroup
	var mu sync.Mutex
	for part := range slices.Chunk(rest, len(rest)/parts+1) {
		wait.Go(func() {
			found := &packageDatabase{dir: db.dir, known: map[string]string{}}
			found.search(part, wanted)
			mu.Lock()
			defer mu.Unlock()
			maps.Copy(db.known, found.known)
		})
	}
	wait.Wait()
}

// packaged reports whether the file may be one of a package: others would be looked for
// in all lists.
func packaged(file string) bool {
	for _, dir := range []string{"/usr/", "/bin/", "/sbin/", "/lib/", "/opt/"} {
		if strings.HasPrefix(file, dir) && !strings.HasPrefix(file, "/usr/local/") {
			return true
		}
	}
	return false
}

// search looks for the files in the lists, and returns those that are in none.
func (db *packageDatabase) search(lists, files []string) (missing []string) {
	wanted := newPathSet(files)
	left := len(files)
	var text []byte
	for _, list := range lists {
		if left == 0 {
			break
		}
		var err error
		if text, err = readList(filepath.Join(db.dir, list), text); err != nil {
			continue
		}
		for line := range bytes.Lines(text) {
			file, ok := wanted.find(bytes.TrimSuffix(line, []byte("\n")))
			if !ok || db.known[file] != "" {
				continue
			}
			db.known[file], _, _ = strings.Cut(strings.TrimSuffix(list, ".list"), ":") // without the architecture
			left--
		}
	}
	return slices.DeleteFunc(slices.Clone(files), func(file string) bool { return db.known[file] != "" })
}

// A pathSet finds files by the paths that lists may have for them. Most lines of a list
// have another length than all of these.
type pathSet struct {
	files   map[string]string
	lengths [4096]bool
}

// newPathSet returns the set of files. Each is also found by the path that it had before
// its directory was merged into /usr: /usr/sbin/x is /sbin/x in old packages.
func newPathSet(files []string) *pathSet {
	p := &pathSet{files: map[string]string{}}
	for _, file := range files {
		short := strings.TrimPrefix(file, "/usr")
		for _, path := range []string{file, short, "/usr" + short} {
			if len(path) < len(p.lengths) {
				p.files[path], p.lengths[len(path)] = file, true
			}
		}
	}
	return p
}

func (p *pathSet) find(path []byte) (file string, ok bool) {
	if len(path) >= len(p.lengths) || !p.lengths[len(path)] {
		return "", false
	}
	file, ok = p.files[string(path)]
	return file, ok
}

// likelyFirst splits the lists: the name of likely ones has a word in common with one of
// the files, as /usr/lib/postfix/sbin/master is of postfix.
func likelyFirst(lists, files []string) (likely, rest []string) {
	words := map[string]bool{}
	for _, file := range files {
		words[filepath.Base(file)] = true
		for word := range strings.FieldsFuncSeq(file, func(c rune) bool { return c == '/' || c == '-' || c == '.' || c == '_' }) {
			switch word {
			case "usr", "lib", "bin", "sbin", "libexec":
			default:
				words[word] = true
			}
		}
	}
	for _, list := range lists {
		name, _, _ := strings.Cut(strings.TrimSuffix(list, ".list"), ":")
		if first, _, _ := strings.Cut(name, "-"); words[name] || words[first] {
			likely = append(likely, list)
		} else {
			rest = append(rest, list)
		}
	}
	return likely, rest
}

// readList reads a list of files into buf.
func readList(name string, buf []byte) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return buf, err
	}
	defer func() { _ = f.Close() }()
	b := bytes.NewBuffer(buf[:0])
	_, err = b.ReadFrom(io.LimitReader(f, maxList))
	return b.Bytes(), err
}
