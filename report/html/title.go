package html

import (
	"cmp"

	"github.com/mxsweep/mxsweep/report/format"
	"github.com/mxsweep/mxsweep/report/sanitize"
)

// title fills in the title page.
func (p *htmlPage) title(t format.TitlePage) {
	clean := func(s string) string { return sanitize.Text(s, sanitize.MaxField) }
	p.Title = cmp.Or(clean(t.Title), "Mail exposure report: "+p.Scope)
	p.Classification = clean(t.Classification)
	p.About = withText([]htmlFact{
		{Label: "Client", Text: clean(t.Client)},
		{Label: "Engagement", Text: clean(t.Engagement)},
		{Label: "Author", Text: clean(t.Author)},
		{Label: "Classification", Text: p.Classification},
	})
}

// classes returns the classes of the body, which control what is displayed and
// printed.
func classes(o format.Options, large bool) string {
	classes := "evidence-" + cmp.Or(o.Evidence, format.EvidenceSummary)
	if large {
		classes += " large"
	}
	return classes
}
