package exposure

import (
	"fmt"
	"slices"

	"github.com/mxsweep/mxsweep/exposure/fix"
)

// A SettingFault is what is wrong with a setting of a configuration file, which no scan
// shows.
type SettingFault string

// The faults of settings.
const (
	// SettingRelaysForAll is set if clients that may relay are of all addresses.
	SettingRelaysForAll SettingFault = "relays-for-all"
	// SettingRelaysTranslated is set if clients that may relay have the address that
	// address translation gives to strangers.
	SettingRelaysTranslated SettingFault = "relays-translated"
	// SettingNoLoginForAll is set if strangers need no password, because their address,
	// or that which address translation gives to them, is in a list.
	SettingNoLoginForAll SettingFault = "no-login-for-all"
	// SettingNoLoginForPrivate is set if clients of a whole private range need no
	// password.
	SettingNoLoginForPrivate SettingFault = "no-login-for-private"
	// SettingProxyOfAll is set if a PROXY header is taken from all addresses.
	SettingProxyOfAll SettingFault = "proxy-of-all"
	// SettingProxyOfPrivate is set if a PROXY header is taken from a whole private range.
	SettingProxyOfPrivate SettingFault = "proxy-of-private"
	// SettingNoPassword is set if there is neither a password nor a list of who needs none.
	SettingNoPassword SettingFault = "no-password"
	// SettingFilterBypassed is set if a rule of a packet filter does not see the packets for
	// a port that it drops.
	SettingFilterBypassed SettingFault = "filter-bypassed"
)

// settingFaults are the words for all of them in a rule.
var settingFaults = []string{
	string(SettingRelaysForAll), string(SettingRelaysTranslated), string(SettingNoLoginForAll), string(SettingNoLoginForPrivate),
	string(SettingProxyOfAll), string(SettingProxyOfPrivate), string(SettingNoPassword), string(SettingFilterBypassed),
}

// A Setting is a setting of a configuration file that is judged.
type Setting struct {
	Fault      SettingFault
	Why        []string // sentences without a full stop; the first one says what is set
	Confidence int      // from 0 to 10, how certain the fault is

	// Fix says what to change at the anchor, without a full stop; further lines are other
	// ways. "" is the advice of the rule.
	Fix string
}

// OfSetting reports whether the rule is about settings of configuration files.
func (r *Rule) OfSetting() bool {
	return slices.ContainsFunc(r.When, func(c Condition) bool { return len(c.Settings) > 0 })
}

// ofSetting reports whether the condition is one for the fault of a setting, or with "" for
// a listener.
func (c *Condition) ofSetting(f SettingFault) bool {
	if f == "" {
		return len(c.Settings) == 0
	}
	return slices.Contains(c.Settings, f)
}

// settingEvidence returns the evidence for a setting of a file: what it says, to which
// listener that applies, and what the daemon is.
func (p *Subject) settingEvidence() []string {
	list := slices.Clone(p.Setting.Why)
	for _, c := range p.Listener.Causes {
		sentence := c.Why
		if c.Anchor != nil && (p.Anchor == nil || *c.Anchor != *p.Anchor) {
			sentence += fmt.Sprintf(" (%s:%d)", c.Anchor.File, c.Anchor.Line)
		}
		if len(list) < maxEvidence-1 {
			list = append(list, sentence)
		}
	}
	if p.Service != nil && Identified(p.Service) {
		list = append(list, "the file configures "+daemon(p.Service))
	}
	return list
}

// settingAdvice returns how to close a finding about a setting: at its place, and how to
// verify that with the files on which it depends.
func (p *Subject) settingAdvice(r *Rule) Advice {
	text := fillPort(r.Fixes.Default, p.Target.Port())
	if p.Setting.Fix != "" && p.Anchor != nil {
		text = fmt.Sprintf("%s:%d: %s", p.Anchor.File, p.Anchor.Line, p.Setting.Fix)
	}
	files := []string{p.Root + p.Host}
	for _, c := range p.Listener.Causes {
		if c.Anchor != nil && !slices.Contains(files, p.Root+c.Anchor.File) && len(files) < maxVerified {
			files = append(files, p.Root+c.Anchor.File)
		}
	}
	return Advice{Text: text + "\n" + fix.VerifyFile(files...)}
}

// maxVerified is how many files a command that verifies an edit names.
const maxVerified = 4
