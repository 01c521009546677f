package exposure

// A Rule says when a service is exposed, why that is wrong and how to mend it.
type Rule struct {
	ID string // "MXSnnnn"; an id never changes its meaning
}
