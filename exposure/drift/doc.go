// Package drift compares the findings of a run with a baseline, the findings of
// an earlier run: which are new, unchanged, fixed, or could not be verified.
package drift
