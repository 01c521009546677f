package container

import (
	"fmt"
	"path"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/source"
	"github.com/mxsweep/mxsweep/result"
)

// Kubernetes reads manifests, also as "helm template" renders them: which ports of
// services and pods are reachable from outside of the cluster. A document that is a template
// and is not rendered is a doubt.
func Kubernetes(_ *source.Tree, f *source.File) listeners.Config {
	m := &manifests{file: f, seen: map[*yaml.Node]bool{}}
	for _, d := range documents(f) {
		m.document(d)
	}
	m.selectPods()
	return m.config
}

// manifests are the objects of one file.
type manifests struct {
	file   *source.File
	config listeners.Config
	seen   map[*yaml.Node]bool // objects that were read
	full   bool                // listeners were left out

	services []selection // the listeners of each Service
	pods     []pods      // that they may select
}

// document adds what the objects of a document open.
func (m *manifests) document(d document) {
	tag := strings.Index(d.text, "{{")
	var objects []*yaml.Node
	err := d.decode(func(n *yaml.Node) { objects = append(objects, n) })
	if tag >= 0 && (err != nil || slices.ContainsFunc(objects, isTemplate)) {
		m.doubt(m.file.Anchor(d.at+tag, d.at+tag+2), "a template: what it opens is known only after it is rendered, as by \"helm template\"")
		return
	}
	if err != nil {
		m.doubt(m.file.Anchor(d.at, d.at), firstLine(err.Error()))
		return
	}
	for _, n := range objects {
		m.object(n)
	}
}

// isTemplate reports whether an object has a tag where it says what it opens. Others, as in
// a ConfigMap or an annotation, are also in what is rendered.
func isTemplate(n *yaml.Node) bool {
	if n = resolved(n); n == nil || n.Kind != yaml.MappingNode {
		return false
	}
	kind, node := text(n, "kind")
	if kind == "List" {
		return slices.ContainsFunc(items(n, "items"), isTemplate)
	}
	return node == nil || strings.Contains(kind, "{{") || opens(kind) && hasTag(child(n, "spec"), map[*yaml.Node]bool{})
}

// opens reports whether objects of a kind are read.
func opens(kind string) bool {
	return kind == "Service" || kind == "Pod" || kind == "CronJob" || slices.Contains(workloads, kind)
}

// workloads are the kinds with a template of pods in them.
var workloads = []string{"Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job"}

// free are keys of which the values say nothing about ports.
var free = []string{"metadata", "env", "args", "command", "selector"}

// hasTag reports whether a node has a tag of a template, or is what a tag without quotation
// marks looks like: a mapping with a mapping as its key.
func hasTag(n *yaml.Node, seen map[*yaml.Node]bool) bool {
	if n = resolved(n); n == nil || seen[n] {
		return false
	}
	seen[n] = true
	for i, c := range n.Content {
		key := n.Kind == yaml.MappingNode && i%2 == 0
		switch {
		case key && c.Kind != yaml.ScalarNode && c.Kind != yaml.AliasNode:
			return true
		case n.Kind == yaml.MappingNode && slices.Contains(free, n.Content[i-i%2].Value):
		case hasTag(c, seen):
			return true
		}
	}
	return n.Kind == yaml.ScalarNode && strings.Contains(n.Value, "{{")
}

// object adds what one object opens, once: the lists of a list may be the same.
func (m *manifests) object(n *yaml.Node) {
	if n = resolved(n); m.seen[n] || m.full {
		return
	}
	m.seen[n] = true
	kind, _ := text(n, "kind")
	name, _ := text(n, "metadata", "name")
	id := strings.ToLower(kind) + "/" + name
	if namespace, _ := text(n, "metadata", "namespace"); namespace != "" {
		id = strings.ToLower(kind) + "/" + namespace + "/" + name
	}
	spec := child(n, "spec")
	switch {
	case kind == "Service":
		m.service(id, spec)
	case kind == "Pod":
		m.pod(id, n)
	case kind == "CronJob":
		m.pod(id, under(spec, "jobTemplate", "spec", "template"))
	case slices.Contains(workloads, kind):
		m.pod(id, under(spec, "template"))
	case kind == "ConfigMap":
		m.embedded(id, child(n, "data"))
	case kind == "Secret":
		m.embedded(id, child(n, "stringData"))
	case kind == "List":
		for _, item := range items(n, "items") {
			m.object(item)
		}
	}
}

