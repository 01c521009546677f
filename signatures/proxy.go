package signatures

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// A Proxy is a program in front of a daemon, or the part of a daemon that reads the
// PROXY header. What it says is the daemon's, so that only how it behaves shows it.
type Proxy struct {
	Pos Pos

	ID         string
	Product    string
	Shows      string // what the conditions show, for the evidence
	Confidence int    // 1 to 10

	// Own says that the product reads the PROXY header of its own connections: it is
	// the daemon that was identified, and nothing stands in front.
	Own bool

	// Behind are the products, or words with which they begin, that must have been
	// identified for the conditions to count; nil: any, also none.
	Behind []string

	When         []Condition // all must hold
	Alternatives []string    // other products that behave like this
	CPE          string
	Source       string
	Examples     []Example
}

// Before reports whether what the conditions show counts for a daemon of the product.
func (p *Proxy) Before(product string) bool {
	return p.Behind == nil || product != "" && slices.ContainsFunc(p.Behind, func(word string) bool { return strings.HasPrefix(product, word) })
}

// Differs reports whether the proxy is another program than a daemon of the product.
func (p *Proxy) Differs(product string) bool { return maker(p.Product) != maker(product) }

// FrontOf returns the surest of the proxies whose conditions hold before a daemon of
// the product; nil if none does, or if two hold that cannot both be right.
func (set *Set) FrontOf(product string, seen Seen) *Proxy {
	var best *Proxy
	for _, p := range set.Proxies {
		if !p.Before(product) || All(p.When, seen) != True {
			continue
		}
		switch {
		case best == nil:
			best = p
		case best.Product != p.Product:
			return nil
		case p.Confidence > best.Confidence:
			best = p
		}
	}
	return best
}

// proxy reads one entry of proxies.yaml.
func (d *decoder) proxy(n *yaml.Node) *Proxy {
	p := &Proxy{Pos: d.pos(n)}
	before := d.Count()
	d.mapping(n, fields{
		"id": d.text(&p.ID), "product": d.text(&p.Product), "shows": d.text(&p.Shows),
		"confidence": d.int(&p.Confidence, 1, 10),
		"own":        d.bool(&p.Own),
		"behind":     d.texts(&p.Behind), "alternatives": d.texts(&p.Alternatives),
		"when": d.conditions(&p.When),
		"cpe":  d.text(&p.CPE), "source": d.text(&p.Source),
		"examples": d.each(func(n *yaml.Node) { p.Examples = append(p.Examples, d.example(n)) }),
	})
	switch {
	case d.lacks(n, fmt.Sprintf("proxy %q", p.ID), "id", "product", "shows", "confidence", "when", "source", "examples"), d.Count() != before:
	case slices.ContainsFunc(p.Examples, func(e Example) bool { return e.File != "" }):
		d.fail(n, "write the replies under seen", "proxy %q: an example in a file", p.ID)
	case p.Confidence > sure && p.Alternatives != nil:
		d.fail(n, fmt.Sprintf("a confidence above %d means that no other product matches", sure), "proxy %q: confidence %d, and alternatives", p.ID, p.Confidence)
	}
	return p
}

// checkProxy runs one example: it must show its proxy, and no other product.
func (set *Set) checkProxy(p *Proxy, e *Example) (problems Problems) {
	product := e.Want["behind_product"]
	if product == "" && p.Behind != nil {
		product = p.Behind[0]
	}
	for i := range p.When {
		if c := &p.When[i]; c.Match(&e.Seen) != True {
			problems = append(problems, problem(e.Pos, "compare the condition with the example, or remove the condition",
				fmt.Sprintf("proxy %q: the example does not meet the condition at %v: %s", p.ID, c.Pos, heardBy(c, e))))
		}
	}
	if problems == nil && set.FrontOf(product, &e.Seen) != p {
		problems = append(problems, problem(e.Pos, "add conditions, so that only one product holds",
			fmt.Sprintf("proxy %q: the example also shows another product in front of %q", p.ID, product)))
	}
	return problems
}
