package postfix

import (
	"bytes"
	"fmt"
	"iter"
	"maps"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/listeners/config/sockettest"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// postconf returns the output of postconf(1) for a folder, and whether it succeeded.
func postconf(t *testing.T, dir string, args ...string) (string, bool) {
	t.Helper()
	out, messages, ok := runPostconf(t, dir, args...)
	if !ok {
		t.Logf("postconf: %s", messages)
	}
	return out, ok
}

// runPostconf is postconf that also returns the messages.
func runPostconf(t *testing.T, dir string, args ...string) (out, messages string, ok bool) {
	t.Helper()
	program, err := exec.LookPath("postconf")
	if err != nil {
		t.Skip("postconf is not installed")
	}
	cmd := exec.Command(program, append([]string{"-c", dir}, args...)...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	err = cmd.Run()
	return stdout.String(), fmt.Sprintf("%v: %s", err, stderr.String()), err == nil
}

// writeOld writes files that were last changed long ago: Postfix waits until a file is
// older than a second (util/dict.c, dict_load_file_xt).
func writeOld(t *testing.T, dir string, text map[string]string) {
	t.Helper()
	for name, data := range text {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, time.Unix(1e9, 0), time.Unix(1e9, 0)); err != nil {
			t.Fatal(err)
		}
	}
}

// A host generates the files of one.
type host struct {
	*rand.Rand
	names []string // parameters of main.cf
}

func (h *host) one(list ...string) string { return list[h.IntN(len(list))] }

// gap returns white space between words, which may continue the line.
func (h *host) gap() string {
	switch h.IntN(12) {
	case 0:
		return "\n  "
	case 1:
		return " \n# a comment of = all\n\t"
	case 2:
		return "\n\n   # indented\n \n "
	case 3:
		return "\t \t"
	case 4:
		return "\r\n\t"
	}
	return " "
}

// macro returns text that expands.
func (h *host) macro(depth int) string {
	name := h.one(h.names...)
	if depth > 3 {
		return "$" + name
	}
	switch h.IntN(9) {
	case 0:
		return "$" + name
	case 1:
		return "${" + name + "}"
	case 2:
		return "$(" + name + ")"
	case 3:
		return "${" + name + "?" + h.words(depth+1) + "}"
	case 4:
		return "${" + name + h.one("", " ") + ":" + h.one("", " ") + "{" + h.words(depth+1) + "}" + h.one("", " ") + "}"
	case 5:
		return "${" + name + " ? {" + h.words(depth+1) + "} : {" + h.words(depth+1) + "}}"
	case 6:
		return "${{" + h.words(depth+1) + "} " + h.one("==", "!=", "<", "<=", ">", ">=") + " {" + h.words(depth+1) + "} ? {" +
			h.words(depth+1) + "} : {" + h.words(depth+1) + "}}"
	case 7:
		return "${{$compatibility_level} " + h.one("<level", ">=level", "==level") + " {" + h.one("0", "1", "2", "3.5", "3.6", "4.0.1") + "} ? {old} : {new}}"
	}
	return "$$"
}

// words returns a value.
func (h *host) words(depth int) string {
	var b strings.Builder
	for range 1 + h.IntN(3) {
		switch {
		case h.IntN(3) == 0:
			b.WriteString(h.macro(depth))
		default:
			b.WriteString(h.one("a", "10", "9", "x-y", "[127.0.0.1]:10024", "permit_mynetworks", "reject", "smtp", "", "é", "#no", "yes"))
		}
		b.WriteString(h.one("", " ", ", "))
	}
	return b.String()
}

// mainCF returns a main.cf that sets the names.
func (h *host) mainCF() string {
	var b strings.Builder
	all := []string{
		"u_a", "u_b", "u_c", "u_d", "u_e", "relayhost", "content_filter", "mynetworks", "smtpd_milters",
		"smtpd_client_restrictions", "smtpd_recipient_restrictions", "default_transport",
	}
	fmt.Fprintf(&b, "compatibility_level = %s\nmyhostname = host.example\n", h.one("0", "2", "3.6"))
	h.names = []string{"compatibility_level", "myhostname", "mynetworks_style", "smtpd_relay_restrictions"}
	h.Shuffle(len(all), func(i, j int) { all[i], all[j] = all[j], all[i] })
	for _, name := range all {
		value := ""
		for range h.IntN(4) {
			value += h.words(0) + h.gap()
		}
		fmt.Fprintf(&b, "%s%s=%s%s\n%s", name, h.one("", " ", "\t"), h.one("", " "), value, h.one("", "\n", "# x = y\n", "   # z\n"))
		if h.IntN(6) == 0 {
			fmt.Fprintf(&b, "%s = again%s\n", name, h.one("", " $u_0"))
		}
		h.names = append(h.names, name) // later ones refer to it: no cycles
	}
	return b.String()
}

// option returns an option of a service, and its argument.
func (h *host) option() string {
	name := h.one("content_filter", "mynetworks", "smtpd_client_restrictions", "smtpd_recipient_restrictions", "receive_override_options", "syslog_name", "smtpd_tls_security_level")
	value := h.one("", "a,b", "permit_mynetworks,reject", "$u_a", "${u_b?x}", "[127.0.0.1]:1", "127.0.0.0/8", "postfix/$service_name", "=x")
	switch h.IntN(6) {
	case 0:
		return "-o" + h.gap() + "{" + h.gap() + name + h.one("=", " = ", "= ") + h.words(0) + h.gap() + "}"
	case 1: // postconf splits at an o within the text, unlike the daemons, which use getopt(3)
		return "-o" + h.one("u_q", "mail_nm") + "=" + h.one("", "a,b", "127.0.0.0/8", "$u_a")
	case 2:
		return "-v"
	case 3:
		return "-vo " + name + "=" + value
	case 4:
		return "-o {" + name + "=" + value + "}"
	}
	return "-o" + h.gap() + name + "=" + value
}

// masterCF returns a master.cf with services, none of them twice: postconf crashes then.
func (h *host) masterCF(services int) string {
	var b strings.Builder
	h.names = []string{"u_a", "u_b", "u_c", "compatibility_level"}
	b.WriteString(h.one("", "# comment\n", "  lost continuation\n", "\n"))
	for i := range services {
		name := strconv.Itoa(10000 + i)
		if h.IntN(3) == 0 {
			name = h.one("127.0.0.1:", "[::1]:", "localhost:", "[10.0.0.1]:", ":") + name
		}
		kind, command := "inet", h.one("smtpd", "smtpd", "postscreen", "qmqpd", "spawn user=nobody argv=/bin/x { a b } -o c")
		if i%10 == 9 {
			kind, command, name = "unix", h.one("smtp", "lmtp", "pipe flags=R user=x argv=/bin/y ${nexthop}"), "t"+name
		}
		for _, field := range []string{name, kind, "n", h.one("-", "y", "n"), h.one("-", "n"), h.one("-", "0", "60", "1000?"), h.one("-", "1", "20")} {
			b.WriteString(field + h.gap())
		}
		program, rest, _ := strings.Cut(command, " ")
		b.WriteString(program)
		for range h.IntN(5) {
			b.WriteString(h.gap() + h.option())
		}
		if rest != "" {
			b.WriteString(h.gap() + rest)
		}
		b.WriteString(h.one("\n", " \n", "\r\n", "\n\n", "\n# comment\n", "\n   # comment\n"))
	}
	return b.String()
}

// flat returns text with each white space as one blank, as postconf shows it.
func flat(s string) string { return strings.Join(strings.Fields(s), " ") }

// asMaster writes a service as "postconf -M" does.
func asMaster(s *service) string {
	var list []string
	for i, f := range s.fields {
		word := f.s
		if i > 0 && s.fields[i-1].s == "-o" && i > fieldCount {
			if a, problem := assign(f); problem == "" && (strings.ContainsAny(strings.SplitN(word, "=", 2)[0], blanks) || strings.HasPrefix(strings.SplitN(word+"=", "=", 2)[1], " ")) {
				word = a.name.s + "=" + a.value.s
			}
		}
		if i >= fieldCount && strings.ContainsAny(word, blanks) {
			word = "{" + word + "}"
		}
		list = append(list, word)
	}
	return flat(strings.Join(list, " "))
}

// TestPostconf compares what is read of generated files with what postconf(1) reads. A run is a
// main.cf and a master.cf of twelve services: the services (-M), their options as they are and
// expanded (-P, -P -x), and the expanded parameters (-x).
func TestPostconf(t *testing.T) {
	var files, compared, cycles atomic.Int64
	sockettest.Share(t, sockettest.Count(t, 6), func(t *testing.T, runs iter.Seq[int]) {
		for run := range runs {
			h := &host{Rand: rand.New(rand.NewPCG(uint64(run), 1))}
			switch inets, cyclic := comparePostconf(t, run, h); {
			case t.Failed():
				return
			case cyclic:
				cycles.Add(1)
			default:
				files.Add(1)
				compared.Add(int64(inets))
			}
		}
	})
	t.Logf("%d hosts with %d listeners compared, %d that both refuse for a cycle of macros", files.Load(), compared.Load(), cycles.Load())
}

// comparePostconf compares the files of one host, and returns how many listeners they have, and
// whether a value refers to itself.
func comparePostconf(t *testing.T, run int, h *host) (inets int, refersToItself bool) {
	t.Helper()
	main := h.mainCF()
	names := h.names
	master := h.masterCF(12)
	dir := t.TempDir()
	writeOld(t, dir, map[string]string{"main.cf": main, "master.cf": master})
	var want []string
	out, ok := postconf(t, dir, "-M")
	for line := range strings.Lines(out) {
		want = append(want, flat(line))
	}
	r := newReading(&source.Tree{FS: os.DirFS(dir)}, source.NewFile("master.cf", "master.cf", master))
	r.main = source.NewFile("main.cf", "main.cf", main)
	r.readSettings()
	services := readServices(r.file, r.doubt)
	var got []string
	for i := range services {
		got = append(got, asMaster(&services[i]))
	}
	if cyclic := cyclic(r, services); cyclic || !ok {
		if cyclic == ok {
			t.Fatalf("run %d: a cycle of macros: %t, postconf succeeds: %t\n%s\n%s", run, cyclic, ok, main, master)
		}
		return 0, true
	}
	if !slices.Equal(got, want) {
		t.Fatalf("run %d, postconf -M (%t):\n%s\ngot\n%s\nfor\n%s", run, ok, strings.Join(want, "\n"), strings.Join(got, "\n"), master)
	}
	for i := range services {
		if services[i].kind.s == "inet" {
			inets++
		}
	}
	compareOptions(t, run, dir, r, services)
	compareMain(t, run, dir, r, names)
	if t.Failed() {
		t.Fatalf("main.cf\n%s\nmaster.cf\n%s", main, master)
	}
	return inets, false
}

// cyclic reports whether a value refers to itself.
func cyclic(r *reading, services []service) bool {
	scopes := []*scope{&r.global}
	for i := range services {
		scopes = append(scopes, r.scope(&services[i]))
	}
	for _, s := range scopes {
		for _, set := range []settings{s.own, s.main} {
			for name := range set {
				if v := s.value(name); v.problem != "" {
					return true
				}
			}
		}
	}
	return false
}

// compareOptions compares the options of all services, as they are and expanded.
func compareOptions(t *testing.T, run int, dir string, r *reading, services []service) {
	for _, flags := range [][]string{{"-P"}, {"-P", "-x"}} {
		out, ok := postconf(t, dir, flags...)
		if !ok {
			t.Errorf("run %d: postconf %q failed", run, flags)
		}
		var got, want []string
		for line := range strings.Lines(out) {
			want = append(want, flat(line))
		}
		for i := range services {
			s := &services[i]
			for _, name := range slices.Sorted(maps.Keys(s.own)) {
				v := s.own[name].value.s
				if len(flags) > 1 {
					s.own["service_name"] = &assignment{value: s.name}
					v = asPostfix(r.scope(s).value(name))
					delete(s.own, "service_name")
				}
				got = append(got, flat(s.name.s+"/"+s.kind.s+"/"+name+" = "+v))
			}
		}
		slices.Sort(got)
		slices.Sort(want)
		if !slices.Equal(got, want) {
			t.Errorf("run %d, postconf %q:\n%s\ngot\n%s", run, flags, strings.Join(want, "\n"), strings.Join(got, "\n"))
		}
	}
}

// compareMain compares the expanded values of parameters.
func compareMain(t *testing.T, run int, dir string, r *reading, names []string) {
	out, ok := postconf(t, dir, append([]string{"-x"}, names...)...)
	if !ok {
		t.Errorf("run %d: postconf -x failed", run)
	}
	want := map[string]string{}
	for line := range strings.Lines(out) {
		name, _, _ := strings.Cut(line, " =")
		want[name] = flat(line)
	}
	if len(want) < len(names)-5 { // it knows those of u_a to u_e alone that others refer to
		t.Errorf("run %d: postconf -x has %v of %q", run, want, names)
	}
	for _, name := range names {
		if got := flat(name + " = " + asPostfix(r.global.value(name))); want[name] != "" && got != want[name] {
			t.Errorf("run %d: got %q, want %q", run, got, want[name])
		}
	}
}

// asPostfix returns a value in which parameters that are not set are empty, as Postfix
// has it.
func asPostfix(v value) string {
	slices.SortFunc(v.open, func(a, b string) int { return len(b) - len(a) })
	for _, name := range v.open {
		v.s = strings.ReplaceAll(v.s, "$"+name, "")
	}
	return v.s
}
