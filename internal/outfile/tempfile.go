package outfile

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// The temporary file of a report is next to it, named ".NAME.mxsweep-" and 16 hex
// digits, and locked as long as its run lasts: if it can be locked, its run was
// killed.

// tempDigits is the number of hex digits at the end of the name of a temporary
// file.
const tempDigits = 16

// tempPrefix returns the prefix of the temporary files of name. With the digits
// they stay below the 255 bytes that file systems allow.
func tempPrefix(name string) string {
	base := filepath.Base(name)
	return "." + base[:min(len(base), 200)] + ".mxsweep-"
}

// createTemp creates a locked file next to name.
func createTemp(name string, perm os.FileMode) (*os.File, error) {
	for {
		var digits [tempDigits / 2]byte
		// crypto/rand.Read never returns an error.
		_, _ = rand.Read(digits[:])
		temp := filepath.Join(filepath.Dir(name), tempPrefix(name)+hex.EncodeToString(digits[:]))
		f, err := os.OpenFile(temp, os.O_RDWR|os.O_CREATE|os.O_EXCL, perm)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		// Another run may have removed it as a leftover before it was locked.
		if TryLock(f) != ErrLocked && sameOpen(f, temp) {
			return f, nil
		}
		f.Close() // nothing was written
	}
}

// sameOpen reports whether the open file still has its name.
func sameOpen(f *os.File, name string) bool {
	there, err1 := os.Lstat(name)
	open, err2 := f.Stat()
	return err1 == nil && err2 == nil && os.SameFile(there, open)
}

// removeLeftovers removes the temporary files for name of runs that were killed.
// Errors are ignored, because leftovers do no harm.
func removeLeftovers(name string) {
	dir, prefix := filepath.Dir(name), tempPrefix(name)
	entries, err := os.ReadDir(dir)
	if err != nil {
		return
	}
	for _, e := range entries {
		digits, ours := strings.CutPrefix(e.Name(), prefix)
		if !ours || len(digits) != tempDigits || strings.Trim(digits, "0123456789abcdef") != "" || !e.Type().IsRegular() {
			continue
		}
		removeUnlocked(filepath.Join(dir, e.Name()))
	}
}

// removeUnlocked removes a file that no running process has locked.
func removeUnlocked(name string) {
	f, err := os.OpenFile(name, os.O_RDWR, 0)
	if err != nil {
		return
	}
	defer f.Close()
	switch TryLock(f) {
	case nil:
		if sameOpen(f, name) {
			os.Remove(name)
		}
	case errors.ErrUnsupported:
		// Windows cannot remove an open file.
		f.Close()
		os.Remove(name)
	}
}

// ErrLocked is the error for a file that another process has locked.
var ErrLocked = errors.New("locked by another process")

// FIFOWait is how long a FIFO may have no reader.
const FIFOWait = 10 * time.Second

// openFIFO opens a FIFO for writing. Without a reader, open(2) would block
// forever, and with it a script that lost its reader.
func openFIFO(name string, done <-chan struct{}) (*os.File, error) {
	limit := time.NewTimer(FIFOWait)
	defer limit.Stop()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for {
		f, err := os.OpenFile(name, os.O_WRONLY|syscall.O_NONBLOCK, 0)
		if !errors.Is(err, syscall.ENXIO) { // there is no reader
			return f, err
		}
		select {
		case <-again.C:
		case <-done:
			return nil, errors.New("stopped while no process read the FIFO")
		case <-limit.C:
			return nil, ErrNoReader
		}
	}
}

// ErrNoReader is the error for a FIFO without a reader.
var ErrNoReader = errors.New("no process reads the FIFO")
