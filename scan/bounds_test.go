package scan

import (
	"errors"
	"fmt"
	"runtime"
	"strings"
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
	scope, err := NewScope(Bounds{Targets: targets})
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
				if !errors.As(err, new(*TooManyPortSetsError)) {
					t.Errorf("error %v", err)
				}
			case err != nil:
				t.Error(err)
			case space.Len() != many:
				t.Errorf("%d pairs", space.Len())
			}
		})
	}
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