// embeddedFiles are the names in ConfigMaps of files that say whom a mail daemon trusts and where it
// listens.
var embeddedFiles = []string{
	"*main.cf*", "*master.cf*", "*dovecot*.conf*", "exim*.conf*", "update-exim4.conf.conf", "smtpd.conf*", "sendmail.mc", "sendmail.cf",
	"amavisd.conf*", "rspamd.conf*", "worker-*.inc",
}

// embedded adds a doubt about each of them among the data of an object.
func (m *manifests) embedded(id string, data *yaml.Node) {
	if data == nil || data.Kind != yaml.MappingNode {
		return
	}
	for i := 0; i+1 < len(data.Content); i += 2 {
		key, value := data.Content[i], resolved(data.Content[i+1])
		of := func(pattern string) bool { ok, _ := path.Match(pattern, key.Value); return ok }
		if value != nil && strings.TrimSpace(value.Value) != "" && (slices.ContainsFunc(embeddedFiles, of) || strings.Contains(value.Value, "inet_listener")) {
			m.doubt(anchorOf(m.file, key), fmt.Sprintf("what %q of %s configures is not read", key.Value, id))
		}
	}
}

// under returns the node under a path of keys, nil if there is none.
func under(n *yaml.Node, keys ...string) *yaml.Node {
	for _, key := range keys {
		n = child(n, key)
	}
	return n
}

// service adds the ports of a Service. Of type ClusterIP, the default, it is reachable in
// the cluster only, but at its externalIPs.
func (m *manifests) service(id string, spec *yaml.Node) {
	kind, kindNode := text(spec, "type")
	settings, addresses := m.serviceSettings(spec), items(spec, "externalIPs")
	first := len(m.config.Listeners)
	defer func() {
		m.services = append(m.services, selection{child(spec, "selector"), first, len(m.config.Listeners)})
	}()
	for _, port := range items(spec, "ports") {
		if protocol, _ := text(port, "protocol"); protocol != "" && !strings.EqualFold(protocol, "TCP") {
			continue
		}
		number, at := text(port, "port")
		if m.full {
			return
		}
		if _, ok := portNumber(number); !ok {
			m.doubt(anchorOf(m.file, at), fmt.Sprintf("%q of %s is not a port", number, id))
			continue
		}
		l := listeners.Listener{Through: listeners.ThroughCluster, Settings: settings, Services: []string{id}}
		if v, n := text(port, "targetPort"); n != nil {
			l.Settings = append([]listeners.Setting{{Name: "target", Value: v, At: m.at(n)}}, settings...)
		}
		for _, ip := range addresses {
			l.Causes = []listeners.Cause{{Why: "externalIPs has the address", At: m.at(ip)}}
			m.add(l, id+" externalIP "+ip.Value, ip.Value, number, at)
		}
		l.Causes = []listeners.Cause{{Why: "the type of the Service is " + kind, At: m.at(kindNode)}}
		if kind == "LoadBalancer" {
			m.add(l, id+" loadBalancer", "", number, at)
		}
		if kind == "NodePort" || kind == "LoadBalancer" {
			m.nodePort(l, id, spec, port)
		}
	}
}

// nodePort adds the port of each node that a Service has.
func (m *manifests) nodePort(l listeners.Listener, id string, spec, port *yaml.Node) {
	number, at := text(port, "nodePort")
	allocate, _ := text(spec, "allocateLoadBalancerNodePorts")
	switch {
	case number != "" && number != "0":
		m.add(l, id+" nodePort", "", number, at)
	case allocate == "false":
	default:
		name, node := text(port, "port")
		m.doubt(anchorOf(m.file, node), fmt.Sprintf("port %s of %s is also opened on each node, at a number from 30000 to 32767 that the cluster chooses", name, id))
	}
}

