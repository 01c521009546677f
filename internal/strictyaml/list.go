package strictyaml

import (
	"iter"
	"strings"

	"go.yaml.in/yaml/v3"
)

// batchBytes is how much of a list is parsed at a time, an item more or less.
const batchBytes = 32 << 10

// ahead is how many batches are parsed while those before are read.
const ahead = 2

// A List is the items of one list of a [Document].
type List struct {
	data    []byte
	path    string
	header  string // the keys that lead to it
	indent  int    // of the dashes
	line    int32  // of the first item
	end     int    // offset behind it
	items   int
	batches []batch
}

// A batch is some items, from an offset and its line on.
type batch struct {
	at   int
	line int32
}

// Len is how many items there are.
func (l *List) Len() int { return l.items }

// item takes in where an item begins.
func (l *List) item(at int, line int32) {
	l.items++
	if n := len(l.batches); n == 0 || at-l.batches[n-1].at >= batchBytes {
		l.batches = append(l.batches, batch{at, line})
	}
}

// A parsed is what came of a batch.
type parsed struct {
	items []*yaml.Node
	fault *Fault
	by    *simpleParser // whose nodes the items are; nil if they are of the YAML parser
}

// Items yields the items. It ends with the first fault. An item holds only until
// the next one.
func (l *List) Items() iter.Seq2[*yaml.Node, *Fault] {
	return func(yield func(*yaml.Node, *Fault) bool) {
		for p := range l.parsed {
			for _, n := range p.items {
				if !yield(n, nil) {
					return
				}
			}
			if p.fault != nil {
				yield(nil, p.fault)
				return
			}
		}
	}
}

// parsed yields what comes of the batches, in their order, and parses some ahead.
func (l *List) parsed(yield func(parsed) bool) {
	var coming []chan parsed
	free := make(chan *simpleParser, ahead+1)
	for range ahead + 1 {
		free <- &simpleParser{indent: l.indent}
	}
	for next := 0; next < len(l.batches) || len(coming) > 0; {
		for ; next < len(l.batches) && len(coming) < ahead; next++ {
			c, i := make(chan parsed, 1), next
			coming = append(coming, c)
			go func() { c <- l.parse(i, free) }()
		}
		p := <-coming[0]
		coming = coming[1:]
		if !yield(p) {
			return
		}
		if p.by != nil {
			free <- p.by
		}
	}
}

// parse parses the batch of a number, by one of the free parsers if they can.
func (l *List) parse(i int, free chan *simpleParser) parsed {
	b, end := l.batches[i], l.end
	if i+1 < len(l.batches) {
		end = l.batches[i+1].at
	}
	text := l.data[b.at:end]
	simple := <-free
	if simple.parse(string(text), int(b.line)) {
		return parsed{items: simple.items, by: simple}
	}
	free <- simple
	whole := append([]byte(l.header), text...)
	shift := int(b.line) - 1 - strings.Count(l.header, "\n")
	root, fault := Root(whole)
	if fault != nil {
		fault.Line += shift
		return parsed{fault: fault}
	}
	n := valueAt(root, l.path)
	if n == nil || n.Kind != yaml.SequenceNode {
		return parsed{fault: &Fault{int(b.line), l.indent + 1, "an item that does not end where the next one begins", "indent what belongs to an item"}}
	}
	for _, item := range n.Content {
		renumber(item, func(line int) int { return line + shift })
	}
	return parsed{items: n.Content}
}
