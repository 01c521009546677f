package dialer

import (
	"errors"
	"testing"

	"golang.org/x/sys/unix"
)

// TestNewOutOfFiles: what keeps a dialer from being made can be told by errors.Is.
// Not parallel: the limit is that of the process.
func TestNewOutOfFiles(t *testing.T) {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	none := limit
	none.Cur = 0
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &none); err != nil {
		t.Fatal(err)
	}
	d, err := New(1)
	if err := unix.Setrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		t.Fatal(err)
	}
	if err == nil {
		d.Close()
	}
	if !errors.Is(err, unix.EMFILE) || !Exhausted(err) {
		t.Errorf("the error is %v", err)
	}
}
