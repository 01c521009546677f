package systemd

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// read reads files, of which the first one is given to the reader, and writes what they
// configure, one line each.
func read(t *testing.T, files ...string) []string {
	t.Helper()
	fsys := fstest.MapFS{}
	for i := 0; i < len(files); i += 2 {
		fsys[files[i]] = &fstest.MapFile{Data: []byte(files[i+1])}
	}
	tree := &source.Tree{FS: fsys}
	f, err := tree.Read(files[0])
	if err != nil {
		t.Fatal(err)
	}
	reader := Service
	if IsQuadlet(files[1]) {
		reader = Quadlet
	}
	if strings.Contains(files[0], ".socket") {
		reader = Socket
	}
	c := reader(tree, f)
	check(t, c)
	var lines []string
	for _, l := range c.Listeners {
		line := fmt.Sprintf("%s:%d:%d-%d %s = %s %s/%s", l.At.File, l.At.Line, l.At.Column, l.At.EndColumn, l.Service, l.Address, l.Product, l.Role)
		if l.V6Only {
			line += " v6only"
		}
		if l.Doubt != "" {
			line += "; doubt: " + l.Doubt
		}
		lines = append(lines, line)
	}
	for _, e := range c.Edges {
		lines = append(lines, fmt.Sprintf("%s:%d %s -> %s:%d", e.At.File, e.At.Line, e.Kind, e.Host, e.Port))
	}
	for _, d := range c.Doubts {
		lines = append(lines, fmt.Sprintf("%s:%d:%d-%d doubt: %s", d.At.File, d.At.Line, d.At.Column, d.At.EndColumn, d.Problem))
	}
	return lines
}

// check reports what no reader may return.
func check(t *testing.T, c listeners.Config) {
	t.Helper()
	seen := map[string]bool{}
	for _, l := range c.Listeners {
		if l.Port == 0 || l.Role == "" && l.Through != listeners.ThroughPublished || seen[l.Service] || l.At.Line < 1 {
			t.Errorf("a listener without a port, a role, a name of its own or a place: %+v", l)
		}
		seen[l.Service] = true
	}
	for _, d := range c.Doubts {
		if d.Problem == "" || d.At.Line < 1 {
			t.Errorf("a doubt without a place: %+v", d)
		}
	}
}

