package postfix

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// at writes an anchor: "main.cf:2:3-7".
func at(a *result.Anchor) string {
	if a == nil {
		return "default"
	}
	return fmt.Sprintf("%s:%d:%d-%d", a.File, a.Line, a.Column, a.EndColumn)
}

// lines writes what files configure, one line each, without settings.
func lines(c listeners.Config) []string {
	var list []string
	for _, l := range c.Listeners {
		line := fmt.Sprintf("%s %s: %s %d %s %s", at(&l.At), l.Service, l.Address, l.Port, l.Product, l.Role)
		if l.V6Only {
			line += " v6only"
		}
		if l.Tunnel != "" {
			line += " tls"
		}
		for _, cause := range l.Causes {
			line += fmt.Sprintf("; %s (%s)", cause.Why, at(cause.At))
		}
		if l.Doubt != "" {
			line += "; doubt: " + l.Doubt
		}
		list = append(list, line)
	}
	for _, e := range c.Edges {
		list = append(list, fmt.Sprintf("%s %s -> %s %s:%d", at(&e.At), e.From, e.Kind, e.Host, e.Port))
	}
	for _, d := range c.Doubts {
		list = append(list, fmt.Sprintf("%s doubt: %s", at(&d.At), d.Problem))
	}
	return list
}

// files returns a tree of files by name, "main.cf" being "etc/postfix/main.cf".
func files(text map[string]string) *source.Tree {
	tree := fstest.MapFS{}
	for name, data := range text {
		if !strings.HasPrefix(name, "etc/") {
			name = "etc/postfix/" + name
		}
		tree[name] = &fstest.MapFile{Data: []byte(data)}
	}
	return &source.Tree{FS: tree, Shown: func(name string) string { return strings.TrimPrefix(name, "etc/postfix/") }}
}

// read reads the files of one host.
func read(t *testing.T, text map[string]string) listeners.Config {
	t.Helper()
	tree := files(text)
	name, reader := "etc/postfix/master.cf", Master
	if _, ok := text["master.cf"]; !ok {
		name, reader = "etc/postfix/main.cf", Main
	}
	f, err := tree.Read(name)
	if err != nil {
		t.Fatal(err)
	}
	return reader(tree, f)
}

func TestMaster(t *testing.T) {
	names := slices.Sorted(maps.Keys(masterTests))
	for _, name := range names {
		tt := masterTests[name]
		t.Run(name, func(t *testing.T) {
			if got := lines(read(t, tt.files)); !slices.Equal(got, tt.want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(tt.want, "\n\t"))
			}
		})
	}
}

type masterTest struct {
	files map[string]string
	want  []string
}

func TestSettings(t *testing.T) {
	c := read(t, map[string]string{
		"main.cf": "compatibility_level = 3.6\nmynetworks = 10.0.0.0/8 !/etc/postfix/none !/etc/postfix/trusted [::1]/128 cidr:/x\nlocal_only = permit_mynetworks, reject\n" +
			"smtpd_tls_security_level = may\n",
		"trusted":   "# offices\n192.0.2.0/24,\n  198.51.100.0/24\n",
		"master.cf": "25 inet n - n - 1 postscreen\nsmtpd pass - - n - - smtpd -o smtpd_client_restrictions=$local_only\n26 inet n - n - - smtpd -o mynetworks= -o content_filter=\n628 inet n - n - - qmqpd\n",
	})
	var got []string
	for _, l := range c.Listeners {
		for _, s := range l.Settings {
			got = append(got, fmt.Sprintf("%d %s = %s (%s)", l.Port, s.Name, s.Value, at(s.At)))
		}
	}
	const networks = "mynetworks = 10.0.0.0/8 !/etc/postfix/none !192.0.2.0/24 !198.51.100.0/24 [::1]/128 cidr:/x (main.cf:2:14-83)"
	want := []string{
		"25 " + networks,
		"25 postscreen_access_list = permit_mynetworks (default)",
		"25 smtpd_client_restrictions = permit_mynetworks, reject (master.cf:2:57-68)",
		"25 smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination (default)",
		"25 smtpd_delay_reject = yes (default)",
		"25 smtpd_sasl_auth_enable = no (default)",
		"25 smtpd_tls_security_level = may (main.cf:4:28-31)",
		"25 smtpd_tls_auth_only = no (default)",
		"25 smtpd_tls_wrappermode = no (default)",
		"26 mynetworks =  (master.cf:3:28-38)",
		"26 smtpd_relay_restrictions = permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination (default)",
		"26 smtpd_delay_reject = yes (default)",
		"26 content_filter =  (master.cf:3:43-57)",
		"26 smtpd_sasl_auth_enable = no (default)",
		"26 smtpd_tls_security_level = may (main.cf:4:28-31)",
		"26 smtpd_tls_auth_only = no (default)",
		"26 smtpd_tls_wrappermode = no (default)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(want, "\n\t"))
	}
	doubts := []string{
		"main.cf:2:25-43 doubt: the networks in /etc/postfix/none are not known: it is not among the files",
		"main.cf:2:76-83 doubt: the networks in cidr:/x are not known",
	}
	if got := lines(listeners.Config{Doubts: c.Doubts}); !slices.Equal(got, doubts) {
		t.Errorf("got %q, want %q", got, doubts)
	}
	// Without mynetworks, it is derived from the addresses of the host.
	c = read(t, map[string]string{"main.cf": "", "master.cf": "25 inet n - n - - smtpd\n"})
	if s, ok := c.Listeners[0].Setting("mynetworks_style"); !ok || s.Value != "subnet" || s.At != nil {
		t.Errorf("the default of mynetworks: %+v", s)
	}
}
