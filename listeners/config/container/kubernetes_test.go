package container

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"github.com/mxsweep/mxsweep/listeners/config/command"
	"github.com/mxsweep/mxsweep/listeners/source"
)

func TestKubernetes(t *testing.T) {
	for _, tt := range []struct {
		name, text string
		want       []string
	}{
		{"services", `apiVersion: v1
kind: Service
metadata: {name: inside}
spec:
  ports: [{port: 10025}]
---
apiVersion: v1
kind: Service
metadata: {name: mx}
spec:
  type: NodePort
  externalTrafficPolicy: Local
  externalIPs: [192.0.2.5]
  ports:
    - port: 25
      nodePort: 30025
      targetPort: smtp
    - {port: 53, protocol: UDP}
---
apiVersion: v1
kind: Service
metadata: {name: lb}
spec:
  type: LoadBalancer
  loadBalancerSourceRanges: [10.0.0.0/8, 192.0.2.0/24]
  ports:
    - port: 587
`, []string{
			"k.yml:15:13-15 service/mx externalIP 192.0.2.5 25 192.0.2.5 target=smtp externalTrafficPolicy=Local",
			"k.yml:16:17-22 service/mx nodePort 30025 invalid IP target=smtp externalTrafficPolicy=Local",
			"k.yml:27:13-16 service/lb loadBalancer 587 invalid IP externalTrafficPolicy=Cluster loadBalancerSourceRanges=10.0.0.0/8 192.0.2.0/24",
			"k.yml:27:13-16 doubt: port 587 of service/lb is also opened on each node, at a number from 30000 to 32767 that the cluster chooses",
		}},
		{"pods", `apiVersion: v1
kind: List
items:
- kind: Deployment
  apiVersion: apps/v1
  metadata: {name: filter}
  spec: {template: {spec: {containers: [
    {name: a, image: "x/amavis", ports: [{containerPort: 10024, hostPort: 10024}, {containerPort: 1, hostPort: 2, hostIP: 127.0.0.1}, {containerPort: 3}]}]}}}
- kind: CronJob
  metadata: {name: job}
  spec:
    jobTemplate:
      spec:
        template:
          spec:
            hostNetwork: true
            containers:
              - name: b
                ports: [{containerPort: 783}]
`, []string{
			"k.yml:8:75-80 deployment/filter a 10024 invalid IP target=10024 image=x/amavis",
			"k.yml:8:112-113 deployment/filter a 2 127.0.0.1 target=1 image=x/amavis",
			"k.yml:19:41-44 cronjob/job b 783 invalid IP target=783",
			"k.yml:16:26-30 doubt: cronjob/job uses the network of its node: it opens the ports of its daemons, which this file need not list",
		}},
		{"a template", "apiVersion: v1\nkind: Service\nspec: {type: {{ .Values.type }}}\n", []string{
			`k.yml:3:14-16 doubt: a template: what it opens is known only after it is rendered, as by "helm template"`,
		}},
		{"a template beside what is rendered", "apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  type: {{ .Values.type }}\n  ports: [{port: 25, nodePort: 30025}]\n---\n" +
			"apiVersion: v1\nkind: Service\nmetadata: {name: b}\nspec:\n  type: NodePort\n  ports: [{port: 26, nodePort: 30026}]\n", []string{
			"k.yml:13:32-37 service/b nodePort 30026 invalid IP externalTrafficPolicy=Cluster",
			`k.yml:5:9-11 doubt: a template: what it opens is known only after it is rendered, as by "helm template"`,
		}},
		{"tags where nothing is opened", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {x: '{{ y }}'}\n---\n" +
			"apiVersion: v1\nkind: Pod\nmetadata: {name: p, annotations: {x: '{{ y }}'}}\nspec:\n  containers:\n  - {name: c, args: ['{{ z }}'], ports: [{containerPort: 25, hostPort: 25}]}\n", []string{
			"k.yml:11:72-74 pod/p c 25 invalid IP target=25",
		}},
		{"one name in two namespaces", "apiVersion: v1\nkind: Service\nmetadata: {name: mx, namespace: a}\nspec: {type: NodePort, ports: [{port: 25, nodePort: 30025}]}\n---\n" +
			"apiVersion: v1\nkind: Service\nmetadata: {name: mx, namespace: b}\nspec: {type: NodePort, ports: [{port: 25, nodePort: 30026}]}\n---\n" +
			"apiVersion: v1\nkind: Service\nmetadata: {name: mx}\nspec: {type: NodePort, ports: [{port: 25, nodePort: 30027}]}\n", []string{
			"k.yml:4:53-58 service/a/mx nodePort 30025 invalid IP externalTrafficPolicy=Cluster",
			"k.yml:9:53-58 service/b/mx nodePort 30026 invalid IP externalTrafficPolicy=Cluster",
			"k.yml:14:53-58 service/mx nodePort 30027 invalid IP externalTrafficPolicy=Cluster",
		}},
		{"files of mail daemons in ConfigMaps", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a, namespace: m}\ndata:\n  main.cf: |\n    mynetworks = 0.0.0.0/0\n  master.cf: ''\n  index.html: x\n  10-ports.conf: 'service lmtp { inet_listener { port = 24 } }'\n---\n" +
			"apiVersion: v1\nkind: Secret\nmetadata: {name: b}\nstringData: {dovecot.conf: 'protocols = imap'}\n---\nkind: ConfigMap\napiVersion: v1\ndata: [main.cf]\n", []string{
			`k.yml:5:3-10 doubt: what "main.cf" of configmap/m/a configures is not read`,
			`k.yml:9:3-16 doubt: what "10-ports.conf" of configmap/m/a configures is not read`,
			`k.yml:14:14-26 doubt: what "dovecot.conf" of secret/b configures is not read`,
		}},
		{"no YAML", "kind: [\n", []string{
			"k.yml:1:1-1 doubt: yaml: line 1: did not find expected node content",
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got := shown(Kubernetes(nil, source.NewFile("k.yml", "k.yml", tt.text)))
			if !slices.Equal(got, tt.want) {
				t.Errorf("got\n\t%s\nwant\n\t%s", strings.Join(got, "\n\t"), strings.Join(tt.want, "\n\t"))
			}
		})
	}
}

