package main

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/mxsweep/mxsweep/signatures"
)

// listProbes lists the probes: what they send, when, how safe they are and why, and
// then how often each was asked in the laboratory.
func listProbes(b *bytes.Buffer, set *signatures.Set) error {
	for _, p := range set.Probes {
		fmt.Fprintf(b, "%s (%s)\n  why    %s\n", p.ID, p.Safety, p.Why)
		fmt.Fprintf(b, "  sends  %s\n", sentText(p))
		fmt.Fprintf(b, "  when   %s\n", whenText(p))
		fmt.Fprintf(b, "  on     %s\n", connectionText(p.Connection))
		if len(p.Ports) > 0 {
			word := "first "
			if p.ID == signatures.Greeting {
				word = "likely"
			}
			fmt.Fprintf(b, "  %s on %s\n", word, portsText(p.Ports))
		}
		if len(p.Except) > 0 {
			fmt.Fprintf(b, "  never  on %s\n", portsText(p.Except))
		}
		b.WriteByte('\n')
	}
	fmt.Fprintf(b, "Probes marked %s are sent only with --intrusive.\n\n", signatures.Intrusive)
	return countProbes(b, set)
}

// countProbes lists how many ports of the laboratory (internal/lab) got each probe, and
// at how many its reply is part of what identified the daemon.
func countProbes(b *bytes.Buffer, set *signatures.Set) error {
	lab, err := signatures.Lab()
	if err != nil {
		return err
	}
	fmt.Fprintf(b, "In the test laboratory (%d open ports), how many ports got each probe, and how many it helped identify:\n\n", lab.Ports)
	w := tabwriter.NewWriter(b, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "PROBE\tPORTS\tIDENTIFIED")
	for _, p := range set.Probes {
		if n, counted := lab.Probes[p.ID]; counted {
			fmt.Fprintf(w, "%s\t%d\t%d\n", p.ID, n.Asked, n.Decided)
		}
	}
	w.Flush()
	return nil
}

// sentText is what a probe sends, quoted.
func sentText(p *signatures.Probe) string {
	tls := p.Enters != nil && p.Enters.Layer == signatures.LayerTLS
	switch {
	case tls && len(p.Send) == 0:
		return "a TLS handshake without a server name"
	case len(p.Send) == 0:
		return "nothing"
	}
	text := fmt.Sprintf("%q", p.Send)
	if p.StartTLS || tls {
		text += ", then a TLS handshake"
	}
	switch {
	case len(p.Close) > 0:
		text += fmt.Sprintf(", and before disconnecting %q", p.Close)
	case !p.StartTLS && !tls && !bytes.HasSuffix(p.Send, []byte("\r\n")):
		text += `, and before disconnecting "\r\n"`
	}
	if p.Fin {
		text += ", and with it the end of what is sent"
	}
	return text
}

// whenText describes the conditions under which a probe is sent.
func whenText(p *signatures.Probe) string {
	var words []string
	if p.Quiet > 0 {
		words = append(words, fmt.Sprintf("the port has been silent for %s", p.Quiet))
	}
	if len(p.After) > 0 {
		words = append(words, conditionsText(p.After))
	}
	switch p.Layer {
	case signatures.LayerClear:
		words = append(words, "not inside TLS or behind a PROXY header")
	case signatures.LayerTLS:
		words = append(words, "inside TLS only")
	case signatures.LayerProxy:
		words = append(words, "in place of a PROXY header that was believed")
	}
	if len(words) == 0 {
		return "always"
	}
	return strings.Join(words, ", and ")
}

func connectionText(connection string) string {
	switch connection {
	case signatures.OwnConnection:
		return "a connection of its own"
	case signatures.FirstConnection:
		return "the connection that found the port"
	case signatures.LastConnection:
		return "any connection that ends with a goodbye, once the other side has ended it"
	default:
		return "the connection of " + connection
	}
}

func portsText(ports []uint16) string {
	words := make([]string, len(ports))
	for i, port := range slices.Sorted(slices.Values(ports)) {
		words[i] = fmt.Sprint(port)
	}
	return strings.Join(words, ", ")
}

// conditionsText describes a conjunction of conditions.
func conditionsText(all []signatures.Condition) string {
	words := make([]string, len(all))
	for i := range all {
		words[i] = conditionText(&all[i])
	}
	return strings.Join(words, " and ")
}

func conditionText(c *signatures.Condition) string {
	words := seenWords(c)
	text := c.Probe + " " + strings.Join(words, " and ")
	switch {
	case len(c.Any) > 0:
		parts := make([]string, len(c.Any))
		for i := range c.Any {
			parts[i] = conditionText(&c.Any[i])
		}
		text = "(" + strings.Join(parts, " or ") + ")"
	case len(c.All) > 0:
		text = "(" + conditionsText(c.All) + ")"
	case len(words) == 0:
		text = c.Probe + " was sent"
	}
	if c.Not {
		text = "not " + text
	}
	return text
}

// seenWords describes what one exchange must show.
func seenWords(c *signatures.Condition) (words []string) {
	add := func(format string, args ...any) { words = append(words, fmt.Sprintf(format, args...)) }
	if c.Reply != nil {
		add("matches `%s`", c.Reply)
	}
	if c.Hex != nil {
		add("matches `%s` in hex", c.Hex)
	}
	if len(c.Ended) > 0 {
		add("ended in %s", strings.Join(c.Ended, " or "))
	}
	if c.Bytes != nil {
		add("has %s", bytesText(c.Bytes.Min, c.Bytes.Max))
	}
	if c.Handshake != "" {
		add("has its TLS handshake %s", c.Handshake)
	}
	if c.Tail != nil {
		add("has a tail that is %s", strings.Join(c.Tail, " or "))
	}
	if c.First != nil {
		add("begins %s", timeText(c.First))
	}
	if c.Took != nil {
		add("ends %s", timeText(c.Took))
	}
	if c.TLS != nil {
		add("%s inside TLS", isText(*c.TLS))
	}
	if c.Remote != nil {
		add("%s from another host", isText(*c.Remote))
	}
	if c.Proxied != nil {
		add("%s behind a PROXY header", isText(*c.Proxied))
	}
	if c.Echo {
		add("is an echo")
	}
	return words
}

// bytesText is the length of a reply in words; a negative most is no limit.
func bytesText(least, most int) string {
	switch {
	case least == most && most == 0:
		return "no bytes"
	case least == most:
		return fmt.Sprintf("%d bytes", least)
	case most < 0:
		return fmt.Sprintf("at least %d bytes", least)
	}
	return fmt.Sprintf("%d to %d bytes", least, most)
}

func timeText(r *signatures.TimeRange) string {
	switch {
	case r.Max == 0:
		return fmt.Sprintf("after %s", r.Min)
	case r.Min == 0:
		return fmt.Sprintf("within %s", r.Max)
	}
	return fmt.Sprintf("after %s to %s", r.Min, r.Max)
}

func isText(is bool) string {
	if is {
		return "is"
	}
	return "is not"
}
