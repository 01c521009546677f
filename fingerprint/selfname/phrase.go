package selfname

import "strings"

// A token is one word of a text.
type token struct {
	text string
	kind kind
	own  string // version that is part of the word: Caddy/2.7, Axigen-10.3

	opens  bool // follows an opening bracket
	closes bool // followed by a comma or a closing bracket
	ends   bool // last word of a sentence
}

// maxTokens is the maximum number of words of a text that are examined.
const maxTokens = 40

// tokens splits a text into words. A word with other than printable ASCII
// characters has no kind.
func (h hosts) tokens(text string) []token {
	var all []token
	for word := range strings.FieldsSeq(text) {
		if len(all) == maxTokens {
			break
		}
		if strings.Trim(word, "-|*=~#:") == "" {
			if len(all) > 0 {
				all[len(all)-1].ends = true
			}
			continue
		}
		all = append(all, h.token(word))
	}
	return all
}

func (h hosts) token(word string) token {
	var t token
	for _, mark := range []string{"(TM)", "(tm)", "(R)", "(r)"} {
		word = strings.Replace(word, mark, "", 1)
	}
	if bare := strings.TrimLeft(word, `([{"'`); bare != word {
		word, t.opens = bare, true
	}
	if bare := strings.TrimRight(word, `)]}"',;:!.?-`); bare != word {
		t.closes, t.ends = true, strings.ContainsAny(word[len(bare):], ";!.?")
		word = bare
	}
	t.text, t.kind = word, h.kindOf(word)
	if t.kind == other || t.kind == host {
		h.split(&t)
	}
	return t
}

// split separates a product from the version after a slash (RFC 9110, Section
// 10.1.5) or a hyphen.
func (h hosts) split(t *token) {
	if left, right, ok := strings.Cut(t.text, "/"); ok {
		switch k := h.kindOf(left); k {
		case version: // Sendmail 8.17.1/8.17.1
			t.text, t.kind = left, version
		case name, lower:
			t.kind, t.closes = k, true
			if right = strings.TrimPrefix(right, "v"); isVersion(right) || isNumber(right) {
				t.own = right
			}
			t.text = left
		}
		return
	}
	if i := strings.LastIndexByte(t.text, '-'); i > 0 {
		left, right := t.text[:i], strings.TrimPrefix(t.text[i+1:], "v")
		if k := h.kindOf(left); (k == name || k == lower && t.kind == other) && (isVersion(right) || isNumber(right) && t.text[i+1] == 'v') {
			t.kind, t.text, t.own = k, left, right
		}
	}
}

// isNumber reports whether a word is a number that may be a version.
func isNumber(word string) bool {
	return len(word) > 0 && len(word) <= 3 && strings.Trim(word, "0123456789") == ""
}

// A place says where in a text a name is accepted.
type place int

const (
	anywhere    place = iota
	behindHost        // the text begins with a host name
	versionOnly       // only before a version
	alone             // the text consists of the name
)

// sentence finds a name in a text for people.
func (h hosts) sentence(text string, at place) found {
	tokens := h.tokens(text)
	if at == behindHost && len(tokens) > 0 {
		tokens[0].kind = host
		if len(tokens) > 1 && startsName(tokens[0].text) {
			tokens[1].kind = notFirst(tokens[1].kind)
		}
	}
	if at == alone {
		return whole(tokens)
	}
	for i := range tokens {
		if f := versioned(tokens, i); f.product != "" {
			return f
		}
	}
	if at == versionOnly {
		return found{}
	}
	for _, likely := range []func([]token, int, int) bool{besideProtocol, besideService, atEnd} {
		for from := 0; from < len(tokens); from++ {
			to := run(tokens, from)
			if to > from && likely(tokens, from, to) {
				return found{product: join(tokens[from:to])}
			}
		}
	}
	return found{}
}

// startsName reports whether a word in the place of a host name looks like the
// first of a name of two words: Trend Micro.
func startsName(word string) bool {
	return !strings.Contains(word, ".") && len(word) > 1 && isUpper(rune(word[0])) && strings.ToUpper(word) != word
}

func notFirst(k kind) kind {
	if k == name {
		return other
	}
	return k
}

// value finds a name in the value of a field for names.
func (h hosts) value(text string) found {
	tokens := h.tokens(text)
	for i := range tokens {
		if f := versioned(tokens, i); f.product != "" {
			return f
		}
		if k := tokens[i].kind; k == other || k == host {
			break
		}
	}
	to := 0
	for to < min(len(tokens), maxRun) && (tokens[to].kind == name || tokens[to].kind == lower || to > 0 && tokens[to].kind == generic) {
		if to++; tokens[to-1].closes || tokens[to-1].ends {
			break
		}
	}
	return found{product: join(tokens[:to])}
}

// maxRun is the maximum number of words in a name.
const maxRun = 3