var unitTests = []struct {
	name  string
	files []string
	want  []string
}{
	{"a service with a file of variables", []string{"lib/systemd/system/postgrey.service", `[Unit]
ExecStart=/usr/sbin/postgrey --inet=1
[Service]
Environment=TEXT="Greylisted, see https://example.org/%H.html" "B=c d"
EnvironmentFile=-/etc/default/postgrey
ExecStart=/usr/sbin/postgrey \
 $POSTGREY_OPTS \
# a comment that does not end the value
 --greylist-text="${TEXT}"
`, "etc/default/postgrey", "# x\nPOSTGREY_OPTS=\"--delay=1 --inet=0.0.0.0:10023\" \n"}, []string{
		"etc/default/postgrey:2:33-46 postgrey.service inet 0.0.0.0:10023 = 0.0.0.0 Postgrey/policy",
	}},
	{"comments in a continued command", []string{"x.service", "[Service]\nExecStart=/usr/bin/dkimproxy.out \\\n  # comment \\\n  ; another\n\t--conf_file=/x 0.0.0.0:10027 \\\r\n# x\r\n 127.0.0.1:10028\n"}, []string{
		"x.service:5:17-30 x.service listen 0.0.0.0:10027 = 0.0.0.0 DKIMproxy/signing-proxy",
		"x.service:7 relay -> 127.0.0.1:10028",
	}},
	{"comments in continued variables", []string{"x.service", "[Service]\nEnvironment=\"A=1\" \\\n; note\n \"OPTS=--inet=0.0.0.0:10023\" \\\n# [Unit]\n[Unit] \\\n\nExecStart=postgrey $OPTS\n"}, []string{
		"x.service:4:15-28 x.service inet 0.0.0.0:10023 = 0.0.0.0 Postgrey/policy",
	}},
	{"a backslash in quotation marks, and two that end a line", []string{"x.service", "[Service]\nEnvironment='A=--inet=10.0.0.5:1\\\n# x\n  --delay=1' B=x\\\\\nExecStart=sh -c 'postgrey \\\n # y\n --inet=10.0.0.5:2'\nExecStart=postgrey $A"}, []string{
		"x.service:7:9-19 x.service inet 10.0.0.5:2 = 10.0.0.5 Postgrey/policy",
		"x.service:2:23-33 x.service inet 10.0.0.5:1 = 10.0.0.5 Postgrey/policy",
	}},
	{"a continued empty value, and the end of the file", []string{"x.service", "[Service]\nExecStart=postgrey -i 1\nExecStart=\\\n\nExecStart=postgrey -i \\\n# x\n 10.0.0.5:3 \\"}, []string{
		"x.service:7:2-12 x.service inet 10.0.0.5:3 = 10.0.0.5 Postgrey/policy",
	}},
	{"too many settings", []string{"x.service", "[Service]\n" + strings.Repeat("A=1\n", maxSettings) + "ExecStart=postgrey -i 0.0.0.0:1\n"}, []string{
		fmt.Sprintf("x.service:%d:1-1 doubt: the unit has more settings than are read", maxSettings+2),
	}},
	{"a command that is too long", []string{"x.service", "[Service]\nExecStart=postgrey \\\n --x=" + strings.Repeat("x", 40_000) + " -i 0.0.0.0:1\n"}, []string{
		"x.service:2:11-19 doubt: the command is not read: the value is too long",
	}},
	{"a command of too many words", []string{"x.service", "[Service]\nExecStart=postgrey" + strings.Repeat(" -x", 2_000) + " -i 0.0.0.0:1\n"}, []string{
		"x.service:2:11-19 doubt: options of Postgrey are not in the files: there are more words than are read",
	}},
	{"docker run", []string{"rspamd.service", "[Service]\nExecStartPre=-/usr/bin/docker rm -f rspamd\nExecStart=/usr/bin/docker --log-level warn run --rm -it --name mail -e A=1 -p 10025:10025 -v /x:/y \\\n # x\n --publish=127.0.0.1:11334:11334/tcp -p11335:11334 -p 53:53/udp rspamd/rspamd:3 -p 1:1\n"}, []string{
		`rspamd.service:3:79-84 rspamd.service -p :10025:10025 = invalid IP /`,
		`rspamd.service:5:12-27 rspamd.service -p 127.0.0.1:11334:11334 = 127.0.0.1 /`,
		`rspamd.service:5:40-45 rspamd.service -p :11335:11334 = invalid IP /`,
	}},
	{"containers without ports of their own", []string{"x.service", "[Service]\nExecStart=docker run --net=host x/mail postgrey -i 10.0.0.5:1\nExecStart=podman run -dP x/mail\nExecStart=podman run $OPTS -p ${PORT}:25 x/mail\nExecStart=docker run -p x:y a/b@sha256:1\nExecStart=docker exec x run -p 1:1\nExecStart=nerdctl run -p 25 x\n"}, []string{
		"x.service:2:52-62 x.service inet 10.0.0.5:1 = 10.0.0.5 Postgrey/policy",
		`x.service:2:28-32 doubt: container "mail" uses the network of the host: it opens the ports of its daemons, which this file does not list`,
		`x.service:3:11-17 doubt: the ports of container "mail" are published at random ports of the host, on all addresses`,
		`x.service:4:11-17 doubt: options of container "mail" are not in the files: the variable OPTS has no value in the files`,
		`x.service:4:38-41 doubt: a published port of container "mail" is unknown: the variable PORT has no value in the files`,
		`x.service:5:25-28 doubt: "x:y", which container "b" publishes, does not have the form [ADDRESS:][PORT:]PORT`,
		`x.service:7:26-28 doubt: port 25 of container "x" is published at a random port of the host, on all addresses`,
	}},
	{"containers, pods and services that are created", []string{"x.service", "[Service]\nExecStartPre=/bin/sh -c 'exec podman pod create --replace --publish 0.0.0.0:25-26:25-26 --name p'\nExecStartPre=docker container create --name c -p [::1]:143:143 x\nExecStartPre=docker service create --publish published=110,target=1110,mode=host x\nExecStart=docker start -a c\n"}, []string{
		"x.service:2:69-82 x.service -p 0.0.0.0:25:25 = 0.0.0.0 /",
		"x.service:2:69-82 x.service -p 0.0.0.0:26:26 = 0.0.0.0 /",
		"x.service:3:50-59 x.service -p ::1:143:143 = ::1 /",
		"x.service:4:46-81 x.service -p :110:1110 = invalid IP /",
	}},
	{"a container of which the ports are elsewhere", []string{"x.service", "[Service]\nExecStart=/usr/bin/podman start -a mail\n"}, []string{
		"x.service:2:11-26 doubt: the container that this starts was created elsewhere: which ports it publishes is not in the files",
	}},
	{"ranges without an end", []string{"x.service", "[Service]\nExecStart=docker run" + strings.Repeat(" -p 1-65535:1-65535/udp", 500) + " x\n"}, []string{
		`x.service:2:48-67 doubt: more than 200000 ports are published; the rest is left out`,
	}},
	{"a quadlet", []string{"etc/containers/systemd/mail.container", "[Unit]\nPublishPort=1:1\n[Container]\nImage=docker.io/rspamd/rspamd\nPublishPort=2:2\nPublishPort=\nPublishPort=11334:11334 \\\n# x\n  127.0.0.1:11335:11335\nPodmanArgs=--rm -p 10.0.0.5:25:25\nPublishPort=%i:1\n",
		"etc/containers/systemd/mail.container.d/a.conf", "[Container]\nPublishPort=10025:10025\n"}, []string{
		"etc/containers/systemd/mail.container:7:13-18 mail.container -p :11334:11334 = invalid IP /",
		"etc/containers/systemd/mail.container:9:3-18 mail.container -p 127.0.0.1:11335:11335 = 127.0.0.1 /",
		"etc/containers/systemd/mail.container.d/a.conf:2:13-18 mail.container -p :10025:10025 = invalid IP /",
		"etc/containers/systemd/mail.container:10:20-31 mail.container -p 10.0.0.5:25:25 = 10.0.0.5 /",
		`etc/containers/systemd/mail.container:11:13-17 doubt: "%i:1", which container "mail" publishes, does not have the form [ADDRESS:][PORT:]PORT`,
	}},
	{"a quadlet in the network of the host", []string{"x.container", "[Container]\nNetwork=host\nContainerName=mail\n"}, []string{
		`x.container:2:9-13 doubt: container "mail" uses the network of the host: it opens the ports of its daemons, which this file does not list`,
	}},
	{"a pod, and a drop-in alone", []string{"x.pod.d/a.conf", "[Pod]\nPublishPort=25:25\n"}, []string{
		"x.pod.d/a.conf:2:13-15 x.pod -p :25:25 = invalid IP /",
	}},
	{"drop-ins: an empty value resets the list", []string{"etc/systemd/system/spamd.service", "[Service]\nExecStart=-/usr/sbin/spamd -i\n",
		"etc/systemd/system/spamd.service.d/10-x.conf", "[Service]\nExecStart=\nExecStart=/usr/sbin/spamd --listen=127.0.0.1:783\n",
		"etc/systemd/system/spamd.service.d/20-x.conf", "[Service]\nEnvironment=A=1\n"}, []string{
		"etc/systemd/system/spamd.service.d/10-x.conf:3:36-49 spamd.service listen 127.0.0.1:783 = 127.0.0.1 SpamAssassin spamd/antispam",
	}},
	{"a drop-in alone", []string{"spamd.service.d/x.conf", "[Service]\nExecStart=\nExecStart=@/usr/sbin/spamd spamd-name -i 10.0.0.5 -p $PORT\nEnvironment=PORT=784\n"}, []string{
		"spamd.service.d/x.conf:3:42-50 spamd.service listen 10.0.0.5:784 = 10.0.0.5 SpamAssassin spamd/antispam",
	}},
	{"options that are not there", []string{"x.service", "[Service]\nEnvironmentFile=/etc/none\nExecStart=spampd --relayhost=127.0.0.1:10026 $ARGS\n"}, []string{
		"x.service:3:11-17 x.service host 127.0.0.1:10025 = 127.0.0.1 spampd/content-filter; doubt: options are not in the files: the variable ARGS has no value in the files",
		"x.service:3 relay -> 127.0.0.1:10026",
		`x.service:2:17-26 doubt: "/etc/none" is not in the files`,
		"x.service:3:11-17 doubt: options of spampd are not in the files: the variable ARGS has no value in the files",
	}},
	{"a unit below /etc replaces the one of the package", []string{"lib/systemd/system/spamd.service", "[Service]\nExecStart=spamd -i\n", "etc/systemd/system/spamd.service", "[Service]\nExecStart=spamd\n"}, nil},
	{"a script", []string{"x.service", "[Service]\nExecStart=/bin/sh -c 'exec postgrey --inet=10.0.0.5:10023 # x'\n"}, []string{
		"x.service:2:44-58 x.service inet 10.0.0.5:10023 = 10.0.0.5 Postgrey/policy",
	}},
	{"sockets", []string{"postgrey.socket", "[Socket]\nListenStream=10023\nListenStream=127.0.0.1:10024\r\nListenStream=[::1]:10025\n; x\nListenDatagram=1\nListenStream=/run/x\nListenStream=@x\nListenStream=[::]:10026\n"}, []string{
		"postgrey.socket:2:14-19 postgrey.socket 10023 = :: Postgrey/policy",
		"postgrey.socket:3:14-29 postgrey.socket 127.0.0.1:10024 = 127.0.0.1 Postgrey/policy",
		"postgrey.socket:4:14-25 postgrey.socket [::1]:10025 = ::1 Postgrey/policy",
		"postgrey.socket:9:14-24 postgrey.socket [::]:10026 = :: Postgrey/policy",
	}},
	{"a socket of one family, and a reset", []string{"x.socket", "[Socket]\nListenStream=1\nBindIPv6Only=ipv6-only\nListenStream=\nListenStream=2\nListenStream=0.0.0.0:3\n"}, []string{
		"x.socket:5:14-15 x.socket 2 = :: /unknown v6only", "x.socket:6:14-23 x.socket 0.0.0.0:3 = 0.0.0.0 /unknown",
	}},
	{"a template, and what is wrong", []string{"x@.socket", "[Socket]\nListenStream=%i\nListenStream=localhost:1\nListenStream=99999\n"}, []string{
		`x@.socket:2:14-16 doubt: "%i" depends on the name of the unit, or on a template`,
		"x@.socket:3:14-25 doubt: ListenStream=localhost:1 is no address and port",
		"x@.socket:4:14-19 doubt: ListenStream=99999 is no address and port",
	}},
}

func TestUnits(t *testing.T) {
	for _, tt := range unitTests {
		t.Run(tt.name, func(t *testing.T) {
			if got := read(t, tt.files...); !slices.Equal(got, tt.want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(tt.want, "\n\t"))
			}
		})
	}
}

func FuzzUnits(f *testing.F) {
	for _, tt := range unitTests {
		f.Add(tt.files[1], tt.files[len(tt.files)-1])
	}
	f.Fuzz(func(t *testing.T, text, other string) {
		for _, name := range []string{"x.service", "x.socket", "x.container"} {
			tree := &source.Tree{FS: fstest.MapFS{name: {Data: []byte(text)}, name + ".d/x.conf": {Data: []byte(other)}, "etc/x": {Data: []byte(other)}}}
			f, err := tree.Read(name)
			if err != nil {
				return
			}
			check(t, Service(tree, f))
			check(t, Socket(tree, f))
			check(t, Quadlet(tree, f))
		}
	})
}
