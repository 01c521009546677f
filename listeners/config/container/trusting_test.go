package container

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/mxsweep/mxsweep/internal/fault"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
)

// settingsOf reads files, of which the first is the main one, and returns the settings of the
// first listener that are about networks and trust, with their places.
func settingsOf(t *testing.T, files ...string) []string {
	t.Helper()
	c := project(t, files...)
	if len(c.Listeners) == 0 {
		t.Fatalf("no listener: %v", c.Doubts)
	}
	var list []string
	for _, s := range c.Listeners[0].Settings {
		if !strings.HasPrefix(s.Name, "network ") && s.Name != "mynetworks" {
			continue
		}
		line := fmt.Sprintf("%s=%s", s.Name, s.Value)
		if s.Source != "" {
			line += " by " + s.Source
		}
		if s.At != nil {
			line += fmt.Sprintf(" at %s:%d:%d-%d", s.At.File, s.At.Line, s.At.Column, s.At.EndColumn)
		}
		list = append(list, line)
	}
	return list
}

// project reads files, of which the first is the main one.
func project(t *testing.T, files ...string) listeners.Config {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		name := filepath.Join(dir, files[i])
		if err := os.WriteFile(name, []byte(files[i+1]), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	tree := &source.Tree{FS: os.DirFS(dir), Dir: dir}
	f, err := tree.Read(files[0])
	if err != nil {
		t.Fatal(err)
	}
	return Compose(tree, f)
}

// A service on the networks of a file.
const onNetworks = "services:\n  a:\n    image: x\n    ports: ['25:25']\n    networks: [n]\nnetworks:\n"

func TestNetworks(t *testing.T) {
	for _, tt := range []struct{ name, text, want string }{
		{"the network that Docker Compose makes", "services:\n  a:\n    image: x\n    ports: ['25:25']\n", "network ipv6=no"},
		{"the default bridge", "services:\n  a:\n    image: x\n    network_mode: bridge\n    ports: ['25:25']\n", "network ipv6=no at compose.yml:4:5-17; network gateway=bridge at compose.yml:4:5-17"},
		{"no subnet", onNetworks + "  n:\n", "network ipv6=no at compose.yml:7:3-4"},
		{"a subnet", onNetworks + "  n:\n    ipam:\n      config:\n        - subnet: 172.22.1.0/24\n", "network ipv6=no at compose.yml:7:3-4; network gateway=172.22.1.1 at compose.yml:8:5-9"},
		{"a gateway, and IPv6", onNetworks + "  n:\n    enable_ipv6: true\n    ipam: {config: [{subnet: 10.9.0.0/16, gateway: 10.9.0.254}, {subnet: 'fd00:1::/64'}]}\n",
			"network ipv6=yes at compose.yml:8:5-16; network gateway=10.9.0.254 at compose.yml:9:5-9"},
		{"a variable with a default", onNetworks + "  n:\n    enable_ipv6: ${V6:-true}\n", "network ipv6=yes at compose.yml:8:5-16"},
		{"an external one", onNetworks + "  n: {external: true, name: proxy}\n", "network ipv6=network proxy is external: whether it has IPv6 is not in the files at compose.yml:7:7-15"},
		{"another driver", onNetworks + "  n: {driver: overlay}\n", "network ipv6=what the driver overlay does with the addresses of clients is not known at compose.yml:7:7-13"},
		{"two that differ", strings.Replace(onNetworks, "[n]", "[n, o]", 1) + "  n: {enable_ipv6: true}\n  o: {}\n", "network ipv6=the networks of service a differ in it at compose.yml:7:7-18"},
	} {
		if got := strings.Join(settingsOf(t, "compose.yml", tt.text), "; "); got != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, got, tt.want)
		}
	}
}

