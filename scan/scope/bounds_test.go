package scope

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
)

const many = 100_000

// manyTargets write the i-th of many targets: apart from each other, with the
// same or with other ports, and each around the one before.
var manyTargets = map[string]func(i int) string{
	"apart": func(i int) string {
		return fmt.Sprintf("10.%d.%d.%d:%d", i>>15&255, i>>7&255, i<<1&255, 1+i*7919%65000)
	},
	"same": func(i int) string { return fmt.Sprintf("10.%d.%d.%d:25", i>>15&255, i>>7&255, i<<1&255) },
	"nested": func(i int) string {
		return fmt.Sprintf("10.0.0.0-10.%d.%d.%d:%d", i>>16&255, i>>8&255, i&255, 1+i*7%65000)
	},
}

func manyLines(line func(i int) string) string {
	var text strings.Builder
	for i := range many {
		text.WriteString(line(i))
		text.WriteByte('\n')
	}
	return text.String()
}

func readMany(t testing.TB, text string) (*Space, error) {
	p := Parser{Stdin: strings.NewReader(text)}
	targets, err := p.TargetFile(t.Context(), "-")
	if err != nil {
		return nil, err
	}
	scope, err := New(Bounds{Targets: targets})
	if err != nil {
		return nil, err
	}
	return NewSpace(scope, []uint16{25})
}

// TestManyTargets: what is made for a target on the way does not grow with
// their number, and targets that would take too long are refused. A quadratic
// step would take gigabytes.
func TestManyTargets(t *testing.T) {
	for name, line := range manyTargets {
		t.Run(name, func(t *testing.T) {
			text := manyLines(line)
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			space, err := readMany(t, text)
			runtime.ReadMemStats(&after)
			if each := (after.TotalAlloc - before.TotalAlloc) / many; each > 6000 {
				t.Errorf("%d bytes were taken for each target", each)
			}
			switch {
			case name == "nested":
				if refused := new(*InputError); !errors.As(err, refused) || (*refused).File != "-" || (*refused).Line == 0 || (*refused).ErrorHint() == "" {
					t.Errorf("error %v, want one with its line", err)
				}
			case err != nil:
				t.Error(err)
			case space.Len() != many:
				t.Errorf("%d pairs", space.Len())
			}
		})
	}
}

// fixedResolver gives each name an address of its own.
type fixedResolver struct{ given atomic.Uint32 }

func (r *fixedResolver) LookupNetIP(context.Context, string, string) ([]netip.Addr, error) {
	n := r.given.Add(1)
	return []netip.Addr{netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)})}, nil
}

// TestKeptOfTargets bounds what is kept of each entry of a list, so that as many
// as one may have (maxEntries) stay below 256 MiB, with the half of that again
// that garbage takes at most until it is collected.
func TestKeptOfTargets(t *testing.T) {
	const lines, most = 10_000, 184 << 20 / maxEntries
	for name, line := range map[string]func(i int) string{
		"address":   func(i int) string { return fmt.Sprintf("10.0.%d.%d", i>>7&255, i<<1&255) },
		"port":      manyTargets["apart"],
		"IPv6 port": func(i int) string { return fmt.Sprintf("[2001:db8:0:%x::%x]:%d", i, i, 1+i*7919%65000) },
		"prefix":    func(i int) string { return fmt.Sprintf("10.%d.%d.0/26", i>>8&255, i&255) },
		"name":      func(i int) string { return fmt.Sprintf("host-%d.mail.example.org", i) },
		"comment": func(i int) string {
			return fmt.Sprintf("10.0.%d.%d # %s", i>>7&255, i<<1&255, strings.Repeat("x", 900))
		},
		"always same": func(int) string { return "10.0.0.1:25" },
	} {
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			for i := range lines {
				text.WriteString(line(i) + "\n")
			}
			p := Parser{Stdin: strings.NewReader(text.String()), Resolver: new(fixedResolver), Family: IPv4Only}
			if name == "IPv6 port" {
				p.Family = IPv6Only
			}
			kept, _ := keptOf(t, &p, []uint16{25})
			if each := kept / lines; each > most {
				t.Errorf("%d bytes are kept of each entry, want at most %d", each, most)
			}
		})
	}
}

