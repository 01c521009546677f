package main

import (
	"bufio"
	"fmt"
	"io"
)

// A capture is the file of --pcap on its way.
type capture struct {
	file *outputFile
	w    *bufio.Writer
}

// openCapture opens the file of --pcap, if there is one.
func (o *outputs) openCapture(name string) error {
	if name == "" {
		return nil
	}
	file, err := createOutput(name, true)
	if err != nil {
		return coded(exitError, fmt.Errorf("opening capture %q: %w", name, bare(err)))
	}
	o.capture = &capture{file, bufio.NewWriterSize(file, 1<<20)}
	return nil
}

// pcap is where packets are captured to; nil if they are not.
func (o *outputs) pcap() io.Writer {
	if o.capture == nil {
		return nil
	}
	return o.capture.w
}

// close ends the capture.
func (c *capture) close() error {
	err := c.w.Flush()
	if closed := c.file.commit(); err == nil {
		err = closed
	}
	return writing(fmt.Sprintf("%q", c.file.name), err)
}
