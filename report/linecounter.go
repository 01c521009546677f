package report

import (
	"bytes"
	"io"
	"math/bits"
)

// A lineCounter records where lines end, to convert an offset into a place, and
// the input since an offset.
type lineCounter struct {
	r    io.Reader
	n    int64
	ends []uint64 // a bit for each byte, set if it ends a line

	keep int64  // what is before this offset is no longer needed, except for a part of its line
	kept []byte // the last bytes that were read
}

// keptBefore is how many bytes are kept before those that are needed.
const keptBefore = 4 << 10

// Read implements [io.Reader].
func (l *lineCounter) Read(b []byte) (int, error) {
	n, err := l.r.Read(b)
	for _, c := range b[:n] {
		if l.n%64 == 0 {
			l.ends = append(l.ends, 0)
		}
		if c == '\n' {
			l.ends[l.n/64] |= 1 << (l.n % 64)
		}
		l.n++
	}
	if old := l.keep - keptBefore - (l.n - int64(n) - int64(len(l.kept))); old > int64(len(l.kept))/2 {
		l.kept = append(l.kept[:0], l.kept[min(old, int64(len(l.kept))):]...)
	}
	l.kept = append(l.kept, b[:n]...)
	return n, err
}

// from returns the input from the value that begins after an offset, and the
// offset of its first byte.
func (l *lineCounter) from(offset int64) ([]byte, int64) {
	start := l.n - int64(len(l.kept))
	raw := l.kept[max(min(offset-start, int64(len(l.kept))), 0):]
	raw = bytes.TrimLeft(raw, " \t\r\n:,")
	return raw, l.n - int64(len(raw))
}

// place returns the place of the byte at an offset.
func (l *lineCounter) place(offset int64) place {
	offset = max(min(offset, l.n-1), 0)
	begin := l.lineStart(offset)
	p := place{line: l.at(offset + 1), column: int(offset-begin) + 1}
	start := l.n - int64(len(l.kept))
	if offset < start {
		return p
	}
	from := max(begin, start)
	p.before = int(from - begin)
	part, _, _ := bytes.Cut(l.kept[from-start:], []byte("\n"))
	p.part = string(bytes.TrimRight(part[:min(int64(len(part)), offset-from+keptBefore)], "\r"))
	return p
}

// lineStart returns the offset of the first byte of the line with that offset.
func (l *lineCounter) lineStart(offset int64) int64 {
	for at := offset - 1; at >= 0; {
		word := l.ends[at/64] & (1<<(at%64+1) - 1)
		if at%64 == 63 {
			word = l.ends[at/64]
		}
		if word != 0 {
			return at/64*64 + int64(bits.Len64(word))
		}
		at = at/64*64 - 1
	}
	return 0
}

// at returns the line, from 1, of the byte before offset.
func (l *lineCounter) at(offset int64) int {
	line := 1
	offset = max(offset-1, 0)
	for i, word := range l.ends[:min(offset/64+1, int64(len(l.ends)))] {
		if rest := offset - int64(i)*64; rest < 64 {
			word &= 1<<rest - 1
		}
		line += bits.OnesCount64(word)
	}
	return line
}
