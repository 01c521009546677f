package postfix

import (
	"iter"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config/sockettest"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// mutate changes a few bytes of a file.
func (h *host) mutate(text string) string {
	return sockettest.Mutate(h.Rand, text, "{}#$()= \n\t\v\r-o,:?y0\xc3", 3, 30)
}

// sameServices reports whether lines of "postconf -M" are of the same services, with the same
// fields and the same text behind them. postconf may have other braces there, splits at an o within
// a word that begins with - (unlike the daemons, which use getopt(3)), and keeps a last -o.
func sameServices(a, b []string) bool {
	bare := func(s string) []string {
		f := strings.Fields(strings.NewReplacer("{", " ", "}", " ", "=", " = ").Replace(s))
		n := min(len(f), fieldCount)
		return append(f[:n:n], strings.Map(func(c rune) rune {
			if strings.ContainsRune("-o=", c) {
				return -1
			}
			return c
		}, strings.Join(f[n:], "")))
	}
	return slices.EqualFunc(a, b, func(a, b string) bool { return slices.Equal(bare(a), bare(b)) })
}

// TestPostconfMutated compares what is read of files in which bytes were changed with what
// postconf(1) reads: both take a file or refuse it, and the services of what both take are the
// same. A run is one master.cf of ten services, with a main.cf.
func TestPostconfMutated(t *testing.T) {
	var compared, services, refused, templates, crashed atomic.Int64
	sockettest.Share(t, sockettest.Count(t, 8), func(t *testing.T, runs iter.Seq[int]) {
		for run := range runs {
			h := &host{Rand: rand.New(rand.NewPCG(uint64(run), 7))}
			switch count, left := compareMutated(t, run, h); left {
			case "":
				compared.Add(1)
				services.Add(int64(count))
			case "refused":
				refused.Add(1)
			case "template":
				templates.Add(1)
			case "crash":
				crashed.Add(1)
			}
		}
	})
	t.Logf("%d files with %d services compared, %d that Postfix refuses, %d templates, %d crashes of postconf",
		compared.Load(), services.Load(), refused.Load(), templates.Load(), crashed.Load())
}

// compareMutated compares the files of one host, and returns how many services they have, or what
// they are that is not compared.
func compareMutated(t *testing.T, run int, h *host) (services int, left string) {
	t.Helper()
	main, master := h.mainCF(), h.masterCF(10)
	if h.IntN(2) == 0 {
		main = h.mutate(main)
	}
	master = h.mutate(master)
	dir := t.TempDir()
	writeOld(t, dir, map[string]string{"main.cf": main, "master.cf": master})
	if isTemplate(main) || isTemplate(master) {
		return 0, "template"
	}
	out, messages, ok := runPostconf(t, dir, "-M")
	if strings.HasPrefix(messages, "signal:") { // it crashes for a duplicate service
		return 0, "crash"
	}
	var want []string
	for line := range strings.Lines(out) {
		want = append(want, flat(line))
	}
	r := newReading(&source.Tree{FS: os.DirFS(dir)}, source.NewFile("master.cf", "master.cf", master))
	r.main = source.NewFile("main.cf", "main.cf", main)
	r.readSettings()
	list := readServices(r.file, r.doubtLine)
	var got []string
	for i := range list {
		got = append(got, asMaster(&list[i]))
	}
	fatal := slices.ContainsFunc(r.c.Doubts, func(d listeners.Doubt) bool { return strings.HasSuffix(d.Problem, notStarted) })
	// The reader expands all values here, postconf those that it needs, but of macros also
	// what no condition chooses. A { in a name is one that is no port; postconf looks for }.
	unlike := cyclic(r, list) || strings.Contains(messages, "macro processing error") ||
		slices.ContainsFunc(list, func(s service) bool { return strings.Contains(s.name.s, "{") })
	// Of braces master(8) takes less than postconf, and no private service of type inet.
	strict := slices.ContainsFunc(r.c.Doubts, func(d listeners.Doubt) bool {
		return strings.Contains(d.Problem, "}"+notStarted) || strings.Contains(d.Problem, "} is missing") || strings.Contains(d.Problem, "no private")
	})
	switch {
	case fatal && (!ok || strict), unlike:
		return 0, "refused"
	case !ok, fatal, !sameServices(got, want):
		t.Errorf("run %d, postconf succeeds: %t\n%s\ngot (%v)\n%s\n%s\nmain.cf\n%s\nmaster.cf\n%s", run, ok, strings.Join(want, "\n"), r.c.Doubts, strings.Join(got, "\n"), messages, main, master)
	}
	return len(want), ""
}