func TestImages(t *testing.T) {
	if _, err := trustingImages(); err != nil {
		t.Fatal(fault.Explain(err))
	}
	const (
		dms  = "services:\n  a:\n    image: ghcr.io/docker-mailserver/docker-mailserver:15\n    ports: ['25:25']\n"
		boky = "services:\n  a:\n    image: boky/postfix@sha256:1\n    ports: ['1587:587']\n"
	)
	for _, tt := range []struct {
		name  string
		files []string
		want  string
	}{
		{"by a list", []string{"compose.yml", dms + "    environment: [X=1, PERMIT_DOCKER=network]\n"}, "mynetworks=172.16.0.0/12 by environment PERMIT_DOCKER at compose.yml:5:24-45"},
		{"by a mapping", []string{"compose.yml", dms + "    environment:\n      PERMIT_DOCKER: connected-networks\n"}, "mynetworks=own-network by environment PERMIT_DOCKER at compose.yml:6:22-40"},
		{"nothing but itself", []string{"compose.yml", dms + "    environment:\n      PERMIT_DOCKER: container\n"}, "mynetworks= by environment PERMIT_DOCKER at compose.yml:6:22-31"},
		{"nothing", []string{"compose.yml", dms}, "mynetworks= by the default of the image at compose.yml:3:5-10"},
		{"a file of variables", []string{"compose.yml", dms + "    env_file: mail.env\n", "mail.env", "# x\nexport PERMIT_DOCKER=host\n"}, "mynetworks=own-network by environment PERMIT_DOCKER at mail.env:2:22-26"},
		{"a file of variables that is missing", []string{"compose.yml", dms + "    env_file: mail.env\n"}, "mynetworks=$PERMIT_DOCKER by environment PERMIT_DOCKER at compose.yml:1:1-1"},
		{"a variable without a value", []string{"compose.yml", dms + "    environment: {PERMIT_DOCKER: '${P}'}\n"}, "mynetworks=$P by environment PERMIT_DOCKER at compose.yml:5:35-39"},
		{"a variable of the project", []string{"compose.yml", dms + "    environment: [PERMIT_DOCKER]\n", ".env", "PERMIT_DOCKER=network\n"}, "mynetworks=172.16.0.0/12 by environment PERMIT_DOCKER at compose.yml:5:19-32"},
		{"another port", []string{"compose.yml", strings.Replace(dms, "25:25", "587:587", 1) + "    environment: {PERMIT_DOCKER: network}\n"}, ""},
		{"another image", []string{"compose.yml", strings.Replace(dms, "docker-mailserver:15", "other", 1) + "    environment: {PERMIT_DOCKER: network}\n"}, ""},
		{"the default of the image", []string{"compose.yml", boky}, "mynetworks=127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16 by the default of the image at compose.yml:3:5-10"},
		{"another list", []string{"compose.yml", boky + "    environment: {MYNETWORKS: '', POSTFIX_mynetworks: 127.0.0.0/8}\n"}, "mynetworks=127.0.0.0/8 by environment POSTFIX_mynetworks at compose.yml:5:55-66"},
		{"a network that its containers need", []string{"compose.yml", "services:\n  a:\n    image: ghcr.io/mailu/nginx:master\n    ports: ['25:25']\n    env_file: mailu.env\n", "mailu.env", "SUBNET=192.168.203.0/24\nRELAYNETS=192.0.2.0/24\n"},
			"mynetworks=own-network 192.0.2.0/24 by environment RELAYNETS at mailu.env:2:11-23"},
		{"a list beside that of the image", []string{"compose.yml", "services:\n  a:\n    image: juanluisbaptiste/postfix:1\n    ports: ['25:25']\n    environment: {SMTP_NETWORKS: 192.0.2.0/24}\n"},
			"mynetworks=10.0.0.0/8, 172.16.0.0/12, 192.168.0.0/16 192.0.2.0/24 by environment SMTP_NETWORKS at compose.yml:5:34-46"},
	} {
		got := slices.DeleteFunc(settingsOf(t, tt.files...), func(s string) bool { return strings.HasPrefix(s, "network ") })
		if s := strings.Join(got, "; "); s != tt.want {
			t.Errorf("%s: got %q, want %q", tt.name, s, tt.want)
		}
	}
}

// A file of variables that many services have is read once: 1,500 services with one of 1 MB
// would take minutes otherwise. What is too large is said to be that.
func TestLargeEnvFile(t *testing.T) {
	var b strings.Builder
	b.WriteString("services:\n")
	for i := range 1500 {
		fmt.Fprintf(&b, "  s%d: {image: boky/postfix, ports: ['%d:587'], env_file: mail.env}\n", i, 1024+i)
	}
	env := "MYNETWORKS=192.0.2.0/24\n" + strings.Repeat("A_LONG_NAME_OF_A_VARIABLE=and its value\n", 25_000)
	c := project(t, "compose.yml", b.String(), "mail.env", env)
	last := &c.Listeners[len(c.Listeners)-1]
	if s, ok := last.Setting("mynetworks"); len(c.Listeners) != 1500 || !ok || s.Value != "192.0.2.0/24" || s.At.File != "mail.env" {
		t.Errorf("%d listeners, the last one with %+v", len(c.Listeners), s)
	}
	if !slices.ContainsFunc(c.Doubts, func(d listeners.Doubt) bool {
		return d.Problem == "the files of env_file of this project are larger than what is read"
	}) || slices.ContainsFunc(c.Doubts, func(d listeners.Doubt) bool { return d.Problem == noEnvFile }) {
		t.Errorf("doubts %+v", c.Doubts)
	}
}
