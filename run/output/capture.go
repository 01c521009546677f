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

// A capture is the file of --pcap on its way.
type capture struct {
	file *outfile.File
	w    *bufio.Writer
	told bool      // who wrote knows of the error
	sum  hash.Hash // of what was written; nil if nobody asks
}

// openCapture opens the file of --pcap, if there is one. Hashed is as in
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

// Pcap is where packets are captured to; nil if they are not.
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

// flush writes what is still in memory. The error is nil if Write gave one.
func (c *capture) flush() error {
	if err := c.w.Flush(); err != nil && !c.told {
		return fault.WriteError(fmt.Sprintf("%q", c.file.Name()), err)
	}
	return nil
}

// close ends the capture.
func (c *capture) close() error {
	err := c.flush()
	c.told = c.told || err != nil
	if closed := c.file.Commit(); err == nil && closed != nil {
		err = fault.WriteError(fmt.Sprintf("%q", c.file.Name()), closed)
	}
	return err
}
