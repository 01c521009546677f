package configured_test

import (
	"fmt"
	"maps"
	"testing"
)

// The edit of a value leaves its other entries, and closes the finding. Where only people know
// what remains, there is none.
func TestSettingEdits(t *testing.T) {
	t.Parallel()
	const dms = "services:\n  mx:\n    image: mailserver/docker-mailserver\n    ports: ['25:25']\n    environment:\n      %s\n"
	boky := func(list string) map[string]string {
		return map[string]string{"compose.yml": "services:\n  mx:\n    image: boky/postfix\n    ports: ['587:587']\n    environment:\n      - " + list + "\n"}
	}
	for _, tt := range []struct {
		name  string
		files map[string]string
		rule  string
		edit  string // "old -> new"; "" for none
	}{
		{"the last entry", mx("mynetworks = 127.0.0.0/8 172.16.0.0/12\n", published), "MXS1502", "127.0.0.0/8 172.16.0.0/12 -> 127.0.0.0/8"},
		{"an entry between others", mx("mynetworks = 127.0.0.0/8, 172.16.0.0/12, 192.0.2.0/24\n", published), "MXS1502", "127.0.0.0/8, 172.16.0.0/12, 192.0.2.0/24 -> 127.0.0.0/8, 192.0.2.0/24"},
		{"the first entry", mx("mynetworks = 172.16.0.0/12,127.0.0.0/8\n", published), "MXS1502", "172.16.0.0/12,127.0.0.0/8 -> 127.0.0.0/8"},
		{"all entries", mx("mynetworks = 172.16.0.0/12 0.0.0.0/0\n", published), "MXS1501", "172.16.0.0/12 0.0.0.0/0 -> 127.0.0.0/8"},
		{"entries on two lines", mx("mynetworks = 127.0.0.0/8\n  172.16.0.0/12\n", published), "MXS1502", "\n  172.16.0.0/12 -> "},
		{"entries between others on lines", mx("mynetworks =\n  127.0.0.0/8\n  172.16.0.0/12,\n  192.0.2.0/24\nmydestination =\n", published), "MXS1502", "\n  172.16.0.0/12 -> "},
		{"entries behind a comment", mx("mynetworks = 127.0.0.0/8\n# others\n  172.16.0.0/12\n", published), "MXS1502", ""},
		{"an option of the service", map[string]string{"compose.yml": published, "postfix/main.cf": level, "postfix/master.cf": "smtp inet n - y - - smtpd\n  -o mynetworks=172.16.0.0/12\n"}, "MXS1502", "172.16.0.0/12 -> 127.0.0.0/8"},
		{"the style", mx("mynetworks_style = subnet\n", published), "MXS1502", "subnet -> host"},
		{"a word", map[string]string{"compose.yml": fmt.Sprintf(dms, "PERMIT_DOCKER: network")}, "MXS1502", "network -> none"},
		{"a word of a list", map[string]string{"compose.yml": fmt.Sprintf(dms, "- PERMIT_DOCKER=connected-networks")}, "MXS1502", "PERMIT_DOCKER=connected-networks -> PERMIT_DOCKER=none"},
		{"a word of a file", map[string]string{"compose.yml": "services:\n  mx:\n    image: mailserver/docker-mailserver\n    ports: ['25:25']\n    env_file: mail.env\n", "mail.env": "PERMIT_DOCKER=network\n"}, "MXS1502", "network -> none"},
		{"a variable", map[string]string{"compose.yml": fmt.Sprintf(dms, "PERMIT_DOCKER: ${P}"), ".env": "P=network\n"}, "MXS1502", ""},
		{"a list of an image", boky("MYNETWORKS=127.0.0.0/8,10.0.0.0/8,0.0.0.0/0"), "MXS1501", "MYNETWORKS=127.0.0.0/8,10.0.0.0/8,0.0.0.0/0 -> MYNETWORKS=127.0.0.0/8,10.0.0.0/8"},
		{"all of it", boky("\"MYNETWORKS=0.0.0.0/0\""), "MXS1501", "MYNETWORKS=0.0.0.0/0 -> MYNETWORKS=127.0.0.0/8"},
		{"the default of an image", map[string]string{"compose.yml": "services:\n  mx:\n    image: boky/postfix\n    ports: ['587:587']\n"}, "MXS1502", ""},
		{"who needs no password", controller("secure_ip = \"0.0.0.0/0\";\n"), "MXS1503", "0.0.0.0/0 -> 127.0.0.1"},
		{"who needs none, of a private range", controller("secure_ip = 10.0.0.0/8;\n"), "MXS1504", "10.0.0.0/8 -> 127.0.0.1"},
		{"load balancers that remain", map[string]string{"dovecot.conf": haproxy + "haproxy_trusted_networks = 192.0.2.7 0.0.0.0/0\n"}, "MXS1505", "192.0.2.7 0.0.0.0/0 -> 192.0.2.7"},
		{"load balancers that are not known", map[string]string{"dovecot.conf": haproxy + "haproxy_trusted_networks = 10.0.0.0/8\n"}, "MXS1506", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, c := audit(t, tt.files)
			edited := maps.Clone(tt.files)
			n := 0
			for i := range c.Findings {
				f := &c.Findings[i]
				if f.Rule.ID != tt.rule {
					continue
				}
				n++
				got := ""
				if e := f.Listener.Edit; e != nil {
					got = e.Old + " -> " + e.Text
					edited[f.Host] = apply(t, edited[f.Host], e)
				}
				if got != tt.edit {
					t.Errorf("edit %q, want %q", got, tt.edit)
				}
			}
			if n != 1 {
				t.Fatalf("findings %v", shown(c))
			}
			_, after := audit(t, edited)
			for i := range after.Findings {
				if f := &after.Findings[i]; tt.edit != "" && f.Rule.OfSetting() {
					t.Errorf("after the edit: %v", shown(after))
				}
			}
		})
	}
}
