package signatures

import (
	"fmt"
	"slices"

	"github.com/mxsweep/mxsweep/result"
	"go.yaml.in/yaml/v3"
)

var ends = []string{EndReply, EndSilence, EndClosed, EndReset, EndLimit, EndError}

func (d *decoder) probe(n *yaml.Node) *Probe {
	p := &Probe{Pos: d.pos(n), Safety: "", Connection: OwnConnection, Layer: LayerAny}
	var tls string
	before := d.Count()
	d.mapping(n, fields{
		"id": d.text(&p.ID), "why": d.text(&p.Why),
		"after": d.conditions(&p.After),
		"quiet": d.duration(&p.Quiet),
		"send":  d.raw(&p.Send), "send_hex": d.hex(&p.Send),
		"read": func(n *yaml.Node) {
			d.mapping(n, fields{
				"until": d.oneOf(&p.Read.Until, "greeting", "line", "reply", "tagged", "dot", "blank", "bytes", "close"),
				"wait":  d.duration(&p.Read.Wait),
			})
		},
		"safety":     d.oneOf(&p.Safety, Passive, Safe, Intrusive),
		"connection": d.text(&p.Connection),
		"tls":        d.oneOf(&tls, "starttls"),
		"enters":     func(n *yaml.Node) { p.Enters = d.enters(n) },
		"layer":      d.oneOf(&p.Layer, LayerClear, LayerTLS, LayerProxy, LayerAny),
		"fin":        d.bool(&p.Fin),
		"close":      d.raw(&p.Close), "close_hex": d.hex(&p.Close),
		"ports": d.ports(&p.Ports), "only_there": d.bool(&p.OnlyThere), "only_elsewhere": d.bool(&p.OnlyElsewhere), "except": d.ports(&p.Except),
		"first_on": d.ports(&p.FirstOn),
	})
	p.StartTLS = tls != ""
	d.checkProbe(n, p, d.Count() == before)
	return p
}

func (d *decoder) enters(n *yaml.Node) *Enters {
	e := new(Enters)
	d.mapping(n, fields{
		"layer": d.oneOf(&e.Layer, LayerTLS, LayerProxy),
		"reply": d.pattern(&e.Reply),
	})
	if (e.Layer == LayerProxy) != (e.Reply != nil) {
		d.fail(n, "add reply: to layer: proxy, and leave it out of layer: tls", "a layer of proxy needs a reply that shows it, one of tls has none")
	}
	return e
}

func (d *decoder) conditions(to *[]Condition) func(*yaml.Node) {
	return d.each(func(n *yaml.Node) { *to = append(*to, d.condition(n)) })
}

func (d *decoder) condition(n *yaml.Node) Condition {
	c := Condition{Pos: d.pos(n)}
	if d.depth++; d.depth > maxDepth {
		d.fail(n, "write the inner conditions side by side", "conditions nest deeper than %d", maxDepth)
		d.depth--
		return c
	}
	defer func() { d.depth-- }()
	var greeting *Pattern
	before := d.Count()
	d.mapping(n, fields{
		"probe": d.text(&c.Probe), "greeting": d.pattern(&greeting),
		"reply": d.pattern(&c.Reply), "hex": d.pattern(&c.Hex),
		"ended": d.words(&c.Ended, ends),
		"bytes": func(n *yaml.Node) { c.Bytes = d.byteRange(n) },
		"first": func(n *yaml.Node) { c.First = d.timeRange(n) },
		"took":  func(n *yaml.Node) { c.Took = d.timeRange(n) },
		"handshake": d.oneOf(&c.Handshake,
			HandshakeComplete, HandshakeFailed),
		"tail":    d.words(&c.Tail, slices.Concat(tails, []string{TailUnknown})),
		"tls":     func(n *yaml.Node) { c.TLS = new(bool); d.bool(c.TLS)(n) },
		"proxied": func(n *yaml.Node) { c.Proxied = new(bool); d.bool(c.Proxied)(n) },
		"remote":  func(n *yaml.Node) { c.Remote = new(bool); d.bool(c.Remote)(n) },
		"echo":    d.bool(&c.Echo), "not": d.bool(&c.Not),
		"any": d.conditions(&c.Any), "all": d.conditions(&c.All),
	})
	if d.Count() == before {
		d.checkCondition(n, &c, greeting)
	}
	return c
}

