package configured

import (
	"path"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/listeners/trust"
	"github.com/mxsweep/mxsweep/result"
)

// settingEdit returns the edit of the value that closes a fault; nil if there is none, or if
// the value is not all on the line of its anchor.
func (a *Audit) settingEdit(f *trust.Fault) *result.Replacement {
	if f.Remove == nil && f.Instead == "" {
		return nil
	}
	file, err := a.tree.Read(a.named(f.At.File))
	if err != nil {
		return nil
	}
	if a.edited += len(file.Text); a.edited > maxEdited {
		return nil
	}
	from, to := file.Range(&f.At)
	if from >= to {
		return nil
	}
	if path.Base(f.At.File) == "main.cf" {
		to += continuation(file.Text[to:])
	}
	value, ok := narrowed(file.Text[from:to], f.Remove, f.Instead)
	if !ok {
		return nil
	}
	return hunk(file, file.Text[:from]+value+file.Text[to:], &f.At)
}

// continuation returns how long the rest of a value of main.cf is on the lines that begin with
// a blank (postconf(5)); 0 if the line has more. It ends before a comment.
func continuation(text string) (n int) {
	for strings.HasPrefix(text[n:], "\n ") || strings.HasPrefix(text[n:], "\n\t") {
		line, _, _ := strings.Cut(text[n+1:], "\n")
		if body := strings.TrimSpace(line); body == "" || body[0] == '#' {
			break
		}
		n += 1 + len(line)
	}
	return n
}

// narrowed returns a value as a file has it, perhaps with a name before it and in quotation
// marks, without some of its entries, or instead if no other remains; false if it does not
// have them all, or if nothing is known that could remain.
func narrowed(value string, remove []string, instead string) (string, bool) {
	start, end := 0, len(value)
	if i := strings.IndexByte(value, '='); i > 0 && !strings.ContainsAny(value[:i], " \t,./:'\"") { // NAME=VALUE
		start = i + 1
	}
	if end > start+1 && (value[start] == '"' || value[start] == '\'') && value[end-1] == value[start] {
		start, end = start+1, end-1
	}
	text := value[start:end]
	if remove == nil {
		if strings.ContainsAny(text, "$%{") || strings.TrimSpace(text) == "" { // a variable
			return "", false
		}
		return value[:start] + instead + value[end:], true
	}
	var kept strings.Builder
	last, found := 0, map[string]bool{} // last is the end of the entry before
	for from, word := range entries(text) {
		if slices.Contains(remove, word) {
			found[word] = true
		} else {
			if kept.Len() > 0 {
				kept.WriteString(text[last:from])
			}
			kept.WriteString(word)
		}
		last = from + len(word)
	}
	switch {
	case slices.ContainsFunc(remove, func(w string) bool { return !found[w] }):
		return "", false
	case kept.Len() == 0 && instead == "":
		return "", false
	case kept.Len() == 0:
		kept.WriteString(instead)
	}
	return value[:start] + kept.String() + text[last:] + value[end:], true
}

// entries yields the entries of a list, with their offsets.
func entries(text string) func(func(int, string) bool) {
	return func(yield func(int, string) bool) {
		for at := 0; at < len(text); {
			n := strings.IndexAny(text[at:], ", ;\t\n")
			if n < 0 {
				n = len(text) - at
			}
			if n > 0 && !yield(at, text[at:at+n]) {
				return
			}
			at += n + 1
		}
	}
}