// serviceSettings are what decides who reaches a Service, and as whom its daemons see them.
func (m *manifests) serviceSettings(spec *yaml.Node) []listeners.Setting {
	policy := listeners.Setting{Name: "externalTrafficPolicy", Value: "Cluster"}
	if v, n := text(spec, "externalTrafficPolicy"); n != nil {
		policy.Value, policy.At = v, m.at(n)
	}
	list := []listeners.Setting{policy}
	var ranges []string
	for _, n := range items(spec, "loadBalancerSourceRanges") {
		ranges = append(ranges, n.Value)
	}
	if ranges != nil {
		list = append(list, listeners.Setting{Name: "loadBalancerSourceRanges", Value: strings.Join(ranges, " "), At: m.at(child(spec, "loadBalancerSourceRanges"))})
	}
	return list
}

// pod adds the ports of a pod that are ports of its node.
func (m *manifests) pod(id string, template *yaml.Node) {
	spec := child(template, "spec")
	m.pods = append(m.pods, pods{labels: under(template, "metadata", "labels")})
	network, networkNode := text(spec, "hostNetwork")
	if network == "true" {
		m.doubt(anchorOf(m.file, networkNode), fmt.Sprintf("%s uses the network of its node: it opens the ports of its daemons, which this file need not list", id))
	}
	for _, list := range []string{"initContainers", "containers"} {
		for _, c := range items(spec, list) {
			m.container(id, c, network == "true", networkNode)
		}
	}
}

// container adds the ports of one container.
func (m *manifests) container(id string, c *yaml.Node, onHost bool, network *yaml.Node) {
	name, _ := text(c, "name")
	image, imageNode := text(c, "image")
	started := m.process(id, name, c, onHost)
	for _, port := range items(c, "ports") {
		if protocol, _ := text(port, "protocol"); protocol != "" && !strings.EqualFold(protocol, "TCP") {
			continue
		}
		target, targetNode := text(port, "containerPort")
		number, at := text(port, "hostPort")
		l := listeners.Listener{Through: listeners.ThroughPublished, Services: []string{id + " " + name}, Settings: []listeners.Setting{{Name: "target", Value: target, At: m.at(targetNode)}}}
		if image != "" {
			l.Settings = append(l.Settings, listeners.Setting{Name: "image", Value: image, At: m.at(imageNode)})
		}
		host, hostNode := text(port, "hostIP")
		switch {
		case onHost: // hostPort must then be containerPort
			l.Through = listeners.ThroughHost
			l.Causes = []listeners.Cause{{Why: "hostNetwork is true", At: m.at(network)}}
			number, at = target, targetNode
			if slices.ContainsFunc(started, func(l listeners.Listener) bool { return strconv.Itoa(int(l.Port)) == target }) {
				continue // its command says more
			}
		case number == "" || number == "0":
			continue
		case host == "":
			l.Causes = []listeners.Cause{{Why: "the entry has no hostIP; the port is then open on all addresses of the node"}}
		default:
			l.Causes = []listeners.Cause{{Why: "hostIP is set", At: m.at(hostNode)}}
		}
		m.add(l, id+" "+name, host, number, at)
	}
}

// add adds a listener on a port with that number.
func (m *manifests) add(l listeners.Listener, id, host, number string, at *yaml.Node) {
	n, ok := portNumber(number)
	if !ok {
		m.doubt(anchorOf(m.file, at), fmt.Sprintf("%q of %s is not a port", number, id))
		return
	}
	if m.full {
		return
	}
	l.Port, l.At = uint16(n), anchorOf(m.file, at)
	l.Service = fmt.Sprintf("%s %d", id, n)
	l.Bind(host)
	m.full = !m.config.AddListener(&l)
}

// doubt adds a doubt.
func (m *manifests) doubt(at result.Anchor, problem string) {
	m.config.AddDoubt(problem, at)
}

// at returns the place of a node, nil for none.
func (m *manifests) at(n *yaml.Node) *result.Anchor {
	if n == nil {
		return nil
	}
	a := anchorOf(m.file, n)
	return &a
}

// anchorOf returns the place of a node; the beginning of the file for none.
func anchorOf(f *source.File, n *yaml.Node) result.Anchor {
	if n == nil {
		return f.Anchor(0, 0)
	}
	return scalar(f, n, n.Value)
}
