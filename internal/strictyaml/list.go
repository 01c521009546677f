package strictyaml

import (
	"iter"
	"strings"

	"go.yaml.in/yaml/v3"
)

// batchBytes is the approximate size of the part of a list that is parsed at a
// time.
const batchBytes = 32 << 10

// ahead is how many batches are parsed in advance.
const ahead = 2

// A List is one list of a [Document].
type List struct {
	data    []byte
	path    string
	header  string // the keys of the list, as YAML
	indent  int    // of the dashes
	line    int32  // of the first item
	end     int    // offset of its end
	items   int
	batches []batch
}

// A batch is a part of a list: some items, with their offset and line.
type batch struct {
	at   int
	line int32
}

// Len returns the number of items.
func (l *List) Len() int { return l.items }

// item records the position of an item.
func (l *List) item(at int, line int32) {
	l.items++
	if n := len(l.batches); n == 0 || at-l.batches[n-1].at >= batchBytes {
		l.batches = append(l.batches, batch{at, line})
	}
}

// A parsed is the result of parsing a batch.
type parsed struct {
	items []*yaml.Node
	fault *Fault
	by    *simpleParser // owner of the nodes; nil if the YAML parser made them
}

// Items yields the items. It ends with the first fault. An item is valid only
// until the next one.
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

// parsed yields the results of the batches, in their order, and parses some in
// advance.
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

// parse parses batch i, with one of the free simple parsers if possible.
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
