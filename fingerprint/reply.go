package fingerprint

import (
	"bytes"
)

// A verdict says whether a reply is complete.
type verdict int

const (
	more        verdict = iota // it is incomplete
	maybe                      // it may be complete, if nothing follows at once
	partialLine                // a line has no end yet, which must follow soon
	begun                      // it has begun; each byte extends the wait for the next
	endless                    // it has more lines than any daemon sends
	done                       // it is complete
)

// until returns the function that detects the end of a reply, by the word in
// probes.yaml.
func until(word string, sent []byte) func([]byte) verdict {
	switch word {
	case "line":
		return behindBlank(func(b []byte) verdict { return completeIf(bytes.IndexByte(b, '\n') >= 0) })
	case "greeting":
		return behindBlank(greeting)
	case "reply":
		return behindBlank(smtpReply)
	case "tagged":
		tag, _, _ := bytes.Cut(bytes.TrimSpace(sent), []byte(" "))
		tag = append(tag[:len(tag):len(tag)], ' ')
		return behindBlank(func(b []byte) verdict { return taggedReply(b, tag) })
	case "dot":
		return behindBlank(dotReply)
	case "blank":
		return func(b []byte) verdict {
			return completeIf(bytes.Contains(b, []byte("\n\n")) || bytes.Contains(b, []byte("\n\r\n")))
		}
	case "bytes":
		return func(b []byte) verdict { return completeIf(len(b) > 0) }
	}
	return func([]byte) verdict { return more } // "close"
}

// behindBlank returns complete, applied to what follows empty lines.
func behindBlank(complete func([]byte) verdict) func([]byte) verdict {
	return func(b []byte) verdict {
		if b = bytes.TrimLeft(b, "\r\n"); len(b) == 0 {
			return more
		}
		if v := complete(b); v != more {
			return v
		}
		return begun
	}
}

// untilLines reports whether the end of a reply, by its word in probes.yaml, is
// the end of a line, so that empty lines before the reply are skipped.
func untilLines(word string) bool {
	switch word {
	case "line", "greeting", "reply", "tagged", "dot":
		return true
	}
	return false
}

// skipBlank returns what follows the empty lines at the beginning of b, or b if
// nothing does. No mail protocol has replies that begin with an empty line.
func skipBlank(b []byte) []byte {
	if rest := bytes.TrimLeft(b, "\r\n"); len(rest) > 0 {
		return rest
	}
	return b
}

func completeIf(complete bool) verdict {
	if complete {
		return done
	}
	return more
}

// lastLine returns the last complete line, without its end.
func lastLine(b []byte) (line []byte, ok bool) {
	end := bytes.LastIndexByte(b, '\n')
	if end < 0 || end != len(b)-1 {
		return nil, false
	}
	start := bytes.LastIndexByte(b[:end], '\n') + 1
	return bytes.TrimSuffix(b[start:end], []byte("\r")), true
}

// code reports whether a line begins with a reply code, and whether it is the
// last line of its reply (RFC 5321, Section 4.2: a hyphen after the code means
// that more lines follow).
func code(line []byte) (is, last bool) {
	if len(line) < 3 || line[0] < '2' || line[0] > '5' || !digit(line[1]) || !digit(line[2]) {
		return false, false
	}
	return len(line) == 3 || line[3] == ' ' || line[3] == '-', len(line) == 3 || line[3] != '-'
}

func digit(c byte) bool { return c >= '0' && c <= '9' }

func smtpReply(b []byte) verdict {
	line, ok := lastLine(b)
	if !ok {
		return more
	}
	is, last := code(line)
	return completeIf(!is || last)
}

// taggedReply ends with a line that begins with the tag and a space (RFC 3501,
// Section 2.2.2), in upper or lower case, or with a word that ends the session.
func taggedReply(b, tag []byte) verdict {
	line, ok := lastLine(b)
	if !ok {
		return more
	}
	if len(line) >= len(tag) && bytes.EqualFold(line[:len(tag)], tag) {
		return done
	}
	for _, begin := range [][]byte{[]byte("* BYE"), []byte("OK"), []byte("NO"), []byte("BYE")} {
		if bytes.HasPrefix(line, begin) {
			return done
		}
	}
	if bytes.HasPrefix(line, []byte("* ")) {
		return more
	}
	return maybe
}

// dotReply ends with a lone dot (RFC 1939, Section 3); an error has one line.
func dotReply(b []byte) verdict {
	line, ok := lastLine(b)
	switch {
	case !ok:
		return more
	case bytes.HasPrefix(b, []byte("+OK")):
		return completeIf(bytes.Equal(line, []byte(".")))
	}
	return done
}

// maxGreetingLines is the maximum number of lines of a greeting. Administrators
// write a few lines of legal text.
const maxGreetingLines = 64

// greeting detects the end of a greeting.
func greeting(b []byte) verdict {
	line, ok := lastLine(b)
	switch {
	case len(b) == 0:
		return more
	case !ok:
		return partialLine
	}
	is, last := code(line)
	switch {
	case is && !last && bytes.Count(b, []byte("\n")) >= maxGreetingLines:
		return endless
	case is:
		return completeIf(last)
	case bytes.HasPrefix(line, []byte("* OK")), bytes.HasPrefix(line, []byte("* PREAUTH")), bytes.HasPrefix(line, []byte("* BYE")),
		bytes.HasPrefix(b, []byte("+OK")), bytes.HasPrefix(b, []byte("-ERR")), bytes.HasPrefix(b, []byte("SSH-")):
		return done
	case bytes.HasPrefix(b, []byte(`"`)):
		// ManageSieve lists capabilities and ends with OK, NO or BYE (RFC
		// 5804, Section 1.7).
		return completeIf(bytes.HasPrefix(line, []byte("OK")) || bytes.HasPrefix(line, []byte("NO")) || bytes.HasPrefix(line, []byte("BYE")))
	}
	return maybe
}
