package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// jsonWriter writes the document form of the result schema in End: sorted and
// indented.
type jsonWriter struct {
	view.Collector
	w io.Writer
}

func newJSON(w io.Writer, _ format.Options) format.Writer { return &jsonWriter{w: w} }

// End implements [format.Writer].
func (j *jsonWriter) End(r result.Run, s result.Summary) error {
	j.Finish(r)
	d := documentWriter{w: bufio.NewWriterSize(j.w, 64<<10)}
	d.w.WriteString("{\n")
	d.member("schema", schemaReport)
	d.member("schema_version", SchemaVersion)
	d.member("tool", j.Tool)
	d.member("run", j.Run)
	members(&d, "ports", j.Ports)
	members(&d, "findings", j.Findings)
	members(&d, "notices", j.Notices)
	d.member("summary", s)
	d.w.WriteString("\n}\n")
	if d.err != nil {
		return d.err
	}
	return d.w.Flush()
}

// documentWriter writes one object member by member, so that a large run is not
// in memory twice.
type documentWriter struct {
	w     *bufio.Writer
	buf   bytes.Buffer
	count int
	err   error
}

func (d *documentWriter) key(name string) {
	if d.count++; d.count > 1 {
		d.w.WriteString(",\n")
	}
	fmt.Fprintf(d.w, "  %q: ", name)
}

func (d *documentWriter) value(v any, prefix string) {
	d.buf.Reset()
	enc := json.NewEncoder(&d.buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent(prefix, "  ")
	if err := enc.Encode(v); err != nil && d.err == nil {
		d.err = fmt.Errorf("encoding a result: %w", err)
	}
	d.w.Write(bytes.TrimSuffix(d.buf.Bytes(), []byte("\n")))
}

func (d *documentWriter) member(name string, v any) {
	d.key(name)
	d.value(v, "  ")
}

func members[T any](d *documentWriter, name string, list []T) {
	d.key(name)
	d.list(len(list), "  ", func(i int) any { return &list[i] })
}

// list writes an array of n elements, one level deeper than indent.
func (d *documentWriter) list(n int, indent string, element func(int) any) {
	if n == 0 {
		d.w.WriteString("[]")
		return
	}
	inner := indent + "  "
	for i := range n {
		if i == 0 {
			d.w.WriteString("[\n" + inner)
		} else {
			d.w.WriteString(",\n" + inner)
		}
		d.value(element(i), inner)
	}
	d.w.WriteString("\n" + indent + "]")
}
