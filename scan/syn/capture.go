package syn

import (
	"fmt"
	"io"
	"sync"
	"time"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/pcapgo"
)

// A capture writes packets down as evidence. It may be used by several
// goroutines.
type capture struct {
	mu  sync.Mutex
	w   *pcapgo.Writer
	err error
}

// newCapture begins a capture file of raw IP packets.
func newCapture(w io.Writer) (*capture, error) {
	c := &capture{w: pcapgo.NewWriterNanos(w)}
	if err := c.w.WriteFileHeader(65535, layers.LinkTypeRaw); err != nil {
		return nil, fmt.Errorf("writing the capture file: %w", err)
	}
	return c, nil
}

// write writes one packet, from its network header on. After the first error
// nothing is written any more.
func (c *capture) write(at int64, packet []byte) error {
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
