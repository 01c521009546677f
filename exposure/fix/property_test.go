package fix

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"strings"
	"testing"
)

// wide are addresses that are not on loopback, with the loopback address of their family.
var wide = [][2]string{{"0.0.0.0", "127.0.0.1"}, {"192.0.2.7", "127.0.0.1"}, {"::", "::1"}, {"2001:db8::7", "::1"}}

// A writer writes the line of a format that binds an address, and lines that do not. In its
// texts @A is the address, [@A] the same in brackets if it has colons, @P the port.
type writer struct {
	lines  []string // of which one has the listener
	others []string // which an edit must not touch
	head   string   // begins each file
	tail   string   // follows the line
	remark string   // begins a remark at the end of a line, "" if the format has none
}

// writers are those of the formats whose listeners are bound.
var writers = map[Format]writer{
	MasterCF:    {lines: []string{"[@A]:@P inet n - n - - smtpd\n", "[@A]:@P  inet\tn - n - - smtpd\n  -o mynetworks=0.0.0.0/0\n"}, others: []string{"smtp unix - - y - - smtp\n", "10.0.0.1:26 inet n - y - - smtpd\n  -o smtpd_bind=0.0.0.0:@P\n"}},
	HAProxy:     {lines: []string{" bind [@A]:@P accept-proxy", "\tbind  127.0.0.1:1,[@A]:@P"}, others: []string{" server a 10.0.0.1:@P check\n", " bind :26\n", "frontend x\n"}, remark: "#"},
	Nginx:       {lines: []string{"listen [@A]:@P ssl;", "server { listen  [@A]:@P; }", "\tlisten [@A]:@P; server_name a;"}, others: []string{"listen 10.0.0.1:26;\n", "proxy_pass 0.0.0.0:@P;\n"}, remark: "#"},
	CyrusConf:   {lines: []string{"  a cmd=\"imapd\" listen=\"[@A]:@P\" prefork=0", " b  cmd=\"lmtpd -a\"  listen=[@A]:@P"}, others: []string{"  c cmd=\"imapd -U 0.0.0.0\" listen=\"imap\"\n", "  D cmd=x\n"}, head: "Services {\n", remark: "#"},
	SMTPDConf:   {lines: []string{"listen on @A port @P tag X", "  listen  on @A tls port @P"}, others: []string{"listen on 10.0.0.1\n", "action a relay host smtp://0.0.0.0:@P\n"}, remark: "#"},
	EximConf:    {lines: []string{"local_interfaces = <; 127.0.0.1.1 ; @A.@P", "dc_local_interfaces='10.0.0.1.26 ; @A.@P; 127.0.0.1'"}, others: []string{"dc_relay_nets='0.0.0.0'\n", "hostlist x = 10.0.0.1\n"}},
	CourierPort: {lines: []string{"PORT=@A.@P", "PORT=\"127.0.0.1.1,@A.@P\"", "PORT='@A.@P,26'"}, others: []string{"ADDRESS=0.0.0.0\n", "MAXDAEMONS=40\n"}, remark: "#"},
	ListenLine:  {lines: []string{"listen [@A]:@P", " listen\t[@A]:@P", "--listen=[@A]:@P", "Listen: [@A]:@P"}, others: []string{"relay 0.0.0.0:@P\n", "listen 10.0.0.1:26\n"}},
	Slapd:       {lines: []string{"SLAPD_SERVICES=\"ldap://[@A]:@P/ ldapi:///\"", "SLAPD_SERVICES='ldap://127.0.0.1:1/ ldaps://[@A]:@P/ ldaps:///'"}, others: []string{"SLAPD_USER=openldap\n", "SLAPD_OPTIONS=\"-d 0.0.0.0\"\n"}, remark: "#"},
	SendmailMC:  {lines: []string{"DAEMON_OPTIONS(`@F, Name=X, Port=@P, Addr=@A')dnl", "DAEMON_OPTIONS(`@F, Addr=@A, P=@P,M=Ea')"}, others: []string{"DAEMON_OPTIONS(`Port=26, Addr=10.0.0.1')dnl\n", "FEATURE(`relay', `0.0.0.0')dnl\n"}, remark: "dnl"},
	Compose:     {lines: []string{"      - \"[@A]:@P:25\"", "      -  [@A]:@P:25/tcp"}, others: []string{"      - \"26:26\"\n", "    environment: {A: \"0.0.0.0:@P\"}\n", "      - 10.0.0.1:27:25\n"}, remark: "#"},
	Dovecot23:   {lines: []string{"inet_listener a {\n  port = @P\n  address = @A", "inet_listener {\n\taddress=\"@A\"\n port=@P", "inet_listener b {\n address = 127.0.0.1, @A\n port = @P"}, tail: "ssl = no\n}\n", others: []string{"listen = 0.0.0.0\n", "inet_listener c {\n port = 26\n address = 10.0.0.1\n}\n"}, remark: "#"},
	Dovecot24:   {lines: []string{"inet_listener a {\n  port = @P\n  listen = @A", "inet_listener b {\n listen = 127.0.0.1 @A\n port = @P", "inet_listener b {\n listen = @A ::1\n port = @P"}, tail: "ssl = no\n}\n", others: []string{"listen = 0.0.0.0\n", "inet_listener c {\n port = 26\n listen = 10.0.0.1\n}\n"}, remark: "#"},
}

