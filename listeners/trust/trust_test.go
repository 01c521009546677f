package trust

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/listeners"
)

func TestCovers(t *testing.T) {
	gateway := netip.MustParseAddr("172.18.0.1")
	for _, tt := range []struct{ list, by, unknown string }{
		{"", "", ""},
		{"127.0.0.0/8 172.16.0.0/12", "172.16.0.0/12", ""},
		{"127.0.0.0/8,[::1]/128;172.18.0.1", "172.18.0.1", ""},
		{"[::ffff:172.16.0.0]/108", "[::ffff:172.16.0.0]/108", ""},
		{"!172.18.0.1 172.16.0.0/12", "", ""},
		{"172.16.0.0/12 !172.18.0.1", "172.16.0.0/12", ""},
		{"!!172.18.0.1", "!!172.18.0.1", ""},
		{"hash:/etc/postfix/networks", "", "hash:/etc/postfix/networks"},
		{"$other 172.16.0.0/12", "172.16.0.0/12", ""},
		{"unix: 10.0.0.0/8", "", ""},
		{listeners.OwnNetwork, listeners.OwnNetwork, ""},
		{"0.0.0.0/0", "0.0.0.0/0", ""},
	} {
		if by, unknown := parseList(tt.list).covers(gateway); by != tt.by || unknown != tt.unknown {
			t.Errorf("%q: got %q and %q, want %q and %q", tt.list, by, unknown, tt.by, tt.unknown)
		}
	}
}

func TestWide(t *testing.T) {
	for _, tt := range []struct{ list, all, private string }{
		{"127.0.0.0/8 192.0.2.0/24", "", ""},
		{"0.0.0.0/0", "0.0.0.0/0", "0.0.0.0/0"},
		{"::/0", "::/0", "::/0"},
		{"*", "*", "*"},
		{"0.0.0.0/1 128.0.0.0/1", "0.0.0.0/1", "0.0.0.0/1"},
		{"2000::/3", "2000::/3", ""},
		{"fc00::/7", "", "fc00::/7"},
		{"fd00::/8", "", "fd00::/8"},
		{"10.0.0.0/8", "", "10.0.0.0/8"},
		{"10.1.0.0/16 172.16.0.0/13 192.168.1.0/24", "", ""},
		{"!10.0.0.0/8", "", ""},
		{"8.0.0.0/8", "", ""},
		{"8.0.0.0/7", "8.0.0.0/7", ""},
		{"127.0.0.0/8 [::ffff:127.0.0.0]/104 [::1]/128 [fe80::]/10 172.22.1.0/24", "", ""},
		{"ff00::/8", "", ""},
		{"fe80::/9", "", ""},
		{"8000::/1", "", "8000::/1"},
		{"::/1", "::/1", ""},
		{"2400::/12", "2400::/12", ""},
		{"224.0.0.0/4 240.0.0.0/4", "", ""},
		{"192.0.0.0/2", "192.0.0.0/2", "192.0.0.0/2"},
		{"100.64.0.0/10 169.254.0.0/16", "", ""},
	} {
		l := parseList(tt.list)
		if l.all() != tt.all || l.privateRange() != tt.private {
			t.Errorf("%q: got %q and %q, want %q and %q", tt.list, l.all(), l.privateRange(), tt.all, tt.private)
		}
	}
}

func TestRelays(t *testing.T) {
	for _, tt := range []struct {
		settings string // name=value, separated by semicolons
		want     bool
	}{
		{"", false},
		{"smtpd_relay_restrictions=permit_mynetworks, permit_sasl_authenticated, defer_unauth_destination", true},
		{"smtpd_relay_restrictions=permit_sasl_authenticated permit_mynetworks reject_unauth_destination", true},
		{"smtpd_relay_restrictions=reject_unauth_destination permit_mynetworks", false},
		{"smtpd_relay_restrictions=permit_mynetworks;smtpd_recipient_restrictions=permit_sasl_authenticated,reject", false},
		{"smtpd_relay_restrictions=permit_mynetworks;smtpd_recipient_restrictions=check_recipient_access hash:/x,permit_mynetworks,reject", true},
		{"smtpd_relay_restrictions=permit_mynetworks;smtpd_client_restrictions=permit_sasl_authenticated,reject", false},
		{"smtpd_relay_restrictions=permit_mynetworks;smtpd_sender_restrictions=reject_unknown_sender_domain", true},
		{"smtpd_recipient_restrictions=permit_mynetworks,reject_unauth_destination", true},
	} {
		var l listeners.Listener
		for s := range strings.SplitSeq(tt.settings, ";") {
			name, value, _ := strings.Cut(s, "=")
			l.Settings = append(l.Settings, listeners.Setting{Name: name, Value: value})
		}
		if got := newFinder(&listeners.Config{}).relays(&l); got != tt.want {
			t.Errorf("%q: got %v", tt.settings, got)
		}
	}
}

