package command

import (
	"path"
	"strings"
)

// launchers are programs that start what follows them, with the options of theirs that take a
// value, and how many words come before that.
var launchers = map[string]struct {
	options string
	words   int
}{
	"env": {"uCS", 0}, "exec": {"a", 0}, "nohup": {"", 0}, "sudo": {"ugCDhpRT", 0}, "setsid": {"", 0}, "nice": {"n", 0}, "ionice": {"cnp", 0},
	"gosu": {"", 1}, "su-exec": {"", 1}, "tini": {"pe", 0}, "dumb-init": {"r", 0}, "catatonit": {"", 0}, "stdbuf": {"ioe", 0},
	"setpriv": {"", 0}, "chpst": {"uUbemdofpcr", 0}, "timeout": {"ks", 1}, "unbuffer": {"", 0}, "xvfb-run": {"", 0},
	"perl": {"I", 0}, "node": {"r", 0}, "s6-setuidgid": {"", 1}, "setuidgid": {"", 1},
}

// shells run a script that is given as a word.
var shells = map[string]bool{"sh": true, "bash": true, "ash": true, "dash": true, "zsh": true}

// program returns the words from the name of the program on. If that is a shell with a script,
// script is the script.
func program(words []Text) (rest []Text, script *Text) {
	for range 10 { // launchers of launchers
		for len(words) > 0 && assignment.MatchString(words[0].text) && !strings.Contains(words[0].text, "/") {
			words = words[1:]
		}
		if len(words) == 0 {
			return nil, nil
		}
		base := path.Base(words[0].text)
		switch {
		case base == "start-stop-daemon":
			words = started(words)
			continue
		case strings.HasPrefix(base, "python"):
			words = module(words)
			if words == nil {
				return nil, nil
			}
			return words, nil
		case shells[base]:
			return shell(words)
		}
		l, ok := launchers[base]
		if !ok {
			return words, nil
		}
		words = skipOptions(words[1:], l.options)
		words = words[min(l.words, len(words)):]
	}
	return nil, nil
}

// skipOptions skips the options of a launcher.
func skipOptions(words []Text, withValue string) []Text {
	for len(words) > 0 && len(words[0].text) > 1 && words[0].text[0] == '-' {
		w := words[0].text
		words = words[1:]
		if w == "--" {
			break
		}
		if len(w) == 2 && strings.Contains(withValue, w[1:]) && len(words) > 0 {
			words = words[1:]
		}
	}
	return words
}

// module returns the words from a module or a script of Python on.
func module(words []Text) []Text {
	for i := 1; i < len(words); i++ {
		switch w := words[i].text; {
		case w == "-m" && i+1 < len(words):
			return words[i+1:]
		case !strings.HasPrefix(w, "-"):
			return words[i:]
		}
	}
	return nil
}

// shell returns the script behind -c, or the words of a script that is a file.
func shell(words []Text) (rest []Text, script *Text) {
	for i := 1; i < len(words); i++ {
		w := words[i].text
		switch {
		case strings.HasPrefix(w, "-") && !strings.HasPrefix(w, "--") && strings.HasSuffix(w, "c") && i+1 < len(words):
			return words, &words[i+1]
		case !strings.HasPrefix(w, "-"):
			return words[i:], nil
		}
	}
	return nil, nil
}

// started returns the program that start-stop-daemon starts, with its words.
func started(words []Text) []Text {
	var name []Text
	for i, w := range words {
		switch w.text {
		case "--exec", "-x", "--startas", "-a":
			if i+1 < len(words) {
				name = words[i+1 : i+2]
			}
		case "--":
			if name != nil {
				return append(name[:1:1], words[i+1:]...)
			}
		}
	}
	return name
}
