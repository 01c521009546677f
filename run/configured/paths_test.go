package configured_test

import (
	"slices"
	"testing"
)

// A finding of a file says where in the mail path whoever connects to the port enters it, by
// what the other files say.
func TestFindingsSayWhereTheyEnter(t *testing.T) {
	t.Parallel()
	_, c := audit(t, map[string]string{
		"postfix/main.cf": "inet_interfaces = all\n",
		"postfix/master.cf": "submission inet n - y - - smtpd\n  -o smtpd_sasl_auth_enable=yes\n  -o content_filter=smtp:[127.0.0.1]:10027\n" +
			"10028 inet n - y - - smtpd\n  -o content_filter=\n  -o receive_override_options=no_unknown_recipient_checks\n",
		"dkimproxy_out.conf": "listen 127.0.0.1:10027\nrelay 127.0.0.1:10028\n",
	})
	const want = "whoever connects here enters the mail path after the login of submission (587 Postfix smtpd) and signing (10027 DKIMproxy), directly before the queue (as the configuration files say)"
	found := false
	for i := range c.Findings {
		f := &c.Findings[i]
		if f.Target.Port() == 10028 {
			found = true
			if !slices.Contains(f.Evidence, want) {
				t.Errorf("%s: evidence is %q", f.Rule.ID, f.Evidence)
			}
		}
	}
	if !found || len(c.Paths) != 1 {
		t.Errorf("%d findings and %d paths", len(c.Findings), len(c.Paths))
	}
}
