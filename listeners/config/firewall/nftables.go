package firewall

import (
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// Nftables reads rules in the format of nft(8). Sets with a name, and variables, are not
// followed.
func Nftables(_ *source.Tree, f *source.File) listeners.Config {
	n := nft{file: f}
	for start, line := range f.Lines() {
		n.line(start, line)
	}
	return n.config
}

// nft is the state of Nftables.
type nft struct {
	file   *source.File
	config listeners.Config

	depth int // of braces
	chain int // the depth inside of the chain, 0 for none
	name  string
	stage listeners.FilterStage
	words []word // of the statement
}

// maxStatement is how many words of a statement count.
const maxStatement = 10_000

// line reads one line. A statement ends with it, outside of the braces of a set.
func (n *nft) line(start int, line string) {
	if i := strings.IndexByte(line, '#'); i >= 0 {
		line = line[:i]
	}
	for at := 0; at < len(line); {
		switch c := line[at]; {
		case c == ' ' || c == '\t' || c == ',':
			at++
		case strings.IndexByte("{};", c) >= 0:
			n.mark(word{line[at : at+1], start + at})
			at++
		case c == '"':
			end := len(line)
			if i := strings.IndexByte(line[at+1:], '"'); i >= 0 {
				end = at + 1 + i + 1
			}
			n.add(word{line[at:end], start + at})
			at = end
		default:
			end := at
			for end < len(line) && strings.IndexByte(" \t,{};", line[end]) < 0 {
				end++
			}
			n.add(word{line[at:end], start + at})
			at = end
		}
	}
	if n.depth <= n.chain || n.chain == 0 {
		n.end()
	}
}

// add adds a word to the statement.
func (n *nft) add(w word) {
	if len(n.words) < maxStatement {
		n.words = append(n.words, w)
	}
}

// mark reads a brace or a semicolon.
func (n *nft) mark(w word) {
	switch {
	case w.text == "{" && n.chain == 0:
		n.depth++
		if i := slices.IndexFunc(n.words, func(w word) bool { return w.text == "chain" }); i >= 0 && i+1 < len(n.words) {
			n.chain, n.name, n.stage = n.depth, n.words[len(n.words)-1].text, ""
		}
		n.words = nil
	case w.text == "{": // of a set
		n.depth++
		n.add(w)
	case w.text == "}" && n.chain > 0 && n.depth > n.chain:
		n.depth--
		n.add(w)
	case w.text == "}":
		n.end()
		n.depth = max(n.depth-1, 0)
		n.chain = 0
	case n.depth <= n.chain || n.chain == 0: // a semicolon
		n.end()
	}
}

// end ends a statement: the hook of a chain, or a rule.
func (n *nft) end() {
	words := n.words
	n.words = nil
	if n.chain == 0 {
		return
	}
	for i, w := range words {
		if w.text == "hook" && i+1 < len(words) {
			switch words[i+1].text {
			case "input":
				n.stage = listeners.FilterInput
			case "forward":
				n.stage = listeners.FilterForward
			}
		}
	}
	if n.stage != "" && slices.ContainsFunc(words, func(w word) bool { return w.text == "drop" || w.text == "reject" }) {
		n.rule(words)
	}
}

// partial are words with which a rule holds for a part of the packets only.
var partial = []string{"limit", "meter", "quota", "count", "sport", "flags", "numgen", "jhash"}

// rule adds a rule that drops TCP ports, whoever sends the packets.
func (n *nft) rule(words []word) {
	var ports []word
	has := func(text string) bool { return slices.ContainsFunc(words, func(w word) bool { return w.text == text }) }
	if slices.ContainsFunc(partial, has) || has("ct") && has("state") && !has("new") {
		return
	}
	for i, w := range words {
		if i+1 >= len(words) {
			break
		}
		next := words[i+1].text
		switch {
		case w.text == "saddr" && next != "!=", w.text == "iif" && next == "lo", w.text == "iifname" && strings.Trim(next, `"`) == "lo":
			return
		case w.text != "dport" || i == 0 || words[i-1].text != "tcp" && words[i-1].text != "th":
		case next == "{":
			for _, p := range words[i+2:] {
				if p.text == "}" {
					break
				}
				ports = append(ports, p)
			}
		default:
			ports = append(ports, words[i+1])
		}
	}
	for _, p := range ports {
		if first, last, ok := portRange(p.text, "-"); ok {
			n.config.AddFilter(listeners.Filter{Chain: n.name, Stage: n.stage, First: first, Last: last, At: n.file.Anchor(p.at, p.at+len(p.text))})
		}
	}
}