// written returns a line with its address and the same with loopback instead, as the edit
// of that line must leave it.
func (w writer) written(r *rand.Rand, port uint16) (before, after string) {
	line := w.lines[r.IntN(len(w.lines))]
	address := wide[r.IntN(len(wide))]
	fill := func(address string) string {
		family, enclosed := "Family=inet", address
		if strings.Contains(address, ":") {
			family, enclosed = "Family=inet6", "["+address+"]"
		}
		text := strings.NewReplacer("[@A]", enclosed, "@A", address, "@P", fmt.Sprint(port), "@F", family).Replace(line)
		return text
	}
	before, after = fill(address[0]), fill(address[1])
	after = strings.NewReplacer("127.0.0.1, 127.0.0.1", "127.0.0.1", "127.0.0.1 127.0.0.1", "127.0.0.1", "::1 ::1", "::1").Replace(after)
	if !strings.HasSuffix(line, "\n") {
		end := "\n"
		if w.remark != "" && r.IntN(2) == 0 {
			end = fmt.Sprintf(" %s ä 0.0.0.0 port = %d\n", w.remark, port)
		}
		before, after = before+end, after+end
	}
	return before + w.tail, after + w.tail
}

// TestBindChangesOnlyTheAddress generates files of each format with a listener that is not on
// loopback, among others: the edit replaces its address and leaves all else, byte for byte.
func TestBindChangesOnlyTheAddress(t *testing.T) {
	for _, f := range builtinSet(t).fixes {
		if f.Manual() || f.Edits[0].Bind == "" {
			continue
		}
		w, ok := writers[f.Format]
		if !ok {
			t.Errorf("%s: no writer of the format %q", f.ID, f.Format)
			continue
		}
		for seed := range uint64(400) {
			r := rand.New(rand.NewPCG(seed, 1))
			port := uint16(10000 + r.IntN(1000))
			others := func() string {
				var b strings.Builder
				for range r.IntN(3) {
					b.WriteString(strings.ReplaceAll(w.others[r.IntN(len(w.others))], "@P", fmt.Sprint(port)))
					if r.IntN(2) == 0 {
						fmt.Fprintf(&b, "# %d 0.0.0.0\n", port)
					}
				}
				return b.String()
			}
			was, now := w.written(r, port)
			head, tail := others(), others()
			before, want := w.head+head+was+tail, w.head+head+now+tail
			if r.IntN(4) == 0 {
				before, want = strings.ReplaceAll(before, "\n", "\r\n"), strings.ReplaceAll(want, "\n", "\r\n")
			}
			got, err := f.Edit(before, Values{Port: port})
			if err != nil || got != want {
				t.Errorf("%s, seed %d: %v\n%s\nbecomes\n%s\nwant\n%s", f.ID, seed, err, before, got, want)
				break
			}
		}
	}
}

