package dovecot

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
)

// A host generates the files of one.
type host struct {
	*rand.Rand
	ports int // used so far
	made  map[string]string
}

func (h *host) one(list ...string) string { return list[h.IntN(len(list))] }

// rarely returns text in one of n cases.
func (h *host) rarely(n int, list ...string) string {
	if h.IntN(n) > 0 {
		return ""
	}
	return h.one(list...)
}

func (h *host) blank() string { return h.one(" ", " ", " ", "\t", "  ", " \t ", " \\\n  ") }

// line ends a line.
func (h *host) end() string {
	return h.one("\n", "\n", "\n", " \n", "\r\n", " # comment\n", " # it's { \"\n", "# near\n", "\n\n", "\n   # a = b {\n")
}

// pair returns "name = value".
func (h *host) pair(name, value string) string {
	if h.IntN(5) == 0 && !strings.ContainsAny(value, "$<") {
		value = h.one(`"`, `'`) + value
		value += value[:1]
	}
	return h.one("", "  ", "\t") + name + h.one(" = ", "=", " =", "= ", " \\\n = ", "\t=\t") + value + h.end()
}

// files returns a dovecot.conf and what it includes.
func (h *host) files() map[string]string {
	h.made = map[string]string{}
	var b strings.Builder
	if h.IntN(4) > 0 { // Debian's Dovecot has none by default
		b.WriteString(h.pair("protocols", "imap pop3 lmtp sieve submission"))
	}
	for range 2 + h.IntN(5) {
		b.WriteString(h.item(0))
	}
	text := b.String()
	if h.IntN(6) == 0 {
		text = h.mutate(text)
	}
	h.made["dovecot.conf"] = text
	h.made["conf.d/.hidden.conf"] = "service imap-login {\n inet_listener hidden {\n port = 6\n }\n}\n"
	return h.made
}

// item returns settings, a section or an inclusion outside of all sections.
func (h *host) item(depth int) string {
	switch h.IntN(14) {
	case 0:
		return h.pair("listen", h.one("*", "::", "*, ::", "127.0.0.1", "127.0.0.1, ::1", "10.0.0.1 *", "[::]", "[::], *", "::1,,  fd00::1", "*, 127.0.0.1 ::", "$listen 10.0.0.9", "*:1143", "127.0.0.1:2143, 10.0.0.1:3143"))
	case 1:
		return h.pair("protocols", h.one("imap", "imap pop3 lmtp", "imap lmtp sieve submission pop3", "none", "$protocols sieve", "imaps", "imaps pop3s pop3", "managesieve imap", "", " lmtp  imap ", "$protocols $protocols", "lmtp nothing"))
	case 2:
		return h.pair("ssl", h.one("yes", "no", "required"))
	case 3:
		return h.pair(h.one("haproxy_trusted_networks", "login_trusted_networks"), h.one("10.0.0.0/8", "127.0.0.1 ::1", ""))
	case 4:
		return h.filter()
	case 5:
		return h.other()
	case 6:
		if depth < 2 {
			return h.include(depth)
		}
		return ""
	case 7:
		return h.rarely(3, h.pair("service/imap-login/inet_listener/imap/port", h.port()), h.pair("service/lmtp/inet_listener", "lmtp"),
			h.pair("service/imap-login/inet_listener/imaps/ssl", "no"), h.pair("service/none/inet_listener/x/port", "5"))
	case 8:
		return h.rarely(2, h.pair("ssl_listen", "*:"+h.port()), h.pair("ssl_disable", h.one("yes", "no")), "auth default {\n  passdb pam {\n  }\n  userdb passwd {\n  }\n}\n")
	}
	return h.service()
}

// include returns a line that includes files, and makes them.
func (h *host) include(depth int) string {
	name := fmt.Sprintf("%d%s", len(h.made), h.one("a", "b"))
	at, pattern := "conf.d/"+name+".conf", ""
	switch h.IntN(8) {
	case 0:
		return "!include_try" + h.blank() + h.one("none.conf", "none/*.conf", "*.none") + h.end()
	case 1:
		return h.rarely(4, "!include none.conf\n", "!include dovecot.conf\n", "!include none/*\n", "!include\n")
	case 2:
		pattern = "conf.d/" + name + ".co{nf,mf}"
	case 3:
		pattern = "conf.d/" + name + "*"
		h.made["conf.d/"+name+"z.conf"] = h.item(9)
	default:
		pattern = "conf.d/" + name + ".conf"
	}
	h.made[at] = "" // taken
	text := h.item(9) + h.item(9)
	if h.IntN(4) == 0 {
		text = strings.TrimRight(text, "\r\n")
	}
	h.made[at] = text
	return h.one("!include", "!include_try") + h.blank() + pattern + h.end()
}

// protocolLine is a line that sets the protocol of a service.
var protocolLine = regexp.MustCompile(`(?m)^\s*protocol\s*(?:\\\n\s*)?=.*\n`)

