//go:build linux

package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
)

// A record is a file that says what a run made on this machine, so that the
// next one can remove what a killed run left. It is locked while a run lasts:
// a second run waits for the first. All tests of a run share theRecord.
type record struct {
	mu   sync.Mutex
	file *os.File
	made struct {
		Namespaces []string  `json:"namespaces"`
		Processes  []process `json:"processes"`
	}
}

// A process is named by its id and when it started, since ids are used again.
type process struct {
	PID   int    `json:"pid"`
	Start string `json:"start"`
}

// theRecord returns the record of this run, which TestMain closes. The lock is
// one of the open file, so that a test which opened it again would wait for
// itself.
func theRecord() (*record, error) {
	world.recordOnce.Do(func() { world.record, world.recordErr = openRecord() })
	return world.record, world.recordErr
}

// openRecord waits for the lock and removes what the run before left.
func openRecord() (*record, error) {
	name := filepath.Join(os.TempDir(), "mxsweep-e2e.json")
	// Not followed where it is a link: the folder is everybody's.
	f, err := os.OpenFile(name, os.O_RDWR|os.O_CREATE|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the record of namespaces: %w", err)
	}
	if err := unix.Flock(int(f.Fd()), unix.LOCK_EX); err != nil {
		return nil, errors.Join(fmt.Errorf("locking %q: %w", name, err), f.Close())
	}
	r := &record{file: f}
	if err := json.NewDecoder(f).Decode(&r.made); err == nil {
		if err := r.clear(); err != nil {
			return nil, errors.Join(err, f.Close())
		}
	}
	return r, nil
}

func (r *record) addNamespace(name string) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made.Namespaces = append(r.made.Namespaces, name)
	return r.write()
}

func (r *record) addProcess(pid int) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made.Processes = append(r.made.Processes, process{pid, startTime(pid)})
	return r.write()
}

// removeNamespaces removes namespaces that were added.
func (r *record) removeNamespaces(names ...string) error {
	var errs []error
	for _, name := range names {
		errs = append(errs, removeNamespace(name))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.made.Namespaces = slices.DeleteFunc(r.made.Namespaces, func(name string) bool { return slices.Contains(names, name) })
	return errors.Join(append(errs, r.write())...)
}

// removeNamespace removes a namespace if it stands and is one of ours.
func removeNamespace(name string) error {
	if !strings.HasPrefix(name, prefix) || strings.ContainsRune(name, '/') {
		return nil // whatever the file says
	}
	if _, err := os.Lstat("/run/netns/" + name); err != nil {
		return nil
	}
	return runTool("ip", "netns", "del", name)
}

func (r *record) write() error {
	text, err := json.Marshal(r.made)
	if err != nil {
		return err
	}
	if err := r.file.Truncate(0); err != nil {
		return err
	}
	_, err = r.file.WriteAt(append(text, '\n'), 0)
	return err
}

// clear ends the recorded processes that still run, removes the recorded
// namespaces that still stand, and empties the record.
func (r *record) clear() error {
	for _, p := range r.made.Processes {
		if p.Start != "" && startTime(p.PID) == p.Start {
			syscall.Kill(p.PID, syscall.SIGKILL)
		}
	}
	var errs []error
	for _, name := range r.made.Namespaces {
		errs = append(errs, removeNamespace(name))
	}
	r.made.Namespaces, r.made.Processes = nil, nil
	return errors.Join(append(errs, r.write())...)
}

// close clears the record and gives up the lock.
func (r *record) close() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	return errors.Join(r.clear(), r.file.Close())
}

// startTime returns when a process started, in clock ticks since boot, or ""
// if there is no such process.
func startTime(pid int) string {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return ""
	}
	// proc(5): the name in parentheses may hold anything; starttime is field 22.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 20 {
		return ""
	}
	return fields[19]
}