// assignments are lines of the formats of names and values: NAME and VALUE are those of the
// setting. What follows the value must stay.
var assignments = map[Format]struct {
	lines []string
	old   []string // values that the setting may have
}{
	MainCF:      {lines: []string{"NAME = VALUE\n", "NAME=VALUE\n", "  # x\nNAME =  VALUE\n"}, old: []string{"no", "a # b"}},
	Words:       {lines: []string{"NAME VALUE\n", "  NAME\t\tVALUE # why\n", "NAME VALUE   # why 'not'\n"}, old: []string{"inet:1@0.0.0.0", "0.0.0.0", "\"*\""}},
	Equals:      {lines: []string{"NAME = VALUE\n", "NAME=VALUE\t# it's\n", "NAME =VALUE  # 0.0.0.0\n"}, old: []string{"0.0.0.0", "'*'", "'a # b'"}},
	Colon:       {lines: []string{"NAME: VALUE\n", "NAME:  VALUE # why\n", "NAME: VALUE\n  # x\nmore: 1\n"}, old: []string{"0.0.0.0", "no", "'::'"}},
	Shell:       {lines: []string{"NAME=VALUE\n", "export NAME=VALUE # why\n", "NAME=VALUE; export NAME\n"}, old: []string{"0.0.0.0", "\"inet:1@0.0.0.0\"", "'a # b; c'", ""}},
	INI:         {lines: []string{"NAME = VALUE\n", "NAME: VALUE  # why\n", "NAME=VALUE\n"}, old: []string{"0.0.0.0", "::"}},
	Perl:        {lines: []string{"NAME = VALUE;\n", "NAME=VALUE;  # why\n", "\tNAME = VALUE ; # why; not\n"}, old: []string{"'0.0.0.0'", "\"*\"", "undef", "['0.0.0.0', '::']"}},
	PList:       {lines: []string{"  NAME = VALUE;\n", "NAME=VALUE; // why\n"}, old: []string{"20000", "\"0.0.0.0:20000\""}},
	RspamdLocal: {lines: []string{"NAME = VALUE;\n", "NAME: VALUE; # why\n", "  NAME = VALUE;\n"}, old: []string{"\"*:1\"", "'0.0.0.0:1'"}},
}

// TestSetChangesOnlyTheValue is TestBindChangesOnlyTheAddress for settings.
func TestSetChangesOnlyTheValue(t *testing.T) {
	for _, f := range builtinSet(t).fixes {
		if f.Manual() || f.Edits[0].Set == "" || len(f.Edits) > 1 {
			continue
		}
		e := f.Edits[0]
		a, ok := assignments[f.Format]
		switch {
		case f.Format == MasterCF || f.Format == Dovecot23 || f.Format == Dovecot24:
			continue // see TestEdit
		case !ok:
			t.Errorf("%s: no lines of the format %q", f.ID, f.Format)
			continue
		}
		v := Values{Port: 10025}
		head, tail := "# NAME = 0.0.0.0\nx_NAME = 1\n", "# end\nNAME_x = 0.0.0.0\n"
		if e.In != "" {
			head, tail = "["+e.In+"]\n"+head, tail+"[z]\nNAME = 0.0.0.0\n"
		}
		for _, line := range a.lines {
			for _, old := range a.old {
				fill := func(value string) string {
					return strings.NewReplacer("NAME", e.Set, "VALUE", value).Replace(head + line + tail)
				}
				before, want := fill(old), fill(v.fill(e.Value))
				got, err := f.Edit(before, v)
				if err != nil || got != want {
					t.Errorf("%s: %v\n%s\nbecomes\n%s\nwant\n%s", f.ID, err, before, got, want)
				}
			}
		}
	}
}

