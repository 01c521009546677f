package configured

import (
	"path"
	"slices"
	"strings"

	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/fingerprint"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/result"
	"github.com/mxsweep/mxsweep/signatures"
)

// How sure it is what listens on a port, from 0 to 10, by what the files say.
const (
	byDaemonsFile = 9 // it is the file of the daemon itself
	byImage       = 7 // the name of the image, or of the service, names the daemon
	byNumber      = 3 // only the number of the port is known
)

// Identify returns what a listener is: as its reader says, and what that leaves open from
// the image of the container and from the table of ports.
func (a *Audit) Identify(l *listeners.Listener) *fingerprint.Identification {
	s := a.identify(l)
	if slices.Contains(catchers, s.Product) {
		s.Observations = append(s.Observations, "mail-catcher")
	}
	return s
}

// identify is Identify without what follows from the product.
func (a *Audit) identify(l *listeners.Listener) *fingerprint.Identification {
	s := &fingerprint.Identification{Service: result.Service{
		Name: l.Protocol, Product: l.Product, Role: l.Role, Tunnel: l.Tunnel,
		Method: result.MethodConfigured, Confidence: byDaemonsFile, Observations: observed(l),
	}, Filtered: filtered(l)}
	if inside := a.read.Inside(l); inside != nil {
		return a.identify(inside)
	}
	known, _ := a.Ports.Lookup(l.Target())
	stack := ""
	if s.Product == "" {
		s.Product, stack = productOf(l)
		s.Confidence = byImage
	}
	if s.Role == "" {
		s.Role = result.RoleUnknown
	}
	if s.Role == result.RoleProxy && s.Name == "" {
		s.Name = a.passedOn(l)
	}
	switch {
	case s.Role != result.RoleProxy:
	case s.Name == "http":
		s.Role = result.RoleNotMail
	case s.Name == "" && !known.Internal:
		s.Role = result.RoleUnknown // a proxy for anything, as far as the file shows
	}
	if s.Name != "" && s.Role != result.RoleUnknown {
		return s
	}
	if use, ok := useOf(&known, s.Product, stack); ok {
		if s.Name == "" {
			s.Name = use.Protocol
		}
		if s.Role == result.RoleUnknown {
			s.Role, s.RoleByPort = use.Role, true
		}
		if s.Product == "" || strings.HasPrefix(use.Product, s.Product+" ") { // "Rspamd controller"
			s.Product = use.Product
		}
		return s
	}
	if s.Product == "" && s.Name == "" {
		byTable(s, &known)
	}
	return s
}

// passedOn returns the protocol of the ports to which a proxy passes the connections of a
// listener, if the table of ports says that mail systems use one protocol on all of them; ""
// otherwise.
func (a *Audit) passedOn(l *listeners.Listener) string {
	protocol := ""
	for i := range a.read.Edges {
		e := &a.read.Edges[i]
		if e.Kind != listeners.EdgeProxy || e.From != l.Service || e.File != l.At.File {
			continue
		}
		next := a.mailProtocol(e.Port)
		if next == "" || protocol != "" && protocol != next {
			return ""
		}
		protocol = next
	}
	return protocol
}

// mailProtocol returns the only protocol for which mail systems use a port; "" if there are
// several or none.
func (a *Audit) mailProtocol(port uint16) string {
	known, ok := a.Ports.Lookup(port)
	if !ok || !slices.Contains(known.Profiles, "internal") && !slices.Contains(known.Profiles, "public") {
		return ""
	}
	protocol := known.Uses[0].Protocol
	if slices.ContainsFunc(known.Uses, func(u signatures.Use) bool { return u.Protocol != protocol }) {
		return ""
	}
	return protocol
}

// serviceOf returns the name of the service that publishes a port, "" for another listener.
func serviceOf(l *listeners.Listener) string {
	if len(l.Services) == 0 {
		return ""
	}
	return l.Services[0]
}

// useOf returns the use of a port by a product, or the only one by the daemons of a stack; for ""
// and for those that do not use it there is none. On a public port each mail server offers the
// same, of which only the product is not known.
func useOf(known *signatures.KnownPort, product, stack string) (use signatures.Use, ok bool) {
	for _, u := range known.Uses {
		switch {
		case product != "" && (exposure.HasProduct(u.Product, product) || exposure.HasProduct(product, u.Product)):
			return u, true
		case stack == "" || !slices.Contains(strings.Split(u.Stack, ", "), stack):
		case ok && u.Product != use.Product:
			return signatures.Use{}, false
		case !ok:
			use, ok = u, true
		}
	}
	if !ok && stack != "" && !known.Internal && len(known.Uses) > 0 {
		use, ok = known.Uses[0], true
		use.Product = ""
	}
	return use, ok
}

