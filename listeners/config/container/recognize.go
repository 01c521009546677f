package container

import (
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// IsCompose reports whether a file is one of Docker Compose, in any style of YAML: it has
// services, and one of them has a key that only they have. So has a file that is no YAML and
// has such lines, as one with a mistake.
func IsCompose(text string) bool {
	if !hasTopKey(text, "services") || hasTopKey(text, "apiVersion") {
		return false
	}
	for d := yaml.NewDecoder(strings.NewReader(text)); ; {
		var doc yaml.Node
		if err := d.Decode(&doc); err != nil {
			return err.Error() != "EOF" && serviceLine.MatchString(text)
		}
		if len(doc.Content) > 0 && hasServices(child(doc.Content[0], "services"), map[*yaml.Node]bool{}) {
			return true
		}
	}
}

// serviceKeys are keys that a service of Docker Compose has, and those of others have not.
var serviceKeys = []string{"image", "build", "ports", "extends", "container_name", "network_mode"}

// serviceLine is a line with one of them.
var serviceLine = regexp.MustCompile(`(?m)^[ \t]+["']?(?:image|build|ports|extends|container_name|network_mode)["']?[ \t]*:`)

// hasServices reports whether a mapping has a service of Docker Compose.
func hasServices(services *yaml.Node, seen map[*yaml.Node]bool) bool {
	if services = resolved(services); seen[services] {
		return false
	}
	seen[services] = true
	for key, service := range members(services) {
		if key == "<<" && hasServices(service, seen) {
			return true
		}
		if slices.ContainsFunc(serviceKeys, func(k string) bool { return child(service, k) != nil }) {
			return true
		}
	}
	return false
}

// IsKubernetes reports whether a file has objects of Kubernetes, rendered or not, in any style
// of YAML, or in JSON.
func IsKubernetes(text string) bool {
	return hasTopKey(text, "apiVersion") && hasTopKey(text, "kind")
}

// hasTopKey reports whether a document of a file of YAML has a key: at the top of it, or
// anywhere in one of the flow style, which JSON has. The file may be a template.
func hasTopKey(text, key string) bool {
	if !strings.Contains(text, key) {
		return false
	}
	indent := -1 // of the keys of the document, -1 before the first one
	for at := 0; at < len(text); {
		end := len(text)
		if n := strings.IndexByte(text[at:], '\n'); n >= 0 {
			end = at + n
		}
		line := strings.TrimRight(text[at:end], " \t\r")
		begin := at
		at = end + 1
		if rest, ok := strings.CutPrefix(line, "---"); ok && (rest == "" || rest[0] == ' ' || rest[0] == '\t') {
			indent = -1
			begin, line = begin+len("---"), rest
		}
		content := strings.TrimLeft(line, " \t\ufeff")
		switch {
		case content == "" || content[0] == '#' || content[0] == '%' || content[0] == '&' || content[0] == '!' || strings.HasPrefix(content, "{{"):
			continue
		case indent < 0 && (content[0] == '{' || content[0] == '['):
			return flowKeys[key].MatchString(text[begin:]) && hasKey(text[begin:], key)
		}
		own := len(line) - len(content)
		if indent < 0 {
			indent = own
		}
		if own == indent && isKey(content, key) {
			return true
		}
	}
	return false
}

// hasKey reports whether the first document of a text of the flow style has a key, or an element
// of its list has it. A text that is no YAML may have it.
func hasKey(text, key string) bool {
	var doc yaml.Node
	if yaml.NewDecoder(strings.NewReader(text)).Decode(&doc) != nil || len(doc.Content) == 0 {
		return true
	}
	root := doc.Content[0]
	return child(root, key) != nil || root.Kind == yaml.SequenceNode && slices.ContainsFunc(root.Content, func(n *yaml.Node) bool { return child(n, key) != nil })
}

// isKey reports whether a line begins with a key.
func isKey(line, key string) bool {
	rest, ok := strings.CutPrefix(line, key)
	for _, mark := range []string{`"`, `'`} {
		if in, quoted := strings.CutPrefix(line, mark+key+mark); quoted {
			rest, ok = in, true
		}
	}
	return ok && strings.HasPrefix(strings.TrimLeft(rest, " \t"), ":")
}

// flowKeys are the keys in mappings of the flow style.
var flowKeys = map[string]*regexp.Regexp{
	"services":   regexp.MustCompile(`[{,\s]["']?services["']?\s*:`),
	"apiVersion": regexp.MustCompile(`[{,\s]["']?apiVersion["']?\s*:`),
	"kind":       regexp.MustCompile(`[{,\s]["']?kind["']?\s*:`),
}