// TestSetKeepsLoopback: of a list of addresses those stay that are on loopback.
func TestSetKeepsLoopback(t *testing.T) {
	set := builtinSet(t)
	for _, tt := range []struct{ fix, before, after string }{
		{"amavis-bind", "$inet_socket_bind = ['[::1]', '0.0.0.0']; # x\n", "$inet_socket_bind = ['[::1]', '127.0.0.1']; # x\n"},
		{"amavis-bind", "$inet_socket_bind = [ '0.0.0.0', '127.0.0.1','[::1]', '[::]' ];\n", "$inet_socket_bind = [ '127.0.0.1','[::1]' ];\n"},
		{"amavis-bind", "$inet_socket_bind = [qw( 127.0.0.1 10.0.0.1 )];\n", "$inet_socket_bind = [qw( 127.0.0.1 )];\n"},
		{"mariadb-bind", "[mysqld]\nbind-address = ::1,10.0.0.1,127.0.0.1 # x\n", "[mysqld]\nbind-address = ::1,127.0.0.1 # x\n"},
		{"memcached-bind", "-l 10.0.0.1,::1\n", "-l 127.0.0.1,::1\n"},
		{"dovecot23-bind", "inet_listener {\n port = 10025\n address = localhost, 10.0.0.1 # why\n}\n", "inet_listener {\n port = 10025\n address = localhost, 127.0.0.1 # why\n}\n"},
		{"dovecot23-bind", "inet_listener {\n port = 10025\n address = *, :: # why\n}\n", "inet_listener {\n port = 10025\n address = 127.0.0.1, ::1 # why\n}\n"},
		{"dovecot24-bind", "inet_listener x {\n port = 10025\n listen = mail.example.org#why\n}\n", "inet_listener x {\n port = 10025\n listen = 127.0.0.1#why\n}\n"},
		{"dovecot23-cleartext", "disable_plaintext_auth = no # why\n", "disable_plaintext_auth = yes # why\n"},
		{"postgrey-bind", "POSTGREY_OPTS=\"--inet=10023  --delay=60\" # why\n", "POSTGREY_OPTS=\"--inet=127.0.0.1:10025  --delay=60\" # why\n"},
	} {
		got, err := set.Lookup(tt.fix).Edit(tt.before, Values{Port: 10025})
		if err != nil || got != tt.after {
			t.Errorf("%s: %v\n%s\nbecomes\n%s\nwant\n%s", tt.fix, err, tt.before, got, tt.after)
		}
	}
}

// TestEditRefusesLists tries edits that would lose an address or a line.
func TestEditRefusesLists(t *testing.T) {
	set := builtinSet(t)
	for _, tt := range []struct{ fix, text string }{
		{"amavis-bind", "$inet_socket_bind = [\n  '::1', # why\n  '0.0.0.0'];\n"},
		{"dovecot23-bind", "inet_listener {\n port = 10025\n address = 10.0.0.1, \\\n 10.0.0.2\n}\n"},
		{"mimedefang-bind", "SOCKET=\"inet:1\\\n0\"\n"},
		{"spamd-bind", "OPTIONS=\"--max 5\" --listen=1\" x\"\n"},
	} {
		if got, err := set.Lookup(tt.fix).Edit(tt.text, Values{Port: 10025}); err == nil {
			t.Errorf("%s: %q becomes %q", tt.fix, tt.text, got)
		}
	}
}

// TestEditsOfManyListeners holds that the memory of an edit grows with the file, and not with its
// square: six times for a size of four times.
func TestEditsOfManyListeners(t *testing.T) {
	for line, bind := range map[string]func(string, uint16, string) (string, error){
		"listen on eth0 port 10025\n":          smtpdBind,
		"DAEMON_OPTIONS(`Port=10025')dnl\n":    sendmailBind,
		"DAEMON_OPTIONS(`Port=10025, A=::')\n": sendmailBind,
	} {
		allocated := func(n int) uint64 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			if _, err := bind(strings.Repeat(line, n), 10025, "127.0.0.1"); err != nil {
				t.Fatal(err)
			}
			runtime.ReadMemStats(&after)
			return after.TotalAlloc - before.TotalAlloc
		}
		if small, large := allocated(2000), allocated(8000); large > 6*small {
			t.Errorf("%q: %d bytes for 2,000 lines, %d for 8,000", line, small, large)
		}
	}
}

// TestLongStatement: a statement of Perl that does not end soon is for people to edit.
func TestLongStatement(t *testing.T) {
	k, _ := Perl.keyed()
	_, err := k.set(strings.Repeat("$a = 1\n", 2*maxLines), Edit{Set: "$a", Value: "2"})
	var unclear *UnclearError
	if !errors.As(err, &unclear) || unclear.Line != 1 {
		t.Errorf("%v", err)
	}
}
