package journal

import (
	"bufio"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"io"
	"math"
	"net/netip"
	"slices"
	"time"

	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/scan"
)

// The file contains frames: the length of the payload and its CRC-32C, four bytes
// each, then the payload, which is a series of records. A frame that is cut short or
// does not match its checksum ends the file.

// maxFrame is the longest payload that is read or written.
const maxFrame = 32 << 20

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// states and reasons are numbered by their position in the lists of package result.
var states, reasons = result.States(), result.Reasons()

// A record is one result in the file, or a mark: then its place is after the last
// pair, and only its note counts.
type record struct {
	place    uint64
	state    result.State
	reason   result.Reason
	attempts uint64
	rtt      time.Duration
	time     time.Time
	from     netip.Addr
	err      string
	note     []byte
}

// appendRecord adds a record to a frame, which begins with space for its header.
func appendRecord(frame []byte, place uint64, r scan.Result, note []byte) []byte {
	if len(frame) == 0 {
		frame = append(frame, make([]byte, 8)...)
	}
	frame = binary.AppendUvarint(frame, place)
	frame = append(frame, number(states, r.State, result.StateUnknown), number(reasons, r.Reason, result.ReasonUnknown))
	frame = binary.AppendUvarint(frame, uint64(max(r.Attempts, 0)))
	frame = binary.AppendUvarint(frame, uint64(max(r.RTT, 0)))
	frame = binary.AppendVarint(frame, r.Time.UnixMicro())
	from, _ := r.From.MarshalBinary() // never fails
	frame = binary.AppendUvarint(frame, uint64(len(from)))
	frame = append(frame, from...)
	text := ""
	if r.Err != nil {
		text = r.Err.Error()
	}
	frame = binary.AppendUvarint(frame, uint64(len(text)))
	frame = append(frame, text...)
	frame = binary.AppendUvarint(frame, uint64(len(note)))
	return append(frame, note...)
}

// number is the position of a word in its list, or that of the word unknown if it is
// not in it.
func number[T comparable](list []T, word, unknown T) byte {
	if at := slices.Index(list, word); at >= 0 {
		return byte(at)
	}
	return byte(slices.Index(list, unknown))
}

// sealFrame fills in the header of a frame.
func sealFrame(frame []byte) []byte {
	payload := frame[8:]
	binary.BigEndian.PutUint32(frame, uint32(len(payload)))
	binary.BigEndian.PutUint32(frame[4:], crc32.Checksum(payload, castagnoli))
	return frame
}

// frames calls take with each frame's payload and the offset of the next one.
func (j *File) frames(take func(payload []byte, next int64) error) error {
	// Frames may be written meanwhile at the file's own offset.
	in := io.NewSectionReader(j.file, j.at, math.MaxInt64-j.at)
	return readFrames(bufio.NewReaderSize(in, 64<<10), j.at, take)
}

// readFrames reads frames from r, the first of which is at offset at. It ends without
// an error at the first incomplete one.
func readFrames(r io.Reader, at int64, take func(payload []byte, next int64) error) error {
	var head [8]byte
	var payload []byte
	for {
		if _, err := io.ReadFull(r, head[:]); err != nil {
			return nil
		}
		size := binary.BigEndian.Uint32(head[:])
		if size > maxFrame {
			return nil
		}
		payload = slices.Grow(payload[:0], int(size))[:size]
		if _, err := io.ReadFull(r, payload); err != nil {
			return nil
		}
		if crc32.Checksum(payload, castagnoli) != binary.BigEndian.Uint32(head[4:]) {
			return nil
		}
		at += int64(len(head)) + int64(size)
		if err := take(payload, at); err != nil {
			return err
		}
	}
}

// errRecord is the error for a record that no version of mxsweep writes.
var errRecord = errors.New("a record that cannot be read")

// records calls take with each record of a payload.
func (j *File) records(payload []byte, take func(record)) error {
	for d := (decoder{b: payload}); len(d.b) > 0; {
		r := d.record()
		if d.bad || r.place > j.head.Pairs {
			return j.Damaged(errRecord)
		}
		take(r)
	}
	return nil
}

// result converts a record back into its result.
func (j *File) result(r record) scan.Result {
	out := scan.Result{Target: j.space.At(j.order.At(r.place)), State: r.state, Reason: r.reason,
		Attempts: int(r.attempts), RTT: r.rtt, Time: r.time, From: r.from}
	if r.err != "" {
		out.Err = errors.New(r.err)
	}
	return out
}

// A decoder reads numbers and strings from the front of b.
type decoder struct {
	b   []byte
	bad bool // the input was malformed
}

func (d *decoder) record() record {
	r := record{place: d.uvarint()}
	if s := int(d.byte()); s < len(states) {
		r.state = states[s]
	} else {
		d.bad = true
	}
	if n := int(d.byte()); n < len(reasons) {
		r.reason = reasons[n]
	} else {
		d.bad = true
	}
	r.attempts = d.uvarint() & (1<<31 - 1)
	r.rtt = time.Duration(d.uvarint() & (1<<62 - 1))
	r.time = time.UnixMicro(d.varint()).UTC()
	if r.from.UnmarshalBinary(d.bytes()) != nil {
		d.bad = true
	}
	r.err = string(d.bytes())
	r.note = d.bytes()
	return r
}

func (d *decoder) byte() byte {
	if len(d.b) == 0 {
		d.bad = true
		return 0
	}
	c := d.b[0]
	d.b = d.b[1:]
	return c
}

func (d *decoder) uvarint() uint64 {
	v, n := binary.Uvarint(d.b)
	return v * d.skip(n)
}

func (d *decoder) varint() int64 {
	v, n := binary.Varint(d.b)
	return v * int64(d.skip(n))
}

// skip drops n bytes and returns 1, or returns 0 if n says that no number was read.
func (d *decoder) skip(n int) uint64 {
	if n <= 0 {
		d.bad, d.b = true, nil
		return 0
	}
	d.b = d.b[n:]
	return 1
}

func (d *decoder) bytes() []byte {
	n := d.uvarint()
	if n > uint64(len(d.b)) {
		d.bad, d.b = true, nil
		return nil
	}
	s := d.b[:n:n]
	d.b = d.b[n:]
	return s
}
