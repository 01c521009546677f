package report

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/userfile"
	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/result"
)

// blanks is an endless input of blank lines.
type blanks struct{}

func (blanks) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	b[len(b)-1] = '\n'
	return len(b), nil
}

// TestTooLargeRun checks that a saved run of too many bytes or records is
// rejected with the limit, in both forms.
func TestTooLargeRun(t *testing.T) {
	for _, form := range []string{"json", "jsonl"} {
		whole := string(convert(t, "run.json", form, format.Options{}))
		begin := whole[:strings.Index(whole, ",\n")+2]
		if form == "jsonl" {
			begin = whole[:strings.Index(whole, "\n")+1]
		}
		_, err := (Reader{}).Replay(io.MultiReader(strings.NewReader(begin), blanks{}), new(discard))
		wantTooLarge(t, form, err, "64 MiB")
	}
	p := &player{w: new(discard), records: maxRecords}
	wantTooLarge(t, "port", p.wrong(place{line: 7}, p.port(&result.Port{})), "350000 ports, findings and notices")
	wantTooLarge(t, "finding", p.wrong(place{line: 7}, p.finding(&result.Finding{})), "350000 ports, findings and notices")
	wantTooLarge(t, "notice", p.wrong(place{line: 7}, p.notice(&result.Notice{})), "350000 ports, findings and notices")
}

func wantTooLarge(t *testing.T, what string, err error, bound string) {
	t.Helper()
	read := new(userfile.Error)
	if !errors.As(err, &read) || !strings.Contains(err.Error(), "more than "+bound) || !strings.Contains(read.ErrorHint(), "--shard") {
		t.Errorf("%s: error %v, want more than %s and what to do", what, err, bound)
	}
}

// reordered returns a document with its members in another order.
func reordered(t *testing.T, doc []byte, names ...string) []byte {
	t.Helper()
	var members map[string]json.RawMessage
	if err := json.Unmarshal(doc, &members); err != nil {
		t.Fatal(err)
	}
	out := []byte(`{"schema":"mxsweep.report"`)
	for _, name := range names {
		out = append(append(out, `,"`+name+`":`...), members[name]...)
	}
	return append(out, '}')
}

// TestMembersInAnyOrder checks that the order of a document's members does not
// matter.
func TestMembersInAnyOrder(t *testing.T) {
	doc := convert(t, "run.json", "json", format.Options{})
	names := []string{"schema_version", "tool", "run", "ports", "findings", "notices", "summary"}
	r := rand.New(rand.NewPCG(1, 2))
	for range 40 {
		in := reordered(t, doc, names...)
		var out bytes.Buffer
		w, err := New("json", &out, format.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := (Reader{}).Replay(bytes.NewReader(in), inOrder{t, w, new(int)}); err != nil {
			t.Fatal(names, err)
		}
		if !bytes.Equal(out.Bytes(), doc) {
			t.Fatalf("%v gives another run", names)
		}
		r.Shuffle(len(names), func(i, k int) { names[i], names[k] = names[k], names[i] })
	}
}

// An inOrder checks that records are in the order that writers rely on.
type inOrder struct {
	t *testing.T
	w format.Writer
	n *int
}

func (o inOrder) comes(n int) {
	if *o.n > n {
		o.t.Error("a record comes behind those of a later kind")
	}
	*o.n = n
}

func (o inOrder) Start(v result.Tool, r result.Run) error  { o.comes(0); return o.w.Start(v, r) }
func (o inOrder) Port(v result.Port) error                 { o.comes(1); return o.w.Port(v) }
func (o inOrder) Finding(v result.Finding) error           { o.comes(2); return o.w.Finding(v) }
func (o inOrder) Notice(v result.Notice) error             { o.comes(3); return o.w.Notice(v) }
func (o inOrder) End(r result.Run, s result.Summary) error { o.comes(4); return o.w.End(r, s) }

// A startWatch records how much was read when the first port was written.
type startWatch struct {
	discard
	in *lineCounter
	at int64
}

func (s *startWatch) Port(p result.Port) error {
	if s.at == 0 {
		s.at = s.in.n
	}
	return s.discard.Port(p)
}

// TestDocumentIsWrittenWhileRead checks that a document in the usual order is
// written while it is read, so that it is in memory at most once.
func TestDocumentIsWrittenWhileRead(t *testing.T) {
	doc := write(t, "json", format.Options{}, hugeRun(200, 5))
	w := &startWatch{in: &lineCounter{r: bytes.NewReader(doc)}}
	if _, err := (Reader{}).Replay(w.in, w); err != nil {
		t.Fatal(err)
	}
	if w.ports != 1000 || w.at > int64(len(doc))/4 {
		t.Errorf("the first of %d ports came after %d of %d bytes", w.ports, w.at, len(doc))
	}
}

// TestLineCounter compares the line counter with counting.
func TestLineCounter(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 4))
	for range 50 {
		data := make([]byte, r.IntN(400))
		for i := range data {
			data[i] = "ab\n"[r.IntN(3)]
		}
		l := &lineCounter{r: fewBytes{bytes.NewReader(data)}}
		if _, err := io.Copy(io.Discard, l); err != nil {
			t.Fatal(err)
		}
		for offset := range len(data) + 1 {
			want := 1 + bytes.Count(data[:max(offset-1, 0)], []byte("\n"))
			if got := l.at(int64(offset)); got != want {
				t.Fatalf("%q at %d: line %d, want %d", data, offset, got, want)
			}
		}
	}
}

// fewBytes reads a few bytes at a time.
type fewBytes struct{ r io.Reader }

func (o fewBytes) Read(b []byte) (int, error) { return o.r.Read(b[:min(len(b), 37)]) }
