package main

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/mxsweep/mxsweep/run"
)

// A choice is a flag with a fixed set of values. It implements pflag.Value.
type choice struct {
	value string
	words []string
}

// newChoice returns a choice whose default is the first word.
func newChoice(words ...string) *choice { return &choice{words[0], words} }

func (c *choice) String() string { return c.value }
func (c *choice) Type() string   { return strings.Join(c.words, "|") }

func (c *choice) Set(word string) error {
	if !slices.Contains(c.words, word) {
		return fmt.Errorf("not one of %s", strings.Join(c.words, ", "))
	}
	c.value = word
	return nil
}

// The values of --color and --progress.
const (
	auto   = "auto"
	always = "always"
	never  = "never"
)

// A shardFlag is a flag with the value I/N.
type shardFlag struct{ run.Shard }

func (s *shardFlag) Type() string { return "I/N" }

func (s *shardFlag) Set(value string) error {
	i, n, ok := strings.Cut(value, "/")
	index, err1 := strconv.ParseUint(i, 10, 31)
	count, err2 := strconv.ParseUint(n, 10, 31)
	if !ok || err1 != nil || err2 != nil || index < 1 || index > count {
		return errors.New("not I/N with 1 ≤ I ≤ N")
	}
	s.Shard = run.Shard{Index: int(index), Count: int(count)}
	return nil
}

// A timeFlag is a flag with a day or a time as its value. The zero timeFlag means
// now.
type timeFlag struct{ time.Time }

func (m *timeFlag) String() string {
	if m.IsZero() {
		return ""
	}
	return m.Format(time.RFC3339)
}

func (m *timeFlag) Type() string { return "TIME" }

func (m *timeFlag) Set(value string) error {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, value); err == nil {
			m.Time = t.UTC()
			return nil
		}
	}
	return errors.New("not a day such as 2027-01-31 or a time such as 2027-01-31T12:00:00Z")
}

// A resolverAddr is a flag with the value HOST[:PORT]. The zero value means the
// system's resolver.
type resolverAddr struct{ netip.AddrPort }

func (r *resolverAddr) String() string {
	if !r.IsValid() {
		return ""
	}
	return r.AddrPort.String()
}

func (r *resolverAddr) Type() string { return "HOST[:PORT]" }

func (r *resolverAddr) Set(value string) error {
	host, port := value, "53" // RFC 1035, Section 4.2
	if h, p, err := net.SplitHostPort(value); err == nil {
		host, port = h, p
	}
	addr, err := netip.ParseAddr(strings.Trim(host, "[]"))
	n, portErr := strconv.ParseUint(port, 10, 16)
	if err != nil || portErr != nil || n == 0 {
		return errors.New("not an address with an optional port, like 192.0.2.53 or [2001:db8::53]:5353")
	}
	r.AddrPort = netip.AddrPortFrom(addr, uint16(n))
	return nil
}
