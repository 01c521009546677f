package userfile

import (
	"bytes"
	"fmt"
	"io"
	"os"
)

// ReadLimited reads a file of at most limit bytes; a larger one is an error.
func ReadLimited(file string, limit int64) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var b bytes.Buffer
	if info, err := f.Stat(); err == nil && info.Mode().IsRegular() {
		b.Grow(int(min(info.Size(), limit)) + bytes.MinRead) // avoids copying, without reserving more than the limit
	}
	_, err = b.ReadFrom(io.LimitReader(f, limit+1))
	if err == nil && int64(b.Len()) > limit {
		err = fmt.Errorf("larger than %d MiB", limit>>20)
	}
	return b.Bytes(), err
}
