package signatures

import (
	"bytes"
	"encoding/hex"
	"regexp"
	"strings"
)

// The named groups that a pattern may have.
var groupNames = []string{"version", "hostname", "extra_info", "os_type", "behind_product", "behind_version"}

// maxValue is the maximum length of a value from a reply. RFC 1035, Section 2.3.4
// limits a host name to 255 octets, and no version is longer.
const maxValue = 255

// A Pattern is a regular expression as written in a file.
type Pattern struct {
	Pos Pos
	re  *regexp.Regexp

	number  int    // the same for all patterns of a Set that are written alike
	literal []byte // what every match holds; nil if that is not known
}

// String returns the pattern as it is written.
func (p *Pattern) String() string { return p.re.String() }

// Match reports whether the pattern is found in b.
func (p *Pattern) Match(b []byte) bool {
	return (p.literal == nil || bytes.Contains(b, p.literal)) && p.re.Match(b)
}

// Match evaluates the signature.
func (s *Signature) Match(seen Seen) Truth { return All(s.When, seen) }

// Values returns what the conditions of a matching signature capture, by the name of
// the group. Earlier conditions have priority over later ones, and both over
// constants.
func (s *Signature) Values(seen Seen) map[string]string {
	values := make(map[string]string)
	capture(s.When, seen, values)
	capture(s.Extract, seen, values)
	for name, value := range s.Constants {
		fill(values, name, value)
	}
	return values
}

// throughValues is Values for a daemon that was recognized behind a proxy.
func (s *Signature) throughValues(seen Seen) map[string]string {
	values := make(map[string]string)
	capture(s.Through, seen, values)
	capture(s.Extract, seen, values)
	return values
}

func fill(values map[string]string, name, value string) {
	if values[name] == "" && value != "" {
		values[name] = value
	}
}

func capture(conditions []Condition, seen Seen, values map[string]string) {
	for i := range conditions {
		c := &conditions[i]
		if c.Not || c.Match(seen) != True {
			continue
		}
		capture(c.Any, seen, values)
		capture(c.All, seen, values)
		if c.Probe == "" {
			continue
		}
		if ex, _ := seen.Exchange(c.Probe); ex != nil {
			c.Reply.capture(ex.Reply, values)
			c.Hex.capture([]byte(hex.EncodeToString(ex.Reply)), values)
		}
	}
}

func (p *Pattern) capture(b []byte, values map[string]string) {
	if p == nil || p.re.NumSubexp() == 0 {
		return
	}
	m := p.find(b)
	for i, name := range p.re.SubexpNames() {
		if i >= len(m) || name == "" || len(m[i]) == 0 || values[name] != "" {
			continue
		}
		values[name] = string(m[i][:min(len(m[i]), maxValue)])
	}
}

// CPEFor returns the CPE 2.3 name of a version of the product, or "".
func (s *Signature) CPEFor(version string) string {
	v := "*"
	if version != "" {
		v = EscapeCPE(version)
	}
	return strings.ReplaceAll(s.CPE, "{version}", v)
}

// EscapeCPE quotes a value as a CPE 2.3 formatted string wants it (NISTIR
// 7695, Section 6.2): lower case, and everything that is not a letter, a
// digit, "_", "-" or "." behind a backslash; "-" and "." need none inside.
func EscapeCPE(s string) string {
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '_', r == '.', r == '-':
			b.WriteRune(r)
		case r > ' ' && r < 0x7f:
			b.WriteByte('\\')
			b.WriteRune(r)
		default:
			b.WriteByte('_')
		}
	}
	return b.String()
}

// Behind recognizes the next hop of a transparent proxy: the best signature
// whose Through conditions hold for the exchanges that s names, or nil.
func (set *Set) Behind(s *Signature, seen Seen) (next *Signature, values map[string]string) {
	if len(s.Behind) == 0 {
		return nil, nil
	}
	only := only{seen, s.Behind}
	for _, o := range set.Signatures {
		if len(o.Through) == 0 || len(o.Behind) > 0 || All(o.Through, only) != True {
			continue
		}
		if next == nil || o.Confidence > next.Confidence {
			next = o
		}
	}
	if next == nil {
		return nil, nil
	}
	return next, next.throughValues(only)
}

// only contains some of the exchanges.
type only struct {
	Seen
	probes []string
}

func (o only) Exchange(probe string) (*Exchange, bool) {
	for _, p := range o.probes {
		if p == probe {
			ex, _ := o.Seen.Exchange(probe)
			return ex, false
		}
	}
	return nil, false
}
