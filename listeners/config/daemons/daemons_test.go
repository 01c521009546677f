package daemons

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// shown writes what a file configures, one line each: where the token is, what it
// opens, and its causes and doubts.
func shown(c listeners.Config) []string {
	var lines []string
	for _, l := range c.Listeners {
		line := fmt.Sprintf("%d:%d-%d %s %s %d %s", l.At.Line, l.At.Column, l.At.EndColumn, l.Service, l.Address, l.Port, l.Role)
		if l.Tunnel != "" {
			line += " " + string(l.Tunnel)
		}
		for _, cause := range l.Causes {
			line += "; " + cause.Why
		}
		if l.Doubt != "" {
			line += "; doubt: " + l.Doubt
		}
		lines = append(lines, line)
	}
	for _, e := range c.Edges {
		lines = append(lines, fmt.Sprintf("%d:%d-%d %s -> %s:%d", e.At.Line, e.At.Column, e.At.EndColumn, e.Kind, e.Host, e.Port))
	}
	for _, d := range c.Doubts {
		lines = append(lines, fmt.Sprintf("%d:%d-%d doubt: %s", d.At.Line, d.At.Column, d.At.EndColumn, d.Problem))
	}
	return lines
}

type reader func(*source.Tree, *source.File) listeners.Config

func TestReaders(t *testing.T) {
	for _, tt := range []struct {
		name string
		read reader
		text string
		want []string
	}{
		{"DKIMproxy", DKIMproxy, "# listen 0.0.0.0:1\nlisten    0.0.0.0:10027\nrelay: 127.0.0.1:10028 # next\n", []string{
			"2:11-24 listen 0.0.0.0:10027 0.0.0.0 10027 signing-proxy",
			"3:8-23 relay -> 127.0.0.1:10028",
		}},
		{"DKIMproxy: options as on a command line, and no address", DKIMproxy, "--listen=[::1]:10027\r\nlisten 10029\nrelay mx\n", []string{
			"1:10-21 listen [::1]:10027 ::1 10027 signing-proxy",
			"2:8-13 listen 10029 invalid IP 10029 signing-proxy; listen has no address; DKIMproxy then listens on all of them",
			"3:7-9 doubt: relay has no port",
		}},
		{"OpenDKIM without a host", OpenDKIM, "Socket local:/run/x\nSocket\tinet:8891\n", []string{
			"2:8-17 Socket 0.0.0.0 8891 milter; Socket has no @HOST; the milter then listens on all addresses",
		}},
		{"OpenDKIM, the last one counts", OpenDKIM, "Socket inet:8891\nsocket local:/run/x\n", nil},
		{"OpenDMARC on loopback", OpenDMARC, "Socket inet6:8893@localhost\n", []string{"1:8-28 Socket ::1 8893 milter"}},
		{"OpenDMARC by name", OpenDMARC, "Socket inet:8893@mail.example\n", []string{
			`1:8-30 Socket invalid IP 8893 milter; doubt: the address of "mail.example" is not in the files`,
		}},
		{"OpenDKIM, the family in capitals, and an include", OpenDKIM, "Include /etc/x\nSocket INET:8891@10.0.0.5\n", []string{
			"2:8-26 Socket 10.0.0.5 8891 milter", "1:9-15 doubt: the file that is included may set Socket",
		}},
		{"OpenDKIM, an unknown family", OpenDKIM, "Socket tcp:8891\n", []string{"1:8-16 doubt: the family of Socket is not known"}},
		{"OpenDKIM without a port", OpenDKIM, "Socket inet:@localhost\n", []string{"1:8-23 doubt: Socket has no port"}},
		{"clamd on all addresses", Clamd, "LocalSocket /run/clamd\nTCPSocket 3310\n", []string{
			"2:11-15 TCPSocket invalid IP 3310 antivirus; TCPAddr is not set; clamd then listens on all addresses",
		}},
		{"clamd on two addresses", Clamd, "TCPSocket 3310\nTCPAddr 127.0.0.1\nTCPAddr \"10.0.0.5\"\n", []string{
			"2:9-18 TCPAddr 127.0.0.1 127.0.0.1 3310 antivirus",
			"3:10-18 TCPAddr 10.0.0.5 10.0.0.5 3310 antivirus",
		}},
		{"clamd's example does not start", Clamd, "Example\nTCPSocket 3310\n", nil},
		{"clamd without TCP", Clamd, "#TCPSocket 3310\nTCPAddr localhost\n", nil},
		{"clamd with a wrong port", Clamd, "TCPSocket 0\n", []string{`1:11-12 doubt: TCPSocket "0" is not a port`}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := shown(tt.read(nil, source.NewFile("x.conf", "x.conf", tt.text)))
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(tt.want, "\n\t"))
			}
		})
	}
}

func FuzzReaders(f *testing.F) {
	f.Add("listen 0.0.0.0:10027\nrelay 127.0.0.1:10028")
	f.Add("Socket inet:8891@localhost")
	f.Add("TCPSocket 3310\nTCPAddr \"::\"")
	f.Fuzz(func(t *testing.T, text string) {
		for _, read := range []reader{DKIMproxy, OpenDKIM, OpenDMARC, Clamd} {
			c := read(nil, source.NewFile("x.conf", "x.conf", text))
			for _, l := range c.Listeners {
				if l.Port == 0 || l.Service == "" || l.At.Line < 1 || l.At.Column < 1 || l.At.EndColumn <= l.At.Column {
					t.Errorf("listener without a port, name or place: %+v", l)
				}
			}
		}
	})
}
