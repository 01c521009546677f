package report

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"

	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/view"
	"github.com/mxsweep/mxsweep/result"
)

// A lineHead is the start of every line of the line form.
type lineHead struct {
	Schema        string `json:"schema"`
	SchemaVersion string `json:"schema_version"`
	Type          string `json:"type"`
	Seq           int    `json:"seq"` // from 0, without gaps
	RunID         string `json:"run_id"`
}

// The types of lines.
const (
	lineRunStart = "run_start"
	linePort     = "port"
	lineFinding  = "finding"
	lineNotice   = "notice"
	lineRunEnd   = "run_end"
)

type (
	startLine struct {
		lineHead
		Tool result.Tool `json:"tool"`
		Run  result.Run  `json:"run"`
	}
	portLine struct {
		lineHead
		result.Port
	}
	findingLine struct {
		lineHead
		result.Finding
	}
	noticeLine struct {
		lineHead
		result.Notice
	}
	endLine struct {
		lineHead
		Summary result.Summary `json:"summary"`
		// Run is that of run_start with its end time and its rules.
		Run *result.Run `json:"run,omitempty"`
	}
)

// lineWriter writes each record immediately, with one Write per line, so that the
// output is valid wherever it is cut.
type lineWriter struct {
	w    io.Writer
	buf  bytes.Buffer
	head lineHead
	used map[string]bool // rules that a finding refers to
}

func newLines(w io.Writer, _ format.Options) format.Writer {
	return &lineWriter{
		w:    w,
		head: lineHead{Schema: schemaLine, SchemaVersion: SchemaVersion},
		used: make(map[string]bool),
	}
}

// next returns the head of the next line.
func (l *lineWriter) next(kind string) lineHead {
	h := l.head
	h.Type = kind
	l.head.Seq++
	return h
}

func (l *lineWriter) write(v any) error {
	l.buf.Reset()
	enc := json.NewEncoder(&l.buf)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return fmt.Errorf("encoding a result: %w", err)
	}
	_, err := l.w.Write(l.buf.Bytes())
	return err
}

// Start implements [format.Writer].
func (l *lineWriter) Start(t result.Tool, r result.Run) error {
	l.head.RunID = r.ID
	r.Rules = nil // those that findings refer to follow in run_end
	return l.write(startLine{l.next(lineRunStart), t, r})
}

// Port implements [format.Writer].
func (l *lineWriter) Port(p result.Port) error { return l.write(portLine{l.next(linePort), p}) }

// Finding implements [format.Writer].
func (l *lineWriter) Finding(f result.Finding) error {
	l.used[f.Rule] = true
	return l.write(findingLine{l.next(lineFinding), f})
}

// Notice implements [format.Writer].
func (l *lineWriter) Notice(n result.Notice) error { return l.write(noticeLine{l.next(lineNotice), n}) }

// End implements [format.Writer].
func (l *lineWriter) End(r result.Run, s result.Summary) error {
	r.Rules = view.UsedRules(r.Rules, l.used)
	return l.write(endLine{l.next(lineRunEnd), s, &r})
}
