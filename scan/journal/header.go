package journal

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/scan/scope"
)

// A Key identifies the sweep that a journal belongs to.
type Key struct {
	// Space is the pairs of the run.
	Space *scope.Space

	// Options is everything else that determines what a result means: the hash of the
	// scope, the engine, its options. A journal is only continued if it is the same.
	Options string

	// Build is the program and its data, in one line. What another build wrote may mean
	// something else.
	Build string

	// Seed is the order of the run. If AnySeed is set and the journal exists, the order
	// is that of the journal.
	Seed    uint64
	AnySeed bool
}

// A header is the second line of the file, in JSON.
type header struct {
	Key   string    `json:"key"`   // SHA-256 over the pairs and the options
	Build string    `json:"build"` // SHA-256 over [Key].Build
	Seed  uint64    `json:"seed"`
	Pairs uint64    `json:"pairs"`
	Began time.Time `json:"began"`
}

// magicLine is the first line of the file: what all versions have in common, and the
// version of the rest.
const (
	magicWord = "mxsweep resume "
	magicLine = magicWord + "2\n"
)

// hash returns the hash that identifies the sweep of the journal.
func (k *Key) hash() string {
	h := sha256.New()
	k.Space.HashInto(h)
	h.Write([]byte(k.Options)) // never fails (package hash)
	return hex.EncodeToString(h.Sum(nil))
}

// begin prepares the file for the next frame.
func (j *File) begin() error {
	if err := j.file.Truncate(j.end); err != nil {
		return j.trouble("cannot remove the unfinished record", err)
	}
	if _, err := j.file.Seek(j.end, io.SeekStart); err != nil {
		return j.trouble("cannot continue writing", err)
	}
	if j.end > 0 {
		return nil
	}
	line, err := json.Marshal(j.head)
	if err != nil {
		return j.trouble("cannot write", err)
	}
	head := magicLine + string(line) + "\n"
	if _, err := j.file.WriteString(head); err != nil {
		return j.trouble("cannot write", err)
	}
	j.at = int64(len(head))
	return nil
}

// readHead reads the first two lines and compares them with key.
func (j *File) readHead(key Key) error {
	r := bufio.NewReader(io.LimitReader(j.file, 4096))
	magic, err1 := r.ReadString('\n')
	line, err2 := r.ReadString('\n')
	var head header
	strict := json.NewDecoder(strings.NewReader(line))
	strict.DisallowUnknownFields()
	if rest, ours := strings.CutPrefix(magic, magicWord); ours && magic != magicLine {
		return wrongFile(j.name, "continue with the version that started it, or delete the file and start over",
			"the file is from another version of mxsweep, in format %s", strings.TrimSpace(rest))
	}
	if magic != magicLine || err1 != nil || err2 != nil || strict.Decode(&head) != nil {
		return wrongFile(j.name, "choose another file, or one that does not exist yet", "the file is not a resume file")
	}
	switch {
	case head.Key != j.head.Key || head.Pairs != j.head.Pairs:
		return wrongFile(j.name, "give the same targets, scope, excludes, ports, shard and options as then, or choose another file",
			"the file belongs to another sweep, started %s", head.Began.Format(time.RFC3339))
	case head.Build != j.head.Build:
		return wrongFile(j.name, "continue with those that started it, or delete the file and start over",
			"the sweep was started %s with another version of mxsweep, or other signatures", head.Began.Format(time.RFC3339))
	case head.Seed != j.head.Seed && !key.AnySeed:
		return wrongFile(j.name, "omit --seed", "the sweep was started with --seed %d", head.Seed)
	}
	j.head = head
	j.order = scope.NewOrder(head.Pairs, head.Seed)
	j.at = int64(len(magic) + len(line))
	return nil
}