// A Service of Kubernetes hides the address of clients unless its policy is Local.
func TestCluster(t *testing.T) {
	for _, tt := range []struct{ policy, networks, want string }{
		{"Cluster", "10.42.0.0/16", "relays-translated"},
		{"Cluster", "10.0.0.0/8", "relays-translated"},
		{"Local", "10.0.0.0/8", ""},
		{"Cluster", "192.0.2.0/24", ""},
		{"Cluster", "$NETWORKS", "doubt"},
	} {
		c := listeners.Config{Listeners: []listeners.Listener{{Port: 25, Service: "service/mx loadBalancer 25", Through: listeners.ThroughCluster, Settings: []listeners.Setting{
			{Name: "externalTrafficPolicy", Value: tt.policy}, {Name: "mynetworks", Value: tt.networks},
			{Name: "smtpd_relay_restrictions", Value: "permit_mynetworks"},
		}}}}
		faults, doubts := Find(&c)
		var got []string
		for _, f := range faults {
			got = append(got, string(f.Kind))
			if want := "remove `" + tt.networks + "` from `mynetworks`, and let the other containers log in\nOr keep the address of the client: set `externalTrafficPolicy: Local` for the Service"; f.Fix != want {
				t.Errorf("fix %q, want %q", f.Fix, want)
			}
		}
		for range doubts {
			got = append(got, "doubt")
		}
		if strings.Join(got, " ") != tt.want {
			t.Errorf("%+v: got %q", tt, got)
		}
	}
}

// One setting that holds for several listeners is one fault.
func TestOneFault(t *testing.T) {
	var c listeners.Config
	for _, port := range []uint16{25, 587} {
		c.Listeners = append(c.Listeners, listeners.Listener{Port: port, Service: "x", Settings: []listeners.Setting{
			{Name: "mynetworks", Value: "0.0.0.0/0"}, {Name: "smtpd_relay_restrictions", Value: "permit_mynetworks"},
		}})
		c.Listeners[len(c.Listeners)-1].At.File = "master.cf"
	}
	if faults, _ := Find(&c); len(faults) != 1 || !slices.Equal([]string{faults[0].Name}, []string{"x mynetworks"}) {
		t.Errorf("got %+v", faults)
	}
}

// A list that thousands of listeners have is read once, and lists that are too long together are
// not decided.
func TestBounds(t *testing.T) {
	long := strings.Repeat("192.0.2.1 ", maxEntries-1)
	values := []string{long + "192.0.2.2", long + "192.0.2.3"}
	checks := strings.Repeat("x ", 1000) + "permit_mynetworks"
	var c listeners.Config
	for i := range 1000 {
		c.Listeners = append(c.Listeners, listeners.Listener{Port: 25, Service: "x", Through: listeners.ThroughCluster, Settings: []listeners.Setting{
			{Name: "externalTrafficPolicy", Value: "Cluster"}, {Name: "mynetworks", Value: values[i%2]},
			{Name: "smtpd_relay_restrictions", Value: checks},
		}})
	}
	f := newFinder(&c)
	f.find()
	if f.entries != 2*maxEntries || len(f.lists) != 2 || len(f.verdicts) > 2 || f.faults != nil || f.doubts != nil {
		t.Errorf("%d entries of %d lists, %d verdicts, %d faults, %d doubts", f.entries, len(f.lists), len(f.verdicts), len(f.faults), len(f.doubts))
	}
	f = newFinder(&c)
	f.entries = maxAllEntries
	if n := f.networks("0.0.0.0/0"); n.all != "" || missing(n.unknown) != "the list is longer than what is read of it" {
		t.Errorf("%+v", n)
	}
}

func FuzzList(f *testing.F) {
	f.Add("127.0.0.0/8, !10.0.0.0/8 [::1]/128 hash:/x $y *")
	f.Fuzz(func(t *testing.T, text string) {
		l := parseList(text)
		by, unknown := l.covers(netip.MustParseAddr("172.18.0.1"))
		if by != "" && unknown != "" {
			t.Errorf("%q: covered and not known", text)
		}
		if len(l) > maxEntries+1 || l.all() != "" && !strings.Contains(text, l.all()) || l.privateRange() != "" && !strings.Contains(text, l.privateRange()) {
			t.Errorf("%q: %d entries, %q, %q", text, len(l), l.all(), l.privateRange())
		}
	})
}
