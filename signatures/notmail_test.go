package signatures

import (
	"encoding/hex"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/fault"
)

// mailProtocols are protocols that must not be identified in the corpus.
var mailProtocols = []string{
	"smtp", "lmtp", "imap", "pop3", "managesieve", "mupdate", "csync", "qmqp", "qmtp", "socketmap", "gromox", "postfix-policy", "tcp-table",
	"milter", "am.pdp", "spamd", "clamd", "rspamd-http", "dovecot-auth", "doveadm", "doveadm-http",
}

// said is a daemon that sends the same reply, or none, to everything.
type said struct {
	name     string
	greeting string            // what it says first
	replies  map[string]string // what it says to a probe; "*" is any other probe that may be asked
	ended    string            // how its replies end, "" is silence
}

// transcript returns the exchanges of every allowed probe with the daemon.
func (d said) transcript(set *Set) *Transcript {
	t := new(Transcript)
	greeting := Exchange{Probe: Greeting, Reply: []byte(d.greeting), End: EndReply}
	if d.greeting == "" {
		greeting.End = EndSilence
	}
	t.Exchanges = append(t.Exchanges, greeting)
	for _, p := range set.Probes {
		if p.ID == Greeting || p.Safety == Intrusive || p.Enters != nil ||
			(p.Quiet > 0) != (d.greeting == "") || p.Quiet == 0 && All(p.After, t) != True {
			continue
		}
		reply, ok := d.replies[p.ID]
		if !ok {
			reply = d.replies["*"]
		}
		ex := Exchange{Probe: p.ID, Sent: p.Send, Reply: []byte(reply), End: d.ended}
		if ex.End == "" {
			ex.End = EndSilence
		}
		t.Exchanges = append(t.Exchanges, ex)
	}
	return t
}

func unhex(s string) string {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic(err)
	}
	return string(b)
}

func corpus() []said {
	help := "214-The following commands are recognized.\r\n ABOR ACCT ALLO APPE CDUP CWD  DELE EPRT PASV PORT USER PASS\r\n214 Help OK.\r\n"
	return []said{
		{"vsftpd", "220 (vsFTPd 3.0.3)\r\n", map[string]string{"*": "530 Please login with USER and PASS.\r\n"}, ""},
		{"vsftpd with a banner", "220 Welcome to the mirror.\r\n", map[string]string{"smtp-help": "530 Please login with USER and PASS.\r\n", "*": "530 Please login with USER and PASS.\r\n"}, ""},
		{"ProFTPD", "220 ProFTPD Server (Debian) [192.0.2.1]\r\n", map[string]string{"smtp-help": help, "*": "500 EHLO not understood\r\n"}, ""},
		{"Pure-FTPd", "220---------- Welcome to Pure-FTPd [privsep] [TLS] ----------\r\n220-You are user number 1 of 50 allowed.\r\n220 You will be disconnected after 15 minutes of inactivity.\r\n", map[string]string{"*": "530 You aren't logged in\r\n"}, ""},
		{"FileZilla", "220-FileZilla Server 1.7.0\r\n220 Please visit https://filezilla-project.org/\r\n", map[string]string{"smtp-help": help, "*": "500 Wrong command.\r\n"}, ""},
		{"IIS FTP", "220 Microsoft FTP Service\r\n", map[string]string{"*": "500 Command not understood.\r\n"}, ""},
		{"FTP, not for you", "530 Login authentication failed.\r\n", nil, ""},
		{"OpenSSH", "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u3\r\n", nil, ""},
		{"an SSH library", "SSH-2.0-libssh_0.10.5\r\n", nil, ""},
		{"INN", "200 news.example.org InterNetNews NNRP server INN 2.7.0 ready (posting ok)\r\n", map[string]string{"*": "500 What?\r\n"}, ""},
		{"NNTP without words", "201 ready\r\n", map[string]string{"*": "500 Unknown command\r\n"}, ""},
		{"IRC", ":irc.example.org NOTICE * :*** Looking up your hostname...\r\n", nil, ""},
		{"VNC", "RFB 003.008\n", nil, ""},
		{"rsync", "@RSYNCD: 31.0\n", nil, ""},
		{"Telnet", unhex("fffd18fffd20fffd23fffd27"), nil, ""},
		{"a login prompt", "\r\nUser Access Verification\r\n\r\nPassword: ", nil, ""},
		{"MySQL", unhex("4a0000000a382e302e333500080000007a"), nil, ""},
		{"MariaDB, not for you", unhex("45000000ff6a04") + "Host '192.0.2.7' is not allowed to connect to this MariaDB server", nil, ""},
		{"an Asterisk manager", "Asterisk Call Manager/5.0.1\r\n", map[string]string{"*": "Response: Error\r\nMessage: Missing action in request\r\n\r\n"}, ""},
		{"daytime", "Mon Nov 23 09:00:00 2026\r\n", nil, ""},
		{"quote of the day", "\"Mail is not dead.\" - somebody\r\n", nil, ""},
		{"ZooKeeper", "", map[string]string{"*": ""}, EndClosed},
		{"a web server", "", map[string]string{"http-get": "HTTP/1.1 200 OK\r\nServer: lighttpd/1.4.69\r\n\r\n<h1>Dovecot, Postfix and Rspamd</h1>", "*": "HTTP/1.1 400 Bad Request\r\n\r\n"}, EndClosed},
		{"an API", "", map[string]string{"http-get": "HTTP/1.1 404 Not Found\r\nContent-Type: application/json\r\n\r\n{\"action\":\"DUNNO\"}", "*": "HTTP/1.1 400 Bad Request\r\n\r\n"}, EndClosed},
		{"HTTP/0.9", "", map[string]string{"*": "<html><body>400 Bad Request</body></html>\n"}, EndClosed},
		{"RTSP", "", map[string]string{"*": "RTSP/1.0 400 Bad Request\r\nCSeq: 0\r\n\r\n"}, ""},
		{"SIP", "", map[string]string{"*": "SIP/2.0 400 Bad Request\r\n\r\n"}, ""},
		{"Redis", "", map[string]string{"http-get": "-ERR wrong number of arguments for 'get' command\r\n", "spamc-ping": "$9\r\nSPAMC/1.5\r\n", "postfwd-ping": "+PONG\r\n", "*": "-ERR unknown command\r\n"}, ""},
		{"Redis with a password", "", map[string]string{"*": "-NOAUTH Authentication required.\r\n"}, ""},
		{"memcached", "", map[string]string{"http-get": "", "*": "ERROR\r\n"}, ""},
		{"PostgreSQL", "", map[string]string{"milter-optneg": "E\x00\x00\x00\x87SFATAL\x00VFATAL\x00C0A000\x00Munsupported frontend protocol 20224.0\x00\x00"}, EndClosed},
		{"a TLS alert", "", map[string]string{"*": unhex("15030100020246")}, EndClosed},
		{"LDAP", "", map[string]string{"*": unhex("300c02010161070a010204000400")}, EndClosed},
		{"RDP", "", map[string]string{"*": unhex("0300000b06d00000123400")}, EndReset},
		{"SMB", "", map[string]string{"*": unhex("0000007fff534d4272")}, EndReset},
		{"gopher", "", map[string]string{"*": "3Invalid request\t\terror.host\t1\r\n.\r\n"}, EndClosed},
		{"finger", "", map[string]string{"*": "finger: GET: no such user.\r\n"}, EndClosed},
		{"ident", "", map[string]string{"*": "0 , 0 : ERROR : UNKNOWN-ERROR\r\n"}, EndClosed},
		{"a JSON service", "", map[string]string{"*": "{\"error\":\"parse error\"}\n"}, ""},
		{"a key-value service", "", map[string]string{"*": "ERR unknown command\n"}, ""},
		{"a line service", "", map[string]string{"*": "OK\n"}, ""},
		{"a line service in CRLF", "", map[string]string{"*": "500 what?\r\n"}, ""},
		{"silence", "", nil, ""},
		{"closes", "", nil, EndClosed},
		{"resets", "", nil, EndReset},
	}
}

