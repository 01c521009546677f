package exposure

import (
	"mxsweep/scan"
	"time"
)

// A Policy is what mxsweep.yaml says.
type Policy struct {
	Vantages []Vantage
}

func (p *Policy) apply(f *Finding, port Port, now time.Time) {}

func (j *Judge) forbidden(p Port, v Vantage) []Finding { return nil }

type Canary struct {
	Answered bool
	Anchor   *scan.Anchor
}

func (c *Canary) Target() string { return "" }
