package wording

import (
	"net/netip"
	"strings"
	"testing"
	"time"
)

// TestQuotedEndsWithAWord: what is cut is cut between words, where there are
// any.
func TestQuotedEndsWithAWord(t *testing.T) {
	for text, want := range map[string]string{
		strings.Repeat("word ", 30):                                `"` + strings.Repeat("word ", 23) + `word"...`,
		strings.Repeat("w", maxQuote) + " more":                    `"` + strings.Repeat("w", maxQuote) + `"...`,
		strings.Repeat("x", maxQuote+1):                            `"` + strings.Repeat("x", maxQuote) + `"...`,
		strings.Repeat("w", 90) + "\r\n" + strings.Repeat("x", 90): `"` + strings.Repeat("w", 90) + `"...`,
		"short\r\n": `"short"`,
	} {
		if got := Quote(text); got != want {
			t.Errorf("%q is quoted as %q, want %q", text, got, want)
		}
	}
}

func TestDuration(t *testing.T) {
	for want, d := range map[string]time.Duration{
		"0s": 0, "59s": 59 * time.Second, "1m00s": 59*time.Second + 600*time.Millisecond,
		"3m20s": 200 * time.Second, "26h40m": 96000 * time.Second,
	} {
		if got := Duration(d); got != want {
			t.Errorf("Duration(%v) is %q, want %q", d, got, want)
		}
	}
}

func TestPorts(t *testing.T) {
	for list, want := range map[string]string{"10025": "port", "25,10025": "ports", "25-26": "ports", "": "ports"} {
		if got := Ports(list); got != want {
			t.Errorf("%q: got %q, want %q", list, got, want)
		}
	}
}

func TestList(t *testing.T) {
	for want, words := range map[string][]string{"": nil, "a": {"a"}, "a and b": {"a", "b"}, "a, b and c": {"a", "b", "c"}} {
		if got := List(words); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
		if got, want := Either(words), strings.Replace(want, " and ", " or ", 1); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestFirst(t *testing.T) {
	words := []string{"a", "b", "c", "d"}
	for most, want := range map[int]string{0: "4 more", 1: "a and 3 more", 3: "a, b, c and 1 more", 4: "a, b, c and d", 5: "a, b, c and d"} {
		if got := First(words, most); got != want {
			t.Errorf("the first %d: %q, want %q", most, got, want)
		}
	}
}

func TestPlural(t *testing.T) {
	for want, got := range map[string]string{
		"1 port": Plural(1, "port"), "0 ports": Plural(0, "port"), "2 addresses": Plural(uint64(2), "address"),
		"1 canary": Amount(1, "canary", "canaries"), "3 canaries": Amount(3, "canary", "canaries"),
	} {
		if got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestNamed(t *testing.T) {
	addr := netip.MustParseAddr("192.0.2.1")
	if got := Named(addr, ""); got != "192.0.2.1" {
		t.Errorf("without a name: %q", got)
	}
	if got := Named(netip.AddrPortFrom(addr, 25), "mx1"); got != "192.0.2.1:25 (mx1)" {
		t.Errorf("with a name: %q", got)
	}
}
