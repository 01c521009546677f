// Package drift compares the findings of a run with a baseline, the findings of
// an earlier one: which are new, unchanged, fixed, or could not be looked at again.
package drift