// byTable says what is expected on a port of which only the number is known.
func byTable(s *fingerprint.Identification, known *signatures.KnownPort) {
	s.Method, s.Confidence, s.Role = result.MethodTable, 0, result.RoleUnknown
	if len(known.Uses) == 0 {
		return
	}
	s.Confidence = byNumber
	s.Expected = &result.Expected{Name: known.Uses[0].Protocol, Role: known.Uses[0].Role}
	for _, use := range known.Uses {
		if use.Protocol != s.Expected.Name {
			s.Confidence = byNumber - 1
		}
		s.Alternatives = append(s.Alternatives, use.Product)
	}
	slices.Sort(s.Alternatives)
	s.Alternatives = slices.Compact(s.Alternatives)
}

// catchers are the products that keep mail for those who test, and deliver none.
var catchers = []string{"Mailpit", "MailHog", "MailDev", "MailCatcher", "smtp4dev", "Inbucket"}

// stacks are the stacks of the table of ports of which one image has all daemons, by a word in its
// name or that of its service: the port says which of them listens.
var stacks = []string{"docker-mailserver"}

// images are the products of images, by a word in their name or that of their service. The
// first that fits counts.
var images = []struct{ word, product string }{
	{"postfix", "Postfix"}, {"dovecot", "Dovecot"}, {"amavis", "amavisd"}, {"rspamd", "Rspamd"},
	{"clamav", "ClamAV clamd"}, {"clamd", "ClamAV clamd"}, {"spamassassin", "SpamAssassin spamd"}, {"spamd", "SpamAssassin spamd"},
	{"opendkim", "OpenDKIM"}, {"opendmarc", "OpenDMARC"}, {"dkimproxy", "DKIMproxy"}, {"postgrey", "Postgrey"}, {"olefy", "olefy"},
	{"mailpit", "Mailpit"}, {"mailhog", "MailHog"}, {"maildev", "MailDev"}, {"mailcatcher", "MailCatcher"},
	{"smtp4dev", "smtp4dev"}, {"inbucket", "Inbucket"},
	{"redis", "Redis"}, {"valkey", "Redis"}, {"memcached", "memcached"}, {"mariadb", "MySQL"}, {"mysql", "MySQL"}, {"postgres", "PostgreSQL"},
	{"mailman", "Mailman"}, {"sogo", "SOGo"}, {"stalwart", "Stalwart"}, {"cyrus", "Cyrus IMAP"},
}

// productOf returns the product, or the stack, that the image of a listener's container or the
// name of its service suggests; "" if neither does.
func productOf(l *listeners.Listener) (product, stack string) {
	image, _ := l.Setting("image")
	name, _, _ := strings.Cut(path.Base(image.Value), ":")
	for _, text := range []string{name, path.Base(path.Dir(image.Value)), serviceOf(l)} {
		for _, stack := range stacks {
			if hasWord(text, stack) {
				return "", stack
			}
		}
		for _, i := range images {
			if hasWord(text, i.word) {
				return i.product, ""
			}
		}
	}
	return "", ""
}

// hasWord reports whether a name has a word that no letters surround.
func hasWord(name, word string) bool {
	name = strings.ToLower(name)
	for from := 0; ; {
		i := strings.Index(name[from:], word)
		if i < 0 {
			return false
		}
		from += i
		end := from + len(word)
		if (from == 0 || !letter(name[from-1])) && (end == len(name) || !letter(name[end])) {
			return true
		}
		from = end
	}
}

func letter(c byte) bool { return 'a' <= c && c <= 'z' }

// proxied are the settings by which a listener demands the PROXY header.
var proxied = []string{"accept-proxy", "listen proxy_protocol", "smtpd_upstream_proxy_protocol", "postscreen_upstream_proxy_protocol", "haproxy"}

// observed returns the observations that the settings of a listener amount to.
func observed(l *listeners.Listener) []string {
	for _, name := range proxied {
		if s, ok := l.Setting(name); ok && s.Value != "" && s.Value != "no" {
			return []string{"proxy-expected"}
		}
	}
	return nil
}

// filtered reports whether the options of a service of Postfix hand its mail to a content
// filter: then it is none that takes mail back from one.
func filtered(l *listeners.Listener) bool {
	for _, name := range []string{"content_filter", "smtpd_proxy_filter"} {
		if s, ok := l.Setting(name); ok && s.Value != "" && s.At != nil && s.At.File == l.At.File {
			return true
		}
	}
	return false
}
