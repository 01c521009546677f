package signatures

import (
	"bytes"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/fault"
)

// A variant is another way to send the same information: it must not change the
// identification.
type variant struct {
	name   string
	change func(ex *Exchange) []byte // the changed reply, nil if it does not change
}

// variants are variations that servers and their administrators use.
func variants() []variant {
	list := []variant{
		{"lists in reverse", func(ex *Exchange) []byte { return reorder(ex, func(items []string) { slices.Reverse(items) }) }},
		{"a reply with a footer", func(ex *Exchange) []byte { return fold(ex, "%s-%s\r\n%[1]s See https://example.org/help\r\n") }},
		{"a reply with a footer and its status", func(ex *Exchange) []byte {
			return fold(ex, "%s-%s\r\n%[1]s-5.5.2 Call the\r\n%[1]s 5.5.2 postmaster\r\n")
		}},
		{"a greeting behind a legal notice", func(ex *Exchange) []byte {
			if ex.Probe != Greeting || ex.First > 0 {
				return nil
			}
			return fold(ex, "%s-Authorized use only\r\n%[1]s %[2]s\r\n")
		}},
	}
	for seed := range uint64(5) {
		list = append(list, variant{fmt.Sprintf("lists in order %d", seed), func(ex *Exchange) []byte {
			r := rand.New(rand.NewPCG(seed, 1))
			return reorder(ex, func(items []string) {
				r.Shuffle(len(items), func(i, j int) { items[i], items[j] = items[j], items[i] })
			})
		}})
	}
	return list
}

var (
	oneLine     = regexp.MustCompile(`^([2-5]\d\d) ([^\r\n]*)\r\n$`)
	codedReply  = regexp.MustCompile(`^(?:[2-5]\d\d[ -][^\r\n]*\r\n)+$`)
	capability  = regexp.MustCompile(`\[CAPABILITY [^\]]*\]|(?m)^\* CAPABILITY [^\r\n]*`)
	httpHeaders = regexp.MustCompile(`(?s)^(HTTP/1\.[01] [^\r\n]*\r\n)(.*?\r\n)(\r\n.*)$`)
)

// fold splits a reply of one line into several (RFC 5321, Section 4.2.1). Lists
// of extensions have a form of their own.
func fold(ex *Exchange, format string) []byte {
	m := oneLine.FindSubmatch(ex.Reply)
	if m == nil || m[1][0] == '2' && ex.Probe != Greeting && ex.Probe != "smtp-help" {
		return nil
	}
	return fmt.Appendf(nil, format, m[1], m[2])
}

// reorder lists the extensions, capabilities or headers of a reply in another order:
// RFC 5321, Section 4.1.1.1, RFC 3501, Section 7.2.1, RFC 2449, Section 5, RFC 5804,
// Section 1.7, RFC 9110, Section 5.3.
func reorder(ex *Exchange, f func(items []string)) []byte {
	reply := string(ex.Reply)
	lines := strings.SplitAfter(strings.TrimSuffix(reply, "\r\n"), "\r\n")
	switch {
	case (ex.Probe == "smtp-ehlo" || ex.Probe == "lmtp-lhlo") && codedReply.MatchString(reply) && len(lines) > 2:
		items := make([]string, 0, len(lines))
		for _, line := range lines[1:] {
			items = append(items, strings.TrimRight(line, "\r\n")[4:])
		}
		f(items)
		text := strings.TrimRight(lines[0], "\r\n") + "\r\n250-" + strings.Join(items, "\r\n250-") + "\r\n"
		last := strings.LastIndex(text, "\r\n250-")
		return []byte(text[:last] + "\r\n250 " + text[last+len("\r\n250-"):])
	case ex.Probe == "pop3-capa" && strings.HasSuffix(reply, "\r\n.\r\n") && len(lines) > 3:
		f(lines[1 : len(lines)-1])
		return []byte(strings.Join(lines, "") + "\r\n")
	case ex.Probe == Greeting && strings.HasPrefix(reply, `"`) && len(lines) > 2:
		f(lines[:len(lines)-1])
		return []byte(strings.Join(lines, "") + "\r\n")
	case httpHeaders.MatchString(reply):
		m := httpHeaders.FindStringSubmatch(reply)
		items := strings.SplitAfter(strings.TrimSuffix(m[2], "\r\n"), "\r\n")
		items[len(items)-1] += "\r\n"
		f(items)
		return []byte(m[1] + strings.Join(items, "") + m[3])
	case capability.MatchString(reply):
		return capability.ReplaceAllFunc(ex.Reply, func(list []byte) []byte {
			at := bytes.Index(list, []byte("CAPABILITY ")) + len("CAPABILITY ")
			words := strings.Fields(strings.TrimSuffix(string(list[at:]), "]"))
			f(words)
			return slices.Concat(list[:at], []byte(strings.Join(words, " ")), list[len(bytes.TrimSuffix(list, []byte("]"))):])
		})
	}
	return nil
}

// TestVariants varies the replies of the daemon of each example: each must still
// be identified with the same values, and nothing else with the same confidence.
func TestVariants(t *testing.T) {
	set, err := Default()
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	changed := 0
	for _, sig := range set.Signatures {
		for i := range sig.Examples {
			for _, v := range variants() {
				seen, any := vary(&sig.Examples[i].Seen, v)
				if !any {
					continue
				}
				changed++
				checkVariant(t, set, sig, &sig.Examples[i], seen, v.name)
			}
		}
	}
	if changed < 500 {
		t.Errorf("%d examples were changed, want hundreds", changed)
	}
}

// vary applies a variant to all exchanges of a transcript.
func vary(seen *Transcript, v variant) (*Transcript, bool) {
	out, any := new(Transcript), false
	for _, ex := range seen.Exchanges {
		if reply := v.change(&ex); reply != nil && !bytes.Equal(reply, ex.Reply) {
			ex.Reply, any = reply, true
		}
		out.Exchanges = append(out.Exchanges, ex)
	}
	return out, any
}

func checkVariant(t *testing.T, set *Set, sig *Signature, e *Example, seen *Transcript, name string) {
	t.Helper()
	for i := range sig.When {
		if c := &sig.When[i]; c.Match(seen) != True {
			t.Errorf("%s, %s: the condition at %v fails: %s", sig.ID, name, c.Pos, heardBy(c, &Example{Seen: *seen}))
			return
		}
	}
	if got, want := sig.Values(seen), sig.Values(&e.Seen); !maps.Equal(got, want) {
		t.Errorf("%s, %s: values are %q, want %q", sig.ID, name, got, want)
	}
	for _, o := range set.Signatures {
		if o.Product != sig.Product && o.rivals(sig, seen) && o.Match(seen) == True {
			t.Errorf("%s, %s: %s matches as surely", sig.ID, name, o.ID)
		}
	}
}
