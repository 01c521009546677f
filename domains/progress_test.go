package domains

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/domains/query"
)

// A stoppingAsker ends after some questions.
type stoppingAsker struct {
	query.Asker
	left int
}

func (s *stoppingAsker) Ask(ctx context.Context, name string, qtype uint16) (*query.Answer, error) {
	if s.left--; s.left < 0 {
		return nil, errors.New("stopped")
	}
	return s.Asker.Ask(ctx, name, qtype)
}

// TestProgress: a lookup that was stopped goes on with what it has not looked up, and finds the same as
// one that was not stopped; a domain with gaps is asked again.
func TestProgress(t *testing.T) {
	const zone = "@ MX 10 mx\nmx A 192.0.2.1\n@ TXT \"v=spf1 mx ip4:192.0.2.0/24 -all\"\na MX 10 mx\nb TXT \"v=spf1 exists:%{i}.x -all\"\n!lost.example.org SERVFAIL\n"
	names := []string{"example.org", "a.example.org", "lost.example.org", "b.example.org"}
	whole, err := (&Walker{Asker: newZone(t, zone)}).All(t.Context(), names, 1, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "progress")
	for left := 10; ; left += 10 {
		p, err := OpenProgress(file, "scope x")
		if err != nil {
			t.Fatal(err)
		}
		before := p.Len()
		asker := &stoppingAsker{newZone(t, zone), left}
		found, err := (&Walker{Asker: asker}).All(t.Context(), names, 1, p, nil)
		if p.Len() < before {
			t.Fatalf("%d domains are kept, %d were", p.Len(), before)
		}
		if err := p.End(false); err != nil {
			t.Fatal(err)
		}
		if err != nil {
			addHalfALine(t, file)
			continue
		}
		if got, want := asJSON(t, found), asJSON(t, whole); got != want {
			t.Errorf("found\n%s\nwithout a stop\n%s", got, want)
		}
		break
	}
	p, err := OpenProgress(file, "scope x")
	if err != nil || p.Len() != 3 {
		t.Fatalf("%d domains, %v; want all but the one with gaps", p.Len(), err)
	}
	if err := p.End(true); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the file is still there: %v", err)
	}
}

// addHalfALine appends what a run that was killed leaves.
func addHalfALine(t *testing.T, file string) {
	t.Helper()
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteString(`{"name":"half`); err != nil || f.Close() != nil {
		t.Fatal(err)
	}
}

func asJSON(t *testing.T, v any) string {
	t.Helper()
	b, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// TestProgressRefused: a file of something else, or of a run with other settings, is refused and left
// alone.
func TestProgressRefused(t *testing.T) {
	for text, want := range map[string]string{
		fmt.Sprintf("{\"mxsweep_domain_progress\":\"%s\",\"asked\":\"scope x\"}\n{\"name\":\"a\",\"hosts\":[null]}\n", progressFormat): "a host without a name",
		"example.org\n": "no file of an earlier run",
		fmt.Sprintf("{\"mxsweep_domain_progress\":\"%s\",\"asked\":\"scope y\"}\n", progressFormat):             "scope y, not scope x",
		fmt.Sprintf("{\"mxsweep_domain_progress\":\"%s\",\"asked\":\"scope x\"}\n{\"name\":\n", progressFormat): "line 2",
	} {
		file := filepath.Join(t.TempDir(), "progress")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := OpenProgress(file, "scope x"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v", text, err)
		}
		if got, err := os.ReadFile(file); err != nil || string(got) != text {
			t.Errorf("%q is now %q, %v", text, got, err)
		}
	}
}

// FuzzProgress: whatever a progress file contains, reading it ends.
func FuzzProgress(f *testing.F) {
	f.Add([]byte("{\"mxsweep_domain_progress\":\"1\",\"asked\":\"x\"}\n{\"name\":\"example.org\",\"hosts\":[null]}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		p := &Progress{done: map[string]*Domain{}}
		if p.read(data, "x") != nil {
			return
		}
		for _, d := range p.done {
			(&Walker{}).classify(d)
		}
	})
}
