package main

import (
	"go/ast"
	"go/token"
	"path"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// riddles are phrases that a user must not have to guess at, and what to write
// instead.
var riddles = map[string]string{
	`tells more of`:                               "Run ... for more about",
	`held against`:                                "compared with",
	`was cut short|is cut short`:                  "truncated",
	`what there is of it`:                         "the part that could be read",
	`(came|come) about`:                           "was possible, took place",
	`(get|gets|got) lost`:                         "were lost",
	`goes on with|went on from`:                   "continue, resume",
	`begin anew|computed anew`:                    "start over, again",
	`for good: it|this scanner for good`:          "permanently",
	`looked at again|not looked at`:               "verified, not scanned",
	`was (not )?talked to|talk to open ports`:     "dialogue, identified",
	`a guess from the port number`:                "guessed from the port number",
	`leave a trace at`:                            "leave traces on",
	`(did not see|saw) (enough|too little)`:       "coverage is too low, insufficient",
	`inside of (TLS|this process)`:                "inside",
	`one (entry|file|name) a line`:                "one per line",
	`(probes|SYNs) a second`:                      "per second",
	`demands? TLS|demand a password`:              "require",
	`stands? twice|is there twice`:                "duplicate",
	`without a word`:                              "without a reply",
	`nothing was (said|heard)`:                    "no reply, the port sent nothing",
	`[0-9dq] is due`:                              "expected",
	`, want (a|an|one|text|true|[0-9%])\b`:        "expected",
	`% ?[qvs] is not known`:                       "unknown",
	`anew\b|reckon`:                               "again",
	`(packets|requests|lines) a (second|minute)`:  "per second, per minute",
	`too little could be seen`:                    "the coverage is insufficient",
	`behind the (colon|bracket|brace|key|field)`:  "after the colon",
	`neighb[o]ur|behavi[o]ur|col[o]ur|recogni[s]`: "American spelling",
}

// TestEnglish keeps the phrases out of what users read: the texts of the program,
// the rules and the other data, and the documents.
func TestEnglish(t *testing.T) {
	found := 0
	phrases := map[*regexp.Regexp]string{}
	for phrase, better := range riddles {
		phrases[regexp.MustCompile(phrase)] = better
	}
	check := func(where, text string) {
		found++
		for phrase, better := range phrases {
			if m := phrase.FindString(text); m != "" {
				t.Errorf("%s: %q; write: %s", where, m, better)
			}
		}
	}
	for _, f := range sources(t) {
		if f.test {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && strings.Contains(lit.Value, " ") {
				if text, err := strconv.Unquote(lit.Value); err == nil {
					check(f.fset.Position(lit.Pos()).String(), strings.Join(strings.Fields(text), " "))
				}
			}
			return true
		})
	}
	eachFile(t, func(name string) {
		data := strings.HasPrefix(name, "exposure/rules/") || strings.HasPrefix(name, "exposure/fix/data/") || name == "signatures/ports.yaml"
		docs := path.Ext(name) == ".md" && (strings.HasPrefix(name, "docs/") || name == "README.md" || name == "SECURITY.md")
		if data || docs {
			check(name, strings.Join(strings.Fields(readDocument(t, filepath.Join(root, name))), " "))
		}
	})
	if found < 1000 {
		t.Errorf("only %d texts were read", found)
	}
}
