package outfile

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"
)

// onTheWay returns the number of temporary files for name.
func onTheWay(t *testing.T, name string) int {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(filepath.Dir(name), tempPrefix(name)+"*"))
	if err != nil {
		t.Fatal(err)
	}
	return len(found)
}

// TestLeftovers checks that a run removes the temporary files of killed runs for
// its output, and nothing else.
func TestLeftovers(t *testing.T) {
	name := filepath.Join(t.TempDir(), "run.json")
	others := []string{".run.json.123", ".run.json.mxsweep-notes", ".run.json.mxsweep-0123456789ABCDEF", ".run.json2.mxsweep-0123456789abcdef"}
	for _, other := range others {
		if err := os.WriteFile(filepath.Join(filepath.Dir(name), other), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	open := func() *File {
		t.Helper()
		f, err := Create(name, Mode{})
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	write := func(f *File, text string) {
		t.Helper()
		if _, err := f.Write([]byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	killed, alive := open(), open()
	write(killed, "half a rep")
	killed.f.Close() // as the kernel does
	refused := open()
	if n := onTheWay(t, name); n != 3+2 {
		t.Errorf("%d files on their way before a run begins, want 3", n-2)
	}
	refused.Discard()
	next := open()
	write(next, "new")
	write(alive, "old")
	if runtime.GOOS == "windows" {
		t.Skip("files cannot be locked")
	}
	if n := onTheWay(t, name); n != 2+2 {
		t.Errorf("%d files on their way, want those of the two runs", n-2)
	}
	for _, f := range []*File{alive, next} {
		if err := f.Commit(); err != nil {
			t.Error(err)
		}
	}
	if text, err := os.ReadFile(name); err != nil || string(text) != "new" || onTheWay(t, name) != 2 {
		t.Errorf("the report is %q, %v; %d files on their way", text, err, onTheWay(t, name)-2)
	}
	for _, other := range others {
		if !Exists(filepath.Join(filepath.Dir(name), other)) {
			t.Errorf("%s is gone", other)
		}
	}
}

// TestLongNames checks that the longest possible file name can be written.
func TestLongNames(t *testing.T) {
	name := filepath.Join(t.TempDir(), strings.Repeat("n", 255))
	f, err := Create(name, Mode{})
	if err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
}

// TestFIFO checks that a FIFO without a reader is given up after a while, or when
// the run is stopped, and that one with a reader is written.
func TestFIFO(t *testing.T) {
	name := filepath.Join(t.TempDir(), "fifo")
	if err := mkfifo(name); err != nil {
		t.Skip("no FIFOs: ", err)
	}
	synctest.Test(t, func(t *testing.T) {
		begun := time.Now()
		if _, err := Create(name, Mode{}); !errors.Is(err, ErrNoReader) || time.Since(begun) != FIFOWait {
			t.Errorf("error %v after %s", err, time.Since(begun))
		}
		done := make(chan struct{})
		close(done)
		if _, err := Create(name, Mode{Done: done}); err == nil || errors.Is(err, ErrNoReader) {
			t.Errorf("a stopped run: %v", err)
		}
	})
	r, err := os.OpenFile(name, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	f, err := Create(name, Mode{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte("text")); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 8)
	if n, err := r.Read(got); err != nil || string(got[:n]) != "text" {
		t.Errorf("read %q, %v", got[:n], err)
	}
	if err := f.Commit(); err != nil {
		t.Error(err)
	}
}
