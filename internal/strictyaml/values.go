package strictyaml

// MaxValues is how many values, keys among them, a file may have: their tree
// takes some 170 bytes for each. It is counted by what can begin one, which may be
// twice as many as there are.
const MaxValues = 512 << 10

// Fits reports whether data has no more than [MaxValues].
func Fits(data []byte) bool { return tooMany(data, MaxValues) == 0 }

// tooMany returns the line, from 1, in which data has more than most values; 0
// if it has not. No value is missed, so that the tree has bounded size whatever
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

// maxWeight is the most values that one byte is counted for.
const maxWeight = 3

// A counter counts what can begin a value.
type counter struct {
	values, line int
	fresh        bool // nothing of the line was met but blanks
	blank        bool // the byte before was one
	comment      bool
	before       [2]byte
}

// add takes in one byte and the one behind it.
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

// breaks reports whether a byte ends a line: YAML 1.1 (Section 4.2) also knows
// NEL, LS and PS, here in UTF-8.
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

// isBlank reports whether a byte stands between tokens. Every other byte of
// UTF-16 text is 0.
func isBlank(b byte) bool { return b == ' ' || b == '\t' || b == 0 }

// weight is how many values a byte begins at most: a collection, what stands in
// it first, and what is missing in it, which is null.
func weight(b, next byte) int {
	end := isBlank(next) || next == '\n' || next == '\r' || next >= 0x80
	switch b {
	case '[', '{':
		return 2
	case ',':
		return 2
	case ':':
		return 2 // also without a blank behind it, in flow collections
	case '-', '?':
		if end {
			return 2
		}
	}
	return 0
}
