package trust

import (
	"fmt"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/result"
)

// A Fault is a setting that trusts too many clients.
type Fault struct {
	Kind Kind

	// Listener is the listener for which the setting holds, of the host, published or
	// of the cluster: what strangers connect to.
	Listener *listeners.Listener

	// Name is what the setting is called, such as "mynetworks", unique in its file and
	// the same when lines move.
	Name string

	At result.Anchor // its value; for a default the listener

	// Why are sentences without a full stop: what is set, and what that means.
	Why []string

	// Causes are what lies elsewhere and matters: the published port, the network.
	Causes []listeners.Cause

	// Fix says what to change at At, without a full stop; further lines are other ways.
	Fix string

	// Remove are the entries of the value at At that must go. Instead is the value if no
	// other entry remains, and of one that is no list; "" if that is for people to say. If
	// both are empty, there is no edit of the value.
	Remove  []string
	Instead string

	// Confidence, from 0 to 10, is how certain the fault is.
	Confidence int
}

// A Kind says what is wrong, in the words of rules.
type Kind string

// The kinds of faults.
const (
	RelaysForAll      Kind = "relays-for-all"
	RelaysTranslated  Kind = "relays-translated"
	NoLoginForAll     Kind = "no-login-for-all"
	NoLoginForPrivate Kind = "no-login-for-private"
	ProxyOfAll        Kind = "proxy-of-all"
	ProxyOfPrivate    Kind = "proxy-of-private"
	NoPassword        Kind = "no-password"
	FilterBypassed    Kind = "filter-bypassed"
)

// The confidence of faults.
const (
	certain = 9 // the file says it
	likely  = 7 // it depends on the engine, or on whether the host has IPv6
)

// Find returns the faults of what files configure, each setting once, and what they do not
// decide. The listeners of the faults are those of c.
func Find(c *listeners.Config) ([]Fault, []listeners.Doubt) {
	f := newFinder(c)
	f.find()
	return f.faults, f.doubts
}

func newFinder(c *listeners.Config) *finder {
	return &finder{config: c, at: map[key]int{}, lists: map[string]*networks{}, verdicts: map[string]verdict{}}
}

// find judges all listeners.
func (f *finder) find() {
	for i := range f.config.Listeners {
		l := &f.config.Listeners[i]
		if l.Loopback() || l.Through == listeners.ThroughContainer || l.Doubt != "" {
			continue
		}
		inner := l
		if inside := f.config.Inside(l); inside != nil {
			inner = inside
		}
		f.relay(l, inner)
		f.login(l, inner)
		f.proxy(l, inner)
		f.password(l, inner)
		f.bypassed(l)
	}
}

// A finder is the state of Find.
type finder struct {
	config *listeners.Config
	faults []Fault
	doubts []listeners.Doubt
	at     map[key]int

	// What lists say, by their text: thousands of listeners may have the same one.
	lists    map[string]*networks
	entries  int // of all lists
	rules    rules
	verdicts map[string]verdict
}

// A key identifies a setting with a fault.
type key struct {
	kind Kind
	at   result.Anchor
	name string
}

// add adds a fault of a setting that holds for the listener inner, to which l leads. One
// setting that holds for several listeners has one fault.
func (f *finder) add(x Fault, s *listeners.Setting, l, inner *listeners.Listener) {
	x.Listener, x.Name, x.At = l, nameOf(s, inner), inner.At
	if s.At != nil {
		x.At = *s.At
		x.narrow(s, l)
	}
	if l.At != x.At {
		what := "it holds for " + portOf(l)
		if l.Through == listeners.ThroughPublished {
			what = fmt.Sprintf("port %d of the container is published as %s", l.Target(), portOf(l))
		}
		at := l.At
		x.Causes = append([]listeners.Cause{{Why: what, At: &at}}, x.Causes...)
	}
	k := key{x.Kind, x.At, ""}
	if s.At == nil {
		k.name = x.Name
	}
	if i, ok := f.at[k]; ok {
		f.faults[i].Causes = append(f.faults[i].Causes, x.Causes[:min(1, len(x.Causes))]...)
		return
	}
	f.at[k] = len(f.faults)
	f.faults = append(f.faults, x)
}

// portOf names the port of a listener.
func portOf(l *listeners.Listener) string { return fmt.Sprintf("port %d/tcp", l.Port) }

// ofFile are the settings that hold for all of a file, wherever its listeners are.
var ofFile = map[string]bool{"haproxy_trusted_networks": true, "hosts_proxy": true, "secure_ip": true, "login": true}

// shown are the names that settings have in their files.
var shown = map[string]string{"login": "password"}

// nameOf returns what a setting of a listener is called. One that stands beside the listener
// in a file with several is called by both.
func nameOf(s *listeners.Setting, l *listeners.Listener) string {
	name := s.Name
	if long, ok := shown[name]; ok {
		name = long
	}
	if s.Source != "" {
		name = s.Source
	}
	if s.At != nil && (s.At.File != l.At.File || ofFile[s.Name]) && s.Source == "" {
		return name
	}
	return l.Service + " " + name
}