// checkCondition sets the default probe and reports keys that exclude each other.
func (d *decoder) checkCondition(n *yaml.Node, c *Condition, greeting *Pattern) {
	keys := len(n.Content) / 2
	if c.Not {
		keys--
	}
	switch {
	case c.Any != nil || c.All != nil:
		if keys != 1 {
			d.fail(n, "move the other keys to a separate condition", "a condition with any or all allows no other key but not")
		}
	case greeting != nil && (c.Probe != "" || c.Reply != nil):
		d.fail(n, "greeting: RE stands for probe: greeting, reply: RE", "greeting and probe or reply in one condition")
	case greeting != nil:
		c.Probe, c.Reply = Greeting, greeting
	case c.Probe == "":
		d.fail(n, "name the probe, or write greeting: RE", "a condition without a probe")
	case keys == 1:
		d.fail(n, "add reply, ended, bytes, took, handshake or another key", "a condition on probe %q without a criterion", c.Probe)
	}
}

func (d *decoder) words(to *[]string, words []string) func(*yaml.Node) {
	return func(n *yaml.Node) {
		nodes := []*yaml.Node{n}
		if n.Kind == yaml.SequenceNode {
			nodes = n.Content
		}
		for _, n := range nodes {
			var s string
			d.oneOf(&s, words...)(n)
			*to = append(*to, s)
		}
	}
}

// byteRange reads a number, or a mapping of min and max.
func (d *decoder) byteRange(n *yaml.Node) *Range {
	r := &Range{Max: -1}
	if n.Kind == yaml.ScalarNode {
		d.int(&r.Min, 0, 1<<20)(n)
		r.Max = r.Min
		return r
	}
	d.mapping(n, fields{"min": d.int(&r.Min, 0, 1<<20), "max": d.int(&r.Max, 0, 1<<20)})
	return r
}

func (d *decoder) timeRange(n *yaml.Node) *TimeRange {
	r := new(TimeRange)
	d.mapping(n, fields{"min": d.duration(&r.Min), "max": d.duration(&r.Max)})
	return r
}

// importSources are the tools whose files can be imported.
var importSources = []string{"recog", "nmap"}

// signature reads one signature; imported is the tool whose file was imported, ""
// if none was.
func (d *decoder) signature(n *yaml.Node, imported string) *Signature {
	s := &Signature{Pos: d.pos(n), Imported: imported}
	before := d.Count()
	d.mapping(n, fields{
		"id": d.text(&s.ID), "product": d.text(&s.Product), "protocol": d.protocol(&s.Protocol),
		"role":               oneOf(d, &s.Role, result.Roles()...),
		"confidence":         d.int(&s.Confidence, 1, 10),
		"product_confidence": d.int(&s.ProductConfidence, 1, 10),
		"when":               d.conditions(&s.When),
		"extract":            d.conditions(&s.Extract),
		"through":            d.conditions(&s.Through),
		"behind":             d.texts(&s.Behind), "alternatives": d.texts(&s.Alternatives),
		"cpe": d.text(&s.CPE), "source": d.text(&s.Source),
		"constants": func(n *yaml.Node) {
			s.Constants = make(map[string]string)
			d.values(n, groupNames, s.Constants)
		},
		"examples": d.each(func(n *yaml.Node) { s.Examples = append(s.Examples, d.example(n)) }),
	})
	d.checkSignature(n, s, d.Count() == before)
	return s
}

