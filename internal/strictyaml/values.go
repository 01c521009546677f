package strictyaml

// MaxValues is the maximum number of values in a file, including keys: each takes
// about 170 bytes in the tree. What can begin a value is counted, which may be
// twice the real number.
const MaxValues = 512 << 10

// Fits reports whether data has no more than [MaxValues].
func Fits(data []byte) bool { return tooMany(data, MaxValues) == 0 }

// tooMany returns the line, from 1, in which data exceeds most values; 0 if it
// does not. No value is missed, so that the size of the tree is limited whatever
// the parser makes of the file.
func tooMany(data []byte, most int) (line int) {
	if len(data) <= most/maxWeight {
		return 0
	}
	c := counter{line: 1, fresh: true, blank: true}
	for i, b := range data {
		next := byte('\n')
		if i+1 < len(data) {
			next = data[i+1]
		}
		if c.add(b, next); c.values > most {
			return c.line
		}
	}
	return 0
}

// maxWeight is the maximum number of values counted for one byte.
const maxWeight = 3

// A counter counts what can begin a value.
type counter struct {
	values, line int
	fresh        bool // only blanks so far on the line
	blank        bool // the previous byte was one
	comment      bool
	before       [2]byte
}

// add counts one byte; next is the byte after it.
func (c *counter) add(b, next byte) {
	defer func() { c.before = [2]byte{c.before[1], b} }()
	if c.breaks(b) {
		if b == '\n' {
			c.line++
		}
		c.fresh, c.blank, c.comment = true, true, false
		return
	}
	space := isBlank(b)
	if b == '#' && c.blank {
		c.comment = true
	}
	if !c.comment && !space {
		c.values += weight(b, next)
		if c.fresh {
			c.values++
			c.fresh = false
		}
	}
	c.blank = space
}

// breaks reports whether a byte ends a line. YAML 1.1 (Section 4.2) also has NEL,
// LS and PS, here in UTF-8.
func (c *counter) breaks(b byte) bool {
	switch b {
	case '\n', '\r':
		return true
	case 0x85:
		return c.before[1] == 0xc2
	case 0xa8, 0xa9:
		return c.before == [2]byte{0xe2, 0x80}
	}
	return false
}

// isBlank reports whether a byte separates tokens. In UTF-16 text every other
// byte is 0.
func isBlank(b byte) bool { return b == ' ' || b == '\t' || b == 0 }

// weight returns the maximum number of values that a byte can begin: a
// collection, its first element, and a missing element, which is null.
func weight(b, next byte) int {
	end := isBlank(next) || next == '\n' || next == '\r' || next >= 0x80
	switch b {
	case '[', '{':
		return 2
	case ',':
		return 2
	case ':':
		return 2 // even without a blank after it, in flow collections
	case '-', '?':
		if end {
			return 2
		}
	}
	return 0
}
