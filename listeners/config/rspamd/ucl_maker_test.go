package rspamd

import (
	"fmt"
	"strings"

	"github.com/mxsweep/mxsweep/listeners/config/sockettest"
)

// gap writes blanks or a comment where UCL takes them.
func (m *maker) gap() string {
	return m.one(" ", " ", "\t", "  ", "\n", " # it's { \"\n", " /* x } */ ", "/* /* y */ ; */", "\r\n")
}

// scalar writes a key with its value.
func (m *maker) scalar(key, value string) string {
	if m.IntN(3) > 0 || strings.ContainsAny(value, "[], ") || value[0] == ':' {
		value = m.one(`"`, "'") + value
		value += value[:1]
	}
	equals := m.one(" = ", ": ", "=", " ", " : ", "  =\t")
	if strings.ContainsAny(value, "[{") { // after which a key without = would begin an array
		equals = " = "
	}
	return m.one(key, key, `"`+key+`"`) + equals + value + m.one(";", ";\n", "\n", " ;", ",\n", "; # x\n")
}

// bindsOf writes the values of bind_socket of a worker.
func (m *maker) bindsOf() string {
	if m.IntN(4) > 0 {
		return m.binds()
	}
	return m.scalar(m.one("bind_socket", "listen", "bind"), strings.ToLower(m.bind()))
}

// array writes an array, unless there are to be none.
func (m *maker) array(key string, items ...string) string {
	if m.noArrays {
		return ""
	}
	return key + " = [" + strings.Join(items, m.one(", ", ",\n ")) + "]" + m.one(";\n", "\n")
}

// body writes what is in a worker.
func (m *maker) body(kind string) string {
	var b strings.Builder
	for range 1 + m.IntN(4) {
		switch m.IntN(10) {
		case 0:
			b.WriteString("count" + m.one(" = ", ": ", " ") + m.one("1", "4", "-1", "1k") + m.one(";", "\n", ",\n"))
		case 1:
			b.WriteString("enabled" + m.one(" = ", ": ", " ") + m.one("true", "false", "yes", "no", "on", "off") + m.one(";", "\n", ",\n"))
		case 2:
			b.WriteString("options {" + m.gap() + m.scalar("bind_socket", "*:1") + "}" + m.one("", ";", "\n"))
		case 3:
			b.WriteString(m.one("upstream \"local\" {\n default = yes;\n self_scan = yes;\n}\n", "a b c { d = 1; }\n", "list [ {x = 1}, {y = 2} ]\n", "nothing {}\n"))
		case 4:
			b.WriteString("text = <<EOD\nbind_socket = \"*:1\";\n}\nEOD\n")
		case 5:
			b.WriteString(m.one("timeout = 10s;", "max_size = 10mb\n", "x = -1.5;\n", "y = null\n", `z = "a\"b;}";`, `w = 'a"b{';`, "v = a b c;\n"))
		default:
			b.WriteString(m.bindsOf())
		}
		b.WriteString(m.gap())
	}
	if kind == "controller" {
		b.WriteString(m.one("", m.scalar("password", "x"), m.scalar("enable_password", m.one("q1", "y"))) +
			m.one("", m.scalar("secure_ip", "10.0.0.0/8"), m.array("secure_ip", "\"127.0.0.1\"", "'::1'"), "secure_ip = \"1.2.3.4\"; secure_ip = \"1.2.3.5\";\n"))
	}
	return b.String()
}

// workers writes a file with several workers, and those that it includes, below a folder.
func (m *maker) workers(dir string) map[string]string {
	files := map[string]string{}
	var b strings.Builder
	for i := range 2 + m.IntN(6) {
		kind := m.one("normal", "controller", "rspamd_proxy", "fuzzy", "normal")
		body := m.body(kind)
		for layer := range m.IntN(3) {
			name := fmt.Sprintf("%d-%d.inc", i, layer)
			files[name] = m.body(kind)
			body += fmt.Sprintf(m.one(".include \"%s/%s\"\n", ".include(try=true; priority=1,duplicate=merge) \"%s/%s\"\n",
				".include(try=true; priority=10) \"%s/%s\"\n", ".include(priority=2) \"%s/%s\"\n", ".include(try=true) \"%s/none-%s\"\n"), dir, name)
		}
		open := m.one(" ", "  ", "\t") + "{" + m.gap()
		switch m.IntN(4) {
		case 0:
			fmt.Fprintf(&b, "worker%s%s%s}", open, m.scalar("type", kind), body)
		case 1:
			fmt.Fprintf(&b, "worker \"%s\"%s%s}", kind, open, body)
		default:
			fmt.Fprintf(&b, "worker%s%s%s%s}", m.one(" ", "  ", "\t"), m.one(kind, `"`+kind+`"`), open, body)
		}
		b.WriteString(m.one("\n", "\n\n", ";\n", " # x\n") + m.one("", "", "other { worker { x = 1 } }\n", "a = b;\n", "# worker normal { bind_socket = \"*:1\" }\n"))
	}
	files["rspamd.conf"] = b.String()
	return files
}

// mutate changes a few bytes of a text.
func (m *maker) mutate(text string) string {
	return sockettest.Mutate(m.Rand, text, "{}[]#\"'=:;, \n*/\\0a\t.", 2, 20)
}
