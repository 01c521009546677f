package config

import (
	"fmt"
	"math/rand/v2"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"testing/fstest"
	"time"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// hostNames are the names of a file of each kind.
var hostNames = []string{
	"etc/ufw/user.rules", "nftables.conf",
	"compose.yml", "compose.override.yml", "Dockerfile", "k.yml", "etc/postfix/master.cf", "etc/postfix/main.cf", "dovecot.conf", "conf.d/part.conf", "dkimproxy_in.conf",
	"opendkim.conf", "opendmarc.conf", "haproxy.cfg", "nginx.conf", "sites-enabled/x", "clamd.conf",
	"amavisd.conf", "policyd-weight.conf", "rspamd.conf", "rspamd.conf.override", "local.d/worker-x.inc", "x.service", "x.service.d/x.conf", "x.socket", "x.socket.d/x.conf", "x.container", "x.container.d/x.conf",
	"cyrus.conf", "smtpd.conf", "sendmail.mc", "sendmail.cf", "exim.conf", "update-exim4.conf.conf", "exim4/conf.d/main/01_x", "courier/imapd", "clamsmtpd.conf", "sqlgrey.conf", "postsrsd.conf",
	"mta-sts-daemon.yml", "postfix-tlspol/config.yaml", "greylist.conf", "mailman.cfg", "cluebringer.conf", "grossd.conf", "clamav-milter.conf",
	"etc/default/opendkim", "etc/default/spamassassin", "etc/default/postgrey", "etc/default/slapd", "redis.conf", "memcached.conf", "my.cnf", "etc/default/exim4",
}

// costs are what reading files of 1 MB may take. Most take a hundredth.
const (
	mostTime   = 10 * time.Second // of the processor
	mostMemory = 4 << 30          // bytes that are allocated in all
)

// used returns the processor time of this process.
func used() time.Duration {
	var u syscall.Rusage
	if syscall.Getrusage(syscall.RUSAGE_SELF, &u) != nil {
		return 0
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measured reads files and reports what no files may cost or give.
func measured(t *testing.T, fsys fstest.MapFS) listeners.Config {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	start := used()
	c, _, err := Read(&source.Tree{FS: fsys}, ".")
	took := used() - start
	runtime.ReadMemStats(&after)
	memory := after.TotalAlloc - before.TotalAlloc
	if err != nil {
		t.Error(err)
	}
	if took > mostTime || memory > mostMemory {
		t.Errorf("%v of processor time, %d MB allocated", took, memory>>20)
	}
	t.Logf("%v, %d MB: %d listeners, %d edges, %d doubts", took, memory>>20, len(c.Listeners), len(c.Edges), len(c.Doubts))
	most := len(fsys)
	if len(c.Listeners) > most*listeners.MaxListeners || len(c.Edges) > most*listeners.MaxEdges || len(c.Doubts) > most*(listeners.MaxDoubts+3) {
		t.Errorf("%d listeners, %d edges, %d doubts", len(c.Listeners), len(c.Edges), len(c.Doubts))
	}
	for _, l := range c.Listeners {
		if l.Port == 0 || l.Service == "" || l.At.Line < 1 || l.At.EndColumn < l.At.Column || len(l.At.Text) > 1000 {
			t.Fatalf("a listener without a port, a name or a place: %+v", l)
		}
	}
	return c
}

// hostile are texts that cost much if they are repeated. # is replaced by a number, and what
// is before | is there once.
var hostile = []string{
	";", "{", "}", "a ", "a\n", "a{", "a{\n", "{{", "{%", "${", "${a", "$a", "\"", "'", "\\", "\\\n", "#\n", "[", "[\n", "- ", ": ", "a: ", "<<: *a\n", "\t", "\r", "\x00", "\xff", "\u00e9;", "/", "://", "password=a ", "password=\n",
	"listen 1;", "stream{|server{listen 1-65535;proxy_pass a:1;}", "http{|server{listen 1-65535;proxy_pass http://a;}", "mail{|server{listen #;protocol imap;auth_http a:1;}",
	"http{|include *;", "include */*/*;", "http{|server{include x#;}", "http{|allow a#;server{listen #;}", "http{server{|listen #;location /{proxy_pass http://a#;}", "stream{upstream a{|server a#:1;", "stream{|server{listen a#:1;proxy_pass b:1;}", "stream{server{|proxy_pass b#:1;listen #;",
	"listen a\n|bind :1-65535\n", "listen a\n|bind :#\nserver a a:#\n", "listen a\n|server a a:#\n", "listen a\n|acl a# src a\ntcp-request connection accept if a#\n", "|frontend a#\nbind :1-9\ndefault_backend b\nbackend b#\nserver a a:1\n", "|backend b\nfrontend a\nbind :#\nuse_backend b\n", "global\n|setenv a# $a#\n", ".if a\n", ".if a\n.endif\n", "listen a\nbind |:#,", "defaults a# from a#\n", "peers a\n|peer a a:#\n", "mailers a\n|mailer a a:#\n", "global\n|unsetenv a b c d e f g h i j\n",
	"listen = |a# ", "listen = |a#, ", "protocols = |a# ", "protocols = imap\n|service a# {\ninet_listener {\nport = #\n}\n}\n", "service auth {\n|inet_listener {\nport = 1#\n}\n", "service auth {\n|inet_listener a# {\nport = 1\naddress = a b c\n}\n", "!include *.conf\n", "!include {a,b}{c,d}{e,f}{g,h}{i,j}#\n", "listen = $listen $listen\n", "listen = a\n|listen = $listen a#\n", "dovecot_config_version = 2.4.0\nlisten {\n|a# = yes\n", "dovecot_config_version = 2.4.0\nprotocols {\n|a# = yes\n", "dovecot_config_version = 2.4.0\nprotocols = |a# ", "dovecot_config_version = 2.4.0\n|@a = b\n", "passdb {\ndriver = static\nargs = proxy=y host=a port=#\n}\n", "plugin {\n|a#/mail_replica = tcp:a:#\n", "a = <b#\n", "listen = <x\n", "protocol a {\nlisten = a:#\n}\n",
	"25 inet n - n - - smtpd\n", "# inet n - n - - smtpd\n", "# inet n - n - - smtpd -o content_filter=a:b:# -o mynetworks=a\n", "a unix - - n - - smtp -o a=$b\n", "{% a %} ", "a# = $a#\n", "inet_interfaces = |a# ", "inet_interfaces = |10.0.0.# ", "mynetworks = |/a# ", "mynetworks = |10.0.0.0/# ", "master_service_disable = |a#.inet ", "smtpd_milters = |inet:a:# ", "smtpd_restriction_classes = |a# ", "smtpd_client_restrictions = |check_policy_service inet:a:# ", "content_filter = |a:b:#,", "relayhost = |a:#,", "known_tcp_ports = |a#=1 ", "a=${{$a} == {$b}?{c}:{d}}\n", "content_filter = |${a?{", "1 inet n - n - - spawn argv=a |b ", "transport_maps = |tcp:a:# ", "header_checks = |FILTER a:b:# ",
	"apiVersion: v1\nkind: Service\n|---\napiVersion: v1\nkind: Service\nspec: {type: NodePort, ports: [{port: 1, nodePort: #}]}\n", "apiVersion: v1\nkind: Service\nspec:\n  type: LoadBalancer\n  ports:\n|  - {port: 1, nodePort: #}\n", "apiVersion: v1\nkind: Service\nspec: {externalIPs: [|a#, ", "---\n", "apiVersion: v1\nkind: Pod\nspec: {hostNetwork: true, containers: [{ports: [|{containerPort: #},", "a#: &a# [*a,*a]\n", "&a ", "*a ", "? ", "|\n", "apiVersion: v1\nkind: Pod\na: |{{ b# }} ",
	"services: {a: {ports: [|'#:1',", "services: {a: {ports: [|'1-65535:1-65535',", "services: {a: {ports: [|{target: #, published: '1-65535'},", "services:\n|  a#: {ports: ['1-1000:1-1000']}\n", "services:\n  b: &b {ports: ['1-1000:1-1000']}\n|  a#: *b\n", "services:\n  b: {ports: ['1-1000:1-1000']}\n|  a#: {extends: b}\n", "services:\n|  a#: {image: '${a:-${a:-b}}', ports: ['${b}:1']}\n", "services: {a: {image: |${a:-", "include: [|a#.yml,", "include: [|compose.yml,", "services: {a: {environment: [|a#=b,",
	"SERVICES {|\na# cmd=imapd listen=#\n", "listen on all port #\n", "DAEMON_OPTIONS(`Port=#')\n", "DAEMON_OPTIONS(`", "ifdef(`a#', ", "V1\n|O DaemonPortOptions=Port=#\n", "local_interfaces = |0.0.0.0.# : ", "daemon_smtp_ports = |# : ", "PORT=|#,", "[mta]\n|lmtp_port: #\n", "a = \"b\"\n|c# = $a\n",
	"FROM a|\nCMD postgrey --inet=#\n", "FROM a\n|ENV A#=$A\n", "FROM a AS a#\n|", "FROM a\n|COPY a# /\n", "FROM a\nCMD [|\"--inet=#\",", "FROM a\nCMD |--inet=# ", "FROM a\n|RUN <<A#\n", "FROM a\nENV |A#=$A# ", "services:\n|  a#: {command: postgrey --inet=#, build: ., env_file: [x]}\n", "services: {a: {command: [postgrey, |--inet=#,", "services: {a: {command: 'postgrey |--inet=# ", "apiVersion: v1\nkind: Pod\nspec: {containers: [|{command: [postgrey], args: [--inet=#]},",
	"listen 10.0.0.1:#\n", "relay a:#\n", "Socket inet:#\n", "Include a#\n", "TCPSocket 1\n|TCPAddr a#\n",
}

// grow returns a text of about n bytes, made of a hostile one.
func grow(text string, n int) string {
	head, body, ok := strings.Cut(text, "|")
	if !ok {
		head, body = "", text
	}
	if body == "" { // of which | is the text
		body = "|\n"
	}
	var b strings.Builder
	b.WriteString(head)
	for i := 0; b.Len() < n; i++ {
		b.WriteString(strings.ReplaceAll(body, "#", strconv.Itoa(1+i%65535)))
	}
	return b.String()
}

// hostileSize is how many bytes the files of TestHostile have: MXSWEEP_HOSTILE_BYTES.
func hostileSize(t *testing.T) int {
	text := os.Getenv("MXSWEEP_HOSTILE_BYTES")
	if text == "" {
		t.Skip("MXSWEEP_HOSTILE_BYTES is not set")
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("MXSWEEP_HOSTILE_BYTES: %v", err)
	}
	return n
}

// TestHostile reads what is made to take long, as a file of each kind.
func TestHostile(t *testing.T) {
	for i, text := range hostile {
		data := grow(text, hostileSize(t))
		for _, name := range hostNames {
			t.Run(fmt.Sprintf("%d/%s", i, name), func(t *testing.T) {
				measured(t, fstest.MapFS{name: {Data: []byte(data)}})
			})
		}
	}
}

// TestHostNames holds that hostNames has each kind.
func TestHostNames(t *testing.T) {
	for _, k := range kinds {
		if !slices.ContainsFunc(hostNames, func(name string) bool {
			return k.is(name, func() string { return "apiVersion: v1\nkind: x\n" }) || k.is(name, func() string { return "inet_listener {" }) || k.is(name, func() string { return "[Container]" })
		}) {
			t.Errorf("no name of %s", k.name)
		}
	}
}

// FuzzRead reads bytes as files of all kinds, beside each other.
func FuzzRead(f *testing.F) {
	for _, text := range hostile {
		f.Add([]byte(grow(text, 300)), uint64(1))
	}
	f.Fuzz(func(t *testing.T, data []byte, seed uint64) {
		if len(data) > 1<<20 {
			t.Skip()
		}
		random := rand.New(rand.NewPCG(seed, 1))
		fsys := fstest.MapFS{}
		for _, name := range hostNames {
			from := random.IntN(len(data) + 1)
			fsys[name] = &fstest.MapFile{Data: slices.Concat(data[from:], data[:from])}
		}
		measured(t, fsys)
	})
}