// filter returns a section whose settings hold for some connections only.
func (h *host) filter() string {
	service := protocolLine.ReplaceAllString(h.service(), "") // with one in a filter doveconf checks protocols
	inner := h.one("mail_max_userip_connections = 5\n", "ssl = required\n", "listen = *:1999\n", "listen = 127.0.0.9\n", "ssl_listen = 127.0.0.8:1888\n", service)
	return h.one("protocol imap", "protocol !lmtp", "protocol pop3", "local 10.0.0.1", "remote 10.0.0.0/8", "local_name x.example", "protocol managesieve") + h.blank() + "{" + h.end() + inner + "}" + h.end()
}

// other returns a section that has nothing to do with services.
func (h *host) other() string {
	return h.one(
		"passdb {\n  driver = static\n  args = proxy=y host=10.0.0.1\n}\n",
		"namespace inbox {\n  inbox = yes\n  mailbox \"Sent Messages\" {\n    special_use = \\Sent\n  }\n}\n",
		"plugin {\n  listen = 1\n  port = x\n}\n", "plugin {\n  a = b\n}\nplugin {\n c = d # {\n}\n",
		"ssl_cert = </etc/hosts\n", "login_greeting = Say 'hello' # {\n", "dict {\n  service = x\n}\n",
	)
}

// port returns a port that no other listener has, nearly always.
func (h *host) port() string {
	h.ports++
	if h.IntN(150) == 0 {
		return h.one("0x1", "70000", "", "-1", "imap", "$default_process_limit", "$nothing")
	}
	return h.one("", "", "0") + fmt.Sprint(10000+h.ports)
}

// service returns a section of a service.
func (h *host) service() string {
	var b strings.Builder
	name := h.one("imap-login", "pop3-login", "managesieve-login", "submission-login", "lmtp", "auth", "doveadm", "stats", "quota-status", "mine", "my\\\"own")
	if name == `my\"own` {
		name = "own"
	}
	if h.IntN(6) == 0 {
		name = `"` + name + `"`
	}
	b.WriteString(h.one("", " ") + "service" + h.blank() + name + h.blank() + "{" + h.end())
	for range h.IntN(4) {
		b.WriteString(h.listener())
	}
	switch h.IntN(6) {
	case 0:
		b.WriteString(h.pair("executable", h.one("quota-status -p postfix", "script /bin/x", "imap-login", "")))
	case 1:
		b.WriteString(h.pair("protocol", h.one("imap", "lmtp", "", "mine")))
	case 2:
		b.WriteString("unix_listener x" + h.port() + " {\n  mode = 0600\n}\n" + h.pair("user", "root"))
	case 3:
		b.WriteString(h.rarely(20, "what = 5\n", "part x {\n}\n", "inet_listener/imap/port = "+h.port()+"\n"))
	}
	return b.String() + h.one("", " ") + "}" + h.end()
}

// listener returns a section of a listener.
func (h *host) listener() string {
	var b strings.Builder
	name := h.one("imap", "imaps", "pop3", "pop3s", "sieve", "submission", "lmtp", "http", "a", "b", "", `"a b"`, `"c/d"`, `"e\"f"`)
	if name == `"e\"f"` {
		name = `"e,f"`
	}
	if name != "" {
		name += h.blank()
	}
	b.WriteString("  inet_listener" + h.blank() + name + "{" + h.end())
	if h.IntN(8) > 0 {
		b.WriteString(h.pair("port", h.one(h.port(), h.port(), h.port(), "0")))
	}
	if h.IntN(4) == 0 {
		b.WriteString(h.pair("ssl", h.one("yes", "no", "y", "1", "YES", "No")))
	}
	if h.IntN(4) == 0 {
		b.WriteString(h.pair("haproxy", h.one("yes", "no")))
	}
	if h.IntN(3) == 0 {
		b.WriteString(h.pair("address", h.one("127.0.0.1", "*", "::", "*, ::", "10.0.0.1, 10.0.0.2", "localhost", "mail.example", "$listen", "", "[::1] 127.0.0.1")))
	}
	return b.String() + h.rarely(200, "tls = yes\n", "listen = x\n") + "  }" + h.end()
}

// mutate changes a few bytes.
func (h *host) mutate(text string) string {
	b := []byte(text)
	for range 1 + h.IntN(2) {
		if len(b) == 0 {
			break
		}
		at := h.IntN(len(b))
		switch h.IntN(4) {
		case 0:
			b = append(b[:at], b[at+1:]...)
		case 1:
			b[at] = h.one("{", "}", "#", "\"", "'", "\\", "=", " ", "\n", "$", "<", "\t")[0]
		case 2:
			b = append(b[:at], append([]byte(h.one("{", "}", "# ", "\"", "'", "\\", "=", "\\\n", "\n", "\v", "é")), b[at:]...)...)
		case 3:
			end := min(len(b), at+h.IntN(30))
			b = append(b[:at], b[end:]...)
		}
	}
	return string(b)
}
