package exposure

import (
	"slices"
	"testing"

	"github.com/mxsweep/mxsweep/result"
)

// settingRules are the rules that each fault breaks.
var settingRules = map[SettingFault]string{
	SettingRelaysForAll: "MXS1501", SettingRelaysTranslated: "MXS1502",
	SettingNoLoginForAll: "MXS1503", SettingNoLoginForPrivate: "MXS1504",
	SettingProxyOfAll: "MXS1505", SettingProxyOfPrivate: "MXS1506",
	SettingNoPassword: "MXS1507", SettingFilterBypassed: "MXS1508",
}

// Each fault of a setting breaks its own rule and no other, whatever daemon it is, and no
// listener breaks such a rule.
func TestSettings(t *testing.T) {
	j := &Judge{Rules: testRules(t), Knowledge: testPorts(), Vantage: Vantage{Class: ClassConfig}}
	if len(settingRules) != len(settingFaults) {
		t.Errorf("%d faults in the table, %d in rules", len(settingRules), len(settingFaults))
	}
	for _, word := range settingFaults {
		p := openPort(10025, svc("smtp", "reinjection", "Postfix smtpd", "xclient-offered"))
		p.Host, p.Anchor = "main.cf", &result.Anchor{File: "main.cf", Line: 3, Text: "mynetworks = 0.0.0.0/0"}
		p.Listener = &result.Configured{Name: "mynetworks", Causes: []result.Widening{{Why: "port 25/tcp", Anchor: &result.Anchor{File: "compose.yml", Line: 4}}}}
		p.Setting = &Setting{Fault: SettingFault(word), Why: []string{"mynetworks has 0.0.0.0/0"}, Confidence: 7}
		got := j.Findings(p)
		if ids(got) != settingRules[SettingFault(word)] {
			t.Errorf("%s: got %q", word, ids(got))
			continue
		}
		want := []string{"mynetworks has 0.0.0.0/0", "port 25/tcp (compose.yml:4)", "the file configures Postfix smtpd (smtp), in the role reinjection"}
		if f := got[0]; !slices.Equal(f.Evidence, want) || f.Title != f.Rule.Title || f.Confidence != 7 || f.Listener.Edit != nil {
			t.Errorf("%s: %q, evidence %q, confidence %d", word, f.Title, f.Evidence, f.Confidence)
		}
	}
	for _, tt := range judgements {
		for _, f := range j.Findings(openPort(tt.port, tt.service)) {
			if f.Rule.OfSetting() {
				t.Errorf("%s: %s is about a setting", tt.name, f.Rule.ID)
			}
		}
	}
}
