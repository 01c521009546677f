package firewall

import (
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/internal/endpoint"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// A word is one of a rule, with its offset in the file.
type word struct {
	text string
	at   int
}

// Iptables reads rules in the format of iptables-save(8).
func Iptables(_ *source.Tree, f *source.File) listeners.Config {
	var c listeners.Config
	table := "filter"
	for start, line := range f.Lines() {
		if name, ok := strings.CutPrefix(line, "*"); ok {
			table = strings.TrimSpace(name)
			continue
		}
		if table != "filter" {
			continue
		}
		if words := wordsOf(line, start); len(words) > 2 && slices.Contains([]string{"-A", "-I", "--append", "--insert"}, words[0].text) {
			iptablesRule(&c, f, words[1].text, words[2:])
		}
	}
	return c
}

// wordsOf splits a line at blanks.
func wordsOf(line string, start int) (list []word) {
	for at := 0; at < len(line); {
		n := strings.IndexAny(line[at:], " \t")
		if n < 0 {
			n = len(line) - at
		}
		if n > 0 {
			list = append(list, word{line[at : at+n], start + at})
		}
		at += n + 1
	}
	return list
}

// matches are the matches of iptables-extensions(8) with which a rule can hold for all new
// connections. Others, such as limit and recent, make it hold for a part of them.
var matches = []string{"tcp", "multiport", "comment", "conntrack", "state", "addrtype", "set", "iprange", "geoip", "mac"}

// ofSome are the options with which a rule holds for some clients or packets only, unless they are
// negated.
var ofSome = []string{
	"-s", "--source", "--src", "--match-set", "--src-range", "--src-cc", "--source-country", "--mac-source",
	"--sport", "--source-port", "--sports", "--source-ports", "--tcp-flags",
}

// iptablesRule adds a rule of a chain that drops TCP ports, whoever sends the packets.
func iptablesRule(c *listeners.Config, f *source.File, chain string, words []word) {
	var tcp, drops bool
	var ports []word
	for i := 0; i+1 < len(words); i++ {
		value := words[i+1]
		not := i > 0 && words[i-1].text == "!"
		if !not && slices.Contains(ofSome, words[i].text) {
			return
		}
		switch words[i].text {
		case "-p", "--protocol", "--proto":
			tcp = value.text == "tcp" && !not
		case "-m", "--match":
			if !slices.Contains(matches, value.text) {
				return
			}
		case "--ctstate", "--state":
			if not == slices.Contains(strings.Split(value.text, ","), "NEW") {
				return
			}
		case "--syn":
			if not {
				return
			}
		case "-i", "--in-interface":
			if value.text == "lo" && !not {
				return
			}
		case "--dport", "--destination-port", "--dports", "--destination-ports", "--ports", "--ctorigdstport":
			if !not {
				ports = append(ports, items(value)...)
			}
		case "-j", "--jump":
			drops = value.text == "DROP" || value.text == "REJECT"
		}
	}
	if !tcp || !drops {
		return
	}
	stage := stageOf(chain)
	for _, p := range ports {
		if first, last, ok := portRange(p.text, ":"); ok && stage != "" {
			c.AddFilter(listeners.Filter{Chain: chain, Stage: stage, First: first, Last: last, At: f.Anchor(p.at, p.at+len(p.text))})
		}
	}
}

// items are the ports of a list between commas.
func items(w word) (list []word) {
	for at := 0; at <= len(w.text); {
		n := strings.IndexByte(w.text[at:], ',')
		if n < 0 {
			n = len(w.text) - at
		}
		list = append(list, word{w.text[at : at+n], w.at + at})
		at += n + 1
	}
	return list
}

// stageOf returns which packets a chain sees, by its name: ufw has its own, such as
// ufw-user-input. It returns "" for other chains.
func stageOf(chain string) listeners.FilterStage {
	name := strings.ToLower(chain)
	switch {
	case name == "docker-user", strings.HasSuffix(name, "forward"):
		return listeners.FilterForward
	case strings.HasSuffix(name, "input"):
		return listeners.FilterInput
	}
	return ""
}

// portRange parses a port, or a first and a last one with sep between them.
func portRange(text, sep string) (first, last uint16, ok bool) {
	a, b, isRange := strings.Cut(text, sep)
	first, ok = endpoint.Port(a)
	if last = first; isRange && ok {
		last, ok = endpoint.Port(b)
	}
	return first, last, ok && first <= last
}