// doubt adds a doubt about a setting.
func (f *finder) doubt(s *listeners.Setting, l *listeners.Listener, problem string) {
	at := l.At
	if s.At != nil {
		at = *s.At
	}
	f.doubts = append(f.doubts, listeners.Doubt{Problem: problem, At: at})
}

// relay judges who may relay.
func (f *finder) relay(l, inner *listeners.Listener) {
	s, ok := l.Setting("mynetworks")
	if ok && s.Source != "" { // of an image, whose restrictions are not in the files
		inner = l
	} else if s, ok = inner.Setting("mynetworks"); !ok || !f.relays(inner) {
		f.relayStyle(l, inner)
		return
	}
	list := f.networks(s.Value)
	if all := list.all; all != "" {
		f.add(Fault{Kind: RelaysForAll, Confidence: certain, Fix: remove(&s, all) + ", and let the clients that must relay log in", Why: []string{fmt.Sprintf("%s has %s: clients of all addresses may relay", title(&s), all)}}, &s, l, inner)
		return
	}
	t := translated(l)
	if t == nil {
		return
	}
	by, doubt := t.covered(list)
	if doubt != "" {
		f.doubt(&s, inner, fmt.Sprintf("whether strangers may relay through %s is not certain; it depends on %s: %s", portOf(l), title(&s), doubt))
		return
	}
	if by != "" {
		f.add(Fault{Kind: RelaysTranslated, Confidence: likely, Causes: causes(t),
			Fix: untranslate(&s, by, remove(&s, by)+", and let the other containers log in", t),
			Why: []string{fmt.Sprintf("%s has %s, and with it the address that address translation gives to clients", title(&s), named(by))}}, &s, l, inner)
	}
}

// relayStyle judges mynetworks_style where mynetworks is not set: with subnet, whoever comes
// from the own network of the container may relay.
func (f *finder) relayStyle(l, inner *listeners.Listener) {
	s, ok := inner.Setting("mynetworks_style")
	t := translated(l)
	if !ok || t == nil || !f.relays(inner) || s.Value != "subnet" && s.Value != "class" {
		return
	}
	if t.undecided != "" {
		f.doubt(&s, inner, fmt.Sprintf("whether strangers may relay through %s is not certain: %s", portOf(l), t.undecided))
		return
	}
	why := "mynetworks_style is " + s.Value
	if s.At == nil {
		why = "neither mynetworks nor mynetworks_style is set, and compatibility_level is below 2: the style is " + s.Value
	}
	f.add(Fault{Kind: RelaysTranslated, Confidence: likely, Causes: causes(t),
		Fix: style(&s) + ", and let the other containers log in\n" + t.keep,
		Why: []string{why + ": the network of the container may relay, and with it the address that address translation gives to clients"}}, &s, l, inner)
}

// title is how sentences call a setting.
func title(s *listeners.Setting) string {
	if s.Source != "" {
		return s.Source
	}
	if name, ok := shown[s.Name]; ok {
		return name
	}
	return s.Name
}

func causes(t *translation) []listeners.Cause { return []listeners.Cause{t.why} }

// login judges who needs no password.
func (f *finder) login(l, inner *listeners.Listener) {
	s, ok := inner.Setting("secure_ip")
	if !ok {
		return
	}
	list := f.networks(s.Value)
	if all := list.all; all != "" {
		f.add(Fault{Kind: NoLoginForAll, Confidence: certain, Fix: remove(&s, all) + ", and let others log in", Why: []string{fmt.Sprintf("secure_ip has %s: nobody needs a password", all)}}, &s, l, inner)
		return
	}
	var doubt string
	if t := translated(l); t != nil {
		var by string
		if by, doubt = t.covered(list); by != "" {
			f.add(Fault{Kind: NoLoginForAll, Confidence: likely, Causes: causes(t), Fix: remove(&s, by) + ", and let others log in\n" + t.keep,
				Why: []string{fmt.Sprintf("secure_ip has %s, and with it the address that address translation gives to clients: they need no password", by)}}, &s, l, inner)
			return
		}
	}
	if wide := list.private; wide != "" {
		f.add(Fault{Kind: NoLoginForPrivate, Confidence: certain, Fix: remove(&s, wide) + ", and set a strong `password`; name single hosts if some must do without",
			Why: []string{fmt.Sprintf("secure_ip has %s: clients in these networks, or behind a proxy in them, need no password", wide)}}, &s, l, inner)
		return
	}
	if list.unknown != "" {
		doubt = missing(list.unknown)
	}
	if doubt != "" {
		f.doubt(&s, inner, fmt.Sprintf("who needs no password at %s is not certain: %s", portOf(l), doubt))
	}
}

// password judges whether there is a password. An empty one, and the one of the documentation
// of Rspamd, are no fault: Rspamd then admits nobody who needs one.
func (f *finder) password(l, inner *listeners.Listener) {
	if s, ok := inner.Setting("login"); ok && s.Value == "none" {
		f.add(Fault{Kind: NoPassword, Confidence: certain, Fix: "set `password` and `enable_password` of this worker to what `rspamadm pw` prints", Why: []string{"neither password nor secure_ip is set: nobody needs a password"}}, &s, l, inner)
	}
}
