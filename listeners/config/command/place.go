package command

import "strings"

// Concat returns texts as one.
func Concat(list ...Text) Text {
	var p partial
	for _, t := range list {
		p.add(t)
	}
	return Text{string(p.text), p.origins, p.doubt}
}

// Place returns words with the places that they have in a text, each behind the one before. A
// word that is written in another way there, as with escapes or variables, has the place where
// the text begins. What is beyond two thousand words is left out.
func Place(words []string, within Text) []Text {
	words = words[:min(len(words), maxWords)]
	list := make([]Text, 0, len(words))
	at := 0
	for _, w := range words {
		if i := strings.Index(within.text[at:], w); i >= 0 && w != "" {
			list = append(list, within.Slice(at+i, at+i+len(w)))
			at += i + len(w)
			continue
		}
		t := Text{text: w[:min(len(w), maxText)], Doubt: within.Doubt}
		t.origins = make([]origin, len(t.text))
		for i := range t.origins {
			if len(within.origins) > 0 {
				t.origins[i] = within.origins[0]
			}
		}
		list = append(list, t)
	}
	return list
}

// Join returns words with a blank between them.
func Join(words []Text) Text {
	var p partial
	for i, w := range words {
		if i > 0 {
			p.add(Literal(" "))
		}
		p.add(w)
	}
	return Text{string(p.text), p.origins, p.doubt}
}
