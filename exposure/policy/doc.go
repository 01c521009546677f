// Package policy reads the policy file, mxsweep.yaml: the scope, what is
// expected, what must be closed, the risks that somebody accepted, what fails a
// run, and who authorized it.
package policy
