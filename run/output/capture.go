package output

import (
	"bufio"
	"context"
	"crypto/sha256"
	"fmt"
	"hash"
	"io"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/internal/outfile"
)

// A capture is the file of --pcap while it is written.
type capture struct {
	file *outfile.File
	w    *bufio.Writer
	told bool      // Write has returned the error
	sum  hash.Hash // of what was written; nil if not needed
}

// openCapture opens the file of --pcap, if there is one. hashed is as in
// [OpenOptions].
func (o *Set) openCapture(ctx context.Context, name string, hashed bool) error {
	if name == "" {
		return nil
	}
	file, err := outfile.Create(name, outfile.Mode{InPlace: true, Private: true, Done: ctx.Done()})
	if err != nil {
		return opening(fmt.Sprintf("capture %q", name), err)
	}
	o.capture = &capture{file: file}
	dst := io.Writer(file)
	if hashed {
		o.capture.sum = sha256.New()
		dst = hashing{file, o.capture.sum}
	}
	o.capture.w = bufio.NewWriterSize(dst, 1<<20)
	return nil
}

// Pcap returns the writer for captured packets; nil if there is no capture.
func (o *Set) Pcap() io.Writer {
	if o.capture == nil {
		return nil
	}
	return o.capture
}

// Write implements [io.Writer].
func (c *capture) Write(p []byte) (int, error) {
	n, err := c.w.Write(p)
	if err != nil {
		c.told = true
		err = fmt.Errorf("%q: %w", c.file.Name(), fault.WithoutPath(err))
	}
	return n, err
}

// flush writes buffered data. It returns nil if Write already returned an error.
func (c *capture) flush() error {
	if err := c.w.Flush(); err != nil && !c.told {
		return fault.WriteError(fmt.Sprintf("%q", c.file.Name()), err)
	}
	return nil
}

// close closes the capture.
func (c *capture) close() error {
	err := c.flush()
	c.told = c.told || err != nil
	if closed := c.file.Commit(); err == nil && closed != nil {
		err = fault.WriteError(fmt.Sprintf("%q", c.file.Name()), closed)
	}
	return err
}
