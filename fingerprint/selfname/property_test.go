package selfname

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/mxsweep/mxsweep/signatures"
)

// checkName checks that a name is not something that it must never be, whatever
// the text.
func checkName(t *testing.T, n Name, said string, hosts ...string) {
	t.Helper()
	if len(n.Product) > MaxProduct || len(n.Version) > MaxVersion || n.Product == "" && n.Version != "" {
		t.Errorf("%q gives %q %q, which is too long, or no product", said, n.Product, n.Version)
	}
	for _, r := range n.Product + n.Version {
		if r < ' ' || r > '~' || strings.ContainsRune(`<>"'&;|$()[]{}\`+"`", r) {
			t.Errorf("%q gives %q %q, which is not plain text", said, n.Product, n.Version)
			break
		}
	}
	for _, host := range hosts {
		if host != "" && strings.EqualFold(n.Product, host) || strings.EqualFold(n.Version, host) && host != "" {
			t.Errorf("%q gives the host %q", said, host)
		}
	}
	for _, word := range strings.Fields(n.Product + " " + n.Version) {
		if _, err := netip.ParseAddr(word); err == nil {
			t.Errorf("%q gives the address %q", said, word)
		}
		for _, layout := range layouts {
			if _, err := time.Parse(layout, word); err == nil {
				t.Errorf("%q gives the date %q", said, word)
			}
		}
	}
}

// layouts are formats of dates in one word.
var layouts = []string{
	"2006-01-02", "2006-01-02T15:04:05Z", "2006-01-02T15:04:05Z07:00", "2006/01/02", "02/01/2006", "01/02/06", "02.01.2006", "02.01.06",
	"2006.01.02", "2006.1.2", "20060102", "2-Jan-2006", "15:04:05", "15:04", "15.04.05", "Mon", "Mon,", "Monday", "Jan", "January", "-0700", "MST",
}

// inSentences are formats of dates in several words.
var inSentences = []string{time.RFC1123Z, time.RFC850, time.ANSIC, time.UnixDate, "Mon, 2 Jan 2006 15:04:05 -0700 (MST)", "2 Jan 2006 15.04.05"}

// parts generates parts of a greeting that are not a product.
type parts struct{ *rand.Rand }

func (p parts) pick(of ...string) string { return of[p.IntN(len(of))] }

func (p parts) letters(alphabet string, n int) string {
	b := make([]byte, n)
	for i := range b {
		b[i] = alphabet[p.IntN(len(alphabet))]
	}
	return string(b)
}

func (p parts) host() string {
	label := p.pick("mail", "mx1", "Postal", "Mailpit", "EXCH01", "server", "smtp-out", "Sparrow", "ns2", "wrend")
	return p.pick(label, label+".example.org", label+".corp.local", label+".Acme.com", "["+p.address()+"]", strings.ToUpper(label))
}

func (p parts) address() string {
	if p.IntN(3) == 0 {
		return "2001:db8::" + p.letters("0123456789abcdef", 3)
	}
	return fmt.Sprintf("%d.%d.%d.%d", p.IntN(256), p.IntN(256), p.IntN(256), p.IntN(256))
}

func (p parts) date() string {
	at := time.Unix(int64(p.IntN(2e9)), 0).UTC()
	if p.IntN(2) == 0 {
		return at.Format(p.pick(layouts...))
	}
	return at.Format(p.pick(inSentences...))
}

func (p parts) id() string {
	return p.pick(p.letters("0123456789ABCDEF", 10)+"7", p.letters("abcdefghijklmnopqrstuvwxyz0123456789", 20)+"19a", "<"+p.letters("0123456789", 8)+"."+p.letters("0123456789", 5)+"@"+p.host()+">")
}