// versioned finds a name before a version at i.
func versioned(tokens []token, i int) found {
	t := tokens[i]
	if t.own != "" {
		if i+1 < len(tokens) && isNumber(t.own) && tokens[i+1].kind == version { // Mercury/32 v4.80
			return found{t.text + "/" + t.own, strings.TrimPrefix(tokens[i+1].text, "v")}
		}
		return found{join(tokens[runBefore(tokens, i+1) : i+1]), t.own}
	}
	if t.kind != version {
		return found{}
	}
	end := i
	for end > 0 && i-end < maxBetween && !tokens[end-1].ends && between(tokens, end-1) {
		end--
	}
	if end == 0 || tokens[end-1].ends {
		return found{}
	}
	from := runBefore(tokens, end)
	if from == end || from > 0 && !tokens[from].opens && aboutOther(tokens[from-1]) {
		return found{}
	}
	return found{join(tokens[from:end]), strings.TrimPrefix(t.text, "v")}
}

// maxBetween is the maximum number of words between a name and its version.
const maxBetween = 4

func between(tokens []token, i int) bool {
	switch tokens[i].kind {
	case protocol, service, marks:
		return true
	case generic:
		return i > 0 && tokens[i-1].kind == protocol // Microsoft ESMTP MAIL Service
	}
	return false
}

// aboutOther reports whether what follows a word is not the daemon itself, but
// what it runs on or connects to.
func aboutOther(t token) bool {
	switch strings.ToLower(t.text) {
	case "for", "on", "with", "from", "to", "under", "via", "at", "in":
		return true
	}
	return false
}

// runBefore returns the start of the name that ends before end; end if there is
// none.
func runBefore(tokens []token, end int) int {
	if tokens[end-1].kind == lower {
		return end - 1
	}
	from := end
	for from > 0 && end-from < maxRun && (tokens[from-1].kind == name || tokens[from-1].kind == generic) {
		if from--; tokens[from].opens || from > 0 && (tokens[from-1].closes || tokens[from-1].ends) {
			break
		}
	}
	for from < end && tokens[from].kind == generic {
		from++
	}
	return from
}

// run returns the end of the name without a version that begins at from, unless
// that is the middle of a longer one; from if there is none.
func run(tokens []token, from int) int {
	first := tokens[from]
	if from > 0 && !first.opens && !tokens[from-1].closes && !tokens[from-1].ends && !precedes(tokens[from-1]) {
		return from
	}
	if first.kind == lower && speakable(first.text) {
		return from + 1
	}
	to := from
	for to < len(tokens) && (tokens[to].kind == name && speakable(tokens[to].text) || to > from && tokens[to].kind == generic) {
		if to++; tokens[to-1].closes || tokens[to-1].ends || to < len(tokens) && tokens[to].opens {
			break
		}
	}
	if to-from > maxRun {
		return from
	}
	return to
}

// precedes reports whether a word may precede a name.
func precedes(t token) bool {
	return t.kind == host || t.kind == protocol || strings.EqualFold(t.text, "the")
}

// follows reports whether the word at to does not belong to the name before it.
func follows(tokens []token, to int) bool {
	if to == len(tokens) || tokens[to-1].closes || tokens[to-1].ends || tokens[to].opens {
		return true
	}
	switch strings.ToLower(tokens[to].text) {
	case "is", "at", "on", "for", "here":
		return true
	}
	return tokens[to].kind == protocol || tokens[to].kind == service
}

// besideProtocol reports whether a name is next to the name of the protocol. One
// without a capital letter must be the last word.
func besideProtocol(tokens []token, from, to int) bool {
	behind := from > 0 && tokens[from-1].kind == protocol && !tokens[from-1].closes
	before := to < len(tokens) && tokens[to].kind == protocol && !tokens[to-1].closes
	if tokens[from].kind == lower {
		return behind && (to == len(tokens) || tokens[to-1].ends || tokens[to-1].closes)
	}
	return (behind || before) && follows(tokens, to)
}

// besideService reports whether a name is directly before a phrase that says that
// the service is ready.
func besideService(tokens []token, from, to int) bool {
	for to < len(tokens) && tokens[to].opens && tokens[to].closes && !tokens[to].ends { // Dovecot (Debian) ready
		to++
	}
	return tokens[from].kind == name && to < len(tokens) && tokens[to].kind == service
}

// atEnd reports whether only the name follows the host name.
func atEnd(tokens []token, from, to int) bool {
	return tokens[from].kind == name && to == len(tokens) && (from == 0 || tokens[from-1].kind == host)
}

// whole returns the name of which a text consists, if it does.
func whole(tokens []token) found {
	if len(tokens) > 1 && len(tokens) <= maxRun+1 {
		if f := versioned(tokens, len(tokens)-1); f.product != "" && len(strings.Fields(f.product)) == len(tokens)-1 {
			return f
		}
	}
	if len(tokens) == 0 || tokens[0].kind != name || run(tokens, 0) != len(tokens) {
		return found{}
	}
	return found{product: join(tokens)}
}

func join(tokens []token) string {
	var words []string
	for _, t := range tokens {
		words = append(words, t.text)
	}
	return strings.Join(words, " ")
}