func (d *decoder) example(n *yaml.Node) Example {
	e := Example{Pos: d.pos(n), Want: map[string]string{}}
	before := d.Count()
	d.mapping(n, fields{
		"file": d.text(&e.File),
		"seen": func(n *yaml.Node) { d.seen(n, &e.Seen) },
		"want": func(n *yaml.Node) { d.values(n, wantNames, e.Want) },
	})
	if d.Count() == before && (e.File == "") == (len(e.Seen.Exchanges) == 0) {
		d.fail(n, "give the replies under seen, or a recording under file", "an example has either seen or file")
	}
	return e
}

var wantNames = append([]string{"product", "protocol"}, groupNames...)

// values reads a mapping; its keys must be in names.
func (d *decoder) values(n *yaml.Node, names []string, to map[string]string) {
	f := make(fields)
	for _, name := range names {
		f[name] = func(n *yaml.Node) { to[name], _ = d.value(n) }
	}
	if slices.Contains(names, "protocol") {
		f["protocol"] = func(n *yaml.Node) {
			var word string
			d.protocol(&word)(n)
			to["protocol"] = word
		}
	}
	d.mapping(n, f)
}

// seen reads the exchanges of an inline example, in their order.
func (d *decoder) seen(n *yaml.Node, to *Transcript) {
	if n.Kind != yaml.MappingNode {
		d.fail(n, "write the id of a probe and what it got, like greeting: \"220 mx\\r\\n\"", "expecting a mapping of probes to replies")
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		ex := Exchange{Probe: n.Content[i].Value, End: EndReply}
		if v := n.Content[i+1]; v.Kind == yaml.ScalarNode {
			d.raw(&ex.Reply)(v)
		} else {
			d.mapping(v, fields{
				"reply": d.raw(&ex.Reply), "hex": d.hex(&ex.Reply), "sent": d.raw(&ex.Sent),
				"ended": d.oneOf(&ex.End, ends...),
				"first": d.duration(&ex.First), "took": d.duration(&ex.Took),
				"handshake": d.oneOf(&ex.Handshake, HandshakeComplete, HandshakeFailed),
				"tail":      d.oneOf(&ex.Tail, tails...),
				"tls":       d.bool(&ex.TLS), "proxied": d.bool(&ex.Proxied), "remote": d.bool(&ex.Remote),
			})
		}
		if to.Find(ex.Probe) != nil {
			d.fail(n.Content[i], "keep one of them", "duplicate probe %q", ex.Probe)
		}
		to.Exchanges = append(to.Exchanges, ex)
	}
}

func (d *decoder) observation(n *yaml.Node) *Observation {
	o := &Observation{Pos: d.pos(n)}
	before := d.Count()
	d.mapping(n, fields{
		"id": d.text(&o.ID), "shows": d.text(&o.Shows),
		"protocol": d.words(&o.Protocols, d.known()), "product": d.texts(&o.Products),
		"versioned": d.bool(&o.Versioned), "idle": d.bool(&o.Idle),
		"when": d.conditions(&o.When),
	})
	switch {
	case d.lacks(n, fmt.Sprintf("observation %q", o.ID), "id", "shows"):
	case d.Count() == before && len(o.When) == 0 && !o.Versioned:
		d.fail(n, "add when: with a condition", "observation %q has no condition", o.ID)
	}
	return o
}

func (d *decoder) stack(n *yaml.Node) *Stack {
	s := &Stack{Pos: d.pos(n)}
	before := d.Count()
	d.mapping(n, fields{
		"name": d.text(&s.Name), "ports": d.ports(&s.Ports),
		"products": d.texts(&s.Products), "least": d.int(&s.Least, 2, 100),
	})
	if !d.lacks(n, fmt.Sprintf("stack %q", s.Name), "name", "least") && d.Count() == before && len(s.Ports)+len(s.Products) < s.Least {
		d.fail(n, "add ports and products, or lower least", "stack %q has fewer ports and products than least: %d", s.Name, s.Least)
	}
	return s
}