// keptOf is how many bytes are kept of the targets that a parser reads from its
// standard input, and how many pairs they are.
func keptOf(t *testing.T, p *Parser, ports []uint16) (kept int64, pairs uint64) {
	t.Helper()
	before := liveBytes()
	targets, err := p.TargetFile(t.Context(), "-")
	if err != nil {
		t.Fatal(err)
	}
	scope, err := New(Bounds{Targets: targets})
	if err != nil {
		t.Fatal(err)
	}
	space, err := NewSpace(scope, ports)
	if err != nil {
		t.Fatal(err)
	}
	kept = liveBytes() - before
	runtime.KeepAlive([]any{p, targets, scope, space})
	return kept, space.Len()
}

// wideTargets write the i-th of many targets with ranges of ports, and say how
// many ports that are.
var wideTargets = map[string]func(i int) (line string, ports int){
	"all":   func(i int) (string, int) { return fmt.Sprintf("10.1.%d.%d:1-65535", i>>8, i&255), 65535 },
	"other": func(i int) (string, int) { return fmt.Sprintf("10.1.%d.%d:%d-65535", i>>8, i&255, i+1), 65535 - i },
	"zoned": func(i int) (string, int) { return fmt.Sprintf("[fe80::%x%%lo]:%d-65535", i+1, i+1), 65535 - i },
}

// TestWidePorts: ranges of ports behind targets take no memory for each port in
// them, and each port is asked.
func TestWidePorts(t *testing.T) {
	const lines = 2000
	for name, line := range wideTargets {
		t.Run(name, func(t *testing.T) {
			var text strings.Builder
			var want uint64
			for i := range lines {
				written, ports := line(i)
				text.WriteString(written + "\n")
				want += uint64(ports)
			}
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			space, err := readMany(t, text.String())
			runtime.ReadMemStats(&after)
			if err != nil {
				t.Fatal(err)
			}
			if space.Len() != want {
				t.Errorf("%d pairs, want %d", space.Len(), want)
			}
			if each := (after.TotalAlloc - before.TotalAlloc) / lines; each > 6000 {
				t.Errorf("%d bytes were taken for each target", each)
			}
		})
	}
}

// TestTooManyWidePorts: targets that overlap with so many different ports that
// these would take more memory than a run may are refused, at the line that is
// too much.
func TestTooManyWidePorts(t *testing.T) {
	var text strings.Builder
	for i := range 2000 {
		fmt.Fprintf(&text, "10.1.%[1]d.%[2]d:1-%[3]d\n10.1.%[1]d.%[2]d:%[4]d-65535\n", i>>8, i&255, i+1, i+3)
	}
	before := liveBytes()
	_, err := readMany(t, text.String())
	refused := new(*InputError)
	if !errors.As(err, refused) || (*refused).Line < 400 || (*refused).Line > 600 || (*refused).Column != 1 || (*refused).ErrorHint() == "" {
		t.Fatalf("error %v, want one of line 500 or so", err)
	}
	if kept := liveBytes() - before; kept > 1<<20 {
		t.Errorf("%d bytes are kept of what was refused", kept)
	}
}

// liveBytes is how much the heap holds that is not garbage.
func liveBytes() int64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.GC() // what finalizers and pools held on to
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// BenchmarkManyTargets reads, bounds and numbers 100,000 targets with ports of
// their own.
func BenchmarkManyTargets(b *testing.B) {
	for name, line := range manyTargets {
		b.Run(name, func(b *testing.B) {
			text := manyLines(line)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := readMany(b, text); err != nil && name != "nested" {
					b.Fatal(err)
				}
			}
		})
	}
}