// TestNeverAnythingElse generates greetings of hosts, dates, addresses, ids and
// protocol words: none is a product name.
func TestNeverAnythingElse(t *testing.T) {
	p := parts{rand.New(rand.NewPCG(3, 4))}
	for range 6000 {
		host, other := p.host(), p.host()
		words := []string{host}
		for range p.IntN(6) {
			words = append(words, p.pick("ESMTP", "SMTP", "ready", "Service", "server", "at", "IMAP4rev1", "POP3", "Welcome", "Hello", "is", "version", ";", "-", "(", ")",
				p.date(), p.address(), p.id(), host, "["+host+"]", "<"+host+">", p.date()))
		}
		text := strings.Join(words, " ")
		ehlo := p.pick("250-"+host+" Hello "+other+"\r\n250 SIZE\r\n", "250 "+host+"\r\n", "250-"+host+" "+p.date()+"\r\n250 DSN\r\n")
		for protocol, greeting := range map[string]string{"smtp": "220 " + text, "lmtp": "220 " + text, "imap": "* OK " + text, "pop3": "+OK " + text} {
			told := []string{signatures.Greeting, greeting + "\r\n"}
			if protocol == "smtp" {
				told = append(told, "smtp-ehlo", ehlo, "smtp-help", "214 "+text+"\r\n")
			}
			n := Find(protocol, said(told...), host)
			checkName(t, n, greeting, host, strings.Trim(host, "[]"))
			if n.Product != "" {
				t.Errorf("%s %q says of itself %q %q", protocol, greeting, n.Product, n.Version)
			}
		}
		for protocol, reply := range map[string][]string{
			"http":        {"http-get", "HTTP/1.1 200 OK\r\nServer: " + p.pick(host, p.date(), p.id(), p.address()) + "\r\n\r\n<title>" + text + "</title>"},
			"managesieve": {signatures.Greeting, `"IMPLEMENTATION" "` + p.pick(host, p.date(), p.id(), p.address()) + "\"\r\n"},
		} {
			n := Find(protocol, said(reply...), host)
			checkName(t, n, reply[1], host)
		}
	}
}

// TestProductAmongOthers generates greetings with a product: it is found, or
// nothing is.
func TestProductAmongOthers(t *testing.T) {
	p := parts{rand.New(rand.NewPCG(5, 6))}
	found := 0
	for range 5000 {
		host := p.pick("mx.example.org", "a.b.example.net", "[192.0.2.1]", "localhost")
		product, version := p.pick("Wrend", "Sparrow Connect", "MailFinch", "robind"), p.pick("1.2.3", "v4.1", "2.0-rc1", "7.6b")
		greeting := fmt.Sprintf("220 %s %s%s %s%s %s", host, p.pick("ESMTP ", "", "SMTP "), product, version, p.pick("", ";", " ready", " ready at"), p.date())
		n := Find("smtp", said(signatures.Greeting, greeting+"\r\n"))
		checkName(t, n, greeting, host)
		if n.Product == product && n.Version == strings.TrimPrefix(version, "v") {
			found++
		} else if n.Product != "" {
			t.Errorf("%q says of itself %q %q", greeting, n.Product, n.Version)
		}
	}
	if found < 4900 {
		t.Errorf("the product was found in %d greetings of 5000", found)
	}
}

// FuzzFind checks that for any text a name is short and printable, and not a
// host, an address or a date.
func FuzzFind(f *testing.F) {
	for _, s := range []string{
		"220 mx.example.org MasqMail 1.0.0 ESMTP\r\n", "* OK [CAPABILITY IMAP4rev1] Dovecot ready.\r\n", "+OK Mailpit POP3 server\r\n",
		"\"IMPLEMENTATION\" \"Cyrus timsieved v2.4.17\"\r\nOK\r\n", "HTTP/1.1 200 OK\r\nServer: Caddy/2.7\r\n\r\n<title>Login - Roundcube</title>",
		"220-\x00\x1b[2J Wrend\xff/1.2\r\n220 ;;;///---((([[[\r\n", "250-Sparrow Hello\r\n250 DSN\r\n", "* ID (\"name\" \"Zimbra\" \"version\" \"8.8\")\r\na2 OK\r\n",
		"+OK\r\nIMPLEMENTATION Shlemazle-Plotz-v302\r\n.\r\n", "220 22.11.2026 29.11.26 10.0.0.1 v1.2.3.4/5 a/b/c -1.2 +.+\r\n",
	} {
		f.Add([]byte(s), []byte("250 mx.example.org\r\n"))
	}
	f.Fuzz(func(t *testing.T, first, second []byte) {
		told := string(first)
		for _, protocol := range []string{"smtp", "lmtp", "imap", "pop3", "managesieve", "http", ""} {
			tr := said(signatures.Greeting, told, "smtp-ehlo", string(second), "smtp-help", told, "imap-id", told, "pop3-capa", told, "http-get", told)
			s := &source{transcript: tr, hosts: newHosts(nil)}
			var hosts []string
			if lines := s.positive("smtp-ehlo"); lines != nil && (protocol == "smtp" || protocol == "lmtp") {
				host, _, _ := strings.Cut(lines[0], " ")
				hosts = append(hosts, host)
			}
			checkName(t, Find(protocol, tr, "wrend.example.org"), told, append(hosts, "wrend.example.org", "scan.example.invalid")...)
		}
	})
}