// best returns the most specific signature that matches, nil if none does.
func best(set *Set, t *Transcript) *Signature {
	var held []*Signature
	for _, s := range set.Signatures {
		if s.Match(t) == True {
			held = append(held, s)
		}
	}
	return Best(held, t)
}

// TestNotMail matches the replies of other services against all signatures.
func TestNotMail(t *testing.T) {
	set, err := Default()
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	for _, d := range corpus() {
		if s := best(set, d.transcript(set)); s != nil && slices.Contains(mailProtocols, s.Protocol) {
			t.Errorf("%s is called %s %q by %s, confidence %d", d.name, s.Protocol, s.Product, s.ID, s.Confidence)
		}
	}
}

// TestNoise matches random bytes, and random lines of words from mail daemons,
// against all signatures: nothing random is a product.
func TestNoise(t *testing.T) {
	set, err := Default()
	if err != nil {
		t.Fatal(fault.Explain(err))
	}
	r := rand.New(rand.NewPCG(1, 2))
	words := strings.Fields("OK 220 221 250 500 421 + - * action DUNNO SMTP ESMTP IMAP POP3 ready server Postfix Dovecot Cyrus PONG HTTP/1.1 200 VERSION MECH 1 2 3 . = : \r\n \n \t mail example")
	for range 3000 {
		d := said{name: "noise", replies: map[string]string{"*": text(r, words)}}
		if r.IntN(2) == 0 {
			d.greeting = text(r, words)
		}
		d.ended = []string{EndSilence, EndClosed, EndReset}[r.IntN(3)]
		tr := d.transcript(set)
		if s := best(set, tr); s != nil && s.Product != "" && s.Confidence >= 9 && slices.Contains(mailProtocols, s.Protocol) {
			t.Errorf("noise is called %s %q by %s, confidence %d: %q", s.Protocol, s.Product, s.ID, s.Confidence, d)
		}
	}
}

func text(r *rand.Rand, words []string) string {
	var b strings.Builder
	for range r.IntN(12) {
		if r.IntN(4) == 0 {
			b.WriteByte(byte(r.UintN(256)))
			continue
		}
		b.WriteString(words[r.IntN(len(words))] + " ")
	}
	if r.IntN(2) == 0 {
		b.WriteString("\r\n")
	}
	return b.String()
}
