package signatures

import (
	"net/url"
	"strings"
)

// A Fallback is a further source of names that a user already has, below the
// signatures in rank: it is asked only about ports whose daemon they do not
// name, and only about what was said anyway. It may be used by several
// goroutines at once.
type Fallback interface {
	// Guess names the daemon that held the dialogue. It returns nil if the
	// source knows nothing of it.
	Guess(*Transcript) *Guess
}

// A Guess is what a Fallback takes a daemon for. Its values come from the wire
// as they are, and may be of any length.
type Guess struct {
	// Rule says which entry of which source matched, for example
	// "recog:smtp_banners.xml:12"; the number is that of the line.
	Rule string

	// Probe is the id of the probe whose exchange the guess rests on.
	Probe string

	Protocol   string // as signatures name it; never empty
	Role       string // "" if the source does not tell
	Product    string // never empty
	Version    string
	ExtraInfo  string
	Hostname   string
	OSType     string
	CPEs       []string // CPE 2.3 formatted strings
	Confidence int      // 1 to 7
}

// ShieldCPE makes a value from the wire fit to stand as one component of a CPE
// 2.2 URI, which [CPE23] then reads.
func ShieldCPE(value string) string {
	return strings.NewReplacer("%", "%25", ":", "%3a", "/", "%2f").Replace(value)
}

// CPE23 turns a CPE 2.2 URI, "cpe:/a:vendor:product:version", into a CPE 2.3
// formatted string (NISTIR 7695, Section 6.1.3). An empty component means any
// value. It returns "" for what is no such URI.
func CPE23(uri string) string {
	rest, ok := strings.CutPrefix(uri, "cpe:/")
	parts := strings.Split(rest, ":")
	if !ok || len(parts) < 3 || len(parts) > 7 || len(parts[0]) != 1 || !strings.Contains("aoh", parts[0]) {
		return ""
	}
	var b strings.Builder
	b.WriteString("cpe:2.3")
	for i := range 11 {
		b.WriteByte(':')
		switch {
		case i >= len(parts) || parts[i] == "":
			b.WriteByte('*')
		case parts[i] == "-":
			b.WriteByte('-')
		default:
			text, err := url.PathUnescape(parts[i])
			if err != nil {
				text = parts[i]
			}
			b.WriteString(escapeCPE(text))
		}
	}
	return b.String()
}
