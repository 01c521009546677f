package rawnet

import (
	"encoding/binary"
	"fmt"
	"io"
	"sync"
)

// The format of a capture file: draft-ietf-opsawg-pcap, Sections 4 and 5.
const (
	pcapMagic   = 0xa1b23c4d // with nanoseconds
	pcapSnapLen = 65535
	pcapRaw     = 101 // LINKTYPE_RAW: a packet begins with its IP header
)

// A Capture writes packets to a capture file (pcap, nanoseconds). It may be used
// by several goroutines.
type Capture struct {
	mu  sync.Mutex
	w   io.Writer
	err error
}

// NewCapture begins a capture file of raw IP packets, without link headers. The error
// is that of w.
func NewCapture(w io.Writer) (*Capture, error) {
	b := binary.LittleEndian.AppendUint32(nil, pcapMagic)
	b = binary.LittleEndian.AppendUint16(b, 2) // version 2.4
	b = binary.LittleEndian.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...) // reserved
	b = binary.LittleEndian.AppendUint32(b, pcapSnapLen)
	b = binary.LittleEndian.AppendUint32(b, pcapRaw)
	if _, err := w.Write(b); err != nil {
		return nil, fmt.Errorf("writing the capture file: %w", err)
	}
	return &Capture{w: w}, nil
}

// Write writes one packet, beginning with its network header, that was sent or
// received at a time in nanoseconds since 1970, as far as it is not longer than 65,535
// bytes. After the first error of the file nothing more is written, and each call returns
// that error.
func (c *Capture) Write(at int64, packet []byte) error {
	kept := packet[:min(len(packet), pcapSnapLen)]
	b := make([]byte, 0, 16+len(kept))
	for _, n := range []uint32{uint32(at / 1e9), uint32(at % 1e9), uint32(len(kept)), uint32(len(packet))} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return c.err
	}
	if _, err := c.w.Write(append(b, kept...)); err != nil {
		c.err = fmt.Errorf("writing the capture file: %w", err)
	}
	return c.err
}
