package postfix

import "strings"

// networks returns a list of networks with the contents of the files in it, such as
// "/etc/postfix/mynetworks" (util/match_list.c, match_list_parse). A file or a table
// that is not there, or whose contents are not text, is a doubt.
func (r *reading) networks(list text) text {
	if t, ok := r.read[list.s]; ok {
		return t
	}
	var out builder
	for _, w := range words(list, commaBlanks, true) {
		name := strings.TrimLeft(w.s, "!")
		negated := w.s[:(len(w.s)-len(name))%2]
		switch table, _, ok := strings.Cut(name, ":"); {
		case strings.HasPrefix(name, "/"):
			r.addFile(&out, w, name, negated)
			continue
		case ok && isTable(table):
			r.doubt("the networks in "+name+" are not known", w)
		}
		join(&out, w)
	}
	r.read[list.s] = out.text()
	return r.read[list.s]
}

// isTable reports whether a word before a colon is the type of a table, and not the
// beginning of an IPv6 address.
func isTable(word string) bool {
	return word != "" && strings.Trim(word, "0123456789abcdefABCDEF[") != ""
}

// addFile adds the networks in a file to a list.
func (r *reading) addFile(out *builder, w text, name, negated string) {
	for _, found := range r.tree.Find(r.file.Name, name) {
		f, err := r.tree.Read(found)
		if err != nil {
			continue
		}
		r.doubtLong(f)
		for _, line := range logicalLines(f) {
			for _, item := range words(line, commaBlanks, true) {
				if negated != "" {
					join(out, literal(negated))
					out.add(item)
					continue
				}
				join(out, item)
			}
		}
		return
	}
	r.doubt("the networks in "+name+" are not known: it is not among the files", w)
	join(out, w)
}

// join adds a word to words.
func join(out *builder, word text) {
	if len(out.b) > 0 {
		out.add(literal(" "))
	}
	out.add(word)
}
