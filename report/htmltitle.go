package report

import "cmp"

// title fills the title page.
func (p *htmlPage) title(t TitlePage) {
	clean := func(s string) string { return Sanitise(s, maxField) }
	p.Title = cmp.Or(clean(t.Title), "Mail exposure report: "+p.Scope)
	p.Classification = clean(t.Classification)
	p.About = withText([]htmlFact{
		{Label: "Client", Text: clean(t.Client)},
		{Label: "Engagement", Text: clean(t.Engagement)},
		{Label: "Author", Text: clean(t.Author)},
		{Label: "Classification", Text: p.Classification},
	})
}

// classes are those of the body: they steer what is drawn and printed.
func (o Options) classes(large bool) string {
	classes := "evidence-" + cmp.Or(o.Evidence, EvidenceSummary)
	if large {
		classes += " large"
	}
	return classes
}