func FuzzKubernetes(f *testing.F) {
	f.Add("kind: Service\nspec: {type: NodePort, ports: [{port: 1, nodePort: 30000}]}")
	f.Add("kind: Pod\nspec: &a {hostNetwork: true, containers: [{ports: [{containerPort: 1}]}], x: *a}")
	f.Fuzz(func(t *testing.T, text string) {
		for _, l := range Kubernetes(nil, source.NewFile("k.yml", "k.yml", text)).Listeners {
			if l.Port == 0 || l.At.Line < 1 {
				t.Errorf("listener without a port or a place: %+v", l)
			}
		}
	})
}

// TestHostileManifests holds that files which are made to be slow or wrong are read.
func TestHostileManifests(t *testing.T) {
	wide := "<<: [" + strings.Repeat("*a0,", 40) + "*a0]"
	merges := "kind: Service\na0: &a0 {x: 1}\n"
	list := "kind: List\nl0: &l0 {kind: Pod}\n"
	for _, level := range []string{"1", "2", "3", "4", "5", "6", "7", "8"} {
		before := string(level[0] - 1)
		merges += "a" + level + ": &a" + level + " {" + strings.ReplaceAll(wide, "*a0", "*a"+before) + "}\n"
		list += "l" + level + ": &l" + level + " {kind: List, items: [" + strings.Repeat("*l"+before+",", 40) + "]}\n"
	}
	for name, text := range map[string]string{
		"merges":          merges + "spec: *a8\n",
		"lists":           list + "items: [*l8]\n",
		"other line ends": "apiVersion: v1\nkind: Service\nspec:\r  type: NodePort\r  ports:\r  - nodePort: \"30025\"\n#",
	} {
		t.Run(name, func(*testing.T) { Kubernetes(nil, source.NewFile("k.yml", "k.yml", text)) })
	}
}

// TestManyPods: a file in which many ports of a Service lead to many pods is not read to its end, and
// says so.
func TestManyPods(t *testing.T) {
	var b strings.Builder
	b.WriteString("apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec:\n  type: NodePort\n  selector: {app: a}\n  ports:\n")
	for i := range 400 {
		fmt.Fprintf(&b, "  - {port: 25, nodePort: %d}\n", 30000+i)
	}
	for range 400 {
		b.WriteString("---\napiVersion: v1\nkind: Pod\nmetadata: {name: p, labels: {app: a}}\nspec: {containers: [{name: c}]}\n")
	}
	c := Kubernetes(nil, source.NewFile("k.yml", "k.yml", b.String()))
	if len(c.Doubts) != 1 || !strings.Contains(c.Doubts[0].Problem, "the rest is left out") || len(c.Listeners) != 400 || len(c.Listeners[0].Services) != 401 || len(c.Listeners[399].Services) != 1 {
		t.Errorf("%d listeners, %v", len(c.Listeners), c.Doubts)
	}
}

// everyScalar returns a function that calls do with each scalar below a node.
func everyScalar(do func(string, command.Text), f *source.File) func(*yaml.Node) {
	var walk func(n *yaml.Node)
	walk = func(n *yaml.Node) {
		if n.Kind == yaml.ScalarNode {
			do(n.Value, placed(f, n))
		}
		for _, c := range n.Content { // aliases have no content
			walk(c)
		}
	}
	return walk
}
