package configured

import (
	"github.com/mxsweep/mxsweep/exposure"
	"github.com/mxsweep/mxsweep/listeners"
	"github.com/mxsweep/mxsweep/listeners/trust"
	"github.com/mxsweep/mxsweep/report/sanitize"
	"github.com/mxsweep/mxsweep/result"
)

// settings returns what is judged of the settings that trust too many clients, and what about
// them the files do not decide.
func (a *Audit) settings() ([]exposure.Subject, []listeners.Doubt) {
	faults, doubts := trust.Find(&a.read)
	var list []exposure.Subject
	names := map[[2]string]bool{}
	for i := range faults {
		p := a.setting(&faults[i])
		name := [2]string{p.Host, p.Listener.Name}
		if names[name] { // another one of the same port
			p.Listener.Name = sanitize.Text(faults[i].Listener.Service+" "+p.Listener.Name, sanitize.MaxField)
			name[1] = p.Listener.Name
		}
		names[name] = true
		list = append(list, p)
	}
	return list, doubts
}

// setting returns what is judged of a setting.
func (a *Audit) setting(f *trust.Fault) exposure.Subject {
	p := a.subject(f.Listener)
	at := f.At
	p.Host, p.Anchor = at.File, &at
	p.Listener = &result.Configured{Name: sanitize.Text(f.Name, sanitize.MaxField), Kind: f.Listener.Kind, Through: string(f.Listener.Through)}
	for _, c := range f.Causes {
		p.Listener.Causes = append(p.Listener.Causes, result.Widening{Why: c.Why, Anchor: c.At})
	}
	p.Listener.Edit = a.settingEdit(f)
	p.Setting = &exposure.Setting{Fault: exposure.SettingFault(f.Kind), Why: f.Why, Confidence: f.Confidence, Fix: f.Fix}
	return p
}

// judgeSettings adds the findings about settings to an outcome, and returns what is not
// decided.
func (a *Audit) judgeSettings(j *exposure.Judge, c *Outcome) []listeners.Doubt {
	subjects, doubts := a.settings()
	for i := range subjects {
		found := j.Findings(subjects[i])
		if len(found) == 0 {
			continue
		}
		c.Open = append(c.Open, subjects[i])
		c.Findings = append(c.Findings, found...)
	}
	return doubts
}
