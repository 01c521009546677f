package rawnet

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// A Capture writes packets to a capture file (pcap, nanoseconds). It may be used
// by several goroutines.
type Capture struct {
	mu  sync.Mutex
	w   *pcapgo.Writer
	err error
}

// NewCapture begins a capture file of raw IP packets, without link headers. The error
// is that of w.
func NewCapture(w io.Writer) (*Capture, error) {
	c := &Capture{w: pcapgo.NewWriterNanos(w)}
	if err := c.w.WriteFileHeader(65535, layers.LinkTypeRaw); err != nil {
		return nil, fmt.Errorf("writing the capture file: %w", err)
	}
	return c, nil
}

// Write writes one packet, beginning with its network header, that was sent or
// received at a time in nanoseconds since 1970. After the first error of the file
// nothing more is written, and each call returns that error.
func (c *Capture) Write(at int64, packet []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	info := gopacket.CaptureInfo{Timestamp: time.Unix(0, at), CaptureLength: len(packet), Length: len(packet)}
	if err := c.w.WritePacket(info, packet); err != nil {
		c.err = fmt.Errorf("writing the capture file: %w", err)
	}
	return c.err
}
