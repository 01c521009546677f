//go:build linux

package e2e

import (
	"maps"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/config"
	"github.com/mxsweep/mxsweep/listeners/config/sockettest"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// configured are the files that configure the listeners of products of the laboratory.
var configured = map[string]string{
	"Postfix":        "etc/postfix",
	"Dovecot":        "etc/dovecot/dovecot.conf",
	"HAProxy":        "etc/haproxy/haproxy.cfg",
	"nginx":          "etc/nginx/nginx.conf",
	"amavisd-new":    "etc/amavis/conf.d",
	"OpenDKIM":       "etc/opendkim.conf",
	"OpenDMARC":      "etc/opendmarc.conf",
	"clamd":          "etc/clamav/clamd.conf",
	"policyd-weight": "etc/policyd-weight.conf",
	"Rspamd":         "etc/rspamd/rspamd.conf",
	"ClamAV milter":  "etc/clamav/clamav-milter.conf",
	"SQLgrey":        "etc/sqlgrey/sqlgrey.conf",
	"Cyrus":          "etc/cyrus.conf",
	"Exim":           "etc/exim4/exim4.conf",
	"OpenSMTPD":      "etc/smtpd.conf",
	"Mailman":        "etc/mailman3/mailman.cfg",
}

// Why no reader says on what products of the laboratory listen.
const (
	byOptions = "options of its command line say where it listens"
	renamed   = "its files have names that only the laboratory gives them"
	unread    = "its files have no reader"
)

// notConfigured are those products.
var notConfigured = map[string]string{
	"Postgrey": byOptions, "postfwd": byOptions, "PostSRSd": byOptions, "policyd-rate-limit": unread,
	"SpamAssassin spamd": byOptions, "spampd": byOptions, "spamass-milter": byOptions, "MIMEDefang": byOptions,
	"clamsmtp": renamed, "dkimpy-milter": unread, "pyspf-milter": unread,
	"Courier": byOptions, "Perdition": unread, "imapproxy": unread, "qpsmtpd": byOptions, "aiosmtpd": byOptions, "Python": byOptions, "Postfix smtp-sink": byOptions,
	"OpenSSH": unread, "noise:": byOptions, "policyd-spf (perl)": byOptions,
}

// TestLabUnread holds that what has no reader in the table has none in the program.
func TestLabUnread(t *testing.T) {
	bare := strings.NewReplacer("-", "", " ", "").Replace
	kinds := config.Kinds(true)
	for name, why := range notConfigured {
		product := bare(strings.ToLower(name))
		for _, kind := range kinds {
			k := bare(strings.ToLower(kind))
			if why == unread && (strings.Contains(k, product) || strings.Contains(product, k)) {
				t.Errorf("the files of %s have a reader, %q: compare them with its sockets", name, kind)
			}
		}
	}
}

// filesOf returns the files that configure a product, or why there are none; the name is the
// one of the entry.
func filesOf(product string) (files, why, name string) {
	for _, name := range slices.SortedFunc(maps.Keys(notConfigured), func(a, b string) int { return len(b) - len(a) }) {
		if strings.HasPrefix(product, name) {
			return "", notConfigured[name], name
		}
	}
	for name, files := range configured {
		if strings.Contains(product, name) || name == "Postfix" && product == "policyd-spf (python)" { // which Postfix spawns
			return files, "", name
		}
	}
	return "", "", ""
}

// TestLabBinds compares what the configuration of each host of the laboratory says of its
// listeners with what listens there.
func TestLabBinds(t *testing.T) {
	lab(t)
	used, compared := map[string]bool{}, 0
	for _, h := range readTruth(t).Hosts {
		t.Run(h.Name, func(t *testing.T) {
			listening := listeningIn(t, "mxlab-"+h.Name)
			paths, left := map[string]bool{}, map[string]bool{}
			for _, p := range h.Ports {
				files, why, name := filesOf(p.Product)
				used[name] = true
				switch {
				case files != "":
					paths[files] = true
				case why != "":
					left[":"+strconv.Itoa(p.Port)] = true
				default:
					t.Errorf("%s: whether a reader says where it listens is not known", p.Product)
				}
			}
			isLeft := func(s string) bool { return left[s[strings.LastIndexByte(s, ':'):]] }
			want := slices.DeleteFunc(listening, isLeft)
			var got []string
			if len(paths) > 0 {
				got = predictedIn(t, "mxlab-"+h.Name, slices.Sorted(maps.Keys(paths)))
			}
			if !slices.Equal(got, want) {
				t.Errorf("predicted %q\nlistens on %q", got, want)
			}
			compared += len(want)
		})
	}
	for name := range maps.Keys(notConfigured) {
		if !used[name] {
			t.Errorf("no host has %s any more", name)
		}
	}
	t.Logf("%d sockets compared", compared)
}

// listeningIn returns what listens in a network namespace; what is bound to all addresses of
// each family is "*", as if it were one socket.
func listeningIn(t *testing.T, namespace string) []string {
	t.Helper()
	out, err := exec.Command("ip", "netns", "exec", namespace, "ss", "-Hltn").Output()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for line := range strings.Lines(string(out)) {
		list = append(list, strings.Fields(line)[3])
	}
	return joined(list)
}

// joined sorts sockets, each once, and has "*" for those of all addresses of both families.
func joined(list []string) []string {
	for _, s := range list {
		port, ok := strings.CutPrefix(s, "0.0.0.0:")
		if ok && slices.Contains(list, "[::]:"+port) {
			list = append(list, "*:"+port)
		}
	}
	list = slices.DeleteFunc(list, func(s string) bool {
		port := s[strings.LastIndexByte(s, ':'):]
		return (s == "0.0.0.0"+port || s == "[::]"+port) && slices.Contains(list, "*"+port)
	})
	slices.Sort(list)
	return slices.Compact(list)
}

// predictedIn returns what the files of a host say.
func predictedIn(t *testing.T, namespace string, paths []string) []string {
	t.Helper()
	out, err := exec.Command("ip", "netns", "pids", namespace).Output()
	pids := strings.Fields(string(out))
	if err != nil || len(pids) == 0 {
		t.Fatalf("no process in %s: %v", namespace, err)
	}
	tree := &source.Tree{FS: os.DirFS("/proc/" + pids[0] + "/root")}
	c, _, err := config.Read(tree, paths...)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range c.Doubts {
		t.Logf("%s:%d: %s", d.At.File, d.At.Line, d.Problem)
	}
	c.Listeners = slices.DeleteFunc(c.Listeners, func(l listeners.Listener) bool {
		return l.Protocol == "rspamd-fuzzy" && l.Doubt != "" // UDP in the release of Debian 12
	})
	return joined(sockettest.Predicted(c))
}
